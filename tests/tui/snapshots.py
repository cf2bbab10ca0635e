"""Screens as SVG files: written with SAFELIGHT_SNAPSHOTS=write, and compared otherwise."""

import os
import re
from pathlib import Path

from textual.app import App

FOLDER = Path(__file__).parents[1] / "data" / "screens"


def matches(app: App[object], name: str) -> str:
    """ "" when the screen is as the file says, else what to look at. Ids that differ from run to run are evened out."""
    svg = re.sub(r"terminal-\d+-", "terminal-", app.export_screenshot(title=name, simplify=True))
    svg = re.sub(r"[ \t]+\n", "\n", svg)
    file = FOLDER / f"{name}.svg"
    if os.environ.get("SAFELIGHT_SNAPSHOTS") == "write":
        FOLDER.mkdir(parents=True, exist_ok=True)
        file.write_text(svg)
        return ""
    if file.is_file() and file.read_text() == svg:
        return ""
    seen = Path(os.environ.get("TMPDIR", "/tmp")) / f"{name}.seen.svg"
    seen.write_text(svg)
    return f"{name} looks different: compare {file} with {seen}"


def text_of(app: App[object]) -> str:
    """The screen as lines of text."""
    width, height = app.size
    return "\n".join(
        "".join(segment.text for segment in line).rstrip()
        for line in app.screen._compositor.render_strips(app.size)
    )[: (width + 1) * height]
