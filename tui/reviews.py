"""review.json as the review room shows it: sheets, the pictures of each prompt, and what was measured."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.job import JobDir


@dataclass(frozen=True)
class Shown:
    """One picture of the review."""

    path: Path
    title: str
    words: str
    """Prompt, seed and weight; "" for a sheet."""


@dataclass(frozen=True)
class Review:
    """The newest review of a run."""

    step: int | None
    sheets: Sequence[Shown]
    pictures: Sequence[Shown]
    tests: Sequence[str]
    """A sentence a test: its figure, and that nobody judged it yet where that is so."""
    error: str = ""


_SHEETS: Mapping[str, str] = {
    "sweep": "weight sweep", "isolation": "without the trigger", "before_after": "before and after",
    "before-after": "before and after",
}  # fmt: skip


def read_review(run: JobDir, project: Path) -> Review | None:
    """The review, None where there is none. Never raises: what is damaged is named in `error`."""
    file = run.review / "review.json"
    try:
        record = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return Review(None, (), (), (), f"{file} cannot be read; R draws the review again.")
    if not isinstance(record, dict):
        return Review(None, (), (), (), f"{file} is no review; R draws it again.")
    sheets = [
        Shown(project / path, _SHEETS.get(Path(path).stem, Path(path).stem), "")
        for path in _list(record, "sheets")
        if isinstance(path, str)
    ]
    pictures = [_picture(project, told) for told in _list(record, "pictures") if isinstance(told, dict)]
    step = record.get("checkpoint")
    tests = [_test(told) for told in _list(record, "tests") if isinstance(told, dict)]
    return Review(step if isinstance(step, int) else None, sheets, pictures, tests)


def _picture(project: Path, told: Mapping[str, Any]) -> Shown:
    weight, prompt = told.get("weight"), str(told.get("prompt", ""))
    at = f"weight {weight:g}" if isinstance(weight, int | float) and weight else "base alone"
    return Shown(project / str(told.get("path", "")), at, f"{prompt}   seed {told.get('seed', '-')}   {at}")


def _test(told: Mapping[str, Any]) -> str:
    name = str(told.get("test", ""))
    numbers = [told.get(key) for key in ("value", "low", "high")]
    if all(isinstance(number, int | float) for number in numbers):
        value, low, high = (f"{number:.3g}" for number in numbers)
        figure = f"{value} [{low}, {high}]"
    else:
        figure = f"{numbers[0]:.3g}" if isinstance(numbers[0], int | float) else "not measured"
    count = f" over {told['n']} pairs" if isinstance(told.get("n"), int) else ""
    verdict = str(told.get("verdict", "unknown"))
    judged = "not judged" if verdict == "unknown" else verdict
    return f"{name}: changed by {figure}{count}, {judged}. {told.get('advice') or ''}".strip()


def _list(record: Mapping[str, Any], key: str) -> list[Any]:
    told = record.get(key)
    return told if isinstance(told, list) else []
