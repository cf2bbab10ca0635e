"""Room 5: is it any good, at which weight, and how do you know? The pictures, the verdict, and its evidence."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.worker import get_current_worker

from projects.job import JobDir
from tui import review_words as words
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.follow import RunMoved
from tui.review_grid import Grid
from tui.review_watch import Found, ReviewFound, watch_review
from tui.reviewed import Review
from tui.reviewing import Reviewing
from tui.run_list import RunRow, short_name
from tui.screens.room import Room
from tui.spans import Spans, ends
from tui.widgets.lines import Lines
from tui.widgets.review_pictures import VIEWS, ReviewPictures, View
from tui.widgets.verdict import VerdictPane


class ReviewRoom(Room):
    """Shows the review of the run that is chosen, and where none is, of the newest that was reviewed or has saved."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("review")
    ROOM = "review"

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[RunRow, ...] = ()
        """The runs that have saved something, newest first."""
        self.run: JobDir | None = None
        self._found: Found | None = None
        self._draw_when_empty = False
        self._reviewing = Reviewing(self, lambda: self.run)

    def body(self) -> Iterable[Widget]:
        """The run and its verdict in a line, the pictures in one of three ways, and the verdict beside them."""
        yield Lines(id="review-head")
        with Horizontal(id="review"):
            yield ReviewPictures(id="review-pictures")
            yield VerdictPane(id="verdict", classes="side")

    def conditions(self) -> frozenset[str]:
        """What the run, its review and the picture under the cursor let one do."""
        found, review, here, test = self._found, self.review, self._pictures.here, self._pane.test
        held = {
            "pictures": bool(review and (review.pictures or review.sheets)),
            "seeds": self._pictures.seeds > 1,
            "nearest": here is not None and here.nearest is not None,
            "steps": test is not None and bool(test.steps),
            "reviewed": review is not None,
            "running": self._reviewing.review is not None,
            "saved": found is not None and found.saved and not self._reviewing.works,
            "others": any(row.job != self.run for row in self._rows) or bool(found and found.exports),
        }
        return frozenset(name for name, holds in held.items() if holds)

    @property
    def review(self) -> Review | None:
        """The review that is shown."""
        return self._found.review if self._found else None

    @property
    def _pictures(self) -> ReviewPictures:
        return self.query_one(ReviewPictures)

    @property
    def _pane(self) -> VerdictPane:
        return self.query_one(VerdictPane)

    # ---- which run

    def on_mount(self) -> None:
        super().on_mount()
        self._pictures.take_focus()
        self.runs_seen(self.bench.rows)
        if self.run is not None:
            self._begin()

    def on_screen_suspend(self) -> None:
        self.workers.cancel_group(self, "watch")

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.bench.chosen not in (None, self.run):
            self.open_run(self.bench.chosen)
        elif self.run is not None:
            self._watch()

    def runs_seen(self, rows: tuple[RunRow, ...]) -> None:
        """Take the newest run that was reviewed, else the newest that has saved something, where none is shown yet."""
        self._rows = tuple(row for row in rows if row.status.checkpoint)
        saved = [row.job for row in self._rows]
        if self.run is None and self.bench.chosen:
            self.open_run(self.bench.chosen)
        elif self.run is None and saved:
            reviewed = [job for job in saved if (job.review / "review.json").is_file()]
            self.open_run((reviewed or saved)[0])
        elif self.run is None:
            self._draw()
        self._join()

    def _join(self) -> None:
        self._reviewing.join(next((row for row in self._rows if row.job == self.run), None))

    def open_run(self, run: JobDir, *, draw: bool = False) -> None:
        """Show a run's review. draw: draw it where there is none."""
        another = run != self.run
        self.run, self._draw_when_empty, self.bench.chosen = run, draw, run
        if another:
            self._found = None
            self.workers.cancel_group(self, "watch")
            self._reviewing.forget()
        # Where the room was not shown before, it begins with this run once it is.
        if self.query(ReviewPictures):
            if another:
                self._pictures.begin()
            self._begin()

    def _begin(self) -> None:
        self._watch()
        self._join()
        self._draw()

    def _watch(self) -> None:
        run, project = self.run, self.bench.project
        if run is None or project is None:
            return

        def work() -> None:
            own = get_current_worker()
            watch_review(
                run, project, lambda found: self.post_message(ReviewFound(found)), lambda: own.is_cancelled
            )

        self.run_worker(work, thread=True, group="watch", exclusive=True, exit_on_error=False)

    def on_review_found(self, message: ReviewFound) -> None:
        if message.found.run != self.run:
            return
        self._found = message.found
        self._draw()
        if self.review is None and self._draw_when_empty and self._found.saved:
            self.do_draw()
        self._draw_when_empty = False

    def on_run_moved(self, message: RunMoved) -> None:
        message.stop()
        sentence = self._reviewing.take(message.view)
        if sentence is not None:
            self._draw()
        if sentence:
            self.say(sentence)

    # ---- what is seen

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def side_turned(self) -> None:
        """Pictures and words are laid out for the room they have; the focus is on something that is seen."""
        super().side_turned()
        if self._narrow and self._pane.display:
            self._pane.focus_tests()
        elif not self._pane.display:
            self._pictures.take_focus()
        self.call_after_refresh(self._draw)

    @property
    def _narrow(self) -> bool:
        """Whether pictures and verdict are seen in turn."""
        return self.has_class("-narrow")

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        width = max(20, self.size.width - 2)
        head = words.head_lines(self.run, self._found, self._reviewing.view, self._key, width)
        if self._narrow and self.review is not None:
            elsewhere = "pictures" if self._pane.display else "verdict"
            side = f"{self.bench.keymap.shown(ACTIONS['app.side'])} {elsewhere}"
            head[0] = ends(head[0], [(side, "muted")], width)
        self.query_one("#review-head", Lines).show(head)
        self._pane.show(self.review, self.people_lines(), self._key)
        self._draw_pictures()

    def _draw_pictures(self) -> None:
        grid = self._found.grid if self._found else Grid()
        self._pictures.show(self.bench.pictures, self.review, grid, self._pane.test)
        self.refresh_frame()

    def people_lines(self) -> Sequence[Spans]:
        """What people said of these pictures, below what was measured; nothing where nobody has judged them."""
        told = self._found.people if self._found else ()
        return [[(f" {kind:<6}", "muted"), (words, "text")] for kind, words in told]

    def _key(self, name: str) -> str:
        return self.bench.keymap.shown(ACTIONS[f"review.{name}"])

    @on(ReviewPictures.Moved)
    def moved(self) -> None:
        """Another picture is looked at."""
        self.refresh_frame()

    @on(ReviewPictures.Chosen)
    def chosen(self) -> None:
        """Enter on a picture."""
        self.action_act("review.large")

    @on(VerdictPane.Moved)
    def moved_test(self) -> None:
        """Another test: its evidence is another one too."""
        self._draw_pictures()

    @on(VerdictPane.Chosen)
    def chosen_test(self) -> None:
        """Enter on a test: its pictures, the worst first, beside what they are compared with."""
        self._go("evidence")

    def _go(self, view: View) -> None:
        if self._narrow:
            self.remove_class("-side")
        self._pictures.go(view)
        self.refresh_frame()

    # ---- keys

    def do_pane(self) -> None:
        if self._narrow:
            self.do_side()
        elif self._pane.has_focus_within or not self._pane.display:
            self._pictures.take_focus()
        else:
            self._pane.focus_tests()

    def do_view(self) -> None:
        self._go(VIEWS[(VIEWS.index(self._pictures.view) + 1) % len(VIEWS)])

    def do_grid(self) -> None:
        self._go("grid")

    def do_earlier(self) -> None:
        self._pictures.step(-1)

    def do_later(self) -> None:
        self._pictures.step(1)

    def do_seed(self) -> None:
        self._pictures.next_seed()

    def do_beside(self) -> None:
        if self._narrow:
            self.remove_class("-side")
        self._pictures.beside_training()

    def do_large(self) -> None:
        from tui.screens.large import Large

        alone, at = self._pictures.alone()
        if alone:
            self.app.push_screen(Large(self.bench.pictures, alone, at))

    def do_read(self) -> None:
        from tui.screens.modal import Reading

        if self.review and self.run:
            width = max(30, self.size.width - 10)
            lines = words.whole_lines(self.review, self.people_lines(), self._key, width)
            self.app.push_screen(Reading(f"Review of {short_name(self.run)}", lines))

    def do_prepare(self) -> None:
        from tui.screens.preparing import prepare_next

        if self.run and self._pane.test:
            prepare_next(self.bench, self.run, self._pane.test)

    def do_draw(self) -> None:
        # A refined review that is drawn again, or goes on, stays one.
        self._reviewing.begin(self.review.depth if self.review else "coarse", self._judge)

    def do_refine(self) -> None:
        self._reviewing.begin("refined", self._judge)

    @property
    def _judge(self) -> str:
        """What measured the review that is shown: it measures what goes on from it too."""
        return str(self.review.settings.get("judge") or "") if self.review else ""

    def do_stop(self) -> None:
        self._reviewing.stop()

    def do_export(self) -> None:
        self._reviewing.export()

    def do_other(self) -> None:
        from tui.screens.others import offer_others

        others = [row.job for row in self._rows if row.job != self.run]
        if self.run:
            exports = self._found.exports if self._found else ()
            offer_others(self.bench, others, self.run, exports, self.open_run)

    def do_prompts(self) -> None:
        if self.bench.project:
            from tui.screens.prompting import Prompting

            self.app.push_screen(Prompting(self.bench.project))

    def do_duel(self) -> None:
        if self.run and self.bench.project:
            from tui.screens.duel import Duelling

            self.app.push_screen(Duelling(self.run, self.bench.project))

    def do_blind(self) -> None:
        if self.run and self.bench.project:
            from tui.screens.blind import BlindRound

            self.app.push_screen(BlindRound(self.run, self.bench.project))
