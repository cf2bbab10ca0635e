"""The captions room over a pseudo-terminal, with ten thousand captioned pictures and a live run in the top line."""

import re
import sys
import time
from pathlib import Path
from typing import Final

from engine.dataset.captioning.counting import Counting
from projects.project import open_project, resolve
from tui.bench.figures import Figure, figure, median_of, quantile, stall
from tui.bench.interface import PICTURES, idle_figures, surroundings
from tui.bench.invented import CLASS_WORD, TRIGGER
from tui.bench.marks import FIRST_ROW
from tui.bench.startup import safelight
from tui.bench.terminal import Terminal, bytes_each, calm, presses

LETTERS: Final = 150
PICTURES_ON: Final = 40
PAGES: Final = 40
SAVES: Final = 20
_PAGE_DOWN, _PAGE_UP, _ESCAPE, _ENTER, _LEADER = "\x1b[6~", "\x1b[5~", "\x1b", "\r", "\x07"
_TYPED: Final = ", a blue cup with a chipped rim beside a folded newspaper"
_LIGHTS: Final = ("soft window light", "hard noon light", "candle light", "overcast light", "warm lamp light")
_THINGS: Final = ("a linen towel", "a steel spoon", "a wooden board", "a glass of water", "an open book",
                  "a plate of figs", "a folded newspaper", "a blue vase")  # fmt: skip
_LONG: Final = 7
"""Every so many-th caption is longer than CLIP reads."""
_READ: Final = re.compile(r"10,000 inv3nted_cup cup")
"""The commonest phrase with its count: all captions are read, counted and checked."""


def write_captions(project: Path) -> None:
    """Captions as people write them over the ones of an invented project, all different."""
    for number in range(PICTURES):
        (project / "images" / f"{name_of(number)}.txt").write_text(
            caption_of(number) + "\n", encoding="ascii"
        )


def name_of(number: int) -> str:
    """A picture, without its ending."""
    return f"cup-{number:05d}"


def place_of(number: int) -> str:
    """The end of its caption, a word that no line breaks."""
    return f"table-{number:05d}"


def caption_of(number: int) -> str:
    """Its caption: 90 letters, every seventh 700."""
    things = [_THINGS[(number + step * (1 + number % 3)) % len(_THINGS)] for step in range(3)]
    parts = [f"{TRIGGER} {CLASS_WORD}", *dict.fromkeys(things), _LIGHTS[number % len(_LIGHTS)]]
    if number % _LONG == _LONG - 1:
        parts += [f"{thing} behind {other}" for thing in _THINGS[:4] for other in _THINGS[4:]]
    return ", ".join([*parts, place_of(number)])


def measure(folder: Path) -> list[Figure]:
    """Everything that is asked of the room of captions."""
    ticks = folder / "ticks"
    with surroundings(folder) as project:
        write_captions(project)
        found = idle(project)
        command = [sys.executable, "-P", "-m", "tui.bench.host", str(project), "0", str(ticks)]
        with Terminal(command) as terminal:
            terminal.until("cups", FIRST_ROW)
            calm(terminal)
            found += opening(terminal, ticks)
            calm(terminal)
            began = time.perf_counter()
            found += [*writing(terminal, project), *list_figures(terminal)]
            found.append(
                stall("captions.stall", ticks, began, time.perf_counter(), "typing, pages, filters, saves")
            )
            found += many(terminal, ticks)
        return [*found, counting(project)]


def idle(project: Path) -> list[Figure]:
    """The room left alone, without the ticker of the bench's own host, which costs more than the room."""
    with Terminal(safelight("open", str(project))) as terminal:
        terminal.until("cups", FIRST_ROW)
        process = calm(terminal)
        terminal.send("3")
        terminal.until(_READ, seconds=120.0)
        calm(terminal)
        return idle_figures(terminal, process, "captions", "captions room, all captions read and counted")


def opening(terminal: Terminal, ticks: Path) -> list[Figure]:
    """From the key of the room until something can be read and written there, and until everything is read."""
    began = terminal.send("3")
    first = terminal.until(name_of(0), place_of(0)) - began
    listed = terminal.until(f"PICTURES {PICTURES:,}") - began
    read = terminal.until(_READ, seconds=120.0) - began
    terminal.settle()
    words = f"key 3 until it came out of the terminal, {PICTURES:,} captions"
    return [
        figure("captions.open", first, "s", 0.3, f"first row and its caption in the editor, {words}"),
        figure("captions.read", listed, "s", None, f"all pictures in the list, {words}"),
        figure("captions.learned", read, "s", None, f"tokens, phrases and checks of all, {words}"),
        stall(
            "captions.stall_open",
            ticks,
            began,
            time.perf_counter(),
            "opening, reading, counting and checking",
        ),
    ]


