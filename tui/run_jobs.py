"""The jobs on a run (review, export, sample, proof) as the screens see them: what works, what waits, what ended early."""

import os
from collections.abc import Callable
from dataclasses import dataclass
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
        return _parts(self.job.path.name)[0]


def jobs_of(run: JobDir, standing_of: Callable[[JobDir], JobState]) -> tuple[JobRow, ...]:
    """The jobs on `run` that work or wait, and the newest of a kind where it ended early, in the order of their starts."""
    try:
        names = [name for name in os.listdir(run.jobs) if (run.jobs / name / "spec.toml").is_file()]
    except OSError:
        return ()
    newest = dict(sorted(map(_parts, names)))
    rows = []
    for name in names:
        job, (kind, number) = JobDir(run.jobs / name), _parts(name)
        standing = standing_of(job)
        if standing in ALIVE:
            rows.append(_working(job, standing))
        elif (standing == "queued" and holder(job.lock) is not None) or (
            standing in ENDED_EARLY and newest[kind] == number
        ):
            rows.append(JobRow(job=job, standing=standing))
    return tuple(sorted(rows, key=lambda row: _started(row.job)))


def _parts(name: str) -> tuple[str, int]:
    """review-2 is ("review", 2)."""
    kind, _, number = name.rpartition("-")
    return kind, int(number) if number.isdecimal() else 0


def _started(job: JobDir) -> float:
    """When its last attempt began: a chain starts from its front, also when it goes on."""
    when = (last_event(job.events, ("started",)) or {}).get("t")
    return when if isinstance(when, int | float) else 0.0


def _working(job: JobDir, standing: JobState) -> JobRow:
    last = last_event(job.events, ("progress", "phase")) or {}
    done, total = last.get("done"), last.get("total")
    if isinstance(done, int) and isinstance(total, int):
        return JobRow(job=job, standing=standing, count=f"{done}/{total}")
    return JobRow(job=job, standing=standing, phase=str(last.get("name", "")).replace("-", " "))
