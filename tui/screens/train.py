"""Room 4: the runs of the project, and one of them live: curve, previews, facts, log, and requests to its worker."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.worker import get_current_worker

from projects import worker
from projects.job import JobDir
from projects.problems import Refused
from tui import remembered, run_words, targets
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.follow import RunMoved, RunView, follow
from tui.moments import Moments
from tui.run_jobs import ALIVE, JobRow
from tui.run_list import RunRow, short_name
from tui.screens.room import Room
from tui.spans import Spans
from tui.widgets.curve import CurvePlot
from tui.widgets.frame import KeyLine
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.widgets.picture_row import PictureRow
from tui.widgets.runs import Runs
from tui.working import said

_ENDED = ("done", "stopped", "failed", "died")


class TrainRoom(Room):
    """Follows one run, the newest until another one is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("train")
    ROOM = "train"

    def __init__(self) -> None:
        super().__init__()
        self.job: JobDir | None = None
        self.view: RunView | None = None
        self._moments = Moments()
        self._since = ""
        self._bell = False
        self._expected: JobDir | None = None
        """A run that was started before this room was shown."""
        self._ending = ""
        """The sentence that said how the run ended: true until it goes on."""
        # Until previews are known to be there: what is laid out for them before is laid out twice.
        self.add_class("-bare", update=False)

    def body(self) -> Iterable[Widget]:
        """Runs at the left, the run beside them."""
        with Horizontal(id="train"):
            with Vertical(id="runs-pane", classes="side"):
                yield Lines([[("RUNS", "muted")]], id="runs-title")
                yield Runs(id="runs")
            with Vertical(id="run"):
                yield Lines(id="standing")
                with Horizontal(id="figures"):
                    yield CurvePlot(id="curve")
                    yield Lines(id="facts")
                yield Lines(id="moment")
                yield PictureRow(id="previews")
                yield Lines(id="log")
            yield Lines(
                [[("No run yet.", "text")], [("1  the project room, where t starts one", "muted")]],
                id="train-empty",
            )

    def conditions(self) -> frozenset[str]:
        """What the run lets one do."""
        view, jobs = self.view, self._runs.jobs() if self.is_mounted else ()
        job = targets.stoppable(view, jobs) if view else None
        held = {
            "run": view is not None,
            "stoppable": job is not None,
            "works": view is not None and targets.works(view),
            "stop-asked": bool(view and job and targets.stop_asked(view, jobs, job)),
            "resumable": view is not None and targets.resumable(view, jobs) is not None,
            "moments": bool(self._moments.steps),
            "pictures": bool(self._moments.sampled),
            "saved": view is not None and bool(view.state.saved or view.status.checkpoint),
        }
        return frozenset(name for name, holds in held.items() if holds)

    def remember(self) -> None:
        """How the run stands, for the person's return."""
        view = self.view
        if view is not None and view.attached and view.job == self.job:
            remembered.keep_seen(view.job.path, run_words.seen_now(view, self.bench.clock()))

    def on_mount(self) -> None:
        super().on_mount()
        if self._expected:
            self._runs.expect(self._expected)
        self.job = self.job or self.bench.chosen
        self.runs_seen(self.bench.rows)
        if self.job is not None:
            self._begin(self.job)
            self.query_one("#runs").focus()

    def on_screen_suspend(self) -> None:
        self.workers.cancel_group(self, "follow")

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.bench.chosen not in (None, self.job):
            self.follow(self.bench.chosen)
        elif self.job is not None:
            self._begin(self.job)

    @property
    def _runs(self) -> Runs:
        return self.query_one("#runs", Runs)

    def follow(self, job: JobDir) -> None:
        """Show this run from now on. It may be younger than what the list knows."""
        if not self.query("#runs"):
            self.job = self._expected = job
            return
        self.set_class(False, "-empty")
        self._runs.expect(job)
        self._runs.go_to(job.path)
        if job != self.job or not any(each.group == "follow" for each in self.workers):
            self._begin(job)

    def runs_seen(self, rows: tuple[RunRow, ...]) -> None:
        """List them, and show the newest where none is shown yet."""
        runs, before = self._runs, self._of_run()
        others = runs.take(rows)
        self.set_class(not rows and self.job is None, "-empty")
        if rows and self.job is None:
            alive = [row for row in rows if row.standing in ALIVE]
            self.follow((alive or list(rows))[0].job)
            runs.focus()
        elif self.job is not None and others:
            runs.go_to(self.job.path)
        if self._of_run() != before:
            self.show_run()

    def _of_run(self) -> tuple[tuple[JobRow, ...], tuple[str, ...]]:
        """The jobs of the run that is shown, and what they made."""
        row = self._runs.row(self.job.path if self.job else None)
        return (row.jobs, row.made) if row else ((), ())

    def _begin(self, job: JobDir) -> None:
        if job != self.job:
            if self.view is not None:
                left = run_words.seen_now(self.view, self.bench.clock()), self.view.job.path
                self.run_worker(
                    lambda: remembered.keep_seen(left[1], left[0]), thread=True, exit_on_error=False
                )
            self.view, self._moments, self._since = None, Moments(), ""
        self.job = self.bench.chosen = self._runs.followed = job
        row = self._runs.row(job.path)
        if row is not None and self.view is None:
            # What the list knows is shown at once; the follower's first look is a thread's start away.
            self.view = RunView.of(row)
            self.call_after_refresh(self.show_run)
        self.run_worker(
            lambda: self._follow(job), thread=True, group="follow", exclusive=True, exit_on_error=False
        )

    def _follow(self, job: JobDir) -> None:
        own = get_current_worker()
        follow(job, lambda view: self.post_message(RunMoved(view)), lambda: own.is_cancelled)

    def on_run_moved(self, message: RunMoved) -> None:
        view, before = message.view, self.view
        if view.job != self.job:
            return
        self.view = view
        if before is not None and before.standing != view.standing:
            self._take_back()
        self._moments.take(view.state)
        if view.attached and not (before and before.attached):
            known = remembered.seen(view.job.path)
            self._since = run_words.since(known, view, self.bench.clock()) or self._since
        if before is not None and before.attached:
            self._ring(before, view)
        self.show_run()

    def show_run(self) -> None:
        """Draw everything of the run that changed."""
        view = self.view
        if view is None:
            return
        now, width = self.bench.clock(), self.query_one("#standing").size.width
        at = self._moments.at
        lines = run_words.standing(view, short_name(view.job), now, width)
        lines.append(run_words.bar(view, width))
        lines += [more for more in (run_words.jobs(self._runs.jobs()), run_words.requests(view)) if more]
        lines += self._made(width)
        if self._since:
            lines.append([(self._since, "muted")])
        self.query_one("#standing", Lines).show(lines)
        self.query_one("#curve", CurvePlot).show(view.series, at, view.steps)
        self.query_one("#facts", Lines).show(run_words.facts(view))
        log = self.query_one("#log", Lines)
        log.show(run_words.log_lines(view, at, log.size.height))
        self.query_one("#moment", Lines).show([self._moments.words(view, width)])
        self._show_previews(view)
        self.refresh_frame()

    def _made(self, width: int) -> list[Spans]:
        """What the jobs on the run made, once they are over, and the keys to it."""
        row = self._runs.row(self.job.path if self.job else None)
        if row is None or not row.made or row.standing != "done":
            return []
        keymap = self.bench.keymap
        keys = [(keymap.shown(ACTIONS[f"app.{name}"]), name) for name in ("review", "leave")]
        return run_words.made(row.made, keys, width)

    def on_resize(self) -> None:
        self.call_after_refresh(self.show_run)

    def side_turned(self) -> None:
        """Words are laid out for the room they have."""
        super().side_turned()
        self.show_run()

    def _show_previews(self, view: RunView) -> None:
        _, files = self._moments.previews()
        self.set_class(not files, "-bare")
        row = self.query_one("#previews", PictureRow)
        files_there = [view.job.path / file for file in files]
        row.show(self.bench.pictures, files_there, run_words.preview_names(files))
        row.styles.max_height = row.tallest(max(12, self.query_one("#run").size.width))

    def _ring(self, before: RunView, view: RunView) -> None:
        ended = before.standing in (*ALIVE, "queued") and view.standing in _ENDED
        warned = len(view.state.warnings) > len(before.state.warnings)
        if self._bell and (ended or warned):
            self.app.bell()
        if ended:
            self._ending = f"{short_name(view.job)}: {view.standing} at step {view.step:,}."
            self.say(self._ending)

    def _take_back(self) -> None:
        """Say no longer how the run ended, as it stands otherwise now."""
        if self._ending and self.query_one(KeyLine).sentence == self._ending:
            self.calm()

    @on(LineList.Moved, "#runs")
    def moved(self) -> None:
        """The run the cursor is on is the one that is shown."""
        # Where it is now, not where a message says that it was: two of them on their way would chase each other for ever.
        key = self._runs.key
        row = self._runs.row(key) if isinstance(key, Path) else None
        if row is not None and self._runs.has_focus:
            self.follow(row.job)

    @on(LineList.Chosen, "#runs")
    def chosen(self) -> None:
        """Enter on a run: its previews, large, or its log."""
        self.action_act("train.large" if self._moments.sampled else "train.log")

    def _ask(self, request: worker.Request, job: JobDir | None = None) -> None:
        job = job or (self.view.job if self.view else None)
        if job is None:
            return
        try:
            worker.ask(job, request)
        except Refused as refused:
            self.say(said(refused))
        except OSError as error:
            self.say(f"The request cannot be written: {error.strerror}.")

    def do_stop(self) -> None:
        view, jobs = self.view, self._runs.jobs()
        job = targets.stoppable(view, jobs) if view else None
        if view is None or job is None:
            return
        name = job.path.name
        if targets.stop_asked(view, jobs, job):
            ends = (
                "it saves and ends after its step" if job == view.job else f"{name} ends after what it is at"
            )
            self.say(f"Stop is asked already: {ends}. S ends it at once, unsaved steps are lost.")
            return
        self._ask("stop", job)
        if job != view.job:
            self.say(f"{name} is asked to stop, and what waits behind it ends with it. r goes on with both.")

    def do_stop_now(self) -> None:
        job = targets.stoppable(self.view, self._runs.jobs()) if self.view else None
        if job:
            from tui import starting

            starting.stop_now(self.bench, job)

    def do_checkpoint(self) -> None:
        self._ask("checkpoint")

    def do_preview(self) -> None:
        self._ask("preview")

    def do_resume(self) -> None:
        job = targets.resumable(self.view, self._runs.jobs()) if self.view else None
        if job:
            from tui import starting

            starting.resume(self.bench, job)

    def do_earlier(self) -> None:
        self._moments.earlier()
        self.show_run()

    def do_later(self) -> None:
        self._moments.later()
        self.show_run()

    def do_log_scale(self) -> None:
        curve = self.query_one("#curve", CurvePlot)
        curve.turn_scale()
        self.say(f"The loss is drawn on a {'logarithmic' if curve.logarithmic else 'linear'} scale.")

    def do_bell(self) -> None:
        self._bell = not self._bell
        self.say("The bell rings when the run ends or warns." if self._bell else "The bell is off.")

    def do_log(self) -> None:
        if self.view:
            from tui.screens.log import show_log

            show_log(self.bench, self.view)

    def do_large(self) -> None:
        from tui.screens.large import Alone, Large

        if self.view and self._moments.sampled:
            steps = sorted(self._moments.sampled)
            pictures = [
                Alone(self.view.job.path / file, f"step {step:,}   {run_words.preview_name(file)}")
                for step in steps
                for file in self._moments.sampled[step]
            ]
            step, _ = self._moments.previews()
            at = sum(len(self._moments.sampled[each]) for each in steps if each < step)
            self.app.push_screen(Large(self.bench.pictures, pictures, at))

    def do_review(self) -> None:
        from tui.screens.review import ReviewRoom

        if self.view:
            self.bench.go("review")
            room = self.bench.room("review")
            if isinstance(room, ReviewRoom):
                room.open_run(self.view.job, draw=True)
