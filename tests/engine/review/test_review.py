"""A review of a run, from the job to the files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from engine.desk import Desk, StopAsked
from engine.picture_file import read_settings
from engine.review import run as review
from projects.job import JobDir
from projects.problems import Refused
from projects.spec import ReviewJob, RunSpec
from tests.engine.drawn_run import SPEC, make_run, random_adapter, with_sample


def reviewed(project: Path, run: JobDir, spec: RunSpec = SPEC, name: str = "review-1", **more: object) -> str:
    folder = JobDir(run.jobs / name)
    folder.path.mkdir(parents=True)
    with Desk.open(folder) as desk:
        return review.run(desk, ReviewJob(project=str(project), run=str(run.path), spec=spec, **more))  # type: ignore[arg-type]


def record_of(run: JobDir) -> dict:
    return json.loads((run.review / "review.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, JobDir]:
    project = tmp_path_factory.mktemp("project")
    run = make_run(project, {100: random_adapter(0)})
    assert reviewed(project, run) == "done"
    return project, run


def test_the_record_has_the_keys_that_scripts_rely_on(done: tuple[Path, JobDir]) -> None:
    project, run = done
    record = record_of(run)
    assert record["run"] == "runs/r4" and record["case"] == "unknown" and record["recommended"] is None
    assert record["checkpoint"] == 100
    assert record["sheets"] == [
        f"runs/r4/review/{name}.png" for name in ("sweep", "isolation", "before-after")
    ]
    assert all((project / sheet).is_file() for sheet in record["sheets"])
    base = Path(SPEC.base.source)  # a folder of this machine: what is passed on names it and not its place
    assert record["settings"]["base"] == read_settings(project / record["sheets"][0])["base"] == base.name
    for file in [run.review / "review.json", *run.review.rglob("*.png")]:
        assert str(base.parent).encode() not in file.read_bytes()
    assert [test["test"] for test in record["tests"]] == ["sweep", "isolation"]
    for test in record["tests"]:
        assert test["verdict"] == "unknown" and test["advice"]
        assert test["low"] <= test["value"] <= test["high"] and test["value"] > 0
    sweep, isolation = record["tests"]
    assert [one["weight"] for one in sweep["weights"]] == [0.5, 0.7, 0.85, 1.0]
    assert sweep["n"] == 2 and isolation["n"] == 10
    changes = [one["value"] for one in sweep["weights"]]
    assert changes[0] < changes[-1] == sweep["value"]


def test_every_picture_stands_alone_too_and_no_picture_is_drawn_twice(done: tuple[Path, JobDir]) -> None:
    project, run = done
    pictures = record_of(run)["pictures"]
    keys = [(one["prompt"], one["seed"], one["weight"]) for one in pictures]
    assert len(set(keys)) == len(keys) == 2 * 5 + 10 * 2
    assert {file.name for file in (run.review / "pictures").iterdir()} == {
        Path(one["path"]).name for one in pictures
    }
    one = next(one for one in pictures if one["weight"] == 0.7)
    assert one["sheets"] == ["sweep", "before-after"]
    settings = read_settings(project / one["path"])
    assert settings["adapters"][0]["weight"] == 0.7 and settings["prompt"] == one["prompt"]
    base = next(one for one in pictures if one["weight"] is None)
    assert read_settings(project / base["path"])["adapters"] == []


def test_the_sweep_says_the_trigger_and_the_isolation_never(done: tuple[Path, JobDir]) -> None:
    pictures = record_of(done[1])["pictures"]
    prompts = {
        sheet: {one["prompt"] for one in pictures if sheet in one["sheets"]}
        for sheet in ("sweep", "isolation")
    }
    assert prompts["sweep"] == {"zork, a mug on a table"}
    assert len(prompts["isolation"]) == 10 and not any("zork" in text for text in prompts["isolation"])
    assert {"a mug on a table", "a photo of a mug", "a vase, light 0"} <= prompts["isolation"]
    assert {one["prompt"] for one in pictures if one["remark"] == "invented name"} == {"a photo of 7th7"}
    assert {one["remark"] for one in pictures} == {"", "invented name"}


def test_sheets_are_pictures_that_say_what_they_show(done: tuple[Path, JobDir]) -> None:
    run = done[1]
    for name in ("sweep", "isolation", "before-after"):
        with Image.open(run.review / f"{name}.png") as sheet:
            assert sheet.width >= 500 and "trainedAlgorithmicMedia" in sheet.info["XML:com.adobe.xmp"]
        facts = read_settings(run.review / f"{name}.png")
        assert facts["sheet"]["rows"] and facts["run"] == "r4" and facts["step"] == 100


def test_prompts_without_the_trigger_get_it_in_front(done: tuple[Path, JobDir]) -> None:
    spec = with_sample(prompts=("a mug in a field", "a mug"))
    assert review.trigger_prompts(spec, spec.sample) == ("zork, a mug in a field", "zork, a mug")
    style = replace(spec, trigger="")
    assert review.trigger_prompts(style, style.sample) == spec.sample.prompts


def test_a_review_replaces_the_one_before_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, {100: random_adapter(0), 200: random_adapter(1)})
    spec = with_sample(prompts=("zork",), seeds=(1,))
    assert reviewed(tmp_path, run, spec, "review-1", checkpoint=100, weights=(1.0,)) == "done"
    (run.review / "stale.png").write_bytes(b"")
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr("engine.picture_file.write_bytes", full)
        with pytest.raises(Refused, match="No space"):
            reviewed(tmp_path, run, spec, "review-2", weights=(1.0,))
        patch.undo()
        patch.setattr("projects.atomic.rename_folder", full)
        with pytest.raises(OSError, match="No space"):
            reviewed(tmp_path, run, spec, "review-3", weights=(1.0,))
    assert record_of(run)["checkpoint"] == 100 and (run.review / "stale.png").exists()
    assert reviewed(tmp_path, run, spec, "review-4", weights=(1.0,)) == "done"
    assert record_of(run)["checkpoint"] == 200 and not (run.review / "stale.png").exists()
    assert sorted(file.name for file in run.path.iterdir()) == [
        "checkpoints",
        "items.jsonl",
        "jobs",
        "review",
    ]


def test_a_stopped_review_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, {100: random_adapter(0)})
    monkeypatch.setattr(Desk, "progress", lambda desk, *_: desk.ask_stop())
    with pytest.raises(StopAsked):
        reviewed(tmp_path, run)
    assert not run.review.exists() and not list(run.path.glob(".review*"))


def test_a_run_without_a_checkpoint_is_named(tmp_path: Path) -> None:
    run = make_run(tmp_path, {})
    with pytest.raises(Refused, match="no checkpoint"):
        reviewed(tmp_path, run)


def test_wording_that_no_door_lets_through_is_not_drawn(tmp_path: Path) -> None:
    run = make_run(tmp_path, {100: random_adapter(0)})
    with pytest.raises(Refused):
        reviewed(tmp_path, run, with_sample(prompts=("zork, a naked 12 year old",)))
    assert not run.review.exists()
