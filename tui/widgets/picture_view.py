"""One picture in the middle of all the room there is, whole or a part of it, as half cells."""

from pathlib import Path
from typing import Any, Final

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.overlay import Cut, Overlay
from tui.pictures import WHOLE, Box, Drawn, Pictures
from tui.spans import cell, wrapped
from tui.widgets.lines import inks
from tui.widgets.picture_row import PictureThere, off_lines

_STEP: Final = 1.5
_PAN: Final = 0.5
"""Share of what is seen by which one key moves."""


class PictureView(Widget):
    """A picture to look at: whole at first, then as close as the person wants. What is drawn stays until more is there."""

    DEFAULT_CSS = "PictureView { height: 1fr; width: 1fr; }"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._store: Pictures | None = None
        self._path: Path | None = None
        self._zoom, self._middle = 1.0, (0.5, 0.5)
        self._drawn: Drawn | None = None
        self._asked: Drawn | None = None
        """What was last asked for; None while it is being drawn, and `_drawn` is what was there before."""
        self._empty = ""
        self._cut: Cut | None = None
        self._overlay: Overlay | None = None

    @property
    def zoomed(self) -> bool:
        """Whether only a part of the picture is seen."""
        return self._zoom > 1

    def show(
        self, store: Pictures | None, path: Path | None, empty: str = "", *, cut: Cut | None = None,
        overlay: Overlay | None = None,
    ) -> None:  # fmt: skip
        """Show this picture, another one whole; `empty` stands there when there is none.

        cut: show what is trained of it. overlay: drawn over it; where only that changes, nothing goes blank meanwhile.
        """
        self._overlay = overlay
        if (store, path, cut) != (self._store, self._path, self._cut):
            self._store, self._path, self._cut, self._drawn = store, path, cut, None
            self._zoom, self._middle = 1.0, (0.5, 0.5)
        self._empty = empty
        self.refresh()

    @property
    def complete(self) -> bool:
        """Whether everything that is to be seen is drawn, or cannot be."""
        return self._path is None or (self._drawn is not None and self._drawn is self._asked)

    def closer(self) -> None:
        """Larger, around the same middle, until its pixels are as large as they get."""
        if self._drawn is None or not self._drawn.closest:
            self._zoom *= _STEP
            self.refresh()

    def farther(self) -> None:
        """Smaller, until it is whole."""
        self._zoom = max(1.0, self._zoom / _STEP) if self._zoom > _STEP * 1.01 else 1.0
        self._move(0, 0)

    def pan(self, across: int, down: int) -> None:
        """Move what is seen by half of itself: across -1 is left, down -1 is up."""
        self._move(across, down)

    def on_picture_there(self) -> None:
        self.refresh()

    def _move(self, across: int, down: int) -> None:
        left, top, right, bottom = self._drawn.view if self._drawn else WHOLE
        sizes = (right - left, bottom - top)
        self._middle = tuple(  # type: ignore[assignment]
            max(size / 2, min(1 - size / 2, middle + by * _PAN * size))
            for middle, size, by in zip(self._middle, sizes, (across, down), strict=True)
        )
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the picture, or of what stands in its place."""
        size, styles = self.size, inks(self)
        ground, muted = styles["ground"], styles["ground"] + styles["muted"]
        store, path = self._store, self._path
        if store is None or path is None:
            return Strip([Segment(_line(self._empty, y, size.width), muted)])
        if store.off:
            lines = off_lines(store.off, [path], size.width)
            return Strip([Segment(cell(lines[y] if y < len(lines) else "", size.width), muted)])
        box = Box(path, size.width, size.height, self._zoom, self._middle, self._cut, self._overlay)
        self._asked = store.get(box, self._there)
        self._drawn = drawn = self._asked or self._drawn
        if drawn is None or not drawn.strips:
            words = drawn.error if drawn else "…"
            return Strip([Segment(_line(words, y, size.width), muted)])
        row = y - max(0, size.height - len(drawn.strips)) // 2
        if not 0 <= row < len(drawn.strips):
            return Strip.blank(size.width, ground)
        left = max(0, size.width - drawn.width) // 2
        parts = [Segment(" " * left, ground), *drawn.strips[row]]
        return Strip(parts).adjust_cell_length(size.width, ground)

    def _there(self) -> None:
        self.post_message(PictureThere())


def _line(words: str, y: int, width: int) -> str:
    """Line `y` of a sentence that stands in the picture's place."""
    lines = wrapped(words, max(1, width)) if words else []
    return cell(lines[y] if y < len(lines) else "", width)


def none_here(narrowed: bool) -> str:
    """What stands where no picture can be shown. narrowed: whether there are some that a filter leaves out."""
    if narrowed:
        return "No picture is left: esc shows all again."
    return "No pictures here: data.images says where they are."
