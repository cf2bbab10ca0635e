"""python -m engine.dataset.audit PROJECT [--set KEY=VALUE]: an audit by line, for the terminal that started it.

Each line is one JSON object. `pictures` has some of which more is known, `findings` some of all that there are now, and the
`report` after them the rest: whoever reads never has more than a little of it in hand.
It ends when it is done, when its input is closed, and on SIGTERM; what it has measured by then is kept.
"""

import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from engine.dataset.audit.audit import Report, audit
from engine.dataset.audit.count import usable
from engine.dataset.audit.kinds import distance_of
from engine.dataset.audit.setups import setups
from engine.dataset.audit.shapes import Audited, Collection
from engine.dataset.audit.shelf import CHECKS
from projects.bases import describe
from projects.problems import Refused
from projects.project import open_project, resolve

_AT_ONCE: Final = 100
"""Pictures or findings in a line: read in a millisecond, which holds up nothing that somebody looks at."""


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
            for line in _told(report, everything=first):
                _say(line)
            if first:
                gc.freeze()
                gc.enable()
            first = False
    except Refused as refused:
        told = [problem.table() for problem in refused.problems]
        _say({"kind": "refused", "usage": refused.usage, "problems": told})
        return 1
    return 0


def _told(report: Report, *, everything: bool) -> Iterator[dict[str, Any]]:
    changed, bare = set(report.changed), replace(report.collection, declared={})
    pictures = [one for one in report.collection.pictures if everything or one.name in changed]
    yield from _some("pictures", (picture_table(one, bare) for one in pictures))
    yield from _some("findings", (finding.table() for finding in report.findings))
    coverage = [words for check in CHECKS if check.cover and (words := check.cover(report.collection))]
    yield {
        "kind": "report",
        "stage": report.stage,
        "done": report.done,
        "total": report.total,
        "complete": report.collection.complete,
        "usable": usable(report.collection),
        "coverage": coverage,
        "checks": {check.name: check.title for check in CHECKS},
        "problems": [problem.table() for problem in report.problems],
        "lights": setups(report.collection),
    }


def _some(kind: str, tables: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while some := list(islice(tables, _AT_ONCE)):
        yield {"kind": kind, kind: some}


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
