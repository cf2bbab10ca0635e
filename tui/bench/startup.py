"""How long it takes until something is there: the command's help, and the smallest full-screen program."""

import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

from projects.problems import refuse
from tui.bench.figures import Figure, median_of
from tui.bench.terminal import Terminal

TIMES: Final = 10
HELP_BUDGET: Final = 0.3
_PLAIN_MARK: Final = "plain-app-is-there"


def measure(*, times: int = TIMES) -> list[Figure]:
    """By turns, so that all of them see the same minutes of the machine; each once before, for the disk cache."""
    shown, textual, plain = [], [], []
    for _ in range(times + 1):
        shown.append(process_seconds(safelight("--help")))
        textual.append(process_seconds([sys.executable, "-c", "import textual.app"]))
        plain.append(plain_paint())
    return [
        median_of(
            "startup.help", shown[1:], "s", budget=HELP_BUDGET, method="safelight --help, whole process"
        ),
        median_of(
            "startup.textual", textual[1:], "s", method='python -c "import textual.app", whole process'
        ),
        median_of(
            "startup.plain_paint", plain[1:], "s", method="a Textual app of one line, start to its text"
        ),
    ]


def safelight(*arguments: str) -> list[str]:
    """A command line of Safelight, run by this Python."""
    return [sys.executable, "-P", "-m", "tui.cli", *arguments]


def process_seconds(command: Sequence[str]) -> float:
    """From the start of a process to its end. Raises Refused when it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise refuse(
            "A command that is measured failed.", where=" ".join(command[1:]), hint=said[-1] if said else ""
        )
    return seconds


def plain_paint() -> float:
    """Seconds from the start of the plain app to its text."""
    with Terminal([sys.executable, "-P", "-m", "tui.bench.plain_app", _PLAIN_MARK]) as terminal:
        return terminal.until(_PLAIN_MARK) - terminal.started
