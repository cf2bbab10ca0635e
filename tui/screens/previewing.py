"""What a change would do to many captions, as somebody types: a table of before and after, and one of them whole.

Made in a thread, a moment after the last key. What is out of date by then is neither made to its end nor shown.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widget import Widget

from engine.dataset.captioning.preview import Preview, counted, preview
from projects.problems import Problem, Refused
from tui.actions import ACTIONS
from tui.caption_changes import Asked, Changed, Scope
from tui.caption_marks import laid_out, sides, views
from tui.spans import Span, Spans, cell, wrapped
from tui.widgets.frame import KeyLine
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.app import Workbench

PAUSE: Final = 0.06
"""Seconds after the last key until the table is made."""
SECONDS: Final = 3.0
"""How long that may take. Patterns that take longer are refused."""
_NAME: Final = 18
_DETAIL: Final = 3
"""Lines that each side of the caption under the cursor takes at most."""


class Previewing(ModalScreen[Changed | None]):
    """Gives what is to be written, or None where the person left. Writes nothing itself."""

    PLACE: ClassVar[str] = ""
    """Of its actions."""
    TITLE_WORDS: ClassVar[str] = ""

    class Made(Message):
        """A table was made in a thread."""

        def __init__(
            self, number: int, asked: Asked | None, seen: Preview | None, problem: Problem | None
        ) -> None:
            self.number, self.asked, self.seen, self.problem = number, asked, seen, problem
            super().__init__()

    def __init__(self, scopes: Sequence[Scope], *, at: int = 0) -> None:
        """scopes: what it may be done to; `at` is the one to begin with. There must be one."""
        super().__init__()
        self._scopes, self._scope = scopes, at
        self._number = 0
        """Of the newest state of what is typed and chosen."""
        self._writes = False
        """Enter was pressed; the table that belongs to it is still made."""
        self._timer: Timer | None = None
        self._made: Previewing.Made | None = None
        self._problem: Problem | None = None

    # ---- what a screen says of itself

    def fields(self) -> Iterable[Widget]:
        """What is typed and chosen, above the table."""
        return ()

    def question(self) -> Callable[[], Asked | None]:
        """What is typed and chosen now, to be made a change of in a thread; that may raise Refused. None: nothing yet."""
        raise NotImplementedError

    def choices(self) -> list[Spans]:
        """Lines that show what is chosen."""
        return []

    # ---- the frame

    def compose(self) -> ComposeResult:
        """What is chosen above, the table, the caption of the cursor, the keys."""
        yield Lines(id="previewing-title")
        yield from self.fields()
        yield Lines(id="choices")
        yield Lines(id="heading")
        yield LineList(self._row, finds=False, id="hits")
        yield Lines(id="detail")
        yield KeyLine()

    def on_mount(self) -> None:
        self.renew()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def on_unmount(self) -> None:
        # What is still at work has nobody to tell.
        self._number += 1

    @property
    def scope(self) -> Scope:
        """What it is done to."""
        return self._scopes[self._scope]

    @property
    def everything(self) -> Sequence[Scope]:
        """What it could be done to."""
        return self._scopes

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    # ---- the table

    def renew(self) -> None:
        """Something else is typed or chosen: make the table again, in a moment."""
        self._number += 1
        self._writes = False
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self._begin)
        self._draw_choices()

    def _begin(self) -> None:
        number, entries = self._number, self.scope.entries
        question = self.question()

        def work() -> None:
            asked, seen, problem = None, None, None
            try:
                asked = question()
                if asked is not None:
                    seen = preview(
                        asked.edit_of, entries, seconds=SECONDS, stop=lambda: number != self._number
                    )
            except Refused as refused:
                problem = refused.problems[0]
            if number == self._number:
                self.post_message(self.Made(number, asked, seen, problem))

        threading.Thread(target=work, name="preview", daemon=True).start()

    @on(Made)
    def made(self, event: Made) -> None:
        """Show it, where it is still what is asked for."""
        if event.number != self._number:
            return
        self._problem = event.problem
        self._made = event
        rows = self.query_one("#hits", LineList)
        rows.show(range(len(event.seen.hits)) if event.seen else ())
        rows.refresh()
        self._draw()
        if self._writes:
            self.do_write()

    def _draw(self) -> None:
        self._draw_choices()
        width = self.size.width
        name, room = self._columns(width - 2)
        titles = f" {cell('CAPTION', name)} {cell('BEFORE', room)}   {cell('AFTER', room)}"
        self.query_one("#heading", Lines).show([[(titles, "muted")]])
        self._draw_detail()

    def _draw_choices(self) -> None:
        self.query_one("#previewing-title", Lines).show([[(f" {self.TITLE_WORDS}", "bold"), *self._said()]])
        self.query_one("#choices", Lines).show([*self.choices(), self._scope_line(), *self._wrong()])
        keymap = cast("Workbench", self.app).keymap
        mine = [each for each in ACTIONS.values() if each.place == self.PLACE and each.label]
        keys = [(keymap.shown(each), each.label) for each in mine]
        self.query_one(KeyLine).show(keys, fixed=1)

    def _said(self) -> Spans:
        """How much would change, or why nothing does."""
        if self._problem is not None:
            return []
        if self._made is None or self._made.asked is None:
            return [("   nothing is written before enter", "muted")]
        seen = self._made.seen
        if seen is None:
            return []
        if not seen.hits:
            words = f"nothing changes in {seen.looked:,} captions"
        else:
            words = f"{counted(seen)} change"
            words += "s" if len(seen.hits) == 1 else ""
        more: list[Span] = []
        left = len(seen.barred) + len(seen.unreadable)
        if left:
            more = [(f"   ~ {left:,} cannot be changed: not UTF-8, or not readable", "warn")]
        return [(f"   {words}", "accent" if seen.hits else "muted"), *more]

    def _wrong(self) -> list[Spans]:
        """Why what is typed means nothing."""
        if self._problem is None:
            return []
        lines = wrapped(f"{self._problem.error} {self._problem.hint}", max(20, self.size.width - 4))
        return [[(" ! " if not at else "   ", "bad"), (line, "text")] for at, line in enumerate(lines[:2])]

    def _scope_line(self) -> Spans:
        spans: list[Span] = [(f" {self._key('scope')} ", "text"), ("in  ", "muted")]
        for at, scope in enumerate(self._scopes):
            words = f"{scope.words} {len(scope.entries):,}"
            spans.append((f"[{words}]", "text") if at == self._scope else (f" {words} ", "muted"))
        return spans

    def _key(self, name: str) -> str:
        return cast("Workbench", self.app).keymap.shown(ACTIONS[f"{self.PLACE}.{name}"])

    @staticmethod
    def _columns(width: int) -> tuple[int, int]:
        """Cells of the name, and of each side."""
        name = min(_NAME, width // 4)
        return name, max(4, (width - name - 5) // 2)

    def _row(self, at: int, width: int) -> Spans:
        if self._made is None or self._made.seen is None or at >= len(self._made.seen.hits):
            return []
        hit = self._made.seen.hits[at]
        name, room = self._columns(width)
        before, after = views(hit.before, hit.after, room)
        # The name without folder and ending; of a variant with its number.
        stem = hit.entry.file.rpartition("/")[2].rpartition(".")[0]
        return [(f"{cell(stem, name)} ", "muted"), *before, (" → ", "muted"), *after]

    @on(LineList.Moved, "#hits")
    def moved(self) -> None:
        """Another caption is shown whole."""
        self._draw_detail()

    def _draw_detail(self) -> None:
        rows, lines = self.query_one("#hits", LineList), list[Spans]()
        key, width = rows.key, max(20, self.size.width - 10)
        if isinstance(key, int) and self._made and self._made.seen and key < len(self._made.seen.hits):
            hit = self._made.seen.hits[key]
            for title, side in zip(("before", "after"), sides(hit.before, hit.after), strict=True):
                laid = laid_out(side, width)
                shown = laid[:_DETAIL]
                if len(laid) > _DETAIL:
                    shown[-1] = [*shown[-1][:-1], (shown[-1][-1][0] + "…", shown[-1][-1][1])]
                for number, line in enumerate(shown):
                    lines.append([(f" {cell(title if not number else '', 7)} ", "muted"), *line])
        self.query_one("#detail", Lines).show(lines)

    # ---- keys

    def do_scope(self) -> None:
        """The next of the scopes."""
        self._scope = (self._scope + 1) % len(self._scopes)
        self.renew()

    def do_write(self) -> None:
        """Give what the table shows, as soon as it shows what is asked for."""
        if self._made is None or self._made.number != self._number:
            self._writes = True
            return
        asked, seen = self._made.asked, self._made.seen
        if asked is None or seen is None or not seen.hits:
            return
        self.dismiss(Changed(asked=asked, texts=seen.texts, bases=seen.bases))

    def do_leave(self) -> None:
        """Nothing is written."""
        self.dismiss(None)

    @on(LineList.Chosen, "#hits")
    def chosen(self) -> None:
        """Enter in the table."""
        self.do_write()
