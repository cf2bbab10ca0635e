"""Kills the captions room in the middle of work, again and again, and looks what became of the captions.

    python -m tests.tui.killing --rounds 200

Each round is the real program on a pseudo-terminal, keys at random (letters, next, previous, undo, replace in all, an
edit of several), SIGKILL at a random moment, and what a start after it makes of the folder. All captions together must
be what they were after one of the keys, and none that was on the screen for longer than `_MAY_BE_LOST` may be missing:
no caption is lost, half-written or reverted, and a change of many captions is done or not.
"""

import argparse
import itertools
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from PIL import Image

from engine.dataset.captioning.book import Book
from engine.dataset.captioning.content import content_of, shown
from projects.problems import Refused
from projects.project import open_project, resolve
from tests.engine.dataset.captioning.kitchen import PROJECT
from tui.bench.interface import own_places
from tui.bench.terminal import Terminal

_MAY_BE_LOST: Final = 1.5
"""Seconds: the second between two notes of what is typed, and as long as a note takes on a busy machine."""
_BEGIN: Final = (
    "k1tch, tone0\r\n",
    "\ufeffk1tch, tone0, 85mm",
    None,
    "k1tch, tone0, a mug\n",
    "k1tch, tone0, plum\n",
)
_END, _ENTER, _BACK, _LEADER, _ESCAPE, _UNDO = "\x1b[1;5F", "\r", "\x1b[5~", "\x07", "\x1b", "\x1a"

State = tuple[str, ...]
"""All captions, "" where there is none."""


@dataclass
class Round:
    """One session: what was typed so far, what that should come to, and when it was on the screen."""

    project: Path
    rng: random.Random
    states: list[State] = field(default_factory=list)
    seen_at: list[float] = field(default_factory=list)
    """By state: when the screen showed it (perf_counter); infinite before."""
    at: int = 0
    """The picture in the editor."""
    tone: int = 0
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    done: list[str] = field(default_factory=list)
    """The keys' meanings, to say what a round was."""

    def put(self, *states: State) -> None:
        """States that keys lead to, one after the other."""
        for state in states:
            self.states.append(state)
            self.seen_at.append(float("inf"))

    def seen(self) -> None:
        """The last state is on the screen."""
        now = time.perf_counter()
        self.seen_at = [min(each, now) for each in self.seen_at]

    def with_text(self, text: str, *places: int) -> State:
        """The last state with another text there."""
        return tuple(
            text if at in (places or (self.at,)) else each for at, each in enumerate(self.states[-1])
        )


def write_project(folder: Path) -> Path:
    """Five pictures, one without a caption."""
    (folder / "images").mkdir(parents=True)
    (folder / "project.toml").write_text(PROJECT)
    for number, text in enumerate(_BEGIN):
        Image.new("RGB", (64, 64), (number * 40, 90, 90)).save(folder / "images" / f"IMG_{number}.png")
        if text is not None:
            (folder / "images" / f"IMG_{number}.txt").write_bytes(text.encode())
    return folder


def on_disk(project: Path) -> State:
    """What the files say."""
    files = [project / "images" / f"IMG_{number}.txt" for number in range(len(_BEGIN))]
    return tuple(shown(content_of(file.read_bytes()).text) if file.exists() else "" for file in files)


# ---- keys


def type_words(here: Round, terminal: Terminal, *, then: str = "") -> str:
    """A phrase at the end of the caption, and at once the key behind it."""
    before = here.states[-1][here.at]
    word = f"w{next(here.numbers)}x"
    words = f", {word}" if before else word
    here.put(*(here.with_text(before + words[:end]) for end in range(1, len(words) + 1)))
    terminal.send(_END + words + then)
    return word


def letters(here: Round, terminal: Terminal) -> None:
    """Only typed: in the journal within a second, in the file when the person pauses."""
    terminal.until(type_words(here, terminal))


def onward(here: Round, terminal: Terminal) -> None:
    """Typed, saved and gone on, in one go."""
    type_words(here, terminal, then=_ENTER)
    here.at = min(here.at + 1, len(_BEGIN) - 1)
    until(lambda: on_disk(here.project) == here.states[-1], terminal)


def back(here: Round, terminal: Terminal) -> None:
    """To the picture before, and on with typing before the screen shows it."""
    terminal.send(_BACK)
    here.at = max(here.at - 1, 0)
    terminal.until(type_words(here, terminal))


def undo(here: Round, terminal: Terminal) -> None:
    """An edit, saved, and taken back from the picture behind it."""
    until(lambda: on_disk(here.project) == here.states[-1], terminal)
    before, place = here.states[-1], here.at
    type_words(here, terminal, then=_ENTER)
    until(lambda: on_disk(here.project) == here.states[-1], terminal)
    here.seen()
    here.put(before)
    terminal.send(_UNDO)
    here.at = place
    terminal.until(f"Took back: edited IMG_{place}.txt")


def replace_all(here: Round, terminal: Terminal) -> None:
    """One word in all captions that have it."""
    until(lambda: on_disk(here.project) == here.states[-1], terminal)
    old, new = f"tone{here.tone}", f"tone{here.tone + 1}"
    terminal.send(_LEADER)
    terminal.until("next open")
    terminal.send("r")
    terminal.until("REPLACE")
    terminal.send(f"{old}{_ENTER}{new}")
    terminal.until("captions change")
    here.put(tuple(each.replace(old, new) for each in here.states[-1]))
    here.tone += 1
    terminal.send(_ENTER)
    terminal.until("captions changed")


