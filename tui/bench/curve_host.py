"""The curve of ten thousand points, drawn again as each further point comes; prints milliseconds, a line each time.

`python -m tui.bench.curve_host TIMES`, without a terminal: what is timed is the widget's own work, all its lines included.
"""

import sys
import time

from textual.app import App, ComposeResult

from projects.curve import Point
from tui import theme
from tui.bench.invented import loss_at
from tui.series import Series
from tui.widgets.curve import CurvePlot

POINTS = 10_000


class CurveHost(App[list[float]]):
    """One curve, as large as the train room gives it on 120 x 36."""

    CSS = "CurvePlot { width: 70; height: 16; }"

    def compose(self) -> ComposeResult:
        yield CurvePlot()

    def on_mount(self) -> None:
        for each in theme.themes():
            self.register_theme(each)
        self.theme = "safelight"

    def on_ready(self) -> None:
        plot, found = self.query_one(CurvePlot), []
        series = Series(Point(step, loss_at(step), 1e-4, 0.3) for step in range(1, POINTS))
        for step in range(POINTS, POINTS + int(sys.argv[1])):
            series.extend([Point(step, loss_at(step), 1e-4, 0.3)])
            began = time.perf_counter()
            plot.show(series, None)
            for y in range(plot.size.height):
                plot.render_line(y)
            found.append((time.perf_counter() - began) * 1e3)
        self.exit(found)


if __name__ == "__main__":
    print("\n".join(map(str, CurveHost().run(headless=True, size=(120, 36)) or [])))
