"""How this program is called here: a command that is printed for people must run as it stands."""

import os
import re
import shlex
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Final

NAME: Final = "safelight"


def as_called(words: str) -> str:
    """`words` with the commands in them as they can be typed in this folder."""
    command = command_here(sys.argv[0], Path.cwd()) if NAME in words else NAME
    return words if command == NAME else _command().sub(lambda _: command, words)


@cache
def _command() -> re.Pattern[str]:
    """The name where it is a command: in front of a verb or an option, and no part of a path."""
    from tui.cli import VERBS  # which prints through this module

    return re.compile(rf"(?<![\w./-]){NAME}(?= (?:--|(?:{'|'.join(VERBS)})\b))")


@cache
def command_here(called: str, here: Path) -> str:
    """`safelight` where that is found on PATH and is the program in `called` (argv[0]); else the program's path.

    The path is relative where it lies below `here`. Another name than the command's own, as a test's, changes nothing.
    """
    program = Path(os.path.abspath(called))
    if program.name != NAME or not program.is_file():
        return NAME
    found = shutil.which(NAME)
    if found and os.path.samefile(found, program):
        return NAME
    path = os.fspath(program.relative_to(here)) if program.is_relative_to(here) else os.fspath(program)
    return shlex.quote(path if os.sep in path else f".{os.sep}{path}")
