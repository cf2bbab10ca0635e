"""An audit that only says what was recorded: a program that prints lines and, where it is told to, waits to be stopped."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.dataset.findings import Box, Finding

_PROGRAM = """
import os, sys
sys.stdout.write(open(sys.argv[1]).read())
sys.stdout.flush()
if sys.argv[2] == "waits":
    sys.stdin.read()
if sys.argv[2] == "killed":
    os.kill(os.getpid(), 9)
if sys.argv[2].isdigit():
    sys.exit("it broke in the middle, code " + sys.argv[2])
"""


def command(folder: Path, reports: Sequence[Mapping[str, Any]], then: str = "ends") -> tuple[str, ...]:
    """A command that says these reports. then: "ends", "waits" until its input is closed, "killed", or an exit code."""
    lines = folder / "audit-lines"
    lines.write_text("".join(json.dumps(line) + "\n" for report in reports for line in lines_of(report)))
    return sys.executable, "-c", _PROGRAM, str(lines), then


def lines_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A report as it is said: its pictures, its findings, and the rest."""
    rest = {name: told for name, told in report.items() if name not in ("pictures", "findings")}
    some = [name for name in ("pictures", "findings") if report.get(name)]
    return [*({"kind": name, name: report[name]} for name in some), rest]


def report(project: Path, **changes: Any) -> dict[str, Any]:
    """What is known of a project of `recorded.write_project` in the end."""
    names = sorted(path.name for path in (project / "images").glob("*.png"))
    told = {
        "kind": "report", "stage": "", "done": 0, "total": 0, "complete": True, "problems": [],
        "lights": {name: 1 + at // 2 for at, name in enumerate(names[:4])},
        "coverage": ["5 usable of 6", "light 3 set-ups"],
        "checks": {"truncated": "cut short", "watermark": "watermark", "near-duplicate": "near-duplicates",
                   "text": "text in it"},
        "findings": [finding.table() for finding in findings(names)],
        "pictures": [picture(project, name, at) for at, name in enumerate(names)],
    }  # fmt: skip
    return {**told, **changes}


def picture(project: Path, name: str, at: int = 0) -> dict[str, Any]:
    """One row: tall pictures that are cut to a square, the first a little below the middle."""
    placement = {"resolution": 64, "bucket": [64, 64], "scaled": [64, 96], "crop": [0, 16]}
    return {
        "name": name, "path": str(project / "images" / name), "role": "subject", "set": "images", "size": [64, 64 + at],
        "kind": "PNG", "placements": [placement], "sharp": 100.0 + at, "faces": at % 3,
        "distance": ("", "close-up", "medium")[at % 3],
    }  # fmt: skip


def findings(names: Sequence[str]) -> list[Finding]:
    """One broken file, a mark in two pictures, three that are the same, and a check that could not look."""
    mark = Box(left=0.5, top=0.8, right=0.95, bottom=0.95, label="© studio n")
    return [
        Finding(
            check="truncated", severity="blocker", pictures=(names[0],), confidence="exact", method="full decode",
            value=f"{names[0]} is truncated: it has no end mark.", remedy="Copy it again, or leave it out.",
        ),
        Finding(
            check="watermark", severity="warning", pictures=(names[1], names[2]), number=0.91, threshold=0.6,
            confidence="measured", method="gradient consensus, version 1", value="The same mark in 2 pictures.",
            remedy="Crop it away, or leave them out.", boxes={names[1]: (mark,), names[2]: (mark,)},
        ),
        Finding(
            check="near-duplicate", severity="note", pictures=tuple(names[3:6]), keep=names[3], number=4, threshold=10,
            confidence="measured", method="bits of 64", value="3 pictures are nearly the same.", remedy="Keep one.",
        ),
        Finding(
            check="text", severity="note", pictures=(), confidence="not-run", method="reading text",
            value="Not looked for: text in it.", remedy="pip install 'safelight[ocr]'",
        ),
    ]  # fmt: skip
