"""Opens a file in the desktop's own program, where there is a desktop."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

_OPENING_SECONDS: Final = 2.0


def opener() -> str:
    """The program that opens files on the display of this terminal; "" where there is none."""
    if sys.platform == "darwin":
        return shutil.which("open") or ""
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return (shutil.which("xdg-open") or "") if display else ""


def open_with(program: str, path: Path) -> str:
    """Start it on a file, for a thread: nothing of it reaches the terminal. Gives why it did not open; "" where it did.

    One that is still at work after a moment has opened it: some end only when their window is closed.
    """
    process = subprocess.Popen(
        [program, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        code = process.wait(timeout=_OPENING_SECONDS)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, name="external", daemon=True).start()
        return ""
    return f"{Path(program).name} could not open {path.name} (code {code})." if code else ""
