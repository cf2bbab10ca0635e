"""Grids, from the job to the sheets."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from engine.desk import Desk, StopAsked
from engine.draw import Shot
from engine.picture_file import read_settings
from engine.review import grid
from engine.review.floors import evened, sample_on
from engine.sample import Easel
from projects.grid import read_axes
from projects.job import JobDir
from projects.problems import Refused
from projects.project import read_job, write_job
from projects.spec import Base, GridAxis, GridJob, RunSpec, Sample
from tests.engine.drawn_run import SPEC, make_run, random_adapter, with_sample
from tests.engine.tiny import build_folder
from tests.engine.tiny_flux import tiny_flux

ONE = with_sample(prompts=("zork, a mug",), seeds=(1,))


def drawn(
    owner: JobDir, project: Path, axes: Sequence[str], spec: RunSpec = ONE, name: str = "grid-1", **more: Any
) -> tuple[dict[str, Any], JobDir]:
    """The grid's record and job; `owner` is a run, or the project itself."""
    run = owner if owner.path != project else None
    read = read_axes(axes, project=project, run=run)
    job = GridJob(project=str(project), run=str(run.path) if run else "", axes=read, spec=spec, **more)
    folder = JobDir(owner.jobs / name)
    folder.path.mkdir(parents=True)
    with Desk.open(folder) as desk:
        assert grid.run(desk, job) == "done"
    record: dict[str, Any] = json.loads((folder.grid / "grid.json").read_text("utf-8"))
    return record, folder


@pytest.fixture
def run(tmp_path: Path) -> JobDir:
    return make_run(tmp_path, {100: random_adapter(0), 200: random_adapter(1)})


