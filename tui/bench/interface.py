"""The workbench over a pseudo-terminal, with ten thousand pictures and a live run that writes ten events a second."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from tui.bench import invented, pictures_room
from tui.bench.figures import Figure, figure, median_of, quantile, stall
from tui.bench.marks import FIRST_ROW, NUMBERS, WHOLE_CURVE, row_name
from tui.bench.startup import plain_paint, safelight
from tui.bench.terminal import Terminal, bytes_each, calm, presses

PICTURES: Final = 10_000
ROWS: Final = 10_000
EVENTS: Final = 200_000
PAINTS: Final = 7
ATTACHES: Final = 5
KEYS: Final = 200
PAGES: Final = 40
IDLE_SECONDS: Final = 20.0
VISIT_SECONDS: Final = 1.5
_DOWN, _UP, _PAGE_DOWN, _PAGE_UP, _ESCAPE = "j", "k", "\x1b[6~", "\x1b[5~", "\x1b"


@contextmanager
def own_places(folder: Path) -> Iterator[None]:
    """For programs that are started meanwhile a state and a configuration of their own."""
    own = {"SAFELIGHT_STATE": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def surroundings(folder: Path) -> Iterator[Path]:
    """A project with pictures and a live run, and for the measured programs a state and a configuration of their own."""
    project = invented.write_project(folder / "cups", PICTURES)
    run = invented.write_run(project, EVENTS, name="long", ended=False)
    with own_places(folder), invented.live(run):
        yield project


def measure(folder: Path) -> list[Figure]:
    """Everything that screens.md asks of what exists."""
    with surroundings(folder) as project:
        return [
            *first_paint(project), *attach_and_idle(project), *keys(project, folder / "ticks"),
            *pictures_room.measure(project, PICTURES, folder / "room-ticks"), curve(),
        ]  # fmt: skip


def first_paint(project: Path) -> list[Figure]:
    """Of the project room and of home, by turns with the smallest Textual app."""
    rooms, homes, ratios = [], [], []
    for _ in range(PAINTS):
        plain = plain_paint()
        with Terminal(safelight("open", str(project))) as terminal:
            rooms.append(terminal.until("cups", FIRST_ROW) - terminal.started)
        with Terminal(safelight("open"), folder=project.parent) as terminal:
            homes.append(terminal.until("PROJECTS", "cups") - terminal.started)
        ratios.append(rooms[-1] / plain)
    words = "start of the process until name and first row came out of the terminal"
    return [
        median_of("ui.first_paint", rooms, "s", budget=0.6, method=f"project room, {words}"),
        median_of("ui.first_paint_home", homes, "s", budget=0.6, method=f"home, {words}"),
        median_of(
            "ui.first_paint_ratio", ratios, "x", budget=2.0, method="project room against a plain Textual app"
        ),
    ]


def attach_and_idle(project: Path) -> list[Figure]:
    """The train room on a run of 200,000 events: until it shows something, then what it costs to leave it open."""
    numbers, curves = [], []
    for attempt in range(ATTACHES):
        with Terminal(safelight("open", str(project))) as terminal:
            terminal.until("cups", FIRST_ROW)
            process = calm(terminal)
            began = terminal.send("4")
            numbers.append(terminal.until(NUMBERS) - began)
            curves.append(terminal.until(WHOLE_CURVE) - began)
            if attempt == ATTACHES - 1:
                calm(terminal)
                idle = idle_figures(terminal, process)
    words = f"key 4 until it came out of the terminal, {EVENTS:,} events"
    return [
        median_of("ui.attach_numbers", numbers, "s", budget=0.1, method=f"step of the run, {words}"),
        median_of("ui.attach_curve", curves, "s", budget=1.0, method=f"curve with its axis, {words}"),
        *idle,
    ]


def idle_figures(
    terminal: Terminal, process: psutil.Process, group: str = "ui", where: str = "train room"
) -> list[Figure]:
    """Bytes, processor and memory of a room while nobody presses anything."""
    before, began = sum(process.cpu_times()[:2]), time.perf_counter()
    size = terminal.listen(IDLE_SECONDS)
    seconds = time.perf_counter() - began
    busy = sum(process.cpu_times()[:2]) - before
    memory = process.memory_info().rss / 1e6
    words = f"{where}, live run, no key, {seconds:.0f} s"
    return [
        figure(f"{group}.idle_bytes", size / seconds / 1e3, "kB/s", 1.0, words),
        figure(f"{group}.idle_cpu", 100 * busy / seconds, "%", 3.0, f"{words}, of one core"),
        figure(
            f"{group}.memory",
            memory,
            "MB",
            120.0,
            f"resident, after {PICTURES:,} pictures checked and the run attached",
        ),
    ]


def keys(project: Path, ticks: Path) -> list[Figure]:
    """A list of ten thousand rows in the workbench's frame, the run live in the top line."""
    command = [sys.executable, "-P", "-m", "tui.bench.host", str(project), str(ROWS), str(ticks)]
    with Terminal(command) as terminal:
        terminal.until(row_name(0))
        calm(terminal)
        began = time.perf_counter()
        idle = terminal.listen(3.0) / 3.0
        inside = presses(terminal, [_DOWN] * 20 + [_UP] * 20, KEYS)
        edge = presses(terminal, [_DOWN] * 40, KEYS // 2, skip=40)
        pages = presses(terminal, [_PAGE_DOWN] * 10 + [_PAGE_UP] * 10, PAGES)
        filters = filter_seconds(terminal)
        visits = time.perf_counter()
        visit_rooms(terminal)
        # The program's own end, which follows, holds its loop up and is nothing that anyone waits for.
        left = time.perf_counter()
    waits = [answer.seconds * 1e3 for answer in (*inside, *edge)]
    count = f"{len(waits)} keys on {ROWS:,} rows, live run"
    return [
        figure("ui.key_p50", quantile(waits, 0.5), "ms", 5.0, f"cursor key to first byte, {count}"),
        figure("ui.key_p90", quantile(waits, 0.9), "ms", 25.0, f"cursor key to first byte, {count}"),
        figure("ui.key_bytes", bytes_each(inside, idle), "B", 500.0, f"cursor key within the page, {len(inside)} keys"),
        figure("ui.scroll_bytes", bytes_each(edge, idle), "B", None, f"cursor key that scrolls, {len(edge)} keys"),
        figure("ui.page_bytes", bytes_each(pages, idle) / 1e3, "kB", 25.0, f"page key, {len(pages)} keys"),
        figure("ui.filter", quantile(filters, 0.9) * 1e3, "ms", 50.0,
               f"typed letter to its rows, p90 of {len(filters)}, {ROWS:,} rows"),
        stall("ui.stall", ticks, began, visits, "keys, pages and filter on the rows"),
        stall("ui.stall_rooms", ticks, visits, left, f"rooms visited, {EVENTS:,} events attached"),
    ]  # fmt: skip


def filter_seconds(terminal: Terminal) -> list[float]:
    """From each typed letter of a filter until the first row that it leaves came out of the terminal."""
    found = []
    for word in ("4567", "8213", "9736"):
        terminal.press("g", quiet=0.2)
        terminal.press("/", quiet=0.2)
        for end in range(1, len(word) + 1):
            began = terminal.send(word[end - 1])
            found.append(terminal.until(row_name(int(word[:end]))) - began)
            terminal.listen(0.2)
        terminal.press(_ESCAPE, quiet=0.3)
    return found


def visit_rooms(terminal: Terminal) -> None:
    """Go to the rooms, twice, and wait in each for a moment."""
    for _ in range(2):
        for key in "4150":
            terminal.press(key)
            terminal.listen(VISIT_SECONDS)


def curve() -> Figure:
    """The curve of 10,000 points, drawn again and again in a process of its own."""
    command = [sys.executable, "-P", "-m", "tui.bench.curve_host", "200"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    times = [float(line) for line in done.stdout.split()]
    words = "widget's own work on 70 x 16 cells"
    return median_of("ui.curve", times, "ms", budget=2.0, method=f"10,000 points, {words}")
