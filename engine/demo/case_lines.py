"""cases.jsonl: one line a case that was judged, with what its review said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.demo.cases import Case
from projects.events import read
from projects.job import JobDir
from projects.problems import refuse
from projects.project import read_job

FORMAT: Final = 1
LINES: Final = "cases.jsonl"
_FIGURES = ("test", "verdict", "value", "low", "high", "n")


def line_of(case: Case, number: int, run: JobDir, review: JobDir) -> dict[str, Any]:
    """What cases.jsonl keeps of a case in round `number`. Raises Refused where its review is damaged or not whole."""
    file = run.review / "review.json"
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise refuse(f"The review cannot be read: {error}.", where=file) from None
    if not isinstance(record, dict) or not record.get("whole", True):
        raise refuse("The review is not whole.", where=file, hint="Ask for another round: --round.")
    tests = [test for test in record.get("tests", ()) if isinstance(test, dict)]
    spec = read_job(run).spec
    return {
        "format": FORMAT,
        "subject": case.subject, "kind": case.kind, "seed": case.seed, "round": number,
        "case": record.get("case", "unknown"),
        "words": record.get("words", ""),
        "tests": [{name: test.get(name) for name in _FIGURES} for test in tests],
        "recommended": record.get("recommended"),
        "checkpoint": record.get("checkpoint"),
        "depth": record.get("depth"),
        "review_format": record.get("format"),
        "trigger": spec.trigger,
        "steps": spec.train.steps,
        "learning_rate": spec.train.learning_rate,
        "seconds": {"training": seconds_of(run), "review": seconds_of(review)},
        "run": run.path.name,
    }  # fmt: skip


def seconds_of(job: JobDir) -> float:
    """Wall time that workers spent on a job, in all its attempts, as far as its events tell."""
    spans: dict[object, list[float]] = {}
    for event in read(job.events)[0]:
        if isinstance(moment := event.get("t"), int | float):
            spans.setdefault(event.get("attempt"), []).append(moment)
    return round(sum(max(moments) - min(moments) for moments in spans.values()), 1)


def read_lines(work: Path) -> list[dict[str, Any]]:
    """The lines of cases.jsonl, oldest first; torn ones are passed over, and no file is no line."""
    try:
        data = (work / LINES).read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for text in data.split(b"\n"):
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and None not in key_of(line):
            found.append(line)
    return found


def key_of(line: Mapping[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Subject, kind, seed and round of a line; None for each that it does not say."""
    return line.get("subject"), line.get("kind"), line.get("seed"), line.get("round")
