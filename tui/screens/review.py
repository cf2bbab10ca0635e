"""Room 5, plain: the sheets of a run's review and their pictures, one of them large, and export."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from projects.job import JobDir
from tui.bindings import bindings
from tui.follow import RunMoved, RunView, follow
from tui.follow_lines import shown as path_shown
from tui.reviews import Review, Shown, exported, read_review
from tui.run_jobs import ALIVE
from tui.run_list import RunRow, short_name
from tui.run_words import bar, mark
from tui.screens.large import Alone, Large
from tui.screens.room import Room
from tui.spans import Spans, cell, wrapped
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView


class ReviewRead(Message):
    """The review of a run was read."""

    def __init__(self, run: JobDir, review: Review | None, exports: Sequence[str], saved: bool) -> None:
        self.run, self.review, self.exports, self.saved = run, review, exports, saved
        super().__init__()


_LIST_LEAST = 6
_FILE = "@"
"""In front of the key of an exported file's row."""


class ReviewRoom(Room):
    """Shows the review of the run that is chosen, and where none is, of the newest that was reviewed or has saved."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("review")
    ROOM = "review"

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[JobDir] = []
        self._run: JobDir | None = None
        self._review: Review | None = None
        self._saved = False
        self._draw_when_empty = False
        self._job: RunView | None = None
        self._exports: Sequence[str] = ()
        self._shown: dict[str, Shown] = {}

    def body(self) -> Iterable[Widget]:
        """The list of sheets and pictures with words on the one the cursor is on, and that one, large."""
        with Horizontal(id="review"):
            with Vertical(id="review-pane", classes="side"):
                yield Lines(id="review-head")
                yield LineList(
                    self._row, text=self._text, skip=lambda key: str(key).startswith("#"), id="sheets"
                )
                yield Lines(id="review-words")
            yield PictureView(id="review-picture")

    def conditions(self) -> frozenset[str]:
        """What the run and its review let one do."""
        held = {"pictures": bool(self._shown), "saved": self._saved and not self._works()}
        return frozenset(name for name, holds in held.items() if holds)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#sheets").focus()
        self.runs_seen(self.bench.rows)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.bench.chosen not in (None, self._run):
            self.open_run(self.bench.chosen)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def side_turned(self) -> None:
        """Words and picture are laid out for the room they have."""
        super().side_turned()
        self._draw()

    def runs_seen(self, rows: tuple[RunRow, ...]) -> None:
        """Take the newest run that was reviewed, else the newest that has saved something, where none is shown yet."""
        saved = [row.job for row in rows if row.status.checkpoint]
        changed = saved != self._runs
        self._runs = saved
        if self._run is None and self.bench.chosen:
            self.open_run(self.bench.chosen)
        elif self._run is None and saved:
            reviewed = [job for job in saved if (job.review / "review.json").is_file()]
            self.open_run((reviewed or saved)[0])
        elif self._run is None:
            self._draw()
        elif changed:
            self._list()
            if self._run in saved and not self._saved:
                self._read()

    def open_run(self, run: JobDir, *, draw: bool = False) -> None:
        """Show a run's review. draw: draw it where there is none."""
        if run != self._run:
            self._review, self._shown, self._exports, self._job = None, {}, (), None
        self._run, self._draw_when_empty, self.bench.chosen = run, draw, run
        self._read()

    def _read(self) -> None:
        run, project = self._run, self.bench.project
        if run is None or project is None:
            return

        def work() -> None:
            found = read_review(run, project)
            self.post_message(ReviewRead(run, found, exported(run), bool(run.steps_saved())))

        self.run_worker(work, thread=True, group="read", exclusive=True, exit_on_error=False)

    def on_review_read(self, message: ReviewRead) -> None:
        if message.run != self._run:
            return
        self._review, self._saved, self._exports = message.review, message.saved, message.exports
        review, before = message.review, self._shown
        self._shown = (
            {str(shown.path): shown for shown in (*review.sheets, *review.pictures)} if review else {}
        )
        self._list()
        if self._shown and not before:
            # Until there was something to see the cursor could only stand on what is below it.
            self.query_one("#sheets", LineList).do_first()
        self._draw()
        if review is None and self._draw_when_empty and self._saved:
            self.do_draw()
        self._draw_when_empty = False

    def _list(self) -> None:
        """Sheets, pictures, and the other runs."""
        review = self._review
        rows: list[str] = []
        for title, group in (("SHEETS", review.sheets), ("PICTURES", review.pictures)) if review else ():
            rows += [f"#{title}", *(str(shown.path) for shown in group)] if group else []
        rows += ["#EXPORTED", *(_FILE + name for name in self._exports)] if self._exports else []
        others = [str(job.path) for job in self._runs if job != self._run]
        rows += ["#OTHER RUNS   enter shows", *others] if others else []
        self.query_one("#sheets", LineList).show(rows)

    def _draw(self) -> None:
        run, review = self._run, self._review
        lines: list[Spans] = []
        if run is None:
            lines = [[("No run has saved a checkpoint yet.", "text")], [("4  the train room", "muted")]]
        else:
            at = f"step {review.step:,}" if review and review.step is not None else ""
            lines = [[(f"{short_name(run)}   ", "bold"), (at, "muted")]]
            if review is None:
                words = (
                    "No review yet: R draws its sheets." if self._saved else "No checkpoint yet to review."
                )
                lines.append([(words, "text")])
            elif review.error:
                lines.append([("! ", "bad"), (review.error, "text")])
        lines += self._job_lines()
        self.query_one("#review-head", Lines).show(lines)
        self._show_picture()
        self.refresh_frame()

    def _job_lines(self) -> list[Spans]:
        view = self._job
        if view is None:
            return []
        what = view.job.path.name.rpartition("-")[0]
        words = (view.status.phase or view.standing) if self._works() else view.standing
        width = max(10, self._pane_width - 1)
        lines: list[Spans] = [
            [(f"{what}  ", "muted"), mark(view.standing), (f" {words.replace('-', ' ')}", "text")]
        ]
        lines.append(bar(view, width))
        lines += [
            [("! " if not at else "  ", "bad"), (line, "text")]
            for problem in view.state.problems[:3]
            for at, line in enumerate(wrapped(str(problem), width - 2))
        ]
        return lines

    def _works(self) -> bool:
        return self._job is not None and self._job.standing in (*ALIVE, "queued")

    def _show_picture(self) -> None:
        key = str(self.query_one("#sheets", LineList).key or "")
        shown = self._shown.get(key)
        if shown is not None:
            words, empty = self._words(shown), ""
        elif key.startswith(_FILE) and self._run:
            words, empty = path_shown(self._run.export / key[1:]), "An adapter for other tools: no picture."
        else:
            words = ""
            empty = "enter shows this run, here and in room 4." if key else ""
        picture = self.query_one("#review-picture", PictureView)
        picture.show(self.bench.pictures, shown.path if shown else None, empty)
        lines, room = wrapped(words, max(20, self._pane_width)), self._words_room()
        if len(lines) > room:
            lines = [*lines[: room - 1], "… all of it: z"]
        self.query_one("#review-words", Lines).show([[(line, "muted")] for line in lines if words])

    def _words(self, shown: Shown) -> str:
        """What there is to say of a picture: what it was drawn from, or of a sheet what was measured on it."""
        tests = self._review.tests if self._review else {}
        return shown.words or tests.get(shown.path.stem) or shown.title

    @property
    def _pane_width(self) -> int:
        return self.query_one("#review-pane").size.width - 1

    def _words_room(self) -> int:
        """Lines that words may take: the list above them stays one."""
        pane, head = (
            self.query_one("#review-pane").size.height,
            self.query_one("#review-head").outer_size.height,
        )
        return max(3, pane - head - _LIST_LEAST - 2)

    def _row(self, key: str, width: int) -> Spans:
        if key.startswith("#"):
            return [(key[1:], "muted")]
        shown = self._shown.get(key)
        if shown is None:
            return [(f" {key[1:] if key.startswith(_FILE) else short_name(JobDir(Path(key)))}", "text")]
        if not shown.prompt:
            return [(f" {cell(shown.title, width - 1)}", "text")]
        seed = f" seed {shown.seed}" if shown.seed is not None else ""
        return [(f" {cell(shown.title, 11)}", "text"), (f"{seed}  {shown.prompt}", "muted")]

    def _text(self, key: str) -> str:
        shown = self._shown.get(key)
        return f"{shown.title} {shown.words}" if shown else ""

    @on(LineList.Moved, "#sheets")
    def moved(self) -> None:
        """The picture the cursor is on."""
        self._show_picture()

    @on(LineList.Chosen, "#sheets")
    def chosen(self, event: LineList.Chosen) -> None:
        """Enter: a picture large, another run in the place of this one."""
        if str(event.key) in self._shown:
            self.action_act("review.large")
        elif str(event.key).startswith(_FILE):
            self._show_picture()
        else:
            self.open_run(JobDir(Path(str(event.key))))

    def do_large(self) -> None:
        keys = list(self._shown)
        here = str(self.query_one("#sheets", LineList).key)
        pictures = [Alone(shown.path, self._words(shown)) for shown in self._shown.values()]
        self.app.push_screen(Large(self.bench.pictures, pictures, keys.index(here) if here in keys else 0))

    def do_earlier(self) -> None:
        self.query_one("#sheets", LineList).do_up()

    def do_later(self) -> None:
        self.query_one("#sheets", LineList).do_down()

    def do_draw(self) -> None:
        if self._run:
            self.say("Starting to draw the review's sheets.")
            from tui import starting

            starting.review(self.bench, self._run, self._watch)

    def do_export(self) -> None:
        if self._run:
            self.say("Starting the export: kohya/A1111 and diffusers, each read back and compared.")
            from tui import starting

            starting.export(self.bench, self._run, self._watch)

    def do_duel(self) -> None:
        if self._run and self.bench.project:
            from tui.screens.duel import Duelling

            self.app.push_screen(Duelling(self._run, self.bench.project))

    def do_blind(self) -> None:
        if self._run and self.bench.project:
            from tui.screens.blind import BlindRound

            self.app.push_screen(BlindRound(self._run, self.bench.project))

    def _watch(self, job: JobDir) -> None:
        """Follow a job of this run until it ends."""

        def work() -> None:
            own = get_current_worker()
            follow(job, lambda view: self.post_message(RunMoved(view)), lambda: own.is_cancelled)

        self.run_worker(work, thread=True, group="job", exclusive=True, exit_on_error=False)

    def on_run_moved(self, message: RunMoved) -> None:
        message.stop()
        before, self._job = self._job, message.view
        if message.view.attached and not self._works():
            self.workers.cancel_group(self, "job")
            if message.view.standing == "done":
                self._read()
                told = message.view.state.result.get("replaced")
                if isinstance(told, list) and told:
                    names = ", ".join(Path(str(path)).name for path in told)
                    self.say(f"In the place of earlier files of the same name: {names}.")
            elif before is None or before.standing != message.view.standing:
                self.say(f"{message.view.job.path.name}: {message.view.standing}.")
        self._draw()
