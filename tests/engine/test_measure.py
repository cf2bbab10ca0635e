"""A measurement: real steps at the largest bucket, figures that a plan finds again, and nothing else left behind."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from engine import measure, train
from engine.dataset.scan import scan
from engine.demo import BASE_DIR
from engine.desk import Desk, StopAsked
from engine.families.opening import open_base
from projects import spec
from projects.events import fold_file
from projects.project import new_job_dir, open_project, read_job, resolve, write_job
from projects.spec import MeasureJob, Sample
from tests.engine.runs import SHORT, demo_project, events
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
    assert 0 < found.measured.fastest <= found.measured.seconds_per_step <= found.measured.slowest < 60
    assert found.measured.preview_seconds > 0 and found.measured.evaluation_seconds > 0
    assert 0.2 < found.memory_gb < found.measured.device_memory_gb
    low, high = found.seconds_range
    assert low <= found.seconds <= high
    longer = examine(open_project(project), [*SAID, "train.steps=800"]).plan
    assert longer.seconds > found.seconds + 700 * found.measured.fastest * found.measured.area_share
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


def test_steps_take_the_largest_bucket_of_all_resolutions(project):
    told = resolve(open_project(project), [*SAID, "train.resolution=[48, 64]", "train.batch=4"])
    wide = Image.new("RGB", (160, 64), "teal")
    wide.save(project / "images" / "wide.png")
    (project / "images" / "wide.txt").write_text("tr0v3l_cap mushroom, wide")
    _, base = open_base(told.base, project)
    items = scan(project, told, bucket_step=base.bucket_step).items
    at = measure.largest_of(told, items)
    areas = [width * height for item in items for width, height in (one.bucket for one in item.placements)]
    assert at.bucket[0] * at.bucket[1] == max(areas)
    assert 0.5 < at.area_share < 1
    assert len(at.items) == 4 and all(len(item.placements) == 1 for item in at.items)
    assert {item.placements[0].bucket for item in at.items} == {at.bucket}
    assert at.spec.train.resolution == (64,)


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
