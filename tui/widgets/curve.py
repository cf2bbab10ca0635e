"""The loss as a braille chart: per column of dots the least and the largest loss, and the mean of 50 steps over it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from textual.strip import Strip
from textual.widget import Widget

from tui.series import Series
from tui.spans import Span, strip
from tui.widgets.lines import inks, refresh_changed

_DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille cell: [column][row]."""
_SCALE_WIDTH: Final = 8


@dataclass(frozen=True)
class Column:
    """What one column of dots shows."""

    low: float
    high: float
    mean: float


def last_of_axis(series: Series, steps: int | None = None) -> int:
    """The step at the right end: the last one, rounded up, so that a new step moves nothing that is drawn already.

    steps: how many the run will take, beyond which there is nothing to draw.
    """
    last = series.steps[-1]
    unit = max(1, int(10 ** (len(str(last)) - 1)) // 4)
    rounded = -(-last // unit) * unit
    return max(last, min(rounded, steps)) if steps else rounded


def columns(series: Series, count: int, steps: int | None = None) -> list[Column | None]:
    """The axis cut into `count` columns of equal length in steps; None where no step falls into one."""
    if not len(series):
        return []
    first, last = series.steps[0], last_of_axis(series, steps)
    edges = [series.index(first - 1 + (last - first + 1) * at // count) for at in range(count + 1)]
    found: list[Column | None] = []
    for start, end in pairwise(edges):
        if end <= start:
            found.append(None)
            continue
        part = series.losses[start:end]
        mean = series.mean(end)
        found.append(Column(min(part), max(part), part[-1] if mean is None else mean))
    return found


def bounds(found: Sequence[Column | None], logarithmic: bool) -> tuple[float, float]:
    """Lowest and highest value of the axis. Single spikes do not flatten the rest: the top is the 98th percentile."""
    highs = sorted(column.high for column in found if column)
    lows = [column.low for column in found if column]
    top = max(highs[min(len(highs) - 1, int(len(highs) * 0.98))], max(c.mean for c in found if c))
    low = max(min(lows), top * 1e-4) if logarithmic else min(min(lows), top)
    low, top = _rounded(low, math.floor), _rounded(top, math.ceil)
    if logarithmic:
        low = max(low, 1e-9)
        return low, max(top, low * 1.1)
    return (low, top) if top > low else (low - abs(low) * 0.5 - 1e-9, low + abs(low) * 0.5 + 1e-9)


def _rounded(value: float, way: Callable[[float], int]) -> float:
    """Two digits: an axis that trembles with every step would have to be drawn again with every step."""
    if not value:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return way(round(value / unit, 6)) * unit


class Canvas:
    """Braille dots, in two layers: a faint one and one over it."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._faint = [bytearray(width) for _ in range(height)]
        self._strong = [bytearray(width) for _ in range(height)]

    def vertical(self, x: int, top: int, bottom: int, *, strong: bool = False) -> None:
        """Dots of column x from row `top` down to row `bottom`, both counted from above."""
        layer = self._strong if strong else self._faint
        for y in range(max(0, top), min(self.height * 4 - 1, bottom) + 1):
            layer[y // 4][x // 2] |= _DOTS[x % 2][y % 4]

    def row(self, y: int) -> list[Span]:
        """One line of cells; where both layers have dots in a cell the strong ink has it."""
        spans: list[Span] = []
        for faint, strong in zip(self._faint[y], self._strong[y], strict=True):
            ink = "text" if strong else "muted"
            # Under the line the band would only blur it.
            text = chr(0x2800 + (strong or faint)) if strong or faint else " "
            if spans and (spans[-1][1] == ink or text == " "):
                spans[-1] = (spans[-1][0] + text, spans[-1][1])
            else:
                spans.append((text, ink))
        return spans


class CurvePlot(Widget):
    """The chart with its axes. `show` gives it a series; `at` is the step the cursor over time is on."""

    DEFAULT_CSS = "CurvePlot { height: 1fr; width: 1fr; }"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._series = Series()
        self._points = 0
        self._at: int | None = None
        self._steps: int | None = None
        self.logarithmic = False
        self._drawn: list[list[Span]] = []

    def show(self, series: Series, at: int | None, steps: int | None = None) -> None:
        """Draw this series as it is now, marked at step `at`. steps: how many there will be."""
        now = (len(series), at, steps)
        if series is self._series and now == (self._points, self._at, self._steps):
            return
        self._series = series
        self._points, self._at, self._steps = now
        self._draw()

    def turn_scale(self) -> None:
        """Logarithmic, or linear again."""
        self.logarithmic = not self.logarithmic
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One line of the chart."""
        spans = self._drawn[y] if y < len(self._drawn) else []
        return strip(spans, self.size.width, inks(self))

    def _draw(self) -> None:
        width, height = self.size.width - _SCALE_WIDTH, self.size.height - 1
        before, self._drawn = self._drawn, []
        if width >= 8 and height >= 2:
            found = columns(self._series, width * 2, self._steps)
            if found:
                self._drawn = self._chart(found, width, height)
            else:
                self._drawn = [
                    [(" " * _SCALE_WIDTH + "The loss is drawn here from the first step on.", "muted")]
                ]
        refresh_changed(self, before, self._drawn)

    def _chart(self, found: Sequence[Column | None], width: int, height: int) -> list[list[Span]]:
        low, top = bounds(found, self.logarithmic)
        canvas = Canvas(width, height)
        rows = height * 4 - 1

        def place(value: float) -> int:
            if self.logarithmic:
                share = math.log(max(value, low) / low) / math.log(top / low)
            else:
                share = (value - low) / (top - low)
            return rows - round(max(0.0, min(1.0, share)) * rows)

        before: int | None = None
        for x, column in enumerate(found):
            if column is None:
                continue
            canvas.vertical(x, place(column.high), place(column.low))
            here = place(column.mean)
            linked = here if before is None else before
            canvas.vertical(x, min(here, linked), max(here, linked), strong=True)
            before = here
        middle = math.sqrt(low * top) if self.logarithmic else (low + top) / 2
        labels = {0: top, height // 2: middle, height - 1: low}
        lines = [
            self._marked([(_label(labels.get(y)), "muted"), *canvas.row(y)], width) for y in range(height)
        ]
        return [*lines, self._axis(width)]

    def _marked(self, spans: list[Span], width: int) -> list[Span]:
        """The line with the cursor over time in it."""
        column = self._column(width)
        if column is None:
            return spans
        at, split = _SCALE_WIDTH + column, list[Span]()
        for text, ink in spans:
            if 0 <= at < len(text):
                split += [(text[:at], ink), ("│", "accent"), (text[at + 1 :], ink)]
            else:
                split.append((text, ink))
            at -= len(text)
        return split if at < 0 else [*split, (" " * at, "text"), ("│", "accent")]

    def _column(self, width: int) -> int | None:
        """Cell of the cursor over time."""
        if self._at is None or not len(self._series):
            return None
        first, last = self._series.steps[0], last_of_axis(self._series, self._steps)
        return max(0, min(width - 1, (self._at - first) * width // max(1, last - first + 1)))

    def _axis(self, width: int) -> list[Span]:
        first, last = self._series.steps[0], last_of_axis(self._series, self._steps)
        count = max(2, min(6, width // 16))
        line = [" "] * width
        for mark in range(count):
            text = f"{first + (last - first) * mark // (count - 1):,}"
            start = min((width - 1) * mark // (count - 1), width - len(text))
            if start >= 0 and all(cell == " " for cell in line[max(0, start - 1) : start + len(text)]):
                line[start : start + len(text)] = text
        return [(" " * _SCALE_WIDTH + "".join(line), "muted")]


def _label(value: float | None) -> str:
    if value is None:
        return " " * _SCALE_WIDTH
    return f"{value:>{_SCALE_WIDTH - 1}.3f} " if abs(value) < 1000 else f"{value:>{_SCALE_WIDTH - 1}.0g} "
