"""The demo's own training, whole and through the worker: killed, resumed, proven, and with its captions in disorder."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from engine import __main__ as engine_main
from engine import checkpoint
from engine.__main__ import work
from engine.demo.project import write_project
from projects import worker
from projects.events import fold_file
from projects.job import JobDir
from projects.project import new_job_dir, new_run_dir, open_project, resolve, write_job
from projects.spec import ProofJob, TrainJob
from tests.engine.runs import demo_project, losses, new_run

QUIET = ("sample.every=0", "train.evaluate_every=0", "train.checkpoint_every=1000")


def wait_for(job: JobDir, step: int) -> None:
    deadline = time.monotonic() + 120
    while fold_file(job.events).step < step:
        assert worker.state_of(job) in ("live", "queued"), job.log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_until_ended(job: JobDir) -> str:
    deadline = time.monotonic() + 300
    while (state := worker.state_of(job)) in ("live", "queued", "stalled"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return state


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path):
    project = demo_project(tmp_path)
    steps = ("train.steps=40", "train.checkpoint_every=20", *QUIET[:2])
    straight, killed = new_run(project, *steps, name="straight"), new_run(project, *steps, name="killed")
    worker.start(straight)
    assert wait_until_ended(straight) == "done", straight.log.read_text()
    pid = worker.start(killed)
    wait_for(killed, 26)
    os.kill(pid, signal.SIGKILL)
    assert wait_until_ended(killed) == "died"
    assert killed.steps_saved() == [20]
    worker.start(killed, verify=True)
    assert wait_until_ended(killed) == "done", killed.log.read_text()
    state = fold_file(killed.events)
    assert state.attempts == ((1, 0), (2, 20))
    assert state.verified == ("bit-equal", 0.0)
    for name in (checkpoint.ADAPTER, checkpoint.OPTIMIZER):
        assert (killed.checkpoint(40) / name).read_bytes() == (straight.checkpoint(40) / name).read_bytes()
    assert losses(killed) == losses(straight)


def proven(project: Path) -> dict[str, object]:
    """Train the demo's preset to its end and give what the sign test says."""
    spec = resolve(open_project(project), list(QUIET))
    run = new_run_dir(project, "proof")
    write_job(run, TrainJob(project=str(project), spec=spec))
    assert work(run) == 0, run.events.read_text()[-2000:]
    job = new_job_dir(run.path, "proof")
    write_job(job, ProofJob(project=str(project), run=str(run.path), spec=spec))
    assert work(job) == 0, job.events.read_text()[-2000:]
    return dict(fold_file(job.events).result)


@pytest.fixture(autouse=True)
def process_as_it_was(monkeypatch):
    """`work` makes a worker of its process: what it does to signals and priority ends with the test."""
    saved = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(engine_main, "stand_back", lambda: None)
    yield
    for number, handler in saved.items():
        signal.signal(number, handler)


@pytest.fixture
def whole_demo(tmp_path):
    write_project(tmp_path / "demo")
    return tmp_path / "demo"


def test_the_demo_learns_its_subject_and_binds_it_to_the_trigger(whole_demo):
    result = proven(whole_demo)
    assert result["pairs"] == 24
    assert result["p"] <= 0.001, result


def test_captions_in_disorder_teach_the_trigger_nothing(whole_demo):
    files = sorted([*(whole_demo / "images").glob("*.txt"), *(whole_demo / "regularization").glob("*.txt")])
    texts = [file.read_text() for file in files]
    random.Random(0).shuffle(texts)
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    # Captions of regularization pictures must not hold the trigger, and here some do: all are trained as subjects.
    project = whole_demo / "project.toml"
    project.write_text(project.read_text().replace('role = "regularization"', 'role = "subject"'))
    result = proven(whole_demo)
    assert result["p"] > 0.05, result
