"""Every family from pictures to exported files: 20 steps on tiny random weights, a kill, a resume, and the gate."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from engine import checkpoint, train
from engine.desk import Desk
from engine.export.run import run as export_run
from engine.families.opening import FAMILIES
from engine.review.run import run as review_run
from projects.events import fold_file
from projects.job import JobDir
from projects.problems import Refused
from projects.project import create_project, new_job_dir, read_job, write_job
from projects.spec import ExportJob, ReviewJob, TrainJob
from tests.engine.runs import events, losses, new_run, train_here
from tests.engine.test_contract import TARGETS, TINY

QUICK = (
    "train.steps=20", "train.checkpoint_every=10", "train.evaluate_every=10", "sample.every=10", "train.batch=2",
    "train.resolution=64", "train.gradient_checkpointing=true", "adapter.rank=4", "adapter.alpha=2.0",
    "adapter.targets=\"attention+mlp\"", "sample.steps=2", 'sample.prompts=["tr0v3l_cap mug"]', "sample.size=[64, 64]",
)  # fmt: skip


@pytest.fixture(params=sorted(FAMILIES))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def a_project(folder: Path, base: Path) -> Path:
    """Six pictures of two shapes with captions, and a project on `base`."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    for number in range(6):
        picture = Image.new("RGB", ((96, 64), (64, 96))[number % 2], (40 * number, 90, 200 - 30 * number))
        ImageDraw.Draw(picture).ellipse((8, 8, 50, 40 + number), fill=(250, 240, 10 * number))
        picture.save(pictures / f"{number}.png")
        (pictures / f"{number}.txt").write_text(f"tr0v3l_cap mug, wall {number}")
    create_project(folder / "project", base=str(base), images=str(pictures), trigger="tr0v3l_cap", rating="general",
                   class_word="mug")  # fmt: skip
    return folder / "project"


def test_a_run_trains_resumes_to_the_same_bits_and_exports(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = a_project(tmp_path, TINY[family]())
    whole = new_run(project, *QUICK, name="whole")
    assert train_here(whole) == "done"
    assert len(losses(whole)) == 20 and events(whole, "health")[0]["problems"] == []
    assert len(list(whole.previews.glob("*.png"))) == 3 and events(whole, "evaluated")

    parted = new_run(project, *QUICK, name="parted")
    monkeypatch.setattr(train, "forward_backward", stopping_at(13, train.forward_backward))
    with pytest.raises(KeyboardInterrupt):
        train_here(parted)
    monkeypatch.undo()
    assert parted.steps_saved() == [10]
    assert train_here(parted, verify=True) == "done"
    for file in (checkpoint.ADAPTER, checkpoint.OPTIMIZER):
        ends = [run.checkpoint(20) / file for run in (whole, parted)]
        assert ends[0].read_bytes() == ends[1].read_bytes(), file

    exported = export(project, whole, ("diffusers",) if family in TARGETS else ("kohya", "diffusers"))
    assert len(exported) == (1 if family in TARGETS else 2)
    assert not {path.name for path in whole.export.iterdir() if path.name.startswith(".")}


@pytest.mark.parametrize("family", sorted({*FAMILIES} - {"sdxl"}))
def test_a_run_of_any_family_is_reviewed(family: str, tmp_path: Path) -> None:
    """Of SDXL the review's own tests are. Pictures of two shapes, and where it can learn the text encoder too."""
    project = a_project(tmp_path, TINY[family]())
    learning = ("adapter.text_encoder=true",) if FAMILIES[family].text_encoder else ()
    run = new_run(project, *QUICK, "train.steps=10", *learning)
    assert train_here(run) == "done"
    job, told = new_job_dir(run.path, "review"), read_job(run)
    assert isinstance(told, TrainJob)
    asked = ReviewJob(project=str(project), run=str(run.path), weights=(1.0,), spec=told.spec)
    write_job(job, asked)
    with Desk.open(job, 1) as desk:
        desk.begin(0)
        assert review_run(desk, asked) == "done"
    record = json.loads((run.review / "review.json").read_bytes())
    assert record["whole"] and [row["weight"] for row in record["weights"]] == [0.0, 1.0]
    assert all(row[name] for row in record["weights"] for name in ("likeness", "prompt", "drift"))
    assert [row["leak"] is not None for row in record["checkpoints"]] == [True]
    base, acting = (row["drift"]["value"] for row in record["weights"])
    assert base == 0 and acting > 0
    assert all(len(row["adapted"]) == 1 for row in record["losses"]) and len(record["losses"]) == 6
    assert all((project / one["path"]).is_file() for one in record["pictures"])


def test_a_base_that_told_its_family_late_is_held_to_it_by_the_worker(tmp_path: Path) -> None:
    """A hub id that was not here when the run was planned: nobody could know then that min-SNR means nothing."""
    run = new_run(a_project(tmp_path, TINY["flux"]()), *QUICK)
    told = read_job(run)
    assert isinstance(told, TrainJob)
    spec = replace(
        told.spec,
        train=replace(told.spec.train, min_snr_gamma=5.0),
        adapter=replace(told.spec.adapter, text_encoder=True),
    )
    run.spec.unlink()
    write_job(run, replace(told, spec=spec))
    with pytest.raises(Refused) as refused:
        train_here(run)
    assert [problem.where for problem in refused.value.problems] == [
        "adapter.text_encoder",
        "train.min_snr_gamma",
    ]
    assert not run.items.exists()


def stopping_at(step: int, honest):  # type: ignore[no-untyped-def]
    """`forward_backward` that ends the process, as far as the run can tell, at a step."""

    def interrupted(task, at, *more):  # type: ignore[no-untyped-def]
        if at == step:
            raise KeyboardInterrupt
        return honest(task, at, *more)

    return interrupted


def export(project: Path, run: JobDir, formats: tuple[str, ...]) -> list[Path]:
    job = new_job_dir(run.path, "export")
    told = read_job(run)
    assert isinstance(told, TrainJob)
    write_job(job, ExportJob(project=str(project), run=str(run.path), formats=formats, spec=told.spec))
    with Desk.open(job, fold_file(job.events).attempt + 1) as desk:
        desk.begin(0)
        asked = read_job(job)
        assert isinstance(asked, ExportJob)
        assert export_run(desk, asked) == "done"
    return sorted(run.export.glob("*.safetensors"))
