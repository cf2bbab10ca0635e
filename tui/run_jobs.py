"""The jobs on a run (review, export, sample, proof) as the screens see them: what works, what waits, what ended early."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from projects.events import last_event
from projects.job import JobDir
from projects.locks import holder
from projects.worker import JobState

ALIVE: Final = ("live", "stalled")
ENDED_EARLY: Final = ("stopped", "failed", "died", "elsewhere")


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """One job that is not done."""

    job: JobDir
    standing: JobState
    count: str = ""
    """How far it is, "12/60" of what its phase counts; "" where it counts nothing, or does not work."""
    phase: str = ""
    """What it does, in words; "" where it counts, or does not work."""

    @property
    def kind(self) -> str:
        """review, export, sample, proof: the folder's name without its number."""
        return self.job.path.name.rpartition("-")[0] or self.job.path.name


def jobs_of(run: JobDir, standing_of: Callable[[JobDir], JobState]) -> tuple[JobRow, ...]:
    """The jobs on `run` that work or wait, and the newest of a kind where it ended early, in the order they were made."""
    try:
        names = os.listdir(run.jobs)
    except OSError:
        return ()
    made = sorted((at, name) for name in names if (at := _made_ns(run.jobs / name)))
    newest = {name.rpartition("-")[0]: name for _, name in made}
    rows = []
    for _, name in made:
        job = JobDir(run.jobs / name)
        standing = standing_of(job)
        if standing in ALIVE:
            rows.append(_working(job, standing))
        elif (standing == "queued" and holder(job.lock) is not None) or (
            standing in ENDED_EARLY and newest[name.rpartition("-")[0]] == name
        ):
            rows.append(JobRow(job=job, standing=standing))
    return tuple(rows)


def _working(job: JobDir, standing: JobState) -> JobRow:
    last = last_event(job.events, ("progress", "phase")) or {}
    done, total = last.get("done"), last.get("total")
    if isinstance(done, int) and isinstance(total, int):
        return JobRow(job=job, standing=standing, count=f"{done}/{total}")
    return JobRow(job=job, standing=standing, phase=str(last.get("name", "")).replace("-", " "))


def _made_ns(folder: Path) -> int:
    """When the job was written; 0 for what is no job."""
    try:
        return (folder / "spec.toml").stat().st_mtime_ns
    except OSError:
        return 0
