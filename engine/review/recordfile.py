"""review.json while a review works, and when it is done (docs/files.md)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.draw import Shot
from engine.review import echo, sweep
from engine.review.case import Judged
from engine.review.evidence import Made
from engine.review.record import rounded
from engine.review.shots import Plan
from engine.review.store import Pictures
from projects import atomic

FORMAT = 2
_VERDICTS = (
    "case",
    "words",
    "recommended",
    "more",
    "tests",
    "weights",
    "checkpoints",
    "judges",
    "losses",
    "sheets",
)
"""What stands while another review of the same adapter works."""
_UNJUDGED: Mapping[str, Any] = {
    "case": "unknown", "words": "No training picture can be read any more, so nothing can be compared with them.",
    "recommended": None, "more": None, "tests": [], "weights": [], "checkpoints": [], "judges": [], "losses": [],
}  # fmt: skip
_PROMPT_TRUST = "It sees whether the prompts of this set are told apart, not whether every word was kept."


class RecordFile:
    """What is said there: the pictures as they come, and the verdicts of the last whole review of this very adapter."""

    def __init__(self, file: Path, project: Path, pictures: Pictures, facts: Mapping[str, Any]) -> None:
        self._file, self._project, self._pictures, self._facts = file, project, pictures, facts
        before = _read(file)
        same = before.get("adapter") == facts["adapter"] and before.get("format") == FORMAT
        self._before = {key: before[key] for key in _VERDICTS if key in before} if same else {}
        told = before.get("pictures") if same else None
        self._known = {
            row["id"]: {key: row[key] for key in ("measures", "nearest") if key in row}
            for row in (told if isinstance(told, list) else [])
            if isinstance(row, dict) and "id" in row
        }

    def tell(self, plan: Plan) -> None:
        """Write what is there of `plan` by now. Raises OSError."""
        pictures = [
            {**row, **self._known.get(row["id"], {})}
            for row in _rows(self._project, self._pictures, plan, {})
            if (self._project / row["path"]).is_file()
        ]
        waiting = {**_UNJUDGED, "words": "The review is not over yet.", "sheets": [], "whole": False}
        self._write({**waiting, **self._before, "pictures": pictures})

    def finish(
        self, plan: Plan, judged: Judged | None, sheets: Sequence[str], *, seconds: float
    ) -> Mapping[str, Any]:
        """Write the whole review, and give it; judged: None where no training picture could be read. Raises OSError."""
        told = _UNJUDGED if judged is None else _told(judged)
        made = {} if judged is None else judged.evidence.made
        rows = _rows(self._project, self._pictures, plan, made)
        return self._write(
            {**told, "whole": True, "sheets": list(sheets), "seconds": seconds, "pictures": rows}
        )

    def _write(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        record = {"format": FORMAT, **self._facts, **said}
        atomic.write_text(self._file, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        return record


def _told(judged: Judged) -> dict[str, Any]:
    """The verdicts."""
    evidence, best = judged.evidence, judged.recommended
    recommended = None if best is None else {
        "weight": best.cell.weight, "checkpoint": best.cell.checkpoint, "certain": best.certain, "words": best.words,
    }  # fmt: skip
    return {
        "case": judged.case, "words": judged.words, "recommended": recommended,
        "more": None if best is None or best.more is None else {"pictures": best.more[0], "words": best.more[1]},
        "tests": [test.table() for test in judged.tests], "weights": sweep.table(evidence),
        "checkpoints": list(judged.checkpoints),
        "judges": [
            {"measure": "likeness", "name": judged.likes, "trust": judged.trust},
            {"measure": "prompt", "name": judged.reads, "trust": _PROMPT_TRUST},
        ],
        "losses": echo.table_of(evidence.losses),
    }  # fmt: skip


def _rows(project: Path, pictures: Pictures, plan: Plan, made: Mapping[Shot, Made]) -> list[dict[str, Any]]:
    """A row a picture of the plan; measures where `made` has them."""
    uses: dict[Shot, tuple[list[str], str]] = {}
    for pairs in plan.sweep.values():
        for shot in (*pairs.plain, *pairs.adapted):
            _use(uses, shot, "sweep", "")
    for group, pairs in plan.groups.items():
        test = "echo" if group in echo.GROUPS else "isolation"
        for shot in (*pairs.plain, *pairs.adapted):
            _use(uses, shot, test, group)
    for pairs in plan.earlier.values():
        for shot in pairs.adapted:
            _use(uses, shot, "isolation", "deleted")
    steps = {f"step{cell.checkpoint}": cell.checkpoint for cell in plan.sweep}
    return [
        {
            "id": pictures.id_of(shot), "path": str(pictures.file(shot).relative_to(project)), "tests": tests,
            "group": group, "prompt": shot.prompt, "seed": shot.seed, "weight": dict(shot.weights).get(_key(shot), 0.0),
            "checkpoint": steps.get(_key(shot)), **(_measures(made[shot]) if shot in made else {}),
        }
        for shot, (tests, group) in uses.items()
    ]  # fmt: skip


def _use(uses: dict[Shot, tuple[list[str], str]], shot: Shot, test: str, group: str) -> None:
    tests, named = uses.setdefault(shot, ([], group))
    if test not in tests:
        tests.append(test)
    uses[shot] = (tests, named or group)


def _key(shot: Shot) -> str:
    return shot.weights[0][0] if shot.weights else ""


def _measures(made: Made) -> dict[str, Any]:
    found = {
        "likeness": made.likeness, "prompt": made.prompt, "drift": made.moved, "sharpness": made.seen.sharpness,
        "clipped": made.seen.clipped, "faces": made.seen.faces, "warmth": made.seen.warmth,
    }  # fmt: skip
    nearest = made.nearest
    return {
        "measures": {name: rounded(value) for name, value in found.items() if value is not None},
        "nearest": None if nearest is None
        else {"picture": nearest.picture, "distance": rounded(nearest.distance), "kind": nearest.kind},
    }  # fmt: skip


def _read(file: Path) -> dict[str, Any]:
    try:
        told = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
