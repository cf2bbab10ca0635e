"""The rows of a list as tiles: its cursor, filter and selection, with a small picture for each row."""

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.pictures import Box, Drawn, Pictures
from tui.spans import Span, cell, strip
from tui.theme import Inks
from tui.widgets.line_list import LineList
from tui.widgets.lines import inks
from tui.widgets.picture_row import PictureThere

_WIDTH: Final = 14
_HEIGHT: Final = 5
"""Cells of a tile's picture; a line with the name stands under it."""

Tell = Callable[[Any], tuple[Path, Span, str]]
"""Key of a row -> its picture, its mark and its name."""


class Tiles(Widget, can_focus=True):
    """Only what comes or changes is drawn: a picture that comes draws its tile, a cursor key two names."""

    DEFAULT_CSS = "Tiles { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = bindings("tiles")

    def __init__(self, rows: LineList, tell: Tell, **options: Any) -> None:
        super().__init__(**options)
        self._rows, self._tell = rows, tell
        self._store: Pictures | None = None
        self._top = 0
        """First line of tiles that is seen."""
        self._seen: dict[int, tuple[Hashable, object]] = {}
        """What stands at each row of the list that is seen: its key, and its name line."""
        self._came: dict[int, Drawn] = {}
        """Row -> its picture as it stands there."""

    def update(self, store: Pictures | None) -> None:
        """The list, its cursor or what is known of a picture has changed."""
        self._store = store
        if not self.display or self.size.height <= 0:
            return
        line = self._rows.at // self._columns
        top = min(line, max(self._top, line - self._lines + 1))
        before, self._seen = (
            self._seen,
            {at: (self._rows.rows[at], self._caption(at)) for at in self._visible(top)},
        )
        keys_before, keys = ({at: key for at, (key, _) in each.items()} for each in (before, self._seen))
        if top != self._top or keys_before != keys:
            self._top = top
            self._came.clear()
            self.refresh()
            return
        changed = [self._region(at, name=True) for at in keys if before[at] != self._seen[at]]
        if changed:
            self.refresh(*by_line(changed))

    def on_resize(self) -> None:
        self._seen = {}
        self.update(self._store)

    def on_focus(self) -> None:
        self.update(self._store)

    def on_picture_there(self) -> None:
        """Draw the tiles whose pictures have come since."""
        came = [at for at in self._seen if at not in self._came and self._drawn(at)]
        if came:
            self.refresh(*(self._region(at) for at in came))

    def render_line(self, y: int) -> Strip:
        """One line across all tiles."""
        styles = inks(self)
        line, inside = divmod(y, _HEIGHT + 1)
        parts: list[Segment] = []
        first = (self._top + line) * self._columns
        for at in range(first, min(first + self._columns, len(self._rows.rows))):
            if at not in self._seen:
                continue
            if inside == _HEIGHT:
                here = at == self._rows.at
                # The gap goes along with the name, as every change of ink is sent.
                parts += strip(
                    self._caption(at), _WIDTH + (not here), styles, styles["here"] if here else None
                )
                parts += [Segment(" ", styles["ground"])] * here
            else:
                parts += [*self._part(at, inside), Segment(" ", styles["ground"])]
        return Strip(parts).adjust_cell_length(self.size.width, styles["ground"])

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; a second one chooses."""
        at = (self._top + event.y // (_HEIGHT + 1)) * self._columns + event.x // (_WIDTH + 1)
        if at in self._seen:
            self._rows.do_choose() if at == self._rows.at else self._rows.move(at - self._rows.at)

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    def do_left(self) -> None:
        self._rows.move(-1)

    def do_right(self) -> None:
        self._rows.move(1)

    def do_up(self) -> None:
        self._rows.move(-self._columns)

    def do_down(self) -> None:
        self._rows.move(self._columns)

    def do_page_up(self) -> None:
        self._rows.move(-self._columns * self._lines)

    def do_page_down(self) -> None:
        self._rows.move(self._columns * self._lines)

    def do_first(self) -> None:
        self._rows.do_first()

    def do_last(self) -> None:
        self._rows.do_last()

    def do_filter(self) -> None:
        self._rows.do_filter()

    def do_choose(self) -> None:
        self._rows.do_choose()

    def do_select(self) -> None:
        self._rows.do_select()
        self.update(self._store)

    def do_select_all(self) -> None:
        self._rows.do_select_all()
        self.update(self._store)

    @property
    def _columns(self) -> int:
        return max(1, (self.size.width + 1) // (_WIDTH + 1))

    @property
    def _lines(self) -> int:
        return max(1, self.size.height // (_HEIGHT + 1))

    def _visible(self, top: int) -> range:
        first = top * self._columns
        return range(first, min(first + self._columns * self._lines, len(self._rows.rows)))

    def _region(self, at: int, *, name: bool = False) -> Region:
        line, column = divmod(at - self._top * self._columns, self._columns)
        top = line * (_HEIGHT + 1)
        left = column * (_WIDTH + 1)
        return Region(left, top + _HEIGHT, _WIDTH, 1) if name else Region(left, top, _WIDTH, _HEIGHT)

    def _caption(self, at: int) -> list[Span]:
        key = self._rows.rows[at]
        _, mark, name = self._tell(key)
        chosen, here = key in self._rows.selected, at == self._rows.at
        bar = "▌" if here else "✓" if chosen else " "
        # Names differ at their ends.
        short = name if len(name) <= _WIDTH - 2 else "…" + name[-(_WIDTH - 3) :]
        return [(bar, "accent"), mark, (short, "accent" if chosen else "text" if here else "muted")]

    def _drawn(self, at: int) -> Drawn | None:
        if self._store is None or self._store.off:
            return None
        path = self._tell(self._rows.rows[at])[0]
        drawn = self._store.get(Box(path, _WIDTH, _HEIGHT), lambda: self.post_message(PictureThere()))
        if drawn is not None:
            self._came[at] = drawn
        return drawn

    def _part(self, at: int, inside: int) -> list[Segment]:
        # To ask for each line looks at the file each time.
        drawn = self._came.get(at) if inside else None
        drawn = drawn or self._drawn(at)
        words = "off" if self._store and self._store.off else "…" if drawn is None else "no picture"
        return part_of(drawn, (_WIDTH, _HEIGHT), inside, inks(self), words if not inside else "")


def part_of(
    drawn: Drawn | None, room: tuple[int, int], inside: int, styles: Inks, words: str
) -> list[Segment]:
    """Line `inside` of a picture in the middle of its room of (cells, lines), or `words` where nothing is drawn."""
    width, height = room
    if drawn is None or not drawn.strips:
        return [Segment(cell(words, width), styles["ground"] + styles["muted"])]
    above = (height - len(drawn.strips)) // 2
    if not 0 <= inside - above < len(drawn.strips):
        return [Segment(" " * width, styles["ground"])]
    left = (width - drawn.width) // 2
    return [
        Segment(" " * left, styles["ground"]),
        *drawn.strips[inside - above],
        Segment(" " * (width - drawn.width - left), styles["ground"]),
    ]


def by_line(regions: Sequence[Region]) -> list[Region]:
    """One region a line: of each, everything left of it is sent too."""
    lines: dict[int, Region] = {}
    for each in regions:
        lines[each.y] = lines[each.y].union(each) if each.y in lines else each
    return list(lines.values())
