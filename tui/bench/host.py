"""The workbench with a list of ten thousand rows in front and a ticker behind, started as a process to be measured.

    python -m tui.bench.host PROJECT ROWS TICKS

The list is the one that the rooms use, in the rooms' frame, with the run of the project live in the top line; ROWS 0 leaves
it out. The ticker sleeps three milliseconds at a time on the interface's own loop; how late it wakes is how long the loop
was busy with something else. What is later than a millisecond is written to TICKS: time (perf_counter), seconds late, and
the seconds that the loop and that all threads worked meanwhile: the rest other programs had the processors.
"""

import asyncio
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from textual.containers import Horizontal
from textual.widget import Widget

from tui.app import Workbench
from tui.bench.marks import TICK_SECONDS, row_name
from tui.screens import room
from tui.spans import Spans
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines


class RowsRoom(room.Room):
    """A list in the frame, between the panes that a room of pictures has at its sides."""

    CSS_PATH = Path(room.__file__).with_name("room.tcss")
    ROOM = "rows"

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows

    def body(self) -> Iterable[Widget]:
        with Horizontal():
            yield Lines(id="findings")
            yield LineList(self._spans, text=row_name, id="rows")
            yield Lines(id="picture")

    def on_mount(self) -> None:
        self.query_one("#findings").styles.width = 26
        self.query_one("#picture").styles.width = 34
        rows = self.query_one("#rows", LineList)
        rows.show(range(self._rows))
        rows.focus()

    def _spans(self, row: int, width: int) -> Spans:
        mark = ("!", "bad") if row % 97 == 0 else ("✓", "good")
        facts = f"   2048×3072   {100 + row % 100}  close   window"
        return [mark, (f" {row_name(row)}", "text"), (facts, "muted")]


class Host(Workbench):
    """The workbench, watched."""

    def __init__(self, project: Path, rows: int, ticks: Path) -> None:
        super().__init__(project)
        self._count, self._ticks = rows, ticks
        self._ticker: asyncio.Task[None] | None = None

    def on_ready(self) -> None:
        if self._count:
            self.push_screen(RowsRoom(self._count))
        self._ticker = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        with self._ticks.open("a", encoding="ascii", buffering=1) as file:
            while True:
                began, own, all_threads = time.perf_counter(), time.thread_time(), time.process_time()
                await asyncio.sleep(TICK_SECONDS)
                late = time.perf_counter() - began - TICK_SECONDS
                if late > 0.001:
                    own, all_threads = time.thread_time() - own, time.process_time() - all_threads
                    file.write(f"{began} {late} {own} {all_threads}\n")


if __name__ == "__main__":
    Host(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])).run()
