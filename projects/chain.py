"""Chains of jobs (`after` in their spec): who waits behind whom, and how a chain that broke goes on.

A job ends where it waits when the one in front of it ends without being done: its last word then carries `ended_by`.
What makes the one in front go on makes those behind it go on too, so that nobody has to remember them.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from projects import worker
from projects.events import LAST_WORDS, last_event
from projects.job import JobDir
from projects.locks import holder
from projects.problems import Refused
from projects.project import read_job

_ENDING_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Resumed:
    """What `resume` started."""

    pid: int
    """Of the worker of the job that was named."""
    along: tuple[JobDir, ...]
    """Jobs behind it that were started again, in the order in which they will work."""


def behind(job: JobDir) -> list[JobDir]:
    """The jobs that wait for `job`, by name: those on it, or beside it on the same run, whose spec says `after`."""
    folders = [job.jobs, job.path.parent] if job.path.parent.name == "jobs" else [job.jobs]
    specs = (spec for folder in folders for spec in sorted(folder.glob("*/spec.toml")))
    return [JobDir(spec.parent) for spec in specs if _front(JobDir(spec.parent)) == job.path.resolve()]


def resume(
    job: JobDir, *, take_over: bool = False, verify: bool = False, processes: int | None = None
) -> Resumed:
    """Start a worker on `job` again, then on every job behind it that ended where it waited; options as `worker.start`.

    Raises Refused as `worker.start` does, for the first that does not begin; those before it go on.
    """
    pid = worker.start(job, take_over=take_over, verify=verify, processes=processes)
    return Resumed(pid, tuple(_started_behind(job, take_over=take_over)))


def _started_behind(job: JobDir, *, take_over: bool) -> Iterator[JobDir]:
    # One is looked at when the one in front of it is alive again: it may have ended only a moment before that.
    for each in behind(job):
        if _ended_waiting(each, take_over=take_over):
            worker.start(each, take_over=take_over)
            yield each
            yield from _started_behind(each, take_over=take_over)


def _ended_waiting(job: JobDir, *, take_over: bool) -> bool:
    """Whether nobody works on the job, and only because the one in front was not done or it was killed while it waited."""
    last = last_event(job.events)
    if last is not None and last["kind"] in LAST_WORDS:
        if "ended_by" not in last:
            return False
        deadline = time.monotonic() + _ENDING_SECONDS
        while holder(job.lock) is not None and time.monotonic() < deadline:
            time.sleep(worker.POLL_SECONDS)
        return True
    if last is None:
        return holder(job.lock) is None
    reached = last_event(job.events, ("started", "phase")) or {}
    ended = ("died", "elsewhere") if take_over else ("died",)
    return reached.get("name", "waiting-for-job") == "waiting-for-job" and worker.state_of(job) in ended


def _front(job: JobDir) -> Path | None:
    """The job that `job` waits for; None where it waits for none, or its spec cannot be read."""
    try:
        after = read_job(job).after
    except Refused:
        return None
    return Path(after).resolve() if after else None
