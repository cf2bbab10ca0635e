"""Jobs on a run (review, grid, export, sample, proof) as screens see them: what works, what waits, what ended early."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from projects.events import Event, last_event
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
    stopping: bool = False
    """Whether it is asked to stop."""

    @property
    def kind(self) -> str:
        """review, grid, export, sample, proof: the folder's name without its number."""
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
            rows.append(JobRow(job=job, standing=standing, stopping=_stopping(job)))
    return tuple(sorted(rows, key=lambda row: _started(row.job)))


def made_on(
    run: JobDir, standing_of: Callable[[JobDir], JobState], last_word: Callable[[JobDir], Event]
) -> tuple[str, ...]:
    """What the newest job of each kind on `run` made, where that is done: sheets, files, pictures, the proof with its p."""
    try:
        newest = dict(sorted(map(_parts, os.listdir(run.jobs))))
    except OSError:
        return ()
    found = []
    for kind in ("review", "grid", "export", "sample", "proof"):
        job = JobDir(run.jobs / f"{kind}-{newest.get(kind, 0)}")
        if kind in newest and standing_of(job) == "done" and (words := _made(kind, last_word(job))):
            found.append(words)
    return tuple(found)


def _made(kind: str, told: Mapping[str, object]) -> str:
    key, noun = {
        "review": ("sheets", "sheet"),
        "grid": ("sheets", "grid sheet"),
        "export": ("files", "file"),
        "sample": ("pictures", "picture"),
    }.get(kind, ("", ""))
    things, p = told.get(key), told.get("p")
    if isinstance(things, list) and things:
        return f"{len(things)} {noun}{'s' * (len(things) != 1)}"
    if kind == "proof" and isinstance(p, int | float):
        return f"proof p = {p:.1g} ({told.get('positive')} of {told.get('pairs')} pairs)"
    return ""


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
        return JobRow(job=job, standing=standing, count=f"{done:,}/{total:,}", stopping=_stopping(job))
    phase = str(last.get("name", "")).replace("-", " ")
    return JobRow(job=job, standing=standing, phase=phase, stopping=_stopping(job))


def _stopping(job: JobDir) -> bool:
    # The request lies there until it is done.
    return (job.requests / "stop").is_file()
