"""A process of the crew: pictures in by line, numbers out by line. A picture that breaks it breaks nothing else."""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, Final

import cv2

from engine.dataset.audit.look import Look
from engine.dataset.audit.shelf import MEASURES
from engine.dataset.pictures import Unopened

MOST_MEMORY: Final = 8 << 30
"""Bytes of address space: a file that asks for more gets an error, not the machine's memory."""
PASSING: Final = (MemoryError, OSError, ImportError)
"""Errors that may be the machine's and not the picture's: another time it may do."""
_NO_MEMORY: Final = -4
"""Code of OpenCV's error for the first of them."""
MOST_KEPT: Final = 1 << 30
"""Bytes that it may hold between two pictures: with more it ends, and another takes its place. The models take 0.4 GB."""


def main() -> int:
    """Answer until the other side closes the pipe, or until too much is held."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY if most < 0 else min(MOST_MEMORY, most), most))
    cv2.setNumThreads(1)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # What a library prints must not stand among the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()
        if _held() > MOST_KEPT:
            break
    return 0


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """{path, background, measures} -> {sha256, stat, values, failed, passing}; sha256 "": the file cannot be read."""
    try:
        look = Look(Path(asked["path"]), asked["background"])
    except Unopened as refused:
        return {"sha256": "", "stat": [0, 0], "values": {"opened": _told(refused)}, "failed": {}}
    values: dict[str, Any] = {}
    failed: dict[str, str] = {}
    passing: list[str] = []
    for name in asked["measures"]:
        try:
            values[name] = MEASURES[name].take(look)
        except Unopened as refused:
            values["opened"] = _told(refused)
            break
        except Exception as error:  # Libraries raise whatever a picture leads them to.
            failed[name] = f"{type(error).__name__}: {' '.join(str(error).split())}"
            if isinstance(error, PASSING) or getattr(error, "code", 0) == _NO_MEMORY:
                passing.append(name)
    return {"sha256": look.sha256, "stat": look.stat, "values": values, "failed": failed, "passing": passing}


def _held() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _told(refused: Unopened) -> dict[str, str]:
    (problem,) = refused.problems
    return {"check": refused.check, "error": problem.error, "hint": problem.hint}


if __name__ == "__main__":
    sys.exit(main())
