"""Jobs that wait behind a run: what becomes of them when it ends early, and that they go on with it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from projects import worker
from projects.chain import behind
from projects.events import fold_file
from projects.job import JobDir
from projects.locks import holder
from projects.project import new_job_dir, new_run_dir, open_project, resolve, write_job
from projects.spec import ExportJob, JobSpec, ProofJob, ReviewJob, TrainJob
from projects.status import read_status
from tests.projects.jobs import eventually
from tests.tui.benches import opened, until
from tests.tui.conftest import Say
from tests.tui.snapshots import text_of
from tui.screens.train import TrainRoom

Chain = tuple[JobDir, JobDir, JobDir, JobDir]


@pytest.fixture
def chain(project: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch, say: Say) -> Chain:
    """A run that takes its time, and review, export and proof that wait for it, one behind the other."""
    monkeypatch.setenv("STAND_IN_STEP", "0.2")
    # So many steps that nobody is too late to stop it, however busy the machine is.
    spec, place = resolve(open_project(project), ["train.steps=400"]), str(project)
    run = new_run_dir(project, "r16")
    write_job(run, TrainJob(project=place, spec=spec))

    def written(made: Callable[..., JobSpec], front: JobDir) -> JobDir:
        told = made(project=place, run=str(run.path), after=str(front.path), spec=spec)
        job = new_job_dir(run.path, told.kind)
        write_job(job, told)
        return job

    review = written(ReviewJob, run)
    export = written(ExportJob, review)
    jobs = (run, review, export, written(ProofJob, export))
    for job in jobs:
        worker.start(job)
    return jobs


def kill(job: JobDir) -> None:
    pid = holder(job.lock)
    assert pid
    os.kill(pid, signal.SIGKILL)


def states(chain: Chain) -> list[str]:
    return [worker.state_of(job) for job in chain]


def test_who_waits_for_whom_is_read_from_the_specs(chain: Chain) -> None:
    run, review, export, proof = chain
    assert [behind(job) for job in chain] == [[review], [export], [proof], []]
    proof.spec.write_text("not a spec")
    assert behind(export) == [] and behind(run) == [review]


def test_a_stopped_run_stops_what_waits_for_it_and_resumed_takes_all_of_it_along(
    chain: Chain, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, review, export, _ = chain
    assert say("stop", run.path, "--json").code == 0
    assert eventually(lambda: states(chain) == ["stopped"] * 4)
    assert fold_file(export.events).result["ended_by"] == str(review.path)
    told = say("follow", review.path)
    assert told.code == 0 and "stopped, because " in told.out and "safelight resume " in told.out
    monkeypatch.setenv("STAND_IN_STEP", "0.001")
    resumed = say("resume", run.path, "--json")
    assert [Path(path).name for path in resumed.json["along"]] == ["review-1", "export-1", "proof-1"]
    assert "review-1, export-1, proof-1 wait behind it again." in resumed.err
    assert eventually(lambda: states(chain) == ["done"] * 4)


def test_a_killed_run_fails_what_waits_for_it_with_its_name_and_resumed_takes_it_along(
    chain: Chain, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, review, _, proof = chain
    kill(run)
    assert eventually(lambda: states(chain) == ["died", "failed", "failed", "failed"])
    error = fold_file(review.events).error
    assert run.path.name in error and "died without a last word" in error and "goes on with it" in error
    assert "export-1" in fold_file(proof.events).error
    monkeypatch.setenv("STAND_IN_STEP", "0.001")
    assert say("resume", run.path).code == 0
    assert eventually(lambda: states(chain) == ["done"] * 4)


def test_what_was_stopped_or_failed_by_itself_is_left_alone(
    chain: Chain, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, review, _, _ = chain
    worker.ask(review, "stop")
    assert eventually(lambda: states(chain)[1:] == ["stopped"] * 3)
    worker.ask(run, "stop")
    assert eventually(lambda: states(chain)[0] == "stopped")
    monkeypatch.setenv("STAND_IN_STEP", "0.001")
    assert say("resume", run.path, "--json").json["along"] == []
    assert eventually(lambda: states(chain) == ["done", "stopped", "stopped", "stopped"])
    assert len(say("resume", review.path, "--json").json["along"]) == 2
    assert eventually(lambda: states(chain) == ["done"] * 4)


def test_what_was_killed_while_it_waited_goes_on_too(
    chain: Chain, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert eventually(lambda: read_status(chain[3].status).phase == "waiting-for-job")
    for job in reversed(chain):
        kill(job)
    assert eventually(lambda: states(chain) == ["died"] * 4)
    monkeypatch.setenv("STAND_IN_STEP", "0.001")
    assert len(say("resume", chain[0].path, "--json").json["along"]) == 3
    assert eventually(lambda: states(chain) == ["done"] * 4)


async def test_the_key_of_the_train_room_takes_them_along(
    chain: Chain, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.ask(chain[0], "stop")
    assert eventually(lambda: states(chain) == ["stopped"] * 4)
    monkeypatch.setenv("STAND_IN_STEP", "0.001")
    async with opened(project, room="train") as (bench, pilot):
        await until(pilot, lambda: isinstance(bench.screen, TrainRoom) and bench.screen.view)
        await pilot.press("r")
        await until(pilot, lambda: "wait behind it again" in text_of(bench))
        await until(pilot, lambda: states(chain) == ["done"] * 4, seconds=20)
