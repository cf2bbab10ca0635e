"""Checkpoints by weights as small pictures, for one prompt and seed."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.grid_layout import LABEL, Layout, layout_of
from tui.pictures import Box, Drawn, Pictures
from tui.review_grid import Grid, weight_name
from tui.review_words import number
from tui.reviewed import Made
from tui.spans import Span, Spans, strip
from tui.widgets.lines import inks
from tui.widgets.picture_row import PictureThere
from tui.widgets.tiles import by_line, part_of

At = tuple[int, int]
"""Row and column of the grid."""


class WeightsGrid(Widget, can_focus=True):
    """Only what comes or changes is drawn: a picture draws its place, a cursor key the lines of words it touches."""

    DEFAULT_CSS = "WeightsGrid { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = bindings("grid")

    class Moved(Message):
        """The cursor is on another place."""

    class Chosen(Message):
        """Enter was pressed on a place."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._store: Pictures | None = None
        self._grid = Grid()
        self._prompt = ""
        self._seed: int | None = None
        self._cursor: At | None = None
        self._first: At = (0, 0)
        """Line and position of the first place that is seen."""
        self._came: set[At] = set()
        """Places that were drawn since their picture came."""

    @property
    def cursor(self) -> At:
        """Row and column that the cursor is on."""
        return self._cursor or (0, 0)

    @property
    def made(self) -> Made | None:
        """The picture that the cursor is on, None on an empty place."""
        return self._made(self.cursor)

    @property
    def complete(self) -> bool:
        """Whether every picture that is seen is drawn, or cannot be."""
        return bool(self._seen()) and all(
            self._made(at) is None or self._drawn(at) is not None for at in self._seen()
        )

    def show(self, store: Pictures | None, grid: Grid, prompt: str, seed: int | None) -> None:
        """Show these places; the cursor stays on its checkpoint and weight. What is as before is not drawn again."""
        before, shown = self._grid, (self._prompt, self._seed)
        changed = [
            at for at in self._seen() if self._told(before, at, *shown) != self._told(grid, at, prompt, seed)
        ]
        same = (store, before.rows, before.columns) == (self._store, grid.rows, grid.columns)
        self._store, self._grid, self._prompt, self._seed = store, grid, prompt, seed
        if not same:
            self._cursor = self._kept(before)
            self._came.clear()
            self._reveal()
            self.refresh()
        elif changed:
            self._came -= set(changed)
            self.refresh(*by_line([self._region(at) for at in changed]))  # fmt: skip

    def go_to(self, at: At) -> None:
        """Put the cursor on a place, as far as there is one."""
        row, column = at
        self._move(
            max(0, min(row, len(self._grid.rows) - 1)), max(0, min(column, len(self._grid.columns) - 1))
        )

    def on_resize(self) -> None:
        self._came.clear()
        self._reveal()
        self.refresh()

    def on_focus(self) -> None:
        self._refresh_words({self.cursor})

    def on_blur(self) -> None:
        self._refresh_words({self.cursor})

    def on_picture_there(self) -> None:
        """Draw the places whose pictures have come since."""
        came = [at for at in self._seen() if at not in self._came and self._drawn(at) is not None]
        self._came.update(came)
        if came:
            self.refresh(*by_line([self._region(at) for at in came]))

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; a second one chooses."""
        hit = next((at for at in self._seen() if self._region(at).contains(event.x, event.y)), None)
        if hit is not None:
            self.do_choose() if hit == self.cursor else self._move(*hit)

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    def do_left(self) -> None:
        self.go_to((self.cursor[0], self.cursor[1] - 1))

    def do_right(self) -> None:
        self.go_to((self.cursor[0], self.cursor[1] + 1))

    def do_up(self) -> None:
        self._step(-1)

    def do_down(self) -> None:
        self._step(1)

    def do_first(self) -> None:
        self.go_to((0, 0))

    def do_last(self) -> None:
        self.go_to((len(self._grid.rows) - 1, len(self._grid.columns) - 1))

    def do_choose(self) -> None:
        self.post_message(self.Chosen())

    def render_line(self, y: int) -> Strip:
        """One line across all places."""
        styles, layout = inks(self), self._layout()
        if not self._grid.columns or layout.lines < 1:
            return Strip.blank(self.size.width, styles["ground"])
        if y < layout.top:
            return strip(self._header(layout), self.size.width, styles)
        line, inside = divmod(y - layout.top, layout.height + 1)
        places = [at for at in self._seen() if self._position(at)[0] - self._first[0] == line]
        if line >= layout.lines or not places:
            return Strip.blank(self.size.width, styles["ground"])
        parts: list[Segment] = []
        if layout.label:
            parts += strip([self._label(places[0][0])] if not inside else [], layout.label, styles)
        for at in places:
            if inside == layout.height:
                here = styles["here"] if at == self.cursor and self.has_focus else None
                parts += [
                    *strip(self._caption(at), layout.width, styles, here),
                    Segment(" ", styles["ground"]),
                ]
            else:
                parts += [*self._part(at, inside, layout), Segment(" ", styles["ground"])]
        return Strip(parts).adjust_cell_length(self.size.width, styles["ground"])  # fmt: skip

    # ---- where things are

    def _layout(self) -> Layout:
        size = (self.size.width, self.size.height)
        return layout_of(size, len(self._grid.rows), len(self._grid.columns))

    def _position(self, at: At) -> At:
        """Line and position of a place among all."""
        return at if len(self._grid.rows) > 1 else divmod(at[1], self._layout().across)

    def _seen(self) -> Sequence[At]:
        """The places that the room shows, line by line."""
        layout, (line, position) = self._layout(), self._first
        rows, columns = range(len(self._grid.rows)), range(len(self._grid.columns))
        if len(rows) <= 1:
            last = (line + layout.lines) * layout.across
            return [(0, at) for at in columns[line * layout.across : last]] if rows else []
        return [
            (row, column)
            for row in rows[line : line + layout.lines]
            for column in columns[position : position + layout.across]
        ]

    def _region(self, at: At, *, caption: bool = False) -> Region:
        layout, (line, position) = self._layout(), self._position(at)
        x = layout.label + (position - self._first[1]) * (layout.width + 1)
        y = layout.top + (line - self._first[0]) * (layout.height + 1)
        whole = Region(x, y, layout.width, layout.height + 1)
        return Region(x, whole.bottom - 1, layout.width, 1) if caption else whole

    def _reveal(self) -> bool:
        """Scroll no further than the cursor needs; whether that was at all."""
        layout, (line, position) = self._layout(), self._position(self.cursor)
        rows, columns = len(self._grid.rows), len(self._grid.columns)
        lines, across = (rows, columns) if rows > 1 else (-(-columns // layout.across), layout.across)
        first = (
            _first(self._first[0], line, layout.lines, lines),
            _first(self._first[1], position, layout.across, across),
        )
        moved, self._first = first != self._first, first
        return moved

    def _kept(self, before: Grid) -> At:
        """Where the cursor's checkpoint and weight are now."""
        grid = self._grid
        if self._cursor is None or not before.rows:
            return grid.start()
        row, column = self._cursor
        checkpoint, weight = before.rows[row], before.columns[column]
        start = grid.start()
        return (
            grid.rows.index(checkpoint) if checkpoint in grid.rows else start[0],
            grid.columns.index(weight) if weight in grid.columns else start[1],
        )

    def _step(self, by: int) -> None:
        if len(self._grid.rows) > 1:
            self.go_to((self.cursor[0] + by, self.cursor[1]))
        else:
            to = self.cursor[1] + by * self._layout().across
            if 0 <= to < len(self._grid.columns):
                self.go_to((0, to))

    def _move(self, row: int, column: int) -> None:
        before = self.cursor
        if (row, column) == before or not self._grid.columns:
            return
        self._cursor = (row, column)
        if self._reveal():
            self._came.clear()
            self.refresh()
        else:
            self._refresh_words({before, self.cursor})
        self.post_message(self.Moved())

    def _refresh_words(self, places: set[At]) -> None:
        """Draw again the words that say where the cursor is: never pictures, of which every line costs kilobytes."""
        if not self._grid.columns:
            return
        layout = self._layout()
        regions = [self._region(at, caption=True) for at in places]
        if layout.label:
            regions.append(Region(0, 0, self.size.width, 1))
            regions += [Region(0, self._region(at).y, layout.label, 1) for at in places]
        self.refresh(*by_line(regions))

    # ---- what stands there

    def _made(self, at: At) -> Made | None:
        if not self._grid.columns or not self._grid.rows:
            return None
        return self._grid.at(*at, self._prompt, self._seed)

    @staticmethod
    def _told(grid: Grid, at: At, prompt: str, seed: int | None) -> object:
        """What a place shows, to see whether it is as before."""
        if at[0] >= len(grid.rows) or at[1] >= len(grid.columns):
            return None
        return grid.at(*at, prompt, seed), grid.recommended

    def _header(self, layout: Layout) -> Spans:
        """The weights over their columns."""
        spans: list[Span] = [(" " * layout.label, "text")]
        first = self._first[1]
        for at in range(first, min(first + layout.across, len(self._grid.columns))):
            here = at == self.cursor[1]
            words = f"{'▌' if here else ' '}{weight_name(self._grid.columns[at])}"
            spans.append((f"{words[: layout.width]:<{layout.width + 1}}", "accent" if here else "muted"))
        return spans

    def _label(self, row: int) -> Span:
        checkpoint, here = self._grid.rows[row], row == self.cursor[0]
        words = f"{'▌' if here else ' '}{checkpoint:,}" if checkpoint is not None else ""
        return words[: LABEL - 1], "accent" if here else "muted"

    def _caption(self, at: At) -> Spans:
        """The cursor, the weight where no header says it, what is recommended, and how like the subject it is."""
        grid, made = self._grid, self._made(at)
        place = (grid.rows[at[0]], grid.columns[at[1]])
        spans: list[Span] = [("▌" if at == self.cursor else " ", "accent")]
        if len(grid.rows) <= 1:
            spans.append((f"{weight_name(place[1])} ", "text" if at == self.cursor else "muted"))
        if place == grid.recommended:
            spans.append(("✓ ", "good"))
        if made is not None and "likeness" in made.measures:
            spans.append((number(made.measures["likeness"]), "muted"))
        return spans

    def _drawn(self, at: At) -> Drawn | None:
        made, layout = self._made(at), self._layout()
        if made is None or self._store is None or self._store.off:
            return None
        box = Box(made.path, layout.width, layout.height)
        return self._store.get(box, lambda: self.post_message(PictureThere()))

    def _part(self, at: At, inside: int, layout: Layout) -> list[Segment]:
        # Not marked as drawn here: it may come between two lines of its own, and the ones above would stay empty.
        made, drawn = self._made(at), self._drawn(at)
        words = ""
        if made is None:
            words = "   ·" if inside == (layout.height - 1) // 2 else ""
        elif self._store is None or self._store.off:
            told = [f"{number(value)} {name}" for name, value in made.measures.items()] or ["made"]
            words = told[inside] if inside < len(told) else ""
        elif not inside:
            words = "…" if drawn is None else "no picture"
        return part_of(drawn, (layout.width, layout.height), inside, inks(self), words)


def _first(now: int, at: int, fit: int, count: int) -> int:
    """The first of `count` that is seen, where `fit` are and `at` is one of them; no room stays empty behind the last."""
    return max(0, min(at, max(now, at - fit + 1), count - fit))
