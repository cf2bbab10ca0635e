"""Several processes at one training: it is the training of one process, and none of them outlives the others."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from engine import checkpoint, step, train
from engine.facts import read_facts
from engine.group import Group
from projects import atomic, worker
from projects.events import fold_file
from projects.job import JobDir
from projects.locks import holder
from tests.engine.runs import demo_project, events, losses, new_run, train_here
from tests.projects.jobs import eventually

ROOT = Path(__file__).resolve().parents[2]
TWO = ("train.batch=2", "train.processes=2", "sample.every=0", "train.evaluate_every=0")

ENTRY = """
import sys
import torch
from engine import __main__, peers, step

peers.COMMAND = (sys.executable, "-P", __file__)
peers.WAIT_SECONDS = 4.0
real = step._backward

def small_memory(task, number, micro_batch, *more):
    if micro_batch > 1:
        raise torch.OutOfMemoryError("no more")
    return real(task, number, micro_batch, *more)

if "--rank" in sys.argv:
    step._backward = small_memory
__main__._leave(__main__.main())
"""

GONE_WHILE_JOINING = """
import sys
from engine import __main__, group, peers

peers.COMMAND = (sys.executable, "-P", __file__)
peers.END_SECONDS = 1.0

def refuse(*_):
    raise SystemExit("no such card")

if "--rank" in sys.argv:
    group._join = refuse
__main__._leave(__main__.main())
"""

OVERFLOWING = """
import math
import sys
import torch
from engine import __main__, assembly, peers, step

peers.COMMAND = (sys.executable, "-P", __file__)
accelerator_for, backward = assembly.accelerator_for, step._backward

def with_scaler(spec):
    accelerator = accelerator_for(spec)
    accelerator.scaler = torch.amp.GradScaler("cpu")
    return accelerator

def overflowing(task, number, *more):
    result = backward(task, number, *more)
    if number == 1:
        next(iter(task.parameters.values())).grad.fill_(math.inf)
    return result

assembly.accelerator_for = with_scaler
if "--rank" in sys.argv:
    step._backward = overflowing
__main__._leave(__main__.main())
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return demo_project(tmp_path)


@pytest.fixture
def long_run(project: Path) -> Iterator[JobDir]:
    """A run that lasts until it is ended, and saves every third step."""
    job = new_run(project, *TWO, "train.steps=1000", "train.warmup=0")
    yield job
    worker.hard_stop(job, grace=0.0)


def ended(job: JobDir) -> str:
    """What became of the job once nobody works on it any more."""
    assert eventually(lambda: holder(job.lock) is None, seconds=240), job.log.read_text()
    return worker.state_of(job)


def others(job: JobDir) -> list[int]:
    """Pids of the processes that the job's worker has started beside itself."""
    pid = holder(job.lock)
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def reaches(job: JobDir, number: int) -> bool:
    return eventually(lambda: fold_file(job.events).step >= number or holder(job.lock) is None, seconds=240)


def train_here_until(
    job: JobDir, last: int, monkeypatch: pytest.MonkeyPatch, *, verify: bool = False
) -> None:
    """One process in this one, asked to stop in its step `last`."""
    real, before = train.forward_backward, len(events(job, "acknowledged"))

    def stop_there(task: object, number: int, *more: object) -> object:
        if number == last - 1:
            job.requests.mkdir(exist_ok=True)
            atomic.write_text(job.requests / "stop", "")
            assert eventually(lambda: len(events(job, "acknowledged")) > before)
        return real(task, number, *more)

    with monkeypatch.context() as patched:
        patched.setattr(train, "forward_backward", stop_there)
        assert train_here(job, verify=verify) == "stopped"
    assert max(job.steps_saved()) == last


def adapter(job: JobDir, number: int) -> dict[str, torch.Tensor]:
    return checkpoint.load_adapter(job.checkpoint(number))[1]


def assert_same_training(one: JobDir, other: JobDir, number: int) -> None:
    assert losses(other) == pytest.approx(losses(one), rel=1e-4)
    expected, found = adapter(one, number), adapter(other, number)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=2e-2, atol=2e-5)


