"""A review of a run, from the job to the files."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.assembly import schedule_of
from engine.dataset.items import Item, Placement, file_sha256, read_items, write_items
from engine.desk import Desk, StopAsked
from engine.picture_file import read_settings
from engine.review import run as review
from engine.review.eyes import Sight
from engine.review.inside import Inside
from engine.review.thresholds import COPY, COPY_REACH, copy_limit
from engine.sample import Easel, easel_for_job
from projects.events import read
from projects.job import JobDir
from projects.problems import Refused
from projects.spec import ReviewJob, RunSpec
from tests.engine.drawn_run import SPEC, make_run, random_adapter, with_sample

FEW = with_sample(prompts=("zork, a mug on a table", "zork, a mug in a field"), seeds=(1,))
SHEETS = ["sweep", "isolation", "before-after", "echo"]


def with_pictures(run: JobDir, project: Path) -> JobDir:
    """`run` with real files behind its items: ten of the subject, four held out, two others."""
    folder = project / "images"
    folder.mkdir(exist_ok=True)
    chance = np.random.default_rng(0)
    placement = Placement(resolution=64, bucket=(64, 64), scaled=(64, 64), crop_left_top=(0, 0))
    items = []
    for number in range(16):
        role = "subject" if number < 10 else "holdout" if number < 14 else "regularization"
        path = folder / f"{number:02d}.png"
        Image.fromarray(chance.integers(0, 255, (64, 64, 3), np.uint8)).save(path)
        caption = f"a vase, light {number}" if role == "regularization" else f"zork, a mug, light {number}"
        items.append(
            Item(
                picture=path.name, path=path, sha256=file_sha256(path), role=role, set="images", weight=1.0, repeats=1,  # type: ignore[arg-type]
                original=(64, 64), placements=(placement,), captions=(caption,), planned=1,
            )
        )  # fmt: skip
    write_items(run.items, items)
    return run


def reviewed(project: Path, run: JobDir, spec: RunSpec = FEW, name: str = "review-1", **more: object) -> str:
    folder = JobDir(run.jobs / name)
    folder.path.mkdir(parents=True)
    with Desk.open(folder) as desk:
        job = ReviewJob(project=str(project), run=str(run.path), spec=spec, **{"weights": (0.5, 1.0), **more})  # type: ignore[arg-type]
        return review.run(desk, job)


def record_of(run: JobDir) -> dict:
    return json.loads((run.review / "review.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, JobDir]:
    project = tmp_path_factory.mktemp("project")
    run = with_pictures(make_run(project, {50: random_adapter(1), 100: random_adapter(0)}), project)
    assert reviewed(project, run) == "done"
    return project, run


def test_the_record_has_the_keys_that_scripts_rely_on(done: tuple[Path, JobDir]) -> None:
    project, run = done
    record = record_of(run)
    assert (
        record["format"] == 2
        and record["whole"]
        and record["run"] == "runs/r4"
        and record["checkpoint"] == 100
    )
    assert record["case"] in ("good", "leaking", "echo", "broken", "muddled", "unknown") and record["words"]
    assert record["sheets"] == [f"runs/r4/review/{name}.png" for name in SHEETS]
    assert all((project / sheet).is_file() for sheet in record["sheets"])
    base = Path(SPEC.base.source)  # a folder of this machine: what is passed on names it and not its place
    assert record["settings"]["base"] == read_settings(project / record["sheets"][0])["base"] == base.name
    for file in [run.review / "review.json", *run.review.rglob("*.png")]:
        assert str(base.parent).encode() not in file.read_bytes()
    assert [test["test"] for test in record["tests"]] == ["sweep", "isolation", "echo", "muddle", "broken"]
    for test in record["tests"]:
        assert (
            test["verdict"] in ("good", "suspect", "bad", "unknown")
            and test["words"]
            and len(test["steps"]) <= 2
        )
        assert test["value"] is None or test["low"] is None or test["low"] <= test["value"] <= test["high"]
    assert [(row["checkpoint"], row["weight"]) for row in record["weights"]] == [
        (None, 0.0), (50, 0.5), (50, 1.0), (100, 0.5), (100, 1.0)
    ]  # fmt: skip
    assert [row["checkpoint"] for row in record["checkpoints"]] == [50, 100]


def test_every_figure_can_be_computed_again_from_what_the_record_says_of_each_picture(
    done: tuple[Path, JobDir],
) -> None:
    record = record_of(done[1])
    for row in record["weights"]:
        own = [
            one["measures"] for one in record["pictures"]
            if "sweep" in one["tests"] and (one["checkpoint"], one["weight"]) == (row["checkpoint"], row["weight"])
        ]  # fmt: skip
        assert len(own) == row["n"] == 2
        for name in ("likeness", "prompt", "drift", "sharpness", "clipped"):
            mean = sum(measures[name] for measures in own) / len(own)
            assert row[name]["value"] == pytest.approx(mean, rel=1e-3, abs=1e-4)
    gained = {"subject": [], "holdout": []}
    for loss in record["losses"]:
        gained[loss["role"]].append((loss["adapted"]["100"] - loss["base"]) / loss["base"])
    gap = sum(gained["holdout"]) / len(gained["holdout"]) - sum(gained["subject"]) / len(gained["subject"])
    assert record["checkpoints"][-1]["gap"]["value"] == pytest.approx(gap, rel=1e-3)


def test_every_picture_is_named_by_what_made_it_and_says_so(done: tuple[Path, JobDir]) -> None:
    project, run = done
    pictures = record_of(run)["pictures"]
    assert len({one["id"] for one in pictures}) == len(pictures)
    assert {file.stem for file in (run.review / "pictures").iterdir()} == {one["id"] for one in pictures}
    one = next(one for one in pictures if (one["weight"], one["checkpoint"]) == (0.5, 50))
    settings = read_settings(project / one["path"])
    assert (
        settings["adapters"][0]["weight"] == 0.5
        and settings["step"] == 50
        and settings["prompt"] == one["prompt"]
    )
    base = next(one for one in pictures if one["checkpoint"] is None)
    assert base["weight"] == 0.0 and read_settings(project / base["path"])["adapters"] == []


def test_the_groups_of_the_isolation_say_what_they_are_to_say(done: tuple[Path, JobDir]) -> None:
    pictures = record_of(done[1])["pictures"]
    said = {group: {one["prompt"] for one in pictures if one["group"] == group} for group in
            ("control", "named", "deleted", "nonsense", "bare", "verbatim", "unseen")}  # fmt: skip
    assert all("zork" in text for group in ("control", "bare", "verbatim") for text in said[group])
    assert not any("zork" in text for group in ("named", "deleted", "nonsense") for text in said[group])
    assert "a mug on a table" in said["deleted"] and "blorvik, a mug on a table" in said["nonsense"]
    assert "a red mug on a table" in said["named"] and said["bare"] == {"zork mug"}
    assert said["unseen"] == {f"zork, a mug, light {number}" for number in range(10, 14)}
    assert {len(texts) for group, texts in said.items() if group not in ("bare", "unseen")} == {10}


def test_what_is_a_copy_follows_from_pictures_of_held_out_captions(done: tuple[Path, JobDir]) -> None:
    record = record_of(done[1])
    details = next(test["details"] for test in record["tests"] if test["test"] == "echo")
    drawn = [one for one in record["pictures"] if one["group"] == "unseen" and one["weight"]]
    assert all(one["tests"] == ["echo"] for one in drawn)
    assert len(details["reached"]) == len(drawn) == 10
    assert details["limit"] == pytest.approx(copy_limit(details["reached"]), rel=1e-3)


def test_sheets_are_pictures_that_say_what_they_show(done: tuple[Path, JobDir]) -> None:
    run = done[1]
    for name in SHEETS:
        with Image.open(run.review / f"{name}.png") as sheet:
            assert sheet.width >= 500 and "trainedAlgorithmicMedia" in sheet.info["XML:com.adobe.xmp"]
        facts = read_settings(run.review / f"{name}.png")
        assert facts["sheet"]["rows"] and facts["run"] == "r4" and facts["step"] == 100


def drawn_while(run: JobDir, work: Callable[[], object]) -> set[str]:
    """Pictures that `work` has written, by name."""
    before = {file.name: file.stat().st_mtime_ns for file in (run.review / "pictures").glob("*.png")}
    work()
    after = {file.name: file.stat().st_mtime_ns for file in (run.review / "pictures").glob("*.png")}
    return {name for name, when in after.items() if before.get(name) != when}


def test_nothing_is_drawn_or_measured_twice_and_the_same_comes_out(done: tuple[Path, JobDir]) -> None:
    project, run = done
    before, measures = record_of(run), (run.review / "measures.jsonl").read_bytes()
    assert drawn_while(run, lambda: reviewed(project, run, name="review-2")) == set()
    after = record_of(run)
    assert (run.review / "measures.jsonl").read_bytes() == measures
    assert {**after, "seconds": 0} == {**before, "seconds": 0}


def test_a_damaged_picture_is_drawn_again_and_no_other(done: tuple[Path, JobDir]) -> None:
    project, run = done
    spoilt = sorted((run.review / "pictures").glob("*.png"))[3]
    whole = spoilt.read_bytes()
    spoilt.write_bytes(whole[: len(whole) // 2])
    assert drawn_while(run, lambda: reviewed(project, run, name="review-3")) == {spoilt.name}
    with Image.open(spoilt) as again:
        again.load()


def test_a_refined_review_draws_more_of_the_two_best(tmp_path: Path) -> None:
    run = with_pictures(make_run(tmp_path, {100: random_adapter(0)}), tmp_path)
    reviewed(tmp_path, run)
    before = record_of(run)
    new = drawn_while(run, lambda: reviewed(tmp_path, run, name="review-2", depth="refined"))
    after = record_of(run)
    assert after["depth"] == "refined" and new and len(after["pictures"]) > len(before["pictures"])
    counts = sorted(row["n"] for row in after["weights"] if row["checkpoint"])
    assert counts[-1] == 15 or counts == [
        2,
        2,
    ]  # an adapter of noise may have no weight that keeps its prompts


def test_a_stopped_review_keeps_what_it_made_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = with_pictures(make_run(tmp_path, {100: random_adapter(0)}), tmp_path)
    asked = Desk.progress

    def stop_after_some(desk: Desk, what: str, done: int, total: int, **more: object) -> None:
        asked(desk, what, done, total)
        if what == "pictures" and done >= 8:
            desk.ask_stop()

    with monkeypatch.context() as patch, pytest.raises(StopAsked):
        patch.setattr(Desk, "progress", stop_after_some)
        reviewed(tmp_path, run)
    part = record_of(run)
    assert part["whole"] is False and part["case"] == "unknown" and 8 <= len(part["pictures"]) < 40
    kept = {one["id"] for one in part["pictures"]}
    new = drawn_while(run, lambda: reviewed(tmp_path, run, name="review-2"))
    assert record_of(run)["whole"] and not kept & {Path(name).stem for name in new}


def test_a_review_that_cannot_write_leaves_the_one_before_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = with_pictures(make_run(tmp_path, {100: random_adapter(0), 200: random_adapter(1)}), tmp_path)
    reviewed(tmp_path, run, checkpoint=100)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.picture_file.write_bytes", full)
    with pytest.raises(Refused, match="No space"):
        reviewed(tmp_path, run, name="review-2")
    record = record_of(run)
    assert record["checkpoint"] == 200 and record["whole"] is False and record["pictures"]


def test_pictures_that_were_moved_since_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    run = with_pictures(make_run(tmp_path, {100: random_adapter(0)}), tmp_path)
    (tmp_path / "images" / "03.png").rename(tmp_path / "elsewhere.png")
    assert reviewed(tmp_path, run) == "done"
    warnings = [
        event for event in read(JobDir(run.jobs / "review-1").events)[0] if event["kind"] == "warning"
    ]
    assert any("03.png" in event["text"] and "moved or changed" in event["text"] for event in warnings)
    record = record_of(run)
    assert record["tests"] and len([loss for loss in record["losses"] if loss["role"] == "subject"]) == 9


def test_pictures_that_are_all_gone_since_are_judged_by_their_cached_latents(tmp_path: Path) -> None:
    run = with_pictures(make_run(tmp_path, {100: random_adapter(0)}), tmp_path)
    reviewed(tmp_path, run, weights=(1.0,))
    (tmp_path / "images").rename(tmp_path / "gone")
    assert reviewed(tmp_path, run, name="review-2", weights=(1.0,)) == "done"
    record = record_of(run)
    assert record["tests"] and all(one["nearest"]["kind"] != "copy" for one in record["pictures"])


def test_without_any_training_picture_the_sheets_are_drawn_and_nothing_is_judged(tmp_path: Path) -> None:
    run = with_pictures(make_run(tmp_path, {100: random_adapter(0)}), tmp_path)
    (tmp_path / "images").rename(tmp_path / "gone")
    assert reviewed(tmp_path, run) == "done"
    record = record_of(run)
    assert (
        record["whole"]
        and record["case"] == "unknown"
        and record["tests"] == []
        and len(record["sheets"]) == 4
    )
    assert "training picture" in record["words"]


def test_the_review_measures_the_loss_that_the_run_evaluates(tmp_path: Path) -> None:
    """The same pictures, noise and timesteps as the training's own evaluation: the figures can be laid side by side."""
    from engine.evaluate import grid_items

    run = with_pictures(make_run(tmp_path, {100: random_adapter(0)}), tmp_path)
    reviewed(tmp_path, run)
    items = read_items(run.items)
    assert [loss["picture"] for loss in record_of(run)["losses"]] == [
        items[index].picture for index in grid_items(items)
    ]


