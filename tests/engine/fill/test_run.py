"""The fill job: what is drafted, what is left alone, and that a job which was killed or stopped goes on with the rest."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from engine.desk import Desk
from engine.fill import model, record, run
from engine.fill.method import Opened, OutOfMemory
from projects import worker
from projects.events import fold_file, read
from projects.job import JobDir
from projects.problems import Refused
from projects.project import new_job_dir, open_project, resolve, write_job
from projects.spec import FillJob
from tests.engine.dataset.captioning.kitchen import book, contents, project
from tests.engine.tiny_captioners import tiny_blip2
from tests.projects.jobs import eventually

Start = Callable[..., "subprocess.Popen[bytes]"]
ROOT = Path(__file__).resolve().parents[3]
PERSON = b"k1tch, a copper pan on a hook"


def job_of(folder: Path, model_folder: Path, **said: object) -> FillJob:
    spec = resolve(open_project(folder))
    return FillJob(project=str(folder), model=str(model_folder), spec=spec, **said)  # type: ignore[arg-type]


def work(folder: Path, job: FillJob, into: JobDir | None = None) -> tuple[str, JobDir]:
    """One attempt in this process."""
    where = into or new_job_dir(folder, "fill")
    with Desk.open(where, fold_file(where.events).attempt + 1) as desk:
        desk.begin()
        word = run.run(desk, job)
        desk.conclude(word)
    return word, where


class Stub:
    """A model that says the pictures' size and colour, and counts what it was asked."""

    def __init__(self, says: Callable[[Sequence[Image.Image]], list[str]] | None = None) -> None:
        self.asked: list[int] = []
        self._says = says

    def ask(self, pictures: Sequence[Image.Image], seed: int) -> list[str]:
        self.asked.append(len(pictures))
        if self._says:
            return self._says(pictures)
        return [f"a field of {picture.getpixel((0, 0))}" for picture in pictures]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    """In the place of the model; its files are a real folder's."""
    standing = Stub()
    opened = Opened(ask=standing.ask, device="cpu", most=64)
    monkeypatch.setattr(model, "load", lambda facts, job: opened)
    return standing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pictures in colours of their own; `pan` has a person's caption."""
    at = project(tmp_path / "kitchen", {"cup": None, "jug": b"", "pan": PERSON, "pot": None, "tin": None})
    for number, stem in enumerate(("cup", "jug", "pan", "pot", "tin")):
        Image.new("RGB", (60, 40), (number * 50, 10, 10)).save(at / "images" / f"{stem}.png")
    return at


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A model as far as it is looked at before it is loaded."""
    at = tmp_path / "joy"
    at.mkdir()
    (at / "config.json").write_text('{"model_type": "llava"}')
    (at / "model.safetensors").write_text("")
    return at


def test_what_is_missing_is_drafted_as_one_step_and_taken_back_by_one_undo(
    folder: Path, files: Path, stub: Stub
) -> None:
    before = contents(folder)
    pictures = {path: path.read_bytes() for path in (folder / "images").glob("*.png")}
    word, where = work(folder, job_of(folder, files))
    assert word == "done" and stub.asked == [1, 1, 1, 1]
    now = contents(folder)
    assert now["pan.txt"] == PERSON
    assert now["cup.txt"] == b"k1tch, a field of (0, 10, 10)\n"
    assert now["jug.txt"].startswith(b"k1tch, a field of (50,")
    opened = book(folder)
    assert opened.journal.drafted == {f"images/{stem}.txt" for stem in ("cup", "jug", "pot", "tin")}
    (op,) = opened.journal.ops.values()
    assert (op.kind, op.words, op.drafted) == ("fill", "drafted by joy", True)
    state = fold_file(where.events)
    assert state.result["drafted"] == 4 and state.result["op"] == op.id and state.result["failed"] == []
    told = [event for event in read(where.events)[0] if event["kind"] == "drafted"]
    assert [event["picture"] for event in told] == ["cup.png", "jug.png", "pot.png", "tin.png"]
    progress = [event for event in read(where.events)[0] if event.get("what") == "drafting captions"]
    assert progress[-1]["done"] == progress[-1]["total"] == 4 and progress[-1]["seconds_left"] == 0
    opened.undo()
    assert contents(folder) == before
    assert {path: path.read_bytes() for path in (folder / "images").glob("*.png")} == pictures


def test_a_second_job_leaves_drafts_alone_until_it_is_asked_again(
    folder: Path, files: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(folder, job_of(folder, files))
    first = contents(folder)
    opened = book(folder)
    opened.look(["images/cup.txt"])
    work(folder, job_of(folder, files))
    assert contents(folder) == first and len(stub.asked) == 4, "and the model was not even opened"
    other = Opened(ask=lambda pictures, seed: ["another"] * len(pictures), device="cpu", most=64)
    monkeypatch.setattr(model, "load", lambda facts, job: other)
    work(folder, job_of(folder, files, again=True))
    now = contents(folder)
    assert now["cup.txt"] == first["cup.txt"], "somebody has looked at it"
    assert now["pot.txt"] == b"k1tch, another\n" and now["pan.txt"] == PERSON


def test_over_keeps_what_a_person_wrote_unless_the_template_says_otherwise(
    folder: Path, files: Path, stub: Stub
) -> None:
    work(folder, job_of(folder, files, over=True, pictures=("pan.png",)))
    assert contents(folder)["pan.txt"] == PERSON + b", a field of (100, 10, 10)"
    assert "cup.txt" not in contents(folder)
    book(folder).undo()
    work(folder, job_of(folder, files, over=True, template="{draft} by {trigger}", pictures=("pan.png",)))
    assert contents(folder)["pan.txt"] == b"a field of (100, 10, 10) by k1tch"


def test_a_persons_words_under_a_draft_are_a_persons_still(
    folder: Path, files: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = ("pan.png",)
    work(folder, job_of(folder, files, over=True, pictures=only))
    first = contents(folder)["pan.txt"]
    work(folder, job_of(folder, files, again=True, pictures=only))
    assert contents(folder)["pan.txt"] == first, "--again alone would lose them"
    for word in ("second", "third"):
        monkeypatch.setattr(stub, "_says", lambda pictures, word=word: [word])
        work(folder, job_of(folder, files, over=True, again=True, pictures=only))
        assert contents(folder)["pan.txt"] == PERSON + f", {word}".encode()
    opened = book(folder)
    opened.look(["images/pan.txt"])
    work(folder, job_of(folder, files, over=True, pictures=only))
    assert contents(folder)["pan.txt"] == PERSON + b", third, third", "what somebody looked at is theirs"
    opened = book(folder)
    opened.undo()
    opened.redo()
    assert opened.journal.before_drafts() == {"images/pan.txt": (PERSON + b", third").decode()}


def test_what_a_person_writes_while_the_model_looks_stays(
    folder: Path, files: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = book(folder)

    def says(pictures: Sequence[Image.Image]) -> list[str]:
        (folder / "images" / "tin.txt").write_text("mine")
        typed.type("images/pot.txt", "I am wri")
        return ["a draft"]

    monkeypatch.setattr(stub, "_says", says)
    _, where = work(folder, job_of(folder, files))
    now = contents(folder)
    assert now["tin.txt"] == b"mine" and "pot.txt" not in now and now["cup.txt"] == b"k1tch, a draft\n"
    state = fold_file(where.events)
    assert state.result["kept"] == ["pot.png", "tin.png"] and state.result["drafted"] == 2
    assert any("left as it is" in remark.text for remark in state.warnings)


def test_a_corrupt_picture_is_a_warning_and_a_later_attempt_asks_for_it_again(
    folder: Path, files: Path, stub: Stub
) -> None:
    good = (folder / "images" / "jug.png").read_bytes()
    (folder / "images" / "jug.png").write_bytes(good[:60])
    job = job_of(folder, files)
    word, where = work(folder, job)
    state = fold_file(where.events)
    assert word == "done" and state.result["failed"] == ["jug.png"] and state.result["drafted"] == 3
    assert any("jug.png" in remark.text and "truncated" in remark.text for remark in state.warnings)
    (folder / "images" / "jug.png").write_bytes(good)
    work(folder, job, where)
    assert contents(folder)["jug.txt"].startswith(b"k1tch, a field of") and stub.asked == [1] * 4


def test_a_stop_writes_what_is_there_and_a_resume_does_the_rest(
    folder: Path, files: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(folder, files)
    kept = record.keep

    def stop_after_two(at: JobDir, *rest: object) -> None:
        kept(at, *rest)  # type: ignore[arg-type]
        if len(record.drafts_of(at)) == 2:
            desks[-1].ask_stop()

    desks: list[Desk] = []
    opening = Desk.open
    monkeypatch.setattr(Desk, "open", lambda *a, **k: desks.append(opening(*a, **k)) or desks[-1])
    monkeypatch.setattr(record, "keep", stop_after_two)
    word, where = work(folder, job)
    assert word == "stopped" and fold_file(where.events).result["drafted"] == 2
    assert sorted(contents(folder)) == ["cup.txt", "jug.txt", "pan.txt"]
    word, _ = work(folder, job, where)
    assert word == "done" and stub.asked == [1] * 4
    assert len(contents(folder)) == 5 and len(book(folder).journal.ops) == 2


def test_what_does_not_fit_into_memory_is_halved_and_one_picture_is_the_end(
    folder: Path, files: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says(pictures: Sequence[Image.Image]) -> list[str]:
        if len(pictures) > 1:
            raise OutOfMemory
        return ["small"]

    monkeypatch.setattr(stub, "_says", says)
    _, where = work(folder, job_of(folder, files, batch=4))
    assert stub.asked == [4, 2, 1, 1, 1, 1]
    assert [remark.text for remark in fold_file(where.events).warnings] == [
        "4 pictures at once do not fit into memory: 2 from here on.",
        "2 pictures at once do not fit into memory: 1 from here on.",
    ]
    book(folder).undo()

    def none(pictures: Sequence[Image.Image]) -> list[str]:
        raise OutOfMemory

    monkeypatch.setattr(stub, "_says", none)
    with pytest.raises(Refused, match=r"Not even one picture fits .* --device cpu"):
        work(folder, job_of(folder, files, batch=4))


def test_a_model_that_fails_on_all_ends_the_job_and_one_picture_does_not(
    folder: Path, files: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_one(pictures: Sequence[Image.Image]) -> list[str]:
        if any(picture.getpixel((0, 0)) == (50, 10, 10) for picture in pictures):
            raise ValueError("a picture\nI cannot take")
        return ["fine"] * len(pictures)

    monkeypatch.setattr(stub, "_says", on_one)
    word, where = work(folder, job_of(folder, files, batch=2))
    state = fold_file(where.events)
    assert word == "done" and state.result["failed"] == ["jug.png"] and state.result["drafted"] == 3
    assert "No draft for jug.png: ValueError: a picture I cannot take" in [
        each.text for each in state.warnings
    ]
    book(folder).undo()

    def after_the_first(pictures: Sequence[Image.Image]) -> list[str]:
        if pictures[0].getpixel((0, 0)) != (0, 10, 10):
            raise ValueError("no")
        return ["fine"]

    monkeypatch.setattr(stub, "_says", after_the_first)
    word, where = work(folder, job_of(folder, files))
    assert word == "done" and fold_file(where.events).result["failed"] == ["jug.png", "pot.png", "tin.png"]
    book(folder).undo()

    def on_all(pictures: Sequence[Image.Image]) -> list[str]:
        raise ValueError("no")

    monkeypatch.setattr(stub, "_says", on_all)
    with pytest.raises(Refused, match="fails on every picture: ValueError"):
        work(folder, job_of(folder, files))


def test_drafts_that_are_there_when_a_job_fails_are_written(
    folder: Path, files: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says(pictures: Sequence[Image.Image]) -> list[str]:
        if len(stub.asked) > 2:
            raise OutOfMemory
        return ["early"]

    monkeypatch.setattr(stub, "_says", says)
    where = new_job_dir(folder, "fill")
    with Desk.open(where) as desk:
        with pytest.raises(Refused, match="Not even one") as refused:
            run.run(desk, job_of(folder, files))
        desk.fail(refused.value.problems)
    assert fold_file(where.events).result["drafted"] == 2
    assert sorted(contents(folder)) == ["cup.txt", "jug.txt", "pan.txt"]


def test_wording_that_no_door_lets_through_is_not_written(
    folder: Path, files: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stub, "_says", lambda pictures: ["a naked 12 year old"])
    _, where = work(folder, job_of(folder, files, pictures=("cup.png", "pot.png")))
    assert sorted(contents(folder)) == ["jug.txt", "pan.txt"]
    assert all("is not written" in remark.text for remark in fold_file(where.events).warnings)
    with pytest.raises(Refused):
        work(folder, job_of(folder, files, prompt="naked 12 year old"))


def test_regularization_pictures_are_drafted_without_the_trigger(
    folder: Path, files: Path, stub: Stub
) -> None:
    (folder / "reg").mkdir()
    Image.new("RGB", (60, 40), (1, 2, 3)).save(folder / "reg" / "any.png")
    text = (folder / "project.toml").read_text()
    (folder / "project.toml").write_text(text + 'regularization = "reg"\n')
    work(folder, job_of(folder, files, template="{trigger}, a {class}, {draft}"))
    assert (folder / "reg" / "any.txt").read_text() == "a kitchen, a field of (1, 2, 3)\n"


WORKER = """
import sys, time
from engine.fill import model, record
from engine.fill.method import Opened
how = sys.argv.pop(1)
kept = record.keep
def hold(job, *rest):
    kept(job, *rest)
    if len(record.drafts_of(job)) == 3:
        time.sleep(60)