def several(here: Round, terminal: Terminal) -> None:
    """A phrase into what the first two share; the cursor is on the third then."""
    until(lambda: on_disk(here.project) == here.states[-1], terminal)
    terminal.send(_ESCAPE)
    terminal.until("next open")
    terminal.send("g  ")
    terminal.until("2 selected")
    terminal.send(_ENTER)
    terminal.until("captions share")
    word = f"m{next(here.numbers)}x"
    made = tuple(f"{each}, {word}" if at < 2 else each for at, each in enumerate(here.states[-1]))
    terminal.send(f"{_END}, {word}")
    terminal.until(word)
    here.put(made)
    terminal.send(_ESCAPE)
    until(lambda: on_disk(here.project) == made, terminal)
    here.seen()
    terminal.settle(quiet=0.5, seconds=2.0)
    terminal.send("g  ")
    terminal.settle(quiet=0.5, seconds=2.0)
    terminal.send(_ENTER)
    terminal.until("save and next")
    here.at = 2


_KEYS: Final[tuple[tuple[Callable[[Round, Terminal], None], int], ...]] = (
    (letters, 6), (onward, 6), (back, 4), (undo, 2), (replace_all, 2), (several, 1),
)  # fmt: skip


def until(holds: Callable[[], bool], terminal: Terminal, *, seconds: float = 20.0) -> None:
    """Wait until it holds; raises Refused where the program ends, AssertionError where it never does."""
    deadline = time.perf_counter() + seconds
    while not holds():
        if terminal.process.poll() is not None:
            terminal.until("never shown", seconds=0.1)
        assert time.perf_counter() < deadline, "it never came to that"
        terminal.listen(0.01)


# ---- one round


def session(folder: Path, seed: int) -> str:
    """One round; "" or what is wrong with what it left."""
    rng = random.Random(seed)
    here = Round(write_project(folder), rng)
    here.put(on_disk(here.project))
    killed: list[float] = []
    with Terminal([sys.executable, "-P", "-m", "tui.cli", "open", str(here.project)]) as terminal:
        terminal.until("kitchen", "trigger")
        terminal.settle(quiet=0.2, seconds=2.0)
        terminal.send("3")
        terminal.until("tone0", "IMG_4")
        # What the opening still draws must not be taken for the answer to the first key.
        terminal.settle(quiet=0.3, seconds=3.0)
        here.seen()

        def kill() -> None:
            killed.append(time.perf_counter())
            os.kill(terminal.process.pid, signal.SIGKILL)

        timer = threading.Timer(rng.uniform(0.1, 7.0), kill)
        timer.start()
        try:
            while terminal.process.poll() is None:
                work = rng.choices([each for each, _ in _KEYS], [often for _, often in _KEYS])[0]
                here.done.append(work.__name__)
                work(here, terminal)
                here.seen()
                if rng.random() < 0.3:
                    terminal.listen(rng.uniform(0.0, 1.5))
        except (Refused, OSError, AssertionError) as error:
            if not killed:
                return f"before the kill, after {here.done}: {error}"
        finally:
            timer.cancel()
            terminal.process.wait(timeout=30)
    return judged(here, killed[0])


def judged(here: Round, killed: float) -> str:
    """What is wrong with the captions after a kill at that time; "" for nothing."""
    told = f"keys {here.done}"
    ever = [set(each) for each in zip(*here.states, strict=True)]
    if any(text not in known for text, known in zip(on_disk(here.project), ever, strict=True)):
        return f"half-written: {on_disk(here.project)}; {told}"
    book = Book(here.project, resolve(open_project(here.project)).data)
    book.load()
    book.finish()
    outcome = book.restore()
    if outcome.conflicts or outcome.problems:
        return f"conflicts {outcome.conflicts} problems {outcome.problems}; {told}"
    found = on_disk(here.project)
    kept = max((at for at, state in enumerate(here.states) if state == found), default=-1)
    if kept < 0:
        return f"never typed: {found}; the last was {here.states[-1]}; {told}"
    for at in range(kept + 1, len(here.states)):
        if (age := killed - here.seen_at[at]) > _MAY_BE_LOST:
            return f"lost: {here.states[at]} was on the screen for {age:.2f} s, and {found} is left; {told}"
    again = Book(here.project, book.data)
    again.load()
    if again.finish() or again.restore().op or on_disk(here.project) != found:
        return f"a second start changes something; {told}"
    return ""


def rounds(folder: Path, count: int, *, seed: int, parallel: int = 1) -> list[str]:
    """So many rounds; what is wrong, each with its seed."""
    with own_places(folder), ThreadPoolExecutor(parallel) as pool:
        found = list(pool.map(lambda at: session(folder / str(at), seed + at), range(count)))
    return [f"seed {seed + at}: {words}" for at, words in enumerate(found) if words]


def main() -> int:
    """Run them; exit status 1 where anything was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parallel", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safelight-kills-") as folder:
        wrong = rounds(Path(folder), asked.rounds, seed=asked.seed, parallel=asked.parallel)
    print("\n".join([*wrong, f"{asked.rounds} kills, {len(wrong)} with something wrong"]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
