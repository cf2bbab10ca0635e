"""The worker: `python -P -m engine JOB_DIR` holds the job's lock, waits for its turn, works, and says the last word.

With `--rank` it is one of the processes that a worker starts beside itself, which has nothing of all that (rank.py).
Exit code 0: done or stopped. 1: failed. 2: wrong use. torch is imported by the kind's own code, when it is its turn.
"""

import argparse
import faulthandler
import importlib
import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NoReturn

from engine.desk import Desk, StopAsked
from engine.facts import facts_of_install
from engine.waiting import wait_for_device, wait_for_job
from projects.devicequeue import DeviceQueue
from projects.events import fold_file
from projects.job import JobDir
from projects.machine import device_names, stand_back
from projects.plan import require_processes
from projects.problems import Problem, Refused, refuse
from projects.project import read_job
from projects.spec import processes_of
from projects.worker import JobLock, require_here

RUNNERS: Final[Mapping[str, str]] = {
    "train": "engine.train",
    "sample": "engine.sample",
    "review": "engine.review.run",
    "grid": "engine.review.grid",
    "export": "engine.export.run",
    "proof": "engine.demo.proof_job",
    "measure": "engine.measure",
    "fill": "engine.fill.run",
}
"""Kind of job -> module with `run(desk, spec) -> "done" | "stopped"`, imported only when a job of it runs."""
TRAIN_PACKAGES: Final = frozenset(
    ("torch", "diffusers", "transformers", "peft", "accelerate", "safetensors", "numpy")
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments and work."""
    parser = argparse.ArgumentParser(
        prog="python -P -m engine", description="Work on one job until its last word."
    )
    parser.add_argument("job", type=Path, help="a job directory with its spec.toml")
    parser.add_argument(
        "--take-over", action="store_true", help="go on although it was last seen on another machine"
    )
    parser.add_argument(
        "--verify", action="store_true", help="compute the checkpoint's probe again before going on"
    )
    parser.add_argument(
        "--processes", type=int, help="train with so many, instead of as many as the spec says"
    )
    parser.add_argument("--rank", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    job = JobDir(given.job.absolute())
    if not job.spec.is_file():
        parser.error(f"{job.path} is no job directory: it has no spec.toml.")
    faulthandler.enable()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    if given.rank:
        # What is asked of a training is asked of its worker; a signal to the whole group must not end the others before it.
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        rank = importlib.import_module("engine.rank")
        return int(rank.work(job, given.rank, given.processes, given.port))
    return work(job, take_over=given.take_over, verify=given.verify, processes=given.processes)


def work(
    job: JobDir,
    *,
    runners: Mapping[str, str] = RUNNERS,
    take_over: bool = False,
    verify: bool = False,
    processes: int | None = None,
) -> int:
    """One attempt at `job`, from the lock to the last word. Returns the exit code.

    processes: how many train together; None: as many as the spec says.
    """
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        require_here(job, take_over=take_over)
        lock = JobLock(job)
        attempt = fold_file(job.events).attempt + 1
        with Desk.open(job, attempt, verify=verify, since_ns=lock.since_ns) as desk:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: desk.ask_stop())
            return _attempt(desk, runners, processes)
    except Refused as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return 2 if refusal.usage else 1


def _attempt(desk: Desk, runners: Mapping[str, str], processes: int | None) -> int:
    """Every way in which an attempt can end, but for a kill."""
    began = time.time()
    print(f"attempt {desk.attempt}, pid {os.getpid()}, {time.strftime('%Y-%m-%d %H:%M:%S')}", flush=True)
    try:
        desk.begin(max(desk.job.steps_saved(), default=0))
        desk.add_facts(started=round(began, 3), **facts_of_install())
        word = _run(desk, runners, processes)
        desk.done_with("stop")
        desk.conclude(word, seconds=round(time.time() - began, 1))
        return 0
    except Refused as refusal:
        print(refusal, file=sys.stderr, flush=True)
        desk.fail(refusal.problems)
        return 2 if refusal.usage else 1
    except BaseException as error:
        traceback.print_exc()
        lines = str(error).strip().splitlines()
        text = ": ".join((type(error).__name__, *lines[:1]))
        desk.fail([Problem(error=text, hint="The traceback is in out.log.")])
        return 1


def _run(desk: Desk, runners: Mapping[str, str], processes: int | None) -> str:
    spec = read_job(desk.job)
    desk.processes = processes_of(spec) if processes is None else processes
    require_processes(spec.spec, desk.processes)
    devices = device_names(desk.processes)
    if spec.after and not wait_for_job(desk, JobDir(Path(spec.after))):
        return "stopped"
    if devices == ["cpu"]:
        stand_back()
    with ExitStack() as queues:
        # One after the other, in the order that all workers keep: so two that want several never wait for each other.
        for device in devices:
            queue = DeviceQueue(desk.job, device)
            queues.callback(queue.close)
            if not wait_for_device(desk, queue, device) or desk.stop_asked:
                return "stopped"
        desk.phase("loading code", quiet=600)
        try:
            module = importlib.import_module(runners[spec.kind])
        except ModuleNotFoundError as error:
            if error.name not in TRAIN_PACKAGES:
                raise
            raise refuse(
                f"This job needs {error.name}, which is not installed here.",
                hint='Install Safelight with its extra: pip install "safelight[train]".',
            ) from error
        try:
            word: str = module.run(desk, spec)
        except StopAsked:
            return "stopped"
        if word not in ("done", "stopped"):
            raise TypeError(f"{module.__name__}.run ended with {word!r} instead of done or stopped")
        return word


def _leave(code: int) -> NoReturn:
    """End the process. Where others trained along and were lost, torch would wait for them on its way out."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_initialized():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    _leave(main())
