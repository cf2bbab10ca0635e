"""safelight captions DIR fill: what is checked before a worker starts, and what is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.dataset.captioning.book import Book
from projects.job import JobDir
from projects.problems import Refused
from projects.project import open_project, read_job, resolve
from projects.spec import FillJob
from tests.projects.jobs import eventually
from tui.filling import prepare
from tui.verbs.captions_fill import fill


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The files of a model that answers prompts, as far as they are looked at before it is loaded."""
    folder = tmp_path / "joy"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llava"}')
    (folder / "model.safetensors").write_text("")
    return folder


@pytest.fixture
def ready(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one caption of three, called from beside it."""
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        (project / "images" / f"{number}.txt").unlink()
    return project


def call(project: Path, *arguments: object) -> int:
    code = fill.main([str(each) for each in arguments], standalone_mode=False, obj=project)
    assert isinstance(code, int)
    return code


def test_a_job_is_started_with_what_was_said_and_its_words_say_what_is_left_alone(
    ready: Path, model: Path, stand_in: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    said = (
        "--model",
        "joy",
        "--prompt",
        "What?",
        "--blacklist",
        "a",
        "--blacklist",
        "b c",
        "--batch",
        2,
        "--seed",
        3,
    )
    assert call(ready, *said, "--json") == 0
    out, err = capfd.readouterr()
    told = json.loads(out)
    assert (told["job"], told["captions"], told["written"], told["drafts"]) == ("jobs/fill-1", 2, 1, 0)
    assert told["pid"] == stand_in[0] and "1 caption written by people, left alone (--over" in err
    job = read_job(JobDir(ready / told["job"]))
    assert isinstance(job, FillJob) and job.model == str(model)
    assert (job.prompt, job.blacklist, job.batch, job.seed, job.over) == ("What?", ("a", "b c"), 2, 3, False)
    made = ready / "images" / "1.txt"
    assert eventually(made.is_file) and made.read_text().endswith(", white, with a handle\n")


def test_following_tells_each_draft_and_what_came_of_it(
    ready: Path, model: Path, stand_in: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(ready, "--model", model, "--follow") == 0
    out, _ = capfd.readouterr()
    assert "1.png: white, with a handle" in out and "2 captions drafted. Drafts stay marked" in out
    assert call(ready, "--model", model, "--json") == 0
    out, err = capfd.readouterr()
    told = json.loads(out)
    assert (told["job"], told["captions"], told["drafts"]) == (None, 0, 2)
    assert "There is nothing to draft." in err and "--again replaces them" in err
    book = Book(ready, resolve(open_project(ready)).data)
    book.load()
    assert book.journal.drafted == {"images/1.txt", "images/2.txt"}


def test_a_filter_names_the_pictures(ready: Path, model: Path, stand_in: list[int]) -> None:
    spec = resolve(open_project(ready))
    meant = prepare(ready, spec, {"model": str(model)}, meant="name:2 or text:table")
    assert meant.job.pictures == ("0.png", "2.png")
    assert [one.picture for one in meant.choice.wanted] == ["2.png"]
    named = prepare(ready, spec, {"model": str(model), "pictures": ("1.png",)})
    assert [one.picture for one in named.choice.wanted] == ["1.png"]
    empty = prepare(ready, spec, {"model": str(model)}, meant="not is:empty")
    assert empty.job.pictures == ("0.png",) and not empty.choice.wanted
    with pytest.raises(Refused, match="No picture is meant by light:window"):
        prepare(ready, spec, {"model": str(model)}, meant="light:window")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"model": "nowhere"}, ["--model: There is no model"]),
        ({"batch": 0, "temperature": 3.0}, ["--batch: 0 is below 1", "--temperature: 3 is above 2"]),
        ({"general_threshold": 1.5}, ["--threshold: 1.5 is above 1"]),
        ({"template": "{draf}", "method": "blip2"}, ["did you mean {draft}", '"blip2" does not fit']),
        ({"pictures": ["cup.png"]}, ['No picture is called "cup.png"']),
        ({"prompt": "x" * 10_001}, ["--prompt: The text is 10001 characters long"]),
    ],
)  # fmt: skip
def test_everything_that_is_wrong_is_said_at_once(
    ready: Path, model: Path, said: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        prepare(ready, resolve(open_project(ready)), {"model": str(model), **said})
    told = "\n".join(map(str, refused.value.problems)).lower()
    assert refused.value.usage and all(word.lower() in told for word in words)
    assert not (ready / "jobs").exists()


def test_words_that_no_door_lets_through_start_nothing(ready: Path, model: Path) -> None:
    with pytest.raises(Refused):
        prepare(ready, resolve(open_project(ready)), {"model": str(model), "prompt": "naked 12 year old"})


def test_a_tagger_without_its_extra_is_refused_before_a_worker_starts(
    ready: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (model / "selected_tags.csv").write_text("")
    (model / "model.onnx").write_text("")
    monkeypatch.setattr("projects.captioners.importlib.util.find_spec", lambda name: None)
    with pytest.raises(Refused, match=r"safelight\[tagger\]") as refused:
        prepare(ready, resolve(open_project(ready)), {"model": str(model), "prompt": "What?"})
    assert len(refused.value.problems) == 2
