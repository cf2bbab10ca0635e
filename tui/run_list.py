"""The runs of a project as a list sees them, looked at once a second in a thread."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textual.message import Message

from projects import worker
from projects.eventlog import Event, last_event
from projects.job import JobDir
from projects.locks import holder
from projects.status import Status, read_status
from projects.worker import JobState
from tui.run_jobs import ENDED_EARLY, JobRow, jobs_of, made_on

PAUSE: Final = 0.25
RUNS_PAUSE: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run of a list."""

    job: JobDir
    standing: JobState
    status: Status
    jobs: tuple[JobRow, ...] = ()
    """Those on the run that are not done."""
    made: tuple[str, ...] = ()
    """What the jobs on it made, in words, once none of them works or waits any more."""

    @property
    def name(self) -> str:
        """The folder's name without the time in front."""
        return short_name(self.job)


class RunsSeen(Message):
    """The runs of the project were looked at."""

    def __init__(self, rows: tuple[RunRow, ...]) -> None:
        self.rows = rows
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """Only the newest look matters."""
        return isinstance(message, RunsSeen)


class Standings:
    """`worker.state_of`, asked again only where something moved: what became of a dead run costs reading its events."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], JobState]] = {}
        self._words: dict[Path, tuple[tuple[int, int], Event]] = {}

    def of(self, job: JobDir) -> JobState:
        """What has become of the job."""
        if holder(job.lock) is not None:
            self._known.pop(job.path, None)
            return worker.state_of(job)
        mark = stamp(job.events)
        known = self._known.get(job.path)
        if known is None or known[0] != mark:
            known = (mark, worker.state_of(job))
            self._known[job.path] = known
        return known[1]

    def last_word(self, job: JobDir) -> Event:
        """The last event of a job that has ended, read again only where something moved; empty where there is none."""
        mark = stamp(job.events)
        known = self._words.get(job.path)
        if known is None or known[0] != mark:
            known = (mark, last_event(job.events) or {})
            self._words[job.path] = known
        return known[1]


def watch_runs(
    project: Path, tell: Callable[[tuple[RunRow, ...]], object], cancelled: Callable[[], bool]
) -> None:
    """Look at the runs of a project until `cancelled`, for a thread of its own; tells what is new."""
    standings, last = Standings(), None
    while not cancelled():
        rows = tuple(rows_of(project, standings))
        if rows != last and not cancelled():
            last = rows
            tell(rows)
        deadline = time.monotonic() + RUNS_PAUSE
        while time.monotonic() < deadline and not cancelled():
            time.sleep(PAUSE)


def rows_of(project: Path, standings: Standings) -> Iterator[RunRow]:
    """The runs of a project, newest first."""
    # Reading projects takes tomlkit, which is loaded by this thread and not before the first paint.
    from projects.project import runs

    try:
        found = runs(project)
    except OSError:
        return
    for job in reversed(found):
        yield row_of(job, standings)


def row_of(job: JobDir, standings: Standings) -> RunRow:
    """One run as it stands, with its jobs."""
    jobs, standing = jobs_of(job, standings.of), standings.of(job)
    over = standing == "done" and all(each.standing in ENDED_EARLY for each in jobs)
    return RunRow(
        job=job,
        standing=standing,
        status=read_status(job.status),
        jobs=jobs,
        made=made_on(job, standings.of, standings.last_word) if over else (),
    )


def short_name(job: JobDir) -> str:
    """2026-11-24-1530-r32 is r32."""
    name = job.path.name
    return name[16:] if len(name) > 16 and name[:4].isdecimal() and name[15] == "-" else name


def stamp(path: Path) -> tuple[int, int]:
    """Time of the last change, in nanoseconds, and size in bytes; (0, 0) for what is not there."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