def test_every_slot_is_in_one_share() -> None:
    for size in range(1, 8):
        shares = [Group(rank, size).share(range(7)) for rank in range(size)]
        assert [slot for share in shares for slot in share] == list(range(7))
        assert {len(share) for share in shares} <= {7 // size, 7 // size + 1}


def test_two_processes_train_what_one_trains_with_twice_the_batch_and_save_it_once(project: Path) -> None:
    two, one = (
        new_run(project, *TWO, name="two"),
        new_run(project, *TWO, "train.batch=4", "train.processes=1"),
    )
    worker.start(two)
    train_here(one)
    assert ended(two) == "done", two.log.read_text()
    assert_same_training(one, two, 8)
    assert [event["step"] for event in events(two, "saved")] == [3, 6, 8] == two.steps_saved()
    assert [line.count("[") for line in two.coverage.read_text().splitlines()] == [5] * 8
    assert two.items.read_bytes() == one.items.read_bytes()
    facts = read_facts(two.facts)
    assert len(facts) == 1 and facts[0]["processes"] == 2
    assert checkpoint.read_manifest(two.checkpoint(8)).processes == 2


def test_a_run_goes_on_with_more_and_with_fewer_processes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = (*TWO, "train.batch=4", "train.accumulate=1", "train.steps=1000", "train.checkpoint_every=500")
    job, straight = new_run(project, *long, name="changing"), new_run(project, *long, name="straight")
    train_here_until(job, 3, monkeypatch)
    worker.start(job, verify=True, processes=2)
    assert reaches(job, 4)
    worker.ask(job, "stop")
    assert ended(job) == "stopped", job.log.read_text()
    reached = max(job.steps_saved())
    train_here_until(job, reached + 2, monkeypatch, verify=True)
    train_here_until(straight, reached + 2, monkeypatch)
    assert_same_training(straight, job, reached + 2)
    verified = events(job, "verified")
    assert [event["processes"] for event in verified] == [[1, 2], [2, 1]]
    assert all(event["difference"] < 1e-4 for event in verified)
    assert [event["step"] for event in events(job, "saved")] == [3, reached, reached + 2]


def test_none_outlives_the_others_and_no_kill_costs_a_checkpoint(long_run: JobDir) -> None:
    job = long_run
    worker.start(job)
    assert reaches(job, 4)
    (other,) = others(job)
    os.kill(other, signal.SIGKILL)
    assert ended(job) == "failed"
    assert "Rank 1 of the 2 processes was killed by signal 9." in fold_file(job.events).error
    assert job.steps_saved() and adapter(job, max(job.steps_saved()))
    before = max(job.steps_saved())

    worker.start(job)
    assert reaches(job, before + 1)
    pid, (other,) = holder(job.lock), others(job)
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: worker.state_of(job) == "died")
    assert eventually(lambda: is_gone(other))
    assert max(job.steps_saved()) >= before and adapter(job, max(job.steps_saved()))


def test_memory_that_ends_in_one_ends_in_all_and_one_that_is_stuck_is_not_waited_for(
    long_run: JobDir, tmp_path: Path
) -> None:
    job, entry = long_run, tmp_path / "entry.py"
    entry.write_text(ENTRY)
    with job.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", str(entry), str(job.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    assert eventually(lambda: holder(job.lock) is not None, seconds=60)
    assert reaches(job, 4)
    assert "Out of memory at step 1: 1 pictures at once" in str(events(job, "warning"))
    assert checkpoint.read_manifest(job.checkpoint(3)).micro_batch == 1
    (other,) = others(job)
    os.kill(other, signal.SIGSTOP)
    assert process.wait(120) == 1
    assert fold_file(job.events).error.startswith("Rank 1 has not answered for 4 s")
    assert is_gone(other)


def test_one_that_ends_while_they_come_together_ends_the_run(project: Path, tmp_path: Path) -> None:
    job, entry = new_run(project, *TWO), tmp_path / "entry.py"
    entry.write_text(GONE_WHILE_JOINING)
    with job.log.open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-P", str(entry), str(job.path)], stdout=log, stderr=log, timeout=120
        )
    assert done.returncode == 1
    assert "Rank 1 of the 2 processes ended" in fold_file(job.events).error
    assert "no such card" in fold_file(job.events).error


def test_an_overflow_in_one_process_is_one_in_all_and_averages_are_of_the_same_weights(
    project: Path, tmp_path: Path
) -> None:
    quiet = ("train.optimizer=adamw_schedulefree", "train.schedule=constant", "train.steps=3")
    job, entry = new_run(project, *TWO, *quiet), tmp_path / "entry.py"
    entry.write_text(OVERFLOWING)
    with job.log.open("wb") as log:
        done = subprocess.run([sys.executable, "-P", str(entry), str(job.path)], stdout=log, stderr=log)
    assert done.returncode == 0, job.log.read_text()
    assert [event.get("applied") for event in events(job, "step")] == [None, False, None]
    manifest = checkpoint.read_manifest(job.checkpoint(3))
    assert manifest.loss_scale == {"scale": (32768.0).hex(), "good_steps": 1} and manifest.processes == 2
    assert manifest.optimizer["k"] == 2


def test_a_loss_that_is_no_number_in_another_process_names_its_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Spoiled(Group):
        def gather(self, value: object) -> list[object]:
            return [value, (float("nan"), ["theirs"])]

        def packed(self, parameters: object) -> None:
            return None

        def sum_gradients(self, parameters: object, flat: object) -> None:
            raise AssertionError("there is nothing to sum")

    monkeypatch.setattr(step, "slots_at", lambda task, number: ["ours", "theirs"])
    monkeypatch.setattr(step, "_backward", lambda *_: (0.5, []))
    result = step.forward_backward(SimpleNamespace(group=Spoiled(0, 2), parameters={}), 0, 1)
    assert result.slots == ["theirs"] and result.loss != result.loss
