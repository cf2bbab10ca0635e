"""The train room: the run that was just started, what its jobs made, and whom its keys are for."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from projects import worker
from projects.job import JobDir
from projects.project import new_job_dir, new_run_dir, open_project, resolve, write_job
from projects.spec import ExportJob, JobSpec, ProofJob, ReviewJob, TrainJob
from tests.projects.jobs import eventually
from tests.tui.benches import opened, until
from tests.tui.recorded import write_project, write_run
from tests.tui.snapshots import text_of
from tui.moments import Moments
from tui.run_words import preview_names
from tui.screens.project import ProjectRoom
from tui.screens.train import TrainRoom
from tui.spans import folded

pytestmark = pytest.mark.usefixtures("slow_steps")


@pytest.fixture
def slow_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_STEP", "0.05")


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    """A project with a run that is done, and 2,000 steps to go for the next one."""
    project = write_project(tmp_path / "aurelia")
    write_run(project, "2026-11-17-0900-old", to_step=500, last_word="done")
    return project


def started(project: Path, name: str, steps: int = 2000) -> tuple[JobDir, Callable[..., JobDir]]:
    """A run at work, and what starts a job on it that waits for another one."""
    text = (project / "project.toml").read_text()
    (project / "project.toml").write_text(re.sub(r"steps = \d+", f"steps = {steps}", text))
    spec, place = resolve(open_project(project)), str(project)
    run = new_run_dir(project, name)
    write_job(run, TrainJob(project=place, spec=spec))
    worker.start(run)

    def job_on(made: Callable[..., JobSpec], front: JobDir) -> JobDir:
        told = made(project=place, run=str(run.path), after=str(front.path), spec=spec)
        job = new_job_dir(run.path, told.kind)
        write_job(job, told)
        worker.start(job)
        return job

    return run, job_on


@pytest.mark.parametrize("train_was_shown", [False, True])
async def test_a_start_is_followed_at_once_whatever_was_shown_before(
    aurelia: Path, stand_in: list[int], train_was_shown: bool
) -> None:
    async with opened(aurelia) as (bench, pilot):
        if train_was_shown:
            await pilot.press("4")
            await until(pilot, lambda: "old   ✓ done" in text_of(bench))
            await pilot.press("1")
        room = bench.screen
        assert isinstance(room, ProjectRoom)
        await until(pilot, lambda: "ready" in room.conditions() and bench.rows)
        await pilot.press("T", *"new", "enter")
        await until(pilot, lambda: stand_in and isinstance(bench.screen, TrainRoom))
        train = bench.screen
        assert isinstance(train, TrainRoom)
        await until(pilot, lambda: train.view is not None and train.view.step > 2)
        assert train.job is not None and train.job.path.name.endswith("-new")
        assert "new   ▶" in text_of(bench) and "works" in train.conditions()


async def test_a_run_that_waits_says_for_whom_and_offers_no_resume(
    aurelia: Path, stand_in: list[int]
) -> None:
    started(aurelia, "first")
    started(aurelia, "second")
    async with opened(aurelia, room="train", size=(80, 24)) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, TrainRoom)
        second = next(path for path in (aurelia / "runs").iterdir() if path.name.endswith("second"))
        room.follow(JobDir(second))
        await until(pilot, lambda: "second   … waits for the device, which first has" in text_of(bench))
        assert "resumable" not in room.conditions() and "stoppable" in room.conditions()


async def test_at_the_end_of_a_chain_the_room_says_what_it_made_and_where_to_go(
    aurelia: Path, stand_in: list[int]
) -> None:
    run, job_on = started(aurelia, "demo", steps=5)
    review = job_on(ReviewJob, run)
    job_on(ProofJob, job_on(ExportJob, review))
    async with opened(aurelia, room="train", size=(80, 24)) as (bench, pilot):
        assert isinstance(bench.screen, TrainRoom)
        await until(pilot, lambda: "✓ made:" in text_of(bench), seconds=30)
        shown = text_of(bench)
        assert "made: 2 files, proof p = 6e-08 (24 of 24 pairs)" in shown
        assert "5 review   q leave" in shown


async def test_s_stops_the_job_that_works_when_the_run_is_done_and_r_goes_on_with_it(
    aurelia: Path, stand_in: list[int]
) -> None:
    run, job_on = started(aurelia, "demo", steps=5)
    assert eventually(lambda: worker.state_of(run) == "done")
    # A review that waits behind a run at work: nothing but a stop ends it.
    busy, _ = started(aurelia, "busy", steps=5000)
    review = job_on(ReviewJob, busy)
    async with opened(aurelia, room="train") as (bench, pilot):
        room = bench.screen
        assert isinstance(room, TrainRoom)
        room.follow(run)
        await until(pilot, lambda: "review waits" in text_of(bench) and "stoppable" in room.conditions())
        await pilot.press("s")
        await until(pilot, lambda: "review-1 is asked to stop" in text_of(bench))
        await until(pilot, lambda: worker.state_of(review) == "stopped")
        assert worker.state_of(busy) == "live"
        await until(pilot, lambda: "review stopped" in text_of(bench) and "resumable" in room.conditions())
        await pilot.press("r")
        await until(pilot, lambda: "It goes on with review-1." in text_of(bench))


async def test_how_a_run_ended_is_not_said_any_more_when_it_goes_on(
    aurelia: Path, stand_in: list[int]
) -> None:
    run, _ = started(aurelia, "live")
    async with opened(aurelia, room="train") as (bench, pilot):
        room = bench.screen
        assert isinstance(room, TrainRoom)
        await until(pilot, lambda: room.view and room.view.step > 2)
        worker.ask(run, "stop")
        await until(pilot, lambda: "live: stopped at step" in text_of(bench))
        worker.start(run)
        await until(pilot, lambda: room.view and room.view.standing == "live")
        await until(pilot, lambda: "live: stopped at step" not in text_of(bench), seconds=2)


async def test_words_are_laid_out_anew_when_the_side_pane_goes(aurelia: Path) -> None:
    run = write_run(aurelia, "2026-11-18-0900-bad", to_step=5, last_word="failed")
    error = "The disk is full, and so there is no room for the checkpoint that was due at this step."
    text = run.events.read_text().replace("The disk is full.", error)
    run.events.write_text(text)
    async with opened(aurelia, room="train", size=(80, 24)) as (bench, pilot):
        await until(pilot, lambda: "The disk is full" in text_of(bench))
        whole = next(line for line in text_of(bench).splitlines() if "The disk is full" in line)
        await pilot.press("backslash")
        await until(pilot, lambda: "RUNS" in text_of(bench) and whole not in text_of(bench))
        await pilot.press("backslash")
        await until(pilot, lambda: whole in text_of(bench))


async def test_a_long_refusal_is_said_in_full(aurelia: Path) -> None:
    words = "This is a long sentence " * 5 + "and its end."
    async with opened(aurelia, room="train", size=(80, 24)) as (bench, pilot):
        bench.say(words)
        await until(pilot, lambda: "and its end." in text_of(bench))
        await pilot.press("down")
        await until(pilot, lambda: "help" in text_of(bench).splitlines()[-1])


async def test_the_log_shows_lines_whole(aurelia: Path) -> None:
    run = JobDir(aurelia / "runs" / "2026-11-17-0900-old")
    run.log.write_text("a line\n" * 60 + "word " * 40 + "lastword\n")
    async with opened(aurelia, room="train", size=(80, 24)) as (bench, pilot):
        await until(pilot, lambda: "old   ✓ done" in text_of(bench))
        await pilot.press("L")
        await until(pilot, lambda: "lastword" in text_of(bench))


def test_names_of_previews_leave_out_what_all_have_alike() -> None:
    def file(prompt: int, seed: int) -> str:
        return f"previews/step-000500-{prompt:02d}-seed{seed}.png"

    assert preview_names([file(1, 7), file(2, 7)]) == ["prompt 1", "prompt 2"]
    assert preview_names([file(1, 7), file(1, 8)]) == ["seed 7", "seed 8"]
    assert preview_names([file(1, 7), file(2, 8)]) == ["1, seed 7", "2, seed 8"]
    assert preview_names(["previews/other.png"]) == ["other.png"]


async def test_where_it_is_narrow_the_moment_leaves_out_what_is_needed_least(aurelia: Path) -> None:
    async with opened(aurelia, room="train") as (bench, pilot):
        room = bench.screen
        assert isinstance(room, TrainRoom)
        await until(pilot, lambda: room.view and room.view.attached)
        assert room.view is not None
        moments = Moments()
        moments.take(room.view.state)
        for width, there, gone in (
            (200, "rate", "…"),
            (78, "PREVIEWS", "rate"),
            (50, "held out", "mean of 50"),
        ):
            words = "".join(text for text, _ in moments.words(room.view, width))
            assert there in words and gone not in words and "held out 0.1" in words


def test_a_folded_line_loses_nothing() -> None:
    for line in (
        "short",
        '  File "x.py", line 3, in a_name_that_is_longer_than_the_line_is_wide',
        "日本語" * 20,
    ):
        parts = folded(line, 30)
        assert "".join(part.lstrip() if at else part for at, part in enumerate(parts)) == line
