"""The clipboard of the terminal that somebody sits at, through SSH and tmux."""

import os
import shutil
import subprocess
import threading
from typing import Any, Final

_PATIENCE: Final = 2.0
"""Seconds that tmux has to answer."""


def copy(app: Any, text: str) -> None:
    """To the outer terminal by OSC 52, and in tmux, which keeps that to itself, by its own buffer too."""
    app.copy_to_clipboard(text)
    if _tmux():
        threading.Thread(target=_load, args=(text,), name="clipboard", daemon=True).start()


def pasted(app: Any) -> str:
    """What was copied last: here, or in tmux. Takes some milliseconds there."""
    if app.clipboard or not _tmux():
        return str(app.clipboard)
    try:
        found = subprocess.run(
            ["tmux", "save-buffer", "-"], capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.decode("utf-8", errors="replace") if found.returncode == 0 else ""


def _tmux() -> bool:
    return bool(os.environ.get("TMUX")) and shutil.which("tmux") is not None


def _load(text: str) -> None:
    data = text.encode("utf-8", errors="replace")
    try:
        # -w hands it on to the terminal outside, where tmux 3.2 and newer may.
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"], input=data, capture_output=True, timeout=_PATIENCE
        )
        if done.returncode:
            subprocess.run(["tmux", "load-buffer", "-"], input=data, capture_output=True, timeout=_PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return
