"""The one list: ten thousand rows cost what the visible ones cost, and a cursor key draws two lines.

Rows are made when they are drawn, by a function of the row's key and the width; so a list holds keys and nothing else.
"""

from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from projects.problems import Refused
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.spans import Spans, strip
from tui.widgets.held_keys import HeldKeys
from tui.widgets.lines import inks

Draw = Callable[[Any, int], Spans]
"""(key of a row, width in cells) -> its spans."""


class LineList(ScrollView, can_focus=True):
    """Rows with a cursor, a filter, a search and a selection. The cursor stays on its row when rows come and go."""

    DEFAULT_CSS = """
    LineList { height: 1fr; width: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("list")

    class Said(Message):
        """Something that a list says."""

        def __init__(self, line_list: "LineList", key: Hashable | None = None) -> None:
            self.line_list = line_list
            self.key = key
            super().__init__()

        @property
        def control(self) -> "LineList":
            """The list."""
            return self.line_list

    class Moved(Said):
        """The cursor is on another row (None in an empty list)."""

    class Turned(Said):
        """The filter or the selection is another one."""

    class Chosen(Said):
        """Enter was pressed on a row."""

    class FilterAsked(Said):
        """The person wants to type a filter."""

    def __init__(
        self,
        draw: Draw,
        *,
        text: Callable[[Any], str] = str,
        skip: Callable[[Any], bool] = lambda _key: False,
        selectable: bool = False,
        bar: bool = True,
        opens_field: bool = False,
        clears: str = "esc clears",
        finds: bool = True,
        quiet: bool = False,
        matching: Callable[[str], Callable[[Any], bool]] | None = None,
        **options: Any,
    ) -> None:
        """draw: spans of a row. text: what filter and search look at. skip: rows the cursor passes over (headings).

        opens_field: enter may open a field to type into; whoever opens it, or does not, releases the keys.
        clears: said beside a filter. finds: whether the list can be filtered.
        quiet: it shows its cursor only with the focus.
        matching: what a filter means, instead of rows that hold its words; may raise Refused for half of one, which
        changes nothing.
        """
        super().__init__(**options)
        self._draw, self._text, self._skip = draw, text, skip
        self._selectable, self._bar, self._opens_field = selectable, bar, opens_field
        self._clears, self._finds, self._matching, self._quiet = clears, finds, matching, quiet
        self.mistake = ""
        """Why the filter means nothing."""
        self._all: Sequence[Hashable] = ()
        self.rows: Sequence[Hashable] = ()
        self._total = 0
        """Rows without headings, unfiltered."""
        self.filter = ""
        self.selected: set[Hashable] = set()
        self._cursor = 0
        self._folded: list[str] | None = None
        self._was_filtered = False
        self._drawn: dict[int, Spans] = {}
        """Spans of the rows on the screen, by line."""

    @property
    def key(self) -> Hashable | None:
        """Key of the row the cursor is on."""
        return self.rows[self._cursor] if 0 <= self._cursor < len(self.rows) else None

    @property
    def at(self) -> int:
        """Where the cursor is among `rows`."""
        return self._cursor

    def move(self, by: int) -> None:
        """Move the cursor by so many rows, as far as there are any."""
        self._step(by)

    def show(self, rows: Sequence[Hashable]) -> None:
        """Show these rows; unchanged ones are drawn again, as what they show may have changed."""
        if rows != self._all:
            self._folded = None
            self._total = self._count(rows)
        self._all = rows
        self._apply()

    def set_filter(self, words: str) -> None:
        """Show only rows that hold all of these words, whatever their case."""
        self.filter = words
        if not words:
            self.mistake = ""
        self._apply()
        self.post_message(self.Turned(self, self.key))

    def select_none(self) -> None:
        """Select no row any more."""
        self.selected = set()
        self.refresh()
        self.post_message(self.Turned(self, self.key))

    def go_to(self, key: Hashable) -> None:
        """Put the cursor on a row, where it is there."""
        if key in self.rows:
            self._move(self.rows.index(key))

    def conditions(self) -> frozenset[str]:
        """What holds here, as `Action.when` names it."""
        held = {"hits"} if self.filter else set()
        return frozenset(held | ({"selectable"} if self._selectable else set()))

    def action_act(self, action_id: str) -> None:
        """Do what a key of the list means."""
        getattr(self, ACTIONS[action_id].method)()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key that means nothing here now is left to the room: n is a new project where nothing is searched."""
        found = ACTIONS.get(str(parameters[0])) if action == "act" and parameters else None
        return found is None or not found.when or found.when in self.conditions()

    def render_line(self, y: int) -> Strip:
        """One row, with the bar of the cursor in front."""
        at = y + self.scroll_offset.y
        width, styles = self.scrollable_content_region.width, inks(self)
        if y == self._filter_line():
            self._drawn.pop(y, None)
            return strip(self._filter_words(), width, styles)
        if at >= len(self.rows):
            return Strip.blank(width, styles["ground"])
        key, here = self.rows[at], at == self._cursor
        bar = (
            "▌"
            if here and self._bar and (self.has_focus or not self._quiet)
            else "✓"
            if key in self.selected
            else " "
        )
        spans = [(bar, "accent"), *self._draw(key, width - 1)]
        self._drawn[y] = spans
        return strip(spans, width, styles, styles["here"] if here and self.has_focus else None)

    def redraw(self, key: Hashable) -> None:
        """Draw one row again, as what it shows has changed."""
        self.redraw_all((key,))

    def redraw_all(self, keys: Collection[Hashable]) -> None:
        """Draw these rows again, where they are on the screen."""
        self._folded = None
        top = self.scroll_offset.y
        for at, key in enumerate(self.rows[top : top + self.size.height], top):
            if key in keys:
                self._dirty(at)

    def do_down(self) -> None:
        self._step(1)

    def do_up(self) -> None:
        self._step(-1)

    def do_page_down(self) -> None:
        self._step(max(1, self._room() - 1))

    def do_page_up(self) -> None:
        self._step(-max(1, self._room() - 1))

    def do_first(self) -> None:
        self._move(self._resting(0, 1))

    def do_last(self) -> None:
        self._move(self._resting(len(self.rows) - 1, -1))

    def do_filter(self) -> None:
        if self._finds:
            self._hold()
            self.post_message(self.FilterAsked(self))

    def do_clear_filter(self) -> None:
        self.set_filter("")

    def do_next_hit(self) -> None:
        self._step(1, around=True)

    def do_previous_hit(self) -> None:
        self._step(-1, around=True)

    def do_choose(self) -> None:
        if self.key is not None:
            if self._opens_field:
                self._hold()
            self.post_message(self.Chosen(self, self.key))

    def do_select(self) -> None:
        if self.key is not None:
            self.selected ^= {self.key}
            self._dirty(self._cursor)
            self._step(1)
            self.post_message(self.Turned(self, self.key))

    def do_select_all(self) -> None:
        everything = set(self.rows)
        self.selected = (
            self.selected - everything if everything <= self.selected else self.selected | everything
        )
        self.refresh()
        self.post_message(self.Turned(self, self.key))

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; a second one chooses."""
        at = event.y + self.scroll_offset.y
        if at >= len(self.rows) or event.y == self._filter_line() or self._skip(self.rows[at]):
            return
        if at == self._cursor:
            self.do_choose()
        self._move(at)

    def on_focus(self) -> None:
        self._dirty(self._cursor)

    def on_blur(self) -> None:
        self._dirty(self._cursor)

    def on_resize(self) -> None:
        self._reveal()

    def _hold(self) -> None:
        if isinstance(self.app, HeldKeys):
            self.app.hold_keys()

    def _apply(self) -> None:
        before, rows_before = self.key, self.rows
        words = self.filter.casefold().split()
        self.rows = self._hits(words) if words else self._all
        try:
            self._cursor = self.rows.index(before)
        except ValueError:
            self._cursor = self._resting(max(0, min(self._cursor, len(self.rows) - 1)), 1)
        self.virtual_size = Size(self.size.width, len(self.rows) + bool(self.filter))
        self._reveal()
        if self.rows == rows_before and not self.filter and not self._was_filtered:
            self._redraw_changed()
        else:
            self.refresh()
        self._was_filtered = bool(self.filter)
        if self.key != before:
            self.post_message(self.Moved(self, self.key))

    def _count(self, rows: Sequence[Hashable]) -> int:
        return sum(not self._skip(key) for key in rows)

    def _filter_line(self) -> int | None:
        """The line that says what is filtered, right below the hits; None where nothing is."""
        if not self.filter:
            return None
        return max(0, min(len(self.rows) - self.scroll_offset.y, self.size.height - 1))

    def _filter_words(self) -> Spans:
        clears = f"   {self._clears}" if self._clears else ""
        hits = f"   {self._count(self.rows):,} of {self._total:,}"
        if self.mistake:
            return [(" filter: ", "muted"), (self.mistake, "warn")]
        return [(" filter: ", "muted"), (self.filter, "accent"), (hits, "text"), (clears, "muted")]

    def _room(self) -> int:
        """Lines for rows."""
        return max(1, self.size.height - bool(self.filter))

    def _redraw_changed(self) -> None:
        """The same rows again: draw those that say something else now."""
        top, width = self.scroll_offset.y, self.scrollable_content_region.width
        for y, drawn in list(self._drawn.items()):
            at = y + top
            if at >= len(self.rows):
                continue
            bar = drawn[0]
            if [bar, *self._draw(self.rows[at], width - 1)] != list(drawn):
                self._dirty(at)

    def _hits(self, words: Sequence[str]) -> list[Hashable]:
        if self._matching:
            return self._matched(self._matching)
        if self._folded is None:
            self._folded = [self._text(key).casefold() for key in self._all]
        # Word by word, each over what the last one left: of ten thousand rows most go at the first.
        left = list(zip(self._all, self._folded, strict=True))
        for word in words:
            left = [row for row in left if word in row[1]]
        return [key for key, _ in left]

    def _matched(self, matching: Callable[[str], Callable[[Any], bool]]) -> list[Hashable]:
        try:
            matches = matching(self.filter)
        except Refused as refused:
            self.mistake = str(refused.problems[0].error)
            there = set(self._all)
            return [key for key in self.rows if key in there]
        self.mistake = ""
        return [key for key in self._all if matches(key)]

    def _step(self, by: int, *, around: bool = False) -> None:
        if not self.rows:
            return
        at = self._cursor + by
        at = at % len(self.rows) if around else max(0, min(at, len(self.rows) - 1))
        self._move(self._resting(at, 1 if by > 0 else -1))

    def _resting(self, at: int, way: int) -> int:
        """The nearest row from `at` on, in direction `way`, that the cursor may stand on; else the one it is on."""
        while 0 <= at < len(self.rows):
            if not self._skip(self.rows[at]):
                return at
            at += way
        here = self._cursor
        return (
            here if 0 <= here < len(self.rows) and not self._skip(self.rows[here]) else self._first_resting()
        )

    def _first_resting(self) -> int:
        return next((at for at, key in enumerate(self.rows) if not self._skip(key)), 0)

    def _move(self, at: int) -> None:
        if at == self._cursor or not self.rows:
            return
        self._dirty(self._cursor)
        self._cursor = at
        self._dirty(at)
        self._reveal()
        self.post_message(self.Moved(self, self.key))

    def _reveal(self) -> None:
        """Scroll no further than the cursor needs; headings above the first row come along."""
        height, top = self._room(), self.scroll_offset.y
        if self.size.height <= 0:
            return
        above = 0 if self._cursor == self._first_resting() else self._cursor
        wanted = min(above, max(top, self._cursor - height + 1))
        if wanted != top:
            # Rows that came a moment ago have no scroll bar yet, without which nothing would scroll.
            self.scroll_to(y=wanted, animate=False, immediate=True, force=True)

    def _dirty(self, at: int) -> None:
        # Without the scroll bar, whose cell would be sent along with every key.
        self.refresh(Region(0, at - self.scroll_offset.y, self.scrollable_content_region.width, 1))
