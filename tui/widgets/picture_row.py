"""Pictures side by side, as half cells. They come when they are drawn; until then their names stand there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.follow_lines import shown
from tui.pictures import Box, Drawn, Pictures
from tui.printable import printable
from tui.spans import cell, wrapped
from tui.widgets.lines import inks

_GAP = 1


class PictureThere(Message):
    """A picture that was asked for can be shown."""

    def can_replace(self, message: Message) -> bool:
        """One is enough for all that came."""
        return isinstance(message, PictureThere)


def off_lines(why: str, paths: Sequence[Path], width: int) -> list[str]:
    """What stands where pictures are not drawn: why, and where they lie; the folder of several once."""
    folder, *rest = {path.parent for path in paths}
    if len(paths) == 1 or rest:
        names = ", ".join(shown(path) for path in paths)
    else:
        names = f"{shown(folder)}: {', '.join(path.name for path in paths)}"
    return wrapped(f"pictures are off ({why}).", width) + wrapped(names, width)


class PictureRow(Widget):
    """One picture, large, or as many of a row as fit."""

    DEFAULT_CSS = "PictureRow { height: 1fr; width: 1fr; }"

    def __init__(self, *, captions: bool = True, **options: Any) -> None:
        """captions: a line under each picture with its name."""
        super().__init__(**options)
        self._store: Pictures | None = None
        self._paths: Sequence[Path] = ()
        self._names: Sequence[str] = ()
        self._captions = captions
        self.empty = ""
        """What stands there when there is no picture."""

    def show(self, store: Pictures | None, paths: Sequence[Path], names: Sequence[str] = ()) -> None:
        """Show these pictures. store: None where there is no project, and so no picture."""
        if (store, list(paths), list(names)) == (self._store, list(self._paths), list(self._names)):
            return
        self._store, self._paths, self._names = store, list(paths), list(names)
        self.refresh()

    def on_picture_there(self) -> None:
        self.refresh()

    def tallest(self, width: int) -> int:
        """Lines beyond which square pictures would only get air, on a row of `width` cells."""
        each = (width + _GAP) // max(1, len(self._paths)) - _GAP
        return max(4, (each + 1) // 2 + (1 if self._captions else 0))

    def boxes(self, size: Size) -> list[Box]:
        """The room of each picture that fits: as many as can be a dozen cells wide, all of one size."""
        height = size.height - (1 if self._captions else 0)
        if height < 2 or not self._paths:
            return []
        # As wide as a square picture of full height, and never narrower than a dozen cells.
        widest = max(12, min(2 * height, (size.width + _GAP) // len(self._paths) - _GAP))
        fit = max(1, min(len(self._paths), (size.width + _GAP) // (widest + _GAP)))
        width = size.width if len(self._paths) == 1 else widest
        return [Box(path, width, height) for path in self._paths[:fit]]

    def render_line(self, y: int) -> Strip:
        """One line across all pictures."""
        size, styles = self.size, inks(self)
        ground = styles["ground"]
        muted = ground + styles["muted"]
        if not self._paths:
            return Strip([Segment(cell(self.empty if y == 0 else "", size.width), muted)])
        boxes = self.boxes(size)
        if self._store and self._store.off:
            lines = off_lines(self._store.off, self._paths, size.width)
            return Strip([Segment(cell(lines[y] if y < len(lines) else "", size.width), muted)])
        if self._store is None or not boxes:
            name = self._caption(y) if y < len(self._paths) else ""
            return Strip([Segment(cell(name, size.width), muted)])
        parts: list[Segment] = []
        for at, box in enumerate(boxes):
            drawn = self._store.get(box, self._there)
            width = box.width
            if drawn and drawn.width and len(boxes) > 1:
                # Close together, but no closer than their names.
                named = cell_len(printable(self._caption(at))) if self._captions else 0
                width = max(drawn.width, min(named, box.width))
            parts += self._part(drawn, box, at, y, width)
            parts.append(Segment(" " * _GAP, styles["ground"]))
        return Strip(parts).adjust_cell_length(size.width, ground)

    def _part(self, drawn: Drawn | None, box: Box, at: int, y: int, width: int) -> list[Segment]:
        styles = inks(self)
        strips = drawn.strips if drawn else ()
        if y < len(strips):
            return [*strips[y], Segment(" " * (width - (drawn.width if drawn else 0)), styles["ground"])]
        if self._captions and y == (len(strips) or box.height):
            return [Segment(cell(self._caption(at), width), styles["ground"] + styles["muted"])]
        if not strips and y == 0:
            words = drawn.error if drawn else "…"
            return [Segment(cell(words, width), styles["ground"] + styles["warn" if drawn else "muted"])]
        return [Segment(" " * width, styles["ground"])]

    def _caption(self, at: int) -> str:
        return self._names[at] if at < len(self._names) else self._paths[at].name

    def _there(self) -> None:
        self.post_message(PictureThere())
