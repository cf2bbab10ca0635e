"""A file in the person's own editor, while the workbench steps back."""

import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

if TYPE_CHECKING:
    from tui.app import Workbench


def edit_file(bench: "Workbench", file: Path) -> None:
    """Open `file` in $VISUAL or $EDITOR, else vi, and come back when it ends."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        with bench.suspend():
            code = subprocess.call([*shlex.split(command), os.fspath(file)])
    except SuspendNotSupported:
        bench.say("This terminal cannot step back for an editor.")
    except (OSError, ValueError) as error:
        bench.say(f"The editor {command} cannot be started: {error}. Set $EDITOR.")
    else:
        if code:
            bench.say(f"The editor ended with {code}.")
