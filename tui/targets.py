"""Which worker a key of the train room is for: the run's own, or that of a job on the run."""

from collections.abc import Sequence

from projects.job import JobDir
from projects.status import WAITING
from tui.follow import RunView
from tui.run_jobs import ALIVE, JobRow

_ENDED_EARLY = ("stopped", "failed", "died")


def works(view: RunView) -> bool:
    """Whether somebody works on the run, or waits to."""
    return view.standing in (*ALIVE, "queued") and bool(view.status.pid)


def stoppable(view: RunView, jobs: Sequence[JobRow]) -> JobDir | None:
    """The run while somebody works on it, else the job on it that works, else the one that waits in front."""
    if works(view):
        return view.job
    rows = [each for standings in (ALIVE, ("queued",)) for each in jobs if each.standing in standings]
    return rows[0].job if rows else None


def stop_asked(view: RunView, jobs: Sequence[JobRow], job: JobDir) -> bool:
    """Whether `job`, the run or one on it, is asked to stop and has not done so yet."""
    if job == view.job:
        return view.standing in ALIVE and "stop" in view.asked
    return any(each.stopping for each in jobs if each.job == job)


def resumable(view: RunView, jobs: Sequence[JobRow]) -> JobDir | None:
    """What a resume starts again: the run, or where that is done the first job on it that ended early."""
    # A worker that waits for its turn needs nobody to start it.
    unstarted = view.standing == "queued" and view.status.phase not in WAITING
    if view.standing in _ENDED_EARLY or unstarted:
        return view.job
    ended = [each.job for each in jobs if each.standing in _ENDED_EARLY]
    return ended[0] if view.standing == "done" and ended else None