def test_a_run_without_a_checkpoint_is_named(tmp_path: Path) -> None:
    run = make_run(tmp_path, {})
    with pytest.raises(Refused, match="no checkpoint"):
        reviewed(tmp_path, run)


def test_wording_that_no_door_lets_through_is_not_drawn(tmp_path: Path) -> None:
    run = make_run(tmp_path, {100: random_adapter(0)})
    with pytest.raises(Refused):
        reviewed(tmp_path, run, with_sample(prompts=("zork, a naked 12 year old",)))
    assert not run.review.exists()


def test_a_project_without_trigger_is_reviewed_without_isolation(tmp_path: Path) -> None:
    run = with_pictures(make_run(tmp_path, {100: random_adapter(0)}), tmp_path)
    assert reviewed(tmp_path, run, replace(FEW, trigger="")) == "done"
    record = record_of(run)
    assert next(test for test in record["tests"] if test["test"] == "isolation")["verdict"] == "unknown"
    assert "control" not in {one["group"] for one in record["pictures"]}


def test_a_copy_is_nearer_than_captions_alone_bring_a_picture() -> None:
    near, usual = [0.3] * 5 + [2.0] * 5, [2.0] * 10
    assert COPY > copy_limit(near) == pytest.approx(COPY_REACH * 0.3)
    assert copy_limit(usual) == copy_limit([]) == COPY


def test_a_text_explains_a_picture_the_same_alone_and_among_others(done: tuple[Path, JobDir]) -> None:
    project, run = done
    easels = []

    def kept(*given: object, **named: object) -> Easel:
        easels.append(easel_for_job(*given, **named))  # type: ignore[arg-type]
        return easels[0]

    folder = JobDir(run.jobs / "review-for-its-easel")
    folder.path.mkdir(parents=True)
    with Desk.open(folder) as desk:
        review.run(
            desk, ReviewJob(project=str(project), run=str(run.path), spec=FEW, weights=(0.5, 1.0)), kept
        )
    (easel,) = easels
    inside = Inside(
        easel=easel, schedule=schedule_of(FEW.train, easel.family, easel.base, torch.device("cpu"))
    )
    sight = Sight(
        latents_CHW=torch.randn(4, 32, 32, generator=torch.Generator().manual_seed(0)), picture=lambda: None
    )  # type: ignore[arg-type, return-value]
    texts = [*FEW.sample.prompts, "a red mug on a table"]
    alone = [value for text in texts for value in inside.explained(sight, [text])]
    assert inside.explained(sight, texts) == pytest.approx(alone, rel=1e-6)
    assert len(set(alone)) == len(texts)
