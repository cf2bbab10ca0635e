"""A file in the person's own editor, while the workbench steps back."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from projects import atomic

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


def edit_text(bench: "Workbench", text: str, name: str) -> str | None:
    """A text in the person's editor; None where it cannot be started, or the text cannot be read back."""
    with tempfile.TemporaryDirectory(prefix="safelight-") as folder:
        file = Path(folder) / name
        file.write_bytes(text.encode("utf-8"))
        edit_file(bench, file)
        try:
            return file.read_bytes().decode("utf-8")
        except OSError:
            return None
        except UnicodeDecodeError:
            bench.say("The editor wrote something else than UTF-8: nothing was changed.")
            return None


def keep_text(bench: "Workbench", text: str) -> Path:
    """Keep what somebody wrote and nobody could read back, in the project's cache. Gives the file."""
    folder = (bench.project or Path.cwd()) / "cache"
    folder.mkdir(exist_ok=True)
    file = folder / "captions-not-read.txt"
    atomic.write_text(file, text)
    return file
