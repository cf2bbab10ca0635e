"""Lines of spans: what every part of a screen that is not a list is drawn with. Only lines that changed are sent."""

from collections.abc import Sequence
from typing import Any

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.spans import Spans, difference, strip
from tui.theme import Inks, inks_of


def inks(widget: Widget) -> Inks:
    """The styles of the theme that the app has now."""
    return inks_of(widget.app.theme)


def refresh_changed(widget: Widget, before: Sequence[Spans], after: Sequence[Spans]) -> None:
    """Draw again the cells in which two states of a widget's lines differ, and nothing else."""
    regions = []
    for at in range(max(len(before), len(after))):
        old, new = (lines[at] if at < len(lines) else () for lines in (before, after))
        if old != new and (found := difference(old, new)):
            # The cut at the right edge depends on what is beyond it.
            end = widget.size.width if found[1] >= widget.size.width else found[1]
            start = min(found[0], widget.size.width - 1)
            regions.append(Region(start, at, max(1, end - start), 1))
    if regions:
        widget.refresh(*regions)


class Lines(Widget):
    """A block of lines. `show` replaces them."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    def __init__(self, lines: Sequence[Spans] = (), **options: Any) -> None:
        super().__init__(**options)
        self._lines: list[Spans] = list(lines)

    def show(self, lines: Sequence[Spans]) -> None:
        """Show these lines; what did not change is not drawn again."""
        before, self._lines = self._lines, list(lines)
        if len(before) != len(lines) and self.styles.is_auto_height:
            self.refresh(layout=True)
        refresh_changed(self, before, self._lines)

    def get_content_height(self, *_: object) -> int:
        """As many as there are lines."""
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        """One line, empty ones below the last."""
        return strip(self._at(self._lines, y), self.size.width, inks(self))

    @staticmethod
    def _at(lines: Sequence[Spans], at: int) -> Spans:
        return lines[at] if at < len(lines) else ()
