"""python -m engine.dataset.audit PROJECT [--set KEY=VALUE]: an audit by line, for the terminal that started it.

Each line is one JSON object. `report` has what changed: pictures of which more is known, and all findings as they are now.
It ends when it is done, when its input is closed, and on SIGTERM; what it has measured by then is kept.
"""

import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from engine.dataset.audit.audit import Report, audit
from engine.dataset.audit.count import usable
from engine.dataset.audit.shapes import Audited
from engine.dataset.audit.shelf import CHECKS
from projects.bases import describe
from projects.problems import Refused
from projects.project import open_project, resolve


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0 when it came to its end or was stopped, 1 when it was refused."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threading.Thread(target=_until_closed, args=(stopping,), daemon=True).start()
    # What is read of ten thousand known pictures stays until the end: to look through it for garbage, again and again,
    # takes as long as reading it.
    gc.disable()
    try:
        project = open_project(Path(arguments[0]))
        spec = resolve(project, arguments[1:])
        facts = describe(spec.base.source, project.path, revision=spec.base.revision)
        first = True
        for report in audit(project.path, spec, facts, should_stop=stopping.is_set):
            _say(_told(report, everything=first))
            if first:
                gc.freeze()
                gc.enable()
            first = False
    except Refused as refused:
        told = [problem.table() for problem in refused.problems]
        _say({"kind": "refused", "usage": refused.usage, "problems": told})
        return 1
    return 0


def _told(report: Report, *, everything: bool) -> dict[str, Any]:
    changed = set(report.changed)
    coverage = [words for check in CHECKS if check.cover and (words := check.cover(report.collection))]
    return {
        "kind": "report",
        "stage": report.stage,
        "done": report.done,
        "total": report.total,
        "complete": report.collection.complete,
        "usable": usable(report.collection),
        "coverage": coverage,
        "checks": {check.name: check.title for check in CHECKS},
        "findings": [finding.table() for finding in report.findings],
        "problems": [problem.table() for problem in report.problems],
        "pictures": [
            picture_table(one) for one in report.collection.pictures if everything or one.name in changed
        ],
    }


def picture_table(one: Audited) -> dict[str, Any]:
    """What a row of a list says of a picture."""
    return {
        "name": one.name,
        "path": str(one.path),
        "role": one.role,
        "size": one.value("opened", "size") or one.value("header", "size"),
        "kind": one.value("header", "kind"),
        "placements": [
            {
                "resolution": each.resolution,
                "bucket": each.bucket,
                "scaled": each.scaled,
                "crop": each.crop_left_top,
            }
            for each in one.placements
        ],
        "values": {name: values for name, values in one.values.items() if name in ROW_VALUES},
    }


ROW_VALUES = ("sharpness", "faces", "colour")
"""Measures whose numbers rows and filters show."""


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


def _until_closed(stopping: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stopping.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
