"""Opens a file in the desktop's own program, where there is a desktop."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def opener() -> str:
    """The program that opens files on the display of this terminal; "" where there is none."""
    if sys.platform == "darwin":
        return shutil.which("open") or ""
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return (shutil.which("xdg-open") or "") if display else ""


def open_with(program: str, path: Path) -> None:
    """Start it on a file and wait for its end, for a thread: nothing of it reaches the terminal."""
    subprocess.run(
        [program, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, check=False,
    )  # fmt: skip
