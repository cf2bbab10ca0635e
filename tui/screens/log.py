"""The end of a worker's log, and what its events said, to read: every line whole, on as many as it takes."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tui.follow import RunView
from tui.run_list import short_name
from tui.screens.modal import Reading
from tui.spans import Spans
from tui.working import in_thread

if TYPE_CHECKING:
    from tui.app import Workbench

_MOST = 1 << 18


def show_log(bench: "Workbench", view: RunView) -> None:
    """Read the log in a thread and show it from its end."""

    def work() -> list[Spans]:
        lines: list[Spans] = [[("EVENTS", "muted")], *([(line.text, "text")] for line in view.lines)]
        text = tail_of(view.job.log)
        return [*lines, [("", "text")], [("OUT.LOG", "muted")], *([(line, "text")] for line in text)]

    def then(lines: list[Spans]) -> None:
        bench.push_screen(Reading(f"Log of {short_name(view.job)}", lines, from_end=True, folded=True))

    in_thread(bench, work, then)


def tail_of(path: Path) -> list[str]:
    """The last 256 kB of a log as lines, a cut first one left out."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _MOST))
            data = file.read()
    except OSError as error:
        return [f"(there is no log: {error.strerror})"]
    lines = data.decode("utf-8", errors="replace").splitlines()
    return (lines[1:] if size > _MOST else lines) or ["(nothing yet)"]