def at(record: dict[str, Any], **where: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [
        one for one in record["pictures"] if all(one["at"][key] == value for key, value in where.items())
    ]
    return found


def pixels(project: Path, row: dict[str, Any]) -> bytes:
    with Image.open(project / row["path"]) as picture:
        return picture.convert("RGB").tobytes()


def test_weights_by_checkpoints(run: JobDir, tmp_path: Path) -> None:
    record, _ = drawn(run, tmp_path, ["weight=0,0.5,1", "checkpoint=100,200"])
    assert record["run"] == "runs/r4" and record["format"] == 1
    assert record["axes"][0] == {"name": "weight", "values": ["weight 0", "weight 0.5", "weight 1"]}
    assert record["axes"][1] == {"name": "checkpoint", "values": ["step 100", "step 200"]}
    assert record["sheets"] == ["runs/r4/jobs/grid-1/grid/grid.png"]
    settings = read_settings(tmp_path / at(record, weight="weight 0.5", checkpoint="step 200")["path"])
    assert settings["adapters"][0]["weight"] == 0.5 and settings["step"] == 200 and settings["run"] == "r4"
    assert len({pixels(tmp_path, one) for one in record["pictures"]}) == 5, (
        "weight 0 is the base at any checkpoint"
    )
    assert record["seconds_per_picture"] > 0 and record["memory_gb"] > 0
    with Image.open(tmp_path / record["sheets"][0]) as sheet:
        assert "trainedAlgorithmicMedia" in sheet.info["XML:com.adobe.xmp"]
    facts = read_settings(tmp_path / record["sheets"][0])["sheet"]
    assert facts["columns"] == ["weight 0", "weight 0.5", "weight 1"]
    assert [row["label"] for row in facts["rows"]] == [
        f"step {step}   zork, a mug   seed 1" for step in (100, 200)
    ]


def test_the_same_picture_comes_from_the_grid_and_the_run_alone(run: JobDir, tmp_path: Path) -> None:
    first = drawn(run, tmp_path, ["weight=0.5,1"])[0]
    second = drawn(run, tmp_path, ["adapter=base,run"], name="grid-2")[0]
    one, other = at(first, weight="weight 1"), at(second, adapter="run")
    assert one["path"] == other["path"] and one["id"] == other["id"]


def test_nothing_is_drawn_twice(run: JobDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    draw = Easel.draw

    def counting(easel: Easel, desk: Desk, shots: Sequence[Shot], on_picture: Any) -> None:
        asked.append(len(shots))
        draw(easel, desk, shots, on_picture)

    monkeypatch.setattr(Easel, "draw", counting)
    first = drawn(run, tmp_path, ["weight=0.5,1"])[0]
    again = drawn(run, tmp_path, ["weight=0.5,1"], name="grid-2")[0]
    drawn(run, tmp_path, ["weight=0.5,0.7,1"], name="grid-3")
    assert asked == [2, 1]
    assert (
        again["pictures"] == first["pictures"]
        and again["seconds_per_picture"] == first["seconds_per_picture"]
    )
    (tmp_path / first["pictures"][0]["path"]).write_bytes(b"torn")
    drawn(run, tmp_path, ["weight=0.5,1"], name="grid-4")
    assert asked == [2, 1, 1]


def test_a_stopped_grid_goes_on(run: JobDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.draw.PICTURES_AT_ONCE", 1)
    with monkeypatch.context() as patch:
        told = Desk.progress

        def stop_after_two(desk: Desk, what: str, done: int, total: int, **more: Any) -> None:
            told(desk, what, done, total, **more)
            if what == "pictures" and done == 2:
                desk.ask_stop()

        patch.setattr(Desk, "progress", stop_after_two)
        with pytest.raises(StopAsked):
            drawn(run, tmp_path, ["weight=0.2,0.5,0.7,1"])
    kept = {file: file.stat().st_mtime_ns for file in (run.grid / "pictures").iterdir()}
    assert len(kept) == 2
    record, _ = drawn(run, tmp_path, ["weight=0.2,0.5,0.7,1"], name="grid-2")
    assert len(record["pictures"]) == 4
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    assert all(one["seconds"] is not None for one in record["pictures"])


def test_a_third_axis_makes_sheets_and_prompts_make_rows(run: JobDir, tmp_path: Path) -> None:
    spec = with_sample(prompts=("zork", "a mug"), seeds=(1, 2))
    record, _ = drawn(run, tmp_path, ["sampler=euler,ddim", "guidance=1,3", "steps=1,2"], spec)
    assert record["sheets"] == [f"runs/r4/jobs/grid-1/grid/grid-{number}.png" for number in (1, 2)]
    assert len(record["pictures"]) == 2 * 2 * 2 * 2 * 2
    facts = read_settings(tmp_path / record["sheets"][1])["sheet"]
    assert facts["title"] == "Grid: sampler by guidance, 2 steps" and facts["columns"] == [
        "sampler euler",
        "sampler ddim",
    ]
    assert [row["label"] for row in facts["rows"]][:3] == [
        "guidance 1   zork   seed 1", "guidance 1   zork   seed 2", "guidance 1   a mug   seed 1"
    ]  # fmt: skip
    one = at(
        record, sampler="sampler ddim", guidance="guidance 3", steps="2 steps", prompt="a mug", seed="seed 2"
    )
    settings = read_settings(tmp_path / one["path"])
    told = (settings[key] for key in ("sampler", "guidance", "steps", "prompt", "seed"))
    assert tuple(told) == ("ddim", 3.0, 2, "a mug", 2)


def test_prompts_negatives_and_seeds_are_axes_too(run: JobDir, tmp_path: Path) -> None:
    record, _ = drawn(run, tmp_path, ["prompt=a mug, red|zork", "negative=|blurry", "seed=3,4"])
    assert {one["prompt"] for one in record["pictures"]} == {"a mug, red", "zork"}
    assert {one["seed"] for one in record["pictures"]} == {3, 4} and len(record["pictures"]) == 8
    assert at(record, prompt="zork", negative="negative: none", seed="seed 3")["negative"] == ""


def test_adapters_are_stacked(run: JobDir, tmp_path: Path) -> None:
    save_file(random_adapter(3), tmp_path / "style.safetensors", {"alpha": "4", "rank": "4", "format": "pt"})
    record, _ = drawn(run, tmp_path, ["adapter=base,run,style.safetensors:0.5,run+style.safetensors:0.5"])
    assert record["axes"][0]["values"] == ["base", "run", "style 0.5", "run + style 0.5"]
    both = at(record, adapter="run + style 0.5")
    assert [(one["name"], one["weight"], one["checkpoint"]) for one in both["adapters"]] == [
        ("zork", 1.0, 200), ("style", 0.5, None)
    ]  # fmt: skip
    assert len(read_settings(tmp_path / both["path"])["adapters"]) == 2
    assert len({pixels(tmp_path, one) for one in record["pictures"]}) == 4
    assert str(tmp_path) not in (run.jobs / "grid-1" / "grid" / "grid.json").read_text()


def test_bases_stand_side_by_side_before_any_training(tmp_path: Path) -> None:
    other = build_folder(tmp_path / "other", seed=5)
    spec = replace(ONE, sample=replace(ONE.sample, size=(64, 64)))
    axes = [f"base={SPEC.base.source},{other}"]
    record, _ = drawn(JobDir(tmp_path), tmp_path, axes, spec, said=("steps",))
    assert record["run"] is None and record["sheets"] == ["jobs/grid-1/grid/grid.png"]
    assert record["axes"][0]["values"] == ["base", "other"]
    mine, others = at(record, base="base"), at(record, base="other")
    assert mine["prompt"] == others["prompt"] and mine["seed"] == others["seed"]
    assert (mine["guidance"], mine["negative"]) == (3.0, "blurry") and others["guidance"] == 7.0
    assert others["negative"] not in ("", "blurry"), "its own preset's"
    assert mine["steps"] == others["steps"] == 2, "what was said holds for both"
    assert pixels(tmp_path, mine) != pixels(tmp_path, others)
    assert read_settings(tmp_path / others["path"])["base"] == "other"
    assert record["pictures"][0]["path"].startswith("grid/pictures/")


def test_a_base_has_its_own_presets_settings_unless_they_were_said() -> None:
    mine = Sample(guidance=3.0, steps=5, negative="mine", size=(64, 64), prompts=("a",), seeds=(4,))
    theirs = sample_on(mine, "flux", ("steps",))
    assert (theirs.guidance, theirs.sampler, theirs.steps, theirs.size) == (3.5, "euler", 5, None)
    assert (theirs.prompts, theirs.seeds) == (("a",), (4,))
    assert sample_on(mine, "flux", ("size", "negative")).size == (64, 64)


def test_what_does_not_fit_is_named_at_once_and_nothing_is_drawn(run: JobDir, tmp_path: Path) -> None:
    save_file({"mid_block.nothing.lora_A.weight": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    flux = tiny_flux()
    axes = [f"base={SPEC.base.source},{flux}", "adapter=base,run,foreign.safetensors"]
    with pytest.raises(Refused) as refused:
        drawn(run, tmp_path, axes)
    told = str(refused.value)
    assert len(refused.value.problems) >= 3 and "foreign.safetensors" in told
    assert not list(run.grid.rglob("*.png"))


def test_a_base_that_the_adapter_was_not_trained_on_is_refused_where_it_is_no_axis(
    run: JobDir, tmp_path: Path
) -> None:
    other = build_folder(tmp_path / "other", seed=5)
    with pytest.raises(Refused, match="not the base"):
        drawn(run, tmp_path, ["weight=0.5,1"], replace(ONE, base=Base(source=str(other))))
    record, _ = drawn(run, tmp_path, [f"base={SPEC.base.source},{other}", "adapter=base,run"], name="grid-2")
    assert len({pixels(tmp_path, one) for one in record["pictures"]}) == 4


def test_wording_that_no_door_lets_through_is_not_drawn(run: JobDir, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        drawn(run, tmp_path, ["prompt=a mug|a naked 12 year old"])
    assert not list(run.grid.rglob("*.png"))


def test_a_grid_that_nobody_would_look_at_is_refused(run: JobDir, tmp_path: Path) -> None:
    seeds = ",".join(map(str, range(1001)))
    with pytest.raises(Refused, match="1,001 pictures; 1,000 is the most"):
        drawn(run, tmp_path, [f"seed={seeds}"])


def test_a_prompt_is_needed(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no prompt"):
        drawn(JobDir(tmp_path), tmp_path, ["guidance=1,2"], with_sample(prompts=()))


def test_the_job_is_written_and_read_as_it_is(tmp_path: Path) -> None:
    job = GridJob(
        project=str(tmp_path),
        axes=(GridAxis(name="prompt", values=("a, b", "c")), GridAxis(name="seed", values=("1", "2"))),
        said=("steps",),
        spec=ONE,
    )
    folder = JobDir(tmp_path / "jobs" / "grid-1")
    folder.path.mkdir(parents=True)
    write_job(folder, job)
    assert read_job(folder) == job


def test_time_is_shared_by_what_was_drawn_alike() -> None:
    shot = Shot(prompt="a", negative="", seed=1, guidance=1.0, steps=2, sampler="euler", size=(64, 64))
    same, slower = replace(shot, seed=2), replace(shot, steps=4)
    found = evened({shot: 3.0, same: 1.0, slower: 8.0})
    assert found == {shot: 2.0, same: 2.0, slower: 8.0}


def test_long_names_of_columns_are_not_cut(run: JobDir, tmp_path: Path) -> None:
    record, _ = drawn(
        run, tmp_path, ["prompt=zork on a table beside a window in the morning|zork", "weight=0,1"]
    )
    with Image.open(tmp_path / record["sheets"][0]) as sheet:
        levels = np.asarray(sheet.convert("RGB")).astype(int)
    accent = (np.abs(levels - np.array([255, 106, 61])).sum(axis=2) < 60).any(axis=1)
    rows = np.flatnonzero(accent)
    assert rows[-1] - rows[0] > 40, "the heading takes more than one line"
