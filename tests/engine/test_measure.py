"""A measurement: the run's own steps, figures that a plan finds again, and nothing else left behind."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from engine import measure, step, train
from engine.dataset.scan import scan
from engine.demo import BASE_DIR
from engine.desk import Desk, StopAsked
from engine.families.opening import open_base
from projects import spec
from projects.events import fold_file
from projects.project import new_job_dir, open_project, read_job, resolve, write_job
from projects.spec import MeasureJob, Sample
from tests.engine.runs import SHORT, demo_project, events, new_run, train_here
from tui.readiness import examine

SAID = (*SHORT, "train.batch=2")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return demo_project(tmp_path)


def new_job(project, *assignments, steps=3):
    job = new_job_dir(project, "measure")
    told = resolve(open_project(project), [*SAID, *assignments])
    write_job(job, MeasureJob(project=str(project), steps=steps, spec=told))
    return job


def measure_here(job):
    with Desk.open(job) as desk:
        desk.begin()
        word = measure.run(desk, read_job(job))
        desk.conclude(word)
        return word


def test_the_plan_shows_what_was_measured_until_a_key_changes(project):
    plain = examine(open_project(project), SAID).plan
    assert plain.seconds is None and plain.memory_gb is None and plain.measured is None
    job = new_job(project)
    assert measure_here(job) == "done"
    found = examine(open_project(project), SAID).plan
    assert found.measured.steps == 3
    assert (
        0 < found.measured.faster_half <= found.measured.seconds_per_step <= found.measured.slower_half < 60
    )
    assert found.measured.preview_seconds > 0 and found.measured.evaluation_seconds > 0
    assert 0.2 < found.memory_gb < found.measured.device_memory_gb
    low, high = found.seconds_range
    assert low <= found.seconds <= high
    longer = examine(open_project(project), [*SAID, "train.steps=800"]).plan
    assert longer.seconds > found.seconds + 700 * found.measured.faster_half
    for changed in (
        "adapter.rank=8",
        "train.batch=1",
        "train.gradient_checkpointing=true",
        "train.resolution=48",
    ):
        assert examine(open_project(project), [*SAID, changed]).plan.measured is None, changed
    state = fold_file(job.events)
    assert state.result["measured"]["seconds_per_step"] == found.measured.seconds_per_step


def test_nothing_but_the_figures_is_left(project):
    job = new_job(project)
    measure_here(job)
    assert job.steps_saved() == [] and not job.checkpoints.exists()
    assert not job.previews.exists() and not job.pictures.exists() and not job.items.exists()
    assert not (project / "runs").exists()
    assert events(job, "step") == [], "a list of runs shows no training"


def many_shapes(project):
    for name, size in (("wide", (160, 64)), ("tall", (64, 160)), ("large", (96, 80))):
        Image.new("RGB", size, "teal").save(project / "images" / f"{name}.png")
        (project / "images" / f"{name}.txt").write_text(f"tr0v3l_cap mushroom, {name}")


def test_the_steps_that_are_timed_are_the_runs_own(project, monkeypatch):
    many_shapes(project)
    asked = (
        *SAID,
        "train.batch=4",
        "train.steps=6",
        "train.checkpoint_every=6",
        "sample.every=0",
        "train.evaluate_every=0",
    )
    calls: dict[str, list] = {"measured": [], "run": []}
    real = step._backward
    monkeypatch.setattr(
        step, "_backward", lambda *told: (calls[now].append([slot.item for slot in told[3]]), real(*told))[1]
    )
    now = "measured"
    measure_here(new_job(project, *asked[len(SAID) :], steps=3))
    now = "run"
    train_here(new_run(project, *asked))
    first, *others = calls["measured"]
    assert len(first) <= 4, "the largest bucket, before them"
    assert others == calls["run"][:5] and len(others) == 2 + 3


def test_the_first_step_takes_the_largest_bucket_of_all_resolutions(project):
    many_shapes(project)
    told = resolve(open_project(project), [*SAID, "train.resolution=[48, 64]", "train.batch=4"])
    _, base = open_base(told.base, project)
    items = scan(project, told, bucket_step=base.bucket_step).items
    slots = measure.largest_slots(told, items)
    areas = [width * height for item in items for width, height in (one.bucket for one in item.placements)]
    (bucket,) = {items[slot.item].placements[slot.resolution].bucket for slot in slots}
    assert bucket[0] * bucket[1] == max(areas) and len(slots) == 4
    needed = measure.needed(told, items, 2)
    assert {items[slot.item].picture for slot in slots} <= {item.picture for item in needed}


def test_a_stop_ends_it_without_figures(project, monkeypatch):
    job = new_job(project, steps=50)
    real = train.pass_within_memory
    monkeypatch.setattr(
        measure, "pass_within_memory",
        lambda desk, *arguments: (desk.ask_stop(), real(desk, *arguments))[1],
    )  # fmt: skip
    with Desk.open(job) as desk, pytest.raises(StopAsked):
        desk.begin()
        measure.run(desk, read_job(job))
    assert not (project / "cache" / "measured.json").exists()


def test_a_preview_that_fails_is_a_warning_as_in_the_run(project, monkeypatch):
    job = new_job(project)
    monkeypatch.setattr(measure, "preview", lambda **_: 1 / 0)
    assert measure_here(job) == "done"
    assert "The preview could not be drawn: ZeroDivisionError" in str(events(job, "warning"))
    assert examine(open_project(project), SAID).plan.measured.preview_seconds == 0


def test_a_preview_is_as_large_as_those_of_the_run_and_no_larger():
    _, base = open_base(spec.Base(source="demo"), Path(BASE_DIR))
    many = Sample(prompts=("a", "b", "c", "d", "e", "f"), seeds=(1, 2), size=(64, 64))
    few = measure.few(many, base, "cpu")
    assert len(few.prompts) * len(few.seeds) == 8, "what is drawn at once"
    large = measure.few(replace(many, size=(1024, 1024)), base, "cuda")
    assert (large.prompts, large.seeds) == (("a",), (1,))
