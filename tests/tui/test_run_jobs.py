"""Jobs on a run: seen in the list, beside the run and in the top line of every room while they work or wait."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from projects.job import JobDir
from projects.project import new_job_dir, open_project, resolve, write_job
from projects.spec import ExportJob, JobSpec, ReviewJob
from projects.worker import JobLock
from tests.tui.benches import opened, until
from tests.tui.recorded import append, write_project, write_run
from tests.tui.snapshots import text_of
from tui.run_jobs import jobs_of
from tui.run_list import Standings

Told = dict[str, object]


@pytest.fixture
def run(tmp_path: Path) -> JobDir:
    project = write_project(tmp_path / "aurelia")
    return write_run(project, "2026-11-18-1040-r32", to_step=2000, last_word="done")


@pytest.fixture
def at_work() -> Iterator[Callable[[JobDir, str], None]]:
    """Holds a job's lock, as its worker does, with this phase in its status."""
    locks = []

    def hold(job: JobDir, phase: str) -> None:
        locks.append(JobLock(job))
        status = {"format": 1, "pid": os.getpid(), "phase": phase, "step": 500, "steps": 2000}
        job.status.write_text(json.dumps(status))

    yield hold
    for lock in locks:
        lock.close()


def job_on(run: JobDir, made: type[ReviewJob] | type[ExportJob], *told: Told) -> JobDir:
    """A job on the run that has said these events."""
    project = run.path.parents[1]
    spec: JobSpec = made(project=str(project), run=str(run.path), spec=resolve(open_project(project)))
    job = new_job_dir(run.path, spec.kind)
    write_job(job, spec)
    append(job, [{"n": n, "t": 1.0 * n, "attempt": 1, **event} for n, event in enumerate(told, 1)])
    return job


STARTED: Told = {"kind": "started", "from_step": 0, "pid": 1, "host": "h", "boot_id": "b"}
DRAWS: Told = {"kind": "progress", "what": "pictures", "done": 12, "total": 60}


async def test_a_job_at_work_is_seen_in_every_room_and_what_waits_behind_it_beside_the_run(
    run: JobDir, at_work: Callable[[JobDir, str], None]
) -> None:
    at_work(job_on(run, ReviewJob, STARTED, {"kind": "phase", "name": "drawing"}, DRAWS), "drawing")
    at_work(job_on(run, ExportJob, STARTED), "waiting-for-job")
    async with opened(run.path.parents[1]) as (bench, pilot):
        await until(pilot, lambda: "▶ review  12/60" in text_of(bench).splitlines()[0])
        await pilot.press("4")
        await until(pilot, lambda: "… export waits" in text_of(bench))
        lines = text_of(bench).splitlines()
        assert "▶ review  12/60" in lines[0]
        assert any("r32" in line[:30] and "▶ review 12/60" in line[:30] for line in lines[1:]), "the list"
        assert any("▶ review  12/60   … export waits" in line for line in lines[1:]), "beside the run"
    async with opened(run.path.parents[1], room="train", size=(80, 24)) as (bench, pilot):
        await until(pilot, lambda: "▶ review  12/60   … export waits" in text_of(bench))
        assert "▶ review  12/60" in text_of(bench).splitlines()[0]
        await pilot.press("q")
    assert bench.return_value == (run.jobs / "review-1",), "what goes on without the workbench"


async def test_what_waits_behind_a_run_at_work_is_counted_in_the_list(
    run: JobDir, at_work: Callable[[JobDir, str], None]
) -> None:
    live = write_run(run.path.parents[1], "2026-11-18-1140-r8", to_step=500)
    at_work(live, "training")
    at_work(job_on(live, ReviewJob, STARTED), "waiting-for-job")
    async with opened(run.path.parents[1], room="train") as (bench, pilot):
        await until(pilot, lambda: "▶ 500/2,000 +1" in text_of(bench))
        assert "▶ 500/2,000" in text_of(bench).splitlines()[0]
        await until(pilot, lambda: "… review waits" in text_of(bench))


def test_what_is_done_or_was_done_again_since_is_not_told(run: JobDir) -> None:
    failed: Told = {"kind": "failed", "error": "No.", "hint": ""}
    job_on(run, ReviewJob, STARTED, failed)
    job_on(run, ReviewJob, STARTED, {"kind": "done"})
    export = job_on(run, ExportJob, STARTED, failed)
    job_on(run, ExportJob)
    (run.jobs / "notes").mkdir()
    (run.jobs / "mine").mkdir()
    (run.jobs / "mine" / "spec.toml").write_text("anything")
    standings = Standings()
    assert jobs_of(run, standings.of) == (), "the last export was never started"
    for file in (run.jobs / "export-2").iterdir():
        file.unlink()
    (row,) = jobs_of(run, standings.of)
    assert (row.job, row.standing, row.kind) == (export, "failed", "export")


def test_they_stand_in_the_order_in_which_they_began(
    run: JobDir, at_work: Callable[[JobDir, str], None]
) -> None:
    for made, when in ((ExportJob, 9.0), (ReviewJob, 7.0)):
        at_work(job_on(run, made, {**STARTED, "t": when}), "waiting-for-device")
    assert [row.kind for row in jobs_of(run, Standings().of)] == ["review", "export"]
