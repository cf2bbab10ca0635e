"""The review or export of a run that is at work, as its room follows it, whoever started it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.worker import get_current_worker

from projects import worker
from projects.job import JobDir
from projects.problems import Refused
from tui.follow import RunMoved, RunView, follow
from tui.reviewed import Depth
from tui.run_jobs import ALIVE
from tui.run_list import RunRow
from tui.working import said

if TYPE_CHECKING:
    from tui.screens.room import Room

_WORKS: Final = (*ALIVE, "queued")


class Reviewing:
    """One job of one run at a time. What is new comes to the room as a RunMoved message, which it hands to `take`."""

    def __init__(self, room: "Room", run: Callable[[], JobDir | None]) -> None:
        """run: the run that the room shows."""
        self._room, self._run = room, run
        self.view: RunView | None = None

    def forget(self) -> None:
        """Another run is shown."""
        self._room.workers.cancel_group(self._room, "job")
        self.view = None

    @property
    def works(self) -> bool:
        """Whether a job is at work or waits."""
        return self.view is not None and self.view.standing in _WORKS

    @property
    def review(self) -> JobDir | None:
        """The job, where it is a review that works or waits."""
        job = self.view.job if self.view and self.works else None
        return job if job and job.path.name.startswith("review-") else None

    def join(self, row: RunRow | None) -> None:
        """Follow what somebody else started on the run."""
        jobs = [each for each in row.jobs if each.kind in ("review", "export")] if row else []
        working = [each.job for each in jobs if each.standing in _WORKS]
        if working and not self.works:
            self.follow(working[0])

    def follow(self, job: JobDir) -> None:
        """Follow a job of this run until it ends."""

        def work() -> None:
            own = get_current_worker()
            follow(job, lambda view: self._room.post_message(RunMoved(view)), lambda: own.is_cancelled)

        self._room.run_worker(work, thread=True, group="job", exclusive=True, exit_on_error=False)

    def take(self, view: RunView) -> str | None:
        """What is new of the job: the sentence it is worth, "" for none; None where it is of another run."""
        run = self._run()
        if run is None or view.job.path.parent != run.jobs:
            return None
        before, self.view = self.view, view
        if not view.attached or self.works:
            return ""
        self._room.workers.cancel_group(self._room, "job")
        if view.standing == "done":
            told = view.state.result.get("replaced")
            names = [str(path).rpartition("/")[2] for path in told] if isinstance(told, list) else []
            return f"In the place of earlier files of the same name: {', '.join(names)}." if names else ""
        moved = before is None or before.standing != view.standing
        return f"{view.job.path.name}: {view.standing}." if moved else ""

    def begin(self, depth: Depth, judge: str = "") -> None:
        """Start a review, or go on with one."""
        run = self._run()
        if run is not None:
            from tui import starting

            self._room.say("Starting the review; its pictures come as they are drawn.")
            starting.review(self._room.bench, run, self.follow, depth=depth, judge=judge)

    def export(self) -> None:
        """Start an export."""
        run = self._run()
        if run is not None:
            from tui import starting

            self._room.say("Starting the export: kohya/A1111 and diffusers, each read back and compared.")
            starting.export(self._room.bench, run, self.follow)

    def stop(self) -> None:
        """Ask the review to stop."""
        job = self.review
        if job is None:
            return
        try:
            worker.ask(job, "stop")
        except Refused as refused:
            self._room.say(said(refused))
        except OSError as error:
            self._room.say(f"The request cannot be written: {error.strerror}.")
        else:
            self._room.say("The review is asked to stop; what is drawn stays, and R goes on.")