if how == "hold":
    record.keep = hold
def ask(pictures, seed):
    return [f"{len(pictures)} at once, {seed}, {picture.getpixel((0, 0))}" for picture in pictures]
if how != "real":
    model.load = lambda facts, job: Opened(ask=ask, device="cpu", most=64)
from engine.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts real workers, with a model of their own or a stub of it; one that holds stands still after three drafts."""
    monkeypatch.setenv("SAFELIGHT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    started = []

    def start(job: JobDir, how: str = "stub") -> "subprocess.Popen[bytes]":
        with job.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", WORKER, how, str(job.path)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_a_killed_job_goes_on_with_the_rest_and_drafts_what_it_would_have(
    folder: Path, files: Path, start: Start
) -> None:
    job = new_job_dir(folder, "fill")
    write_job(job, job_of(folder, files, batch=2, seed=5))
    killed = start(job, "hold")
    assert eventually(lambda: len(record.drafts_of(job)) == 3), "one of the second two"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert worker.state_of(job) == "died" and list(contents(folder)) == ["jug.txt", "pan.txt"]
    there = record.drafts_of(job)
    assert len(there) == 3
    with job.drafts.open("ab") as file:
        file.write(b'{"file": "images/tin.txt", "dra')
    assert start(job).wait() == 0
    after = record.drafts_of(job)
    assert len(after) == 4 and after.items() >= there.items()
    assert job.drafts.read_bytes().count(b'"seconds"') == 4, "none was kept twice"
    assert all(text.startswith("2 at once") for text in after.values()), (
        "the last one together with its neighbour"
    )
    opened = book(folder)
    assert len(opened.journal.ops) == 1 and len(opened.journal.drafted) == 4
    assert len(json.loads(job.facts.read_text())["attempts"]) == 2
    whole = new_job_dir(folder, "fill")
    opened.undo()
    write_job(whole, job_of(folder, files, batch=2, seed=5))
    assert start(whole).wait() == 0 and record.drafts_of(whole) == after


def test_a_real_worker_drafts_with_a_real_model_what_this_process_does(
    folder: Path, tmp_path: Path, start: Start
) -> None:
    drawn = job_of(folder, tiny_blip2(tmp_path / "blip2"), temperature=0.7, max_new_tokens=12)
    job, here = new_job_dir(folder, "fill"), new_job_dir(folder, "fill")
    write_job(job, drawn)
    assert start(job, "real").wait() == 0
    book(folder).undo()
    assert work(folder, drawn, here)[0] == "done"
    drafts = record.drafts_of(job)
    assert len(drafts) == 4 and len(set(drafts.values())) > 1 and record.drafts_of(here) == drafts
    (facts,) = json.loads(job.facts.read_text())["attempts"]
    assert (facts["model"], facts["method"], facts["model_device"]) == ("blip2", "blip2", "cpu")


def test_a_job_that_was_killed_after_it_wrote_writes_nothing_twice(
    folder: Path, files: Path, stub: Stub
) -> None:
    job = job_of(folder, files, over=True)
    _, where = work(folder, job)
    now = contents(folder)
    work(folder, job, where)
    assert contents(folder) == now and len(book(folder).journal.ops) == 1


def test_a_job_that_was_killed_while_it_wrote_has_written_once(
    folder: Path, files: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(folder, files, over=True)
    where = new_job_dir(folder, "fill")

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(run.Book, "_write", cut_off)
        with pytest.raises(KeyboardInterrupt):
            work(folder, job, where)
    assert list(contents(folder)) == ["jug.txt", "pan.txt"]
    work(folder, job, where)
    assert (
        contents(folder)["pan.txt"] == PERSON + b", a field of (100, 10, 10)" and len(contents(folder)) == 5
    )
    assert len(book(folder).journal.ops) == 1 and stub.asked == [1] * 5
