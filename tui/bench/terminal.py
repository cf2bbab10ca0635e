"""A terminal for programs that are measured: a pseudo-terminal that answers what terminals are asked, and a clock."""

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psutil

from projects.problems import refuse

COLUMNS: Final = 120
ROWS: Final = 36
_CELL_W, _CELL_H = 10, 20
_RESTLESS: Final = 20

ESCAPES: Final = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]_P^X].*?(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])", re.DOTALL
)
"""CSI sequences, strings (OSC, DCS, APC ...) and two-byte escapes."""

# What a program asks, and what a terminal of today with synchronised output and no graphics protocol says.
_ANSWERS: Final = (
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
    (re.compile(rb"\x1b\[\?2048\$p"), b"\x1b[?2048;0$y"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[14t"), b"\x1b[4;%d;%dt" % (ROWS * _CELL_H, COLUMNS * _CELL_W)),
    (re.compile(rb"\x1b\[16t"), b"\x1b[6;%d;%dt" % (_CELL_H, _CELL_W)),
)


@dataclass(frozen=True)
class Answer:
    """What a program wrote after a key."""

    seconds: float
    """From the key to the first byte."""
    size: int
    """Bytes until it was quiet."""
    window: float
    """Seconds that were listened, the last quiet ones included."""


class Terminal:
    """A program on a terminal of its own, 120 x 36. A context manager: the program ends with it."""

    def __init__(self, command: Sequence[str], *, folder: Path | None = None) -> None:
        """Start `command` in `folder`."""
        self._near, far = os.openpty()
        fcntl.ioctl(
            far, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, COLUMNS * _CELL_W, ROWS * _CELL_H)
        )
        self._raw = b""
        self._gone = False
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env=_environment(),
            cwd=folder,
            # A session with this as its terminal, so that the program is hung up and resized as on any other.
            preexec_fn=lambda: os.login_tty(far),
        )
        os.close(far)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the program and everything it started. Closing twice is fine."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._wait(5.0)
        if self._near >= 0:
            os.close(self._near)
            self._near = -1

    def until(self, *marks: str | re.Pattern[str], seconds: float = 30.0) -> float:
        """Read until all marks stand in the text written since the last `forget`; gives the time then (`perf_counter`).

        Raises Refused when they do not come, or the program ends.
        """
        deadline = time.perf_counter() + seconds
        while True:
            text = self.text()
            missing = [
                mark
                for mark in marks
                if not re.search(re.escape(mark) if isinstance(mark, str) else mark, text)
            ]
            if not missing:
                return time.perf_counter()
            left = deadline - time.perf_counter()
            if left <= 0 or not self._read(left):
                what = "ended" if self._gone else f"has not shown it in {seconds:.0f} s"
                where = ", ".join(mark if isinstance(mark, str) else mark.pattern for mark in missing)
                hint = f"Its last words: {' '.join(text.split())[-200:] or 'none'}"
                raise refuse(f"The program that is measured {what}.", where=where, hint=hint)

    def send(self, keys: str) -> float:
        """Press `keys` at once and do not listen; gives the time (`perf_counter`). What came before is forgotten."""
        self._drain()
        self.forget()
        began = time.perf_counter()
        os.write(self._near, keys.encode())
        return began

    def press(self, keys: str, *, quiet: float = 0.04, seconds: float = 5.0) -> Answer:
        """Press `keys` at once and listen until nothing came for `quiet` seconds, at most `seconds` for the first byte.

        A live run draws several times a second: after _RESTLESS times `quiet` whoever waits for rest goes on without it.
        """
        began = self.send(keys)
        first = self._read(seconds)
        answered, size = time.perf_counter(), len(first)
        deadline = answered + _RESTLESS * quiet
        while time.perf_counter() < deadline and (more := self._read(quiet)):
            size += len(more)
        return Answer(answered - began, size, time.perf_counter() - began)

    def listen(self, seconds: float) -> int:
        """How many bytes come in so many seconds without a key."""
        size, deadline = 0, time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            size += len(self._read(left))
        return size

    def settle(self, *, quiet: float = 0.3, seconds: float = 10.0) -> None:
        """Read until nothing came for `quiet` seconds; a program that never rests is left after `seconds`."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline and self._read(quiet):
            pass

    def text(self) -> str:
        """What was written since the last `forget`, in order, without escape sequences: not a picture of the screen."""
        return ESCAPES.sub(b"", self._raw).decode("utf-8", errors="replace")

    def forget(self) -> None:
        """Begin `text` anew."""
        self._raw = b""

    def _drain(self) -> None:
        while self._read(0.0):
            pass

    def _read(self, seconds: float) -> bytes:
        """The next bytes, b"" when none come in time or the program has gone."""
        if not select.select([self._near], [], [], max(0.0, seconds))[0]:
            return b""
        try:
            data = os.read(self._near, 1 << 16)
        except OSError:
            # The last program on the terminal has closed it.
            self._gone = True
            return b""
        self._raw += data
        for question, answer in _ANSWERS:
            for _ in question.findall(data):
                os.write(self._near, answer)
        return data

    def _wait(self, seconds: float) -> None:
        """Wait for the end, reading on: a program with a full terminal in front of it cannot end."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(0.02)
        self.process.wait(timeout=0.01)


def presses(
    terminal: Terminal, order: Sequence[str], count: int, *, skip: int = 0, quiet: float = 0.04
) -> list[Answer]:
    """Answers to `count` keys in this order, again and again; the first `skip` are pressed and left out."""
    found = [terminal.press(order[number % len(order)], quiet=quiet) for number in range(count + skip)]
    return [answer for answer in found[skip:] if answer.size]


def bytes_each(answers: Sequence[Answer], idle: float) -> float:
    """Bytes a key, without the `idle` bytes a second that come in that time anyway."""
    extra = sum(answer.size - idle * answer.window for answer in answers)
    return max(0.0, extra / len(answers))


def calm(terminal: Terminal, *, seconds: float = 90.0) -> psutil.Process:
    """Wait until the program has done what it does at its start; gives its process."""
    process, deadline = psutil.Process(terminal.process.pid), time.monotonic() + seconds
    quiet = 0
    while quiet < 3 and time.monotonic() < deadline:
        before = sum(process.cpu_times()[:2])
        terminal.listen(0.5)
        quiet = quiet + 1 if sum(process.cpu_times()[:2]) - before < 0.05 else 0
    return process


def _environment() -> dict[str, str]:
    """The environment of a good terminal outside of tmux."""
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in ("TMUX", "NO_COLOR", "COLUMNS", "LINES")
    }
    return {**own, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