def writing(terminal: Terminal, project: Path) -> list[Figure]:
    """Letters, the way to the next picture, and a save."""
    idle = terminal.listen(3.0) / 3.0
    letters = presses(terminal, _TYPED, LETTERS)
    waits = [answer.seconds * 1e3 for answer in letters]
    terminal.press(_ENTER, quiet=0.5)
    following = []
    for number in range(2, 2 + PICTURES_ON):
        began = terminal.send(_ENTER)
        following.append((terminal.until(place_of(number)) - began) * 1e3)
        terminal.settle(quiet=0.1, seconds=0.5)
    onward = presses(terminal, [_ENTER], PICTURES_ON)
    saves = []
    for number in range(2 + 2 * PICTURES_ON - 1, 2 + 2 * PICTURES_ON - 1 + SAVES):
        file = project / "images" / f"{name_of(number)}.txt"
        terminal.press(", kept", quiet=0.1)
        began = terminal.send(_ENTER)
        while not file.read_bytes().endswith(b", kept\n") and time.perf_counter() - began < 5.0:
            time.sleep(0.0005)
        saves.append((time.perf_counter() - began) * 1e3)
        terminal.settle(quiet=0.1, seconds=0.5)
    count = f"{len(waits)} letters, {PICTURES:,} captions, live run"
    return [
        figure("captions.key_p50", quantile(waits, 0.5), "ms", 5.0, f"letter to first byte, {count}"),
        figure("captions.key_p90", quantile(waits, 0.9), "ms", 25.0, f"letter to first byte, {count}"),
        figure("captions.key_bytes", bytes_each(letters, idle), "B", 500.0, f"a letter, {len(letters)} letters"),
        median_of("captions.next", following, "ms", budget=50.0, method="enter until the next caption came out"),
        figure("captions.next_bytes", bytes_each(onward, idle) / 1e3, "kB", None, f"enter and its picture, {len(onward)}"),
        median_of("captions.save", saves, "ms", budget=100.0, method="enter until the caption is in its file"),
    ]  # fmt: skip


def list_figures(terminal: Terminal) -> list[Figure]:
    """Pages of the list, and filters."""
    idle = terminal.listen(2.0) / 2.0
    terminal.press(_ESCAPE, quiet=0.3)
    pages = presses(terminal, [_PAGE_DOWN] * 10 + [_PAGE_UP] * 10, PAGES)
    # The cursor stays on its row when rows go: the rows that are waited for are those at the top.
    terminal.press("g", quiet=0.3)
    found = []
    for words, row in (
        ("tokens>75", _LONG * 11 - 1),
        ("linen", next(n for n in range(99) if "linen" in caption_of(n))),
    ):
        terminal.press("/", quiet=0.3)
        terminal.press(words[:-1], quiet=0.4)
        seconds = []
        for _ in range(5):
            began = terminal.send(words[-1])
            seconds.append(terminal.until(name_of(row)) - began)
            terminal.settle(seconds=1.0)
            terminal.press("\x7f", quiet=0.4)
        terminal.press(_ESCAPE, quiet=0.4)
        name = "captions.filter_tokens" if ">" in words else "captions.filter_words"
        method = f"last letter of {words} until its rows came out"
        found.append(median_of(name, [each * 1e3 for each in seconds], "ms", budget=50.0, method=method))
    return [
        figure(
            "captions.page_bytes",
            bytes_each(pages, idle) / 1e3,
            "kB",
            None,
            f"page key and the picture it comes to, {len(pages)} keys",
        ),
        *found,
    ]


def many(terminal: Terminal, ticks: Path) -> list[Figure]:
    """A replacement in all captions: what it would do, its writing, and taking it back."""
    since = time.perf_counter()
    terminal.press("r", quiet=0.4)
    terminal.press(f"{TRIGGER} {CLASS_WORD[:-1]}", quiet=0.5)
    previews = []
    for _ in range(5):
        began = terminal.send(CLASS_WORD[-1])
        previews.append((terminal.until(f"{PICTURES:,} captions change") - began) * 1e3)
        terminal.settle(seconds=1.0)
        terminal.press("\x7f", quiet=0.5)
    terminal.press(CLASS_WORD[-1], quiet=0.5)
    terminal.press(_ENTER, quiet=0.3)
    terminal.press(f"{TRIGGER} mug", quiet=0.6)
    began = terminal.send(_ENTER)
    written = terminal.until(f"{PICTURES:,} captions changed", seconds=120.0) - began
    calm(terminal)
    began = terminal.send("u")
    back = terminal.until("Took back", seconds=120.0) - began
    calm(terminal)
    count = f"{PICTURES:,} captions"
    return [
        median_of("captions.preview", previews, "ms", budget=200.0, method=f"letter until the table of {count} came out"),
        figure("captions.bulk", written, "s", None, f"enter until {count} are replaced, each file whole"),
        figure("captions.bulk_undo", back, "s", None, f"u until {count} are as before"),
        stall("captions.stall_bulk", ticks, since, time.perf_counter(), "preview, replacement, undo, checks anew"),
    ]  # fmt: skip


def counting(project: Path) -> Figure:
    """Tokens of all captions, in the process that counts them."""
    helper = Counting(project, resolve(open_project(project)).base)
    try:
        places = helper.places
        began = time.perf_counter()
        helper.counts([caption_of(number) for number in range(PICTURES)])
        seconds = time.perf_counter() - began
    finally:
        helper.close()
    words = (
        f"{PICTURES:,} captions for {len(places)} encoder{'s' * (len(places) != 1)}, in a process of its own"
    )
    return figure("captions.count", seconds, "s", None, words)
