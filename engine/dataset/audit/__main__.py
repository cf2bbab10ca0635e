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
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.dataset.audit.audit import Report, audit
from engine.dataset.audit.count import usable
from engine.dataset.audit.kinds import distance_of
from engine.dataset.audit.setups import setups
from engine.dataset.audit.shapes import Audited, Collection
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
    changed, bare = set(report.changed), replace(report.collection, declared={})
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
            picture_table(one, bare)
            for one in report.collection.pictures
            if everything or one.name in changed
        ],
        "lights": setups(report.collection),
    }


def picture_table(one: Audited, bare: Collection) -> dict[str, Any]:
    """What a row of a list says of a picture. bare: the set without what people say of it, so what is told is measured."""
    faces = one.value("faces", "faces")
    return {
        "name": one.name,
        "path": str(one.path),
        "role": one.role,
        "set": one.set,
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
        "sharp": one.value("sharpness", "lap"),
        "faces": None if faces is None else len(faces),
        "distance": distance_of(bare, one),
    }


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


def _until_closed(stopping: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stopping.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
