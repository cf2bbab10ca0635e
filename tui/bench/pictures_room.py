"""The pictures room over a pseudo-terminal, with ten thousand pictures of which nothing is known at first."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tui.bench.figures import Figure, figure, median_of, stall
from tui.bench.marks import AUDITED, ENDED, FIRST_PICTURE, FIRST_ROW
from tui.bench.terminal import Terminal, bytes_each, calm, presses

ENTERED: Final = 5
KEYS: Final = 100
PAGES: Final = 20
REPORT_SECONDS: Final = 15.0
"""How long an audit reports in while keys are pressed."""
AUDIT_SECONDS: Final = 900.0
"""How long the audit of all pictures may take."""
_DOWN, _UP, _LEFT, _RIGHT, _PAGE_DOWN, _PAGE_UP = "j", "k", "\x1b[D", "\x1b[C", "\x1b[6~", "\x1b[5~"


def measure(project: Path, pictures: int, ticks: Path) -> list[Figure]:
    """pictures: how many the project has. ticks: a file for the ticker of `tui.bench.host`."""
    return [
        *reporting(project, pictures, ticks),
        *entering(project, pictures),
        *moving(project, pictures, ticks),
    ]


def reporting(project: Path, pictures: int, ticks: Path) -> list[Figure]:
    """The first audit, of which reports come every second while somebody moves through the list."""
    with Terminal(_host(project, ticks)) as terminal:
        terminal.until(FIRST_ROW)
        calm(terminal)
        began = terminal.send("2")
        terminal.until(FIRST_PICTURE)
        while time.perf_counter() - began < REPORT_SECONDS:
            presses(terminal, [_DOWN, _PAGE_DOWN, _UP], 6)
        ended = time.perf_counter()
        # Stopped, so that what was measured is kept; the rest is for the audit that is entered next.
        terminal.send("S")
        terminal.until(ENDED)
    return [
        stall(
            "ui.pictures_stall_audit",
            ticks,
            began,
            ended,
            f"room entered, its first audit reporting {pictures:,} pictures, keys",
        )
    ]


def entering(project: Path, pictures: int) -> list[Figure]:
    """From the key until the first row of the room came out, each time in a new process."""
    rows = []
    for _ in range(ENTERED):
        with Terminal([sys.executable, "-P", "-m", "tui.cli", "open", str(project)]) as terminal:
            terminal.until("cups")
            calm(terminal)
            rows.append(-terminal.send("2") + terminal.until(FIRST_PICTURE))
    words = f"key 2 until the name of the first of {pictures:,} pictures came out"
    return [median_of("ui.pictures_paint", rows, "s", budget=0.6, method=words)]


def moving(project: Path, pictures: int, ticks: Path) -> list[Figure]:
    """Keys in the list without and with the picture beside it, and in the tiles, once the audit is over."""
    with Terminal(_host(project, ticks)) as terminal:
        terminal.until(FIRST_ROW)
        calm(terminal)
        terminal.send("2")
        terminal.until(FIRST_PICTURE)
        terminal.until(AUDITED, seconds=AUDIT_SECONDS)
        process = calm(terminal)
        began = time.perf_counter()
        idle = terminal.listen(3.0) / 3.0
        beside = presses(terminal, [_DOWN] * 10 + [_UP] * 10, KEYS)
        terminal.press("\\", quiet=0.5)
        alone = presses(terminal, [_DOWN] * 10 + [_UP] * 10, KEYS)
        pages = presses(terminal, [_PAGE_DOWN] * 10 + [_PAGE_UP] * 10, PAGES)
        terminal.press("t", quiet=1.0)
        listed = time.perf_counter()
        tiles = presses(terminal, [_RIGHT] * 3 + [_LEFT] * 3, KEYS)
        grids = presses(terminal, [_PAGE_DOWN] * 5 + [_PAGE_UP] * 5, PAGES, quiet=0.5)
        tiled = time.perf_counter()
        memory = process.memory_info().rss / 1e6
    count = f"of {pictures:,} pictures"
    return [
        figure("ui.pictures_key_bytes", bytes_each(alone, idle), "B", 500.0, f"cursor key, list {count}, picture hidden"),
        figure("ui.pictures_beside_bytes", bytes_each(beside, idle) / 1e3, "kB", None, "the same beside the picture"),
        figure("ui.pictures_page_bytes", bytes_each(pages, idle) / 1e3, "kB", 25.0, f"page key, list {count}"),
        figure("ui.tiles_key_bytes", bytes_each(tiles, idle), "B", 500.0, f"cursor key, tiles {count}"),
        figure("ui.tiles_page_bytes", bytes_each(grids, idle) / 1e3, "kB", None, "page key, tiles and their pictures"),
        stall("ui.pictures_stall", ticks, began, listed, f"keys and pages, list {count}"),
        stall("ui.tiles_stall", ticks, listed, tiled, f"keys and pages, tiles {count}, pictures coming", budget=20.0),
        figure("ui.pictures_memory", memory, "MB", 120.0, f"resident, after {pictures:,} were audited and looked through"),
    ]  # fmt: skip


def _host(project: Path, ticks: Path) -> Sequence[str]:
    return [sys.executable, "-P", "-m", "tui.bench.host", str(project), "0", str(ticks)]
