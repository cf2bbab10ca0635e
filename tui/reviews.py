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
    prompt: str = ""
    seed: int | None = None


@dataclass(frozen=True)
class Review:
    """The newest review of a run."""

    step: int | None
    sheets: Sequence[Shown]
    pictures: Sequence[Shown]
    tests: Mapping[str, str]
    """Name of a test, which is that of its sheet -> what to look for, its figure with its meaning, and who judged it."""
    error: str = ""


_SHEETS: Mapping[str, str] = {
    "sweep": "weight sweep", "isolation": "without the trigger", "before_after": "before and after",
    "before-after": "before and after",
}  # fmt: skip


_MEANING: Mapping[str, str] = {
    "sweep": "0 would be: it does nothing.",
    "isolation": "0 would be: nothing leaks.",
}


def exported(run: JobDir) -> Sequence[str]:
    """Names of the exported files of a run, as its export.json lists them; none where there is none, or it is damaged."""
    try:
        record = json.loads((run.export / "export.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return ()
    told = _list(record, "files") if isinstance(record, dict) else []
    return [Path(str(file["path"])).name for file in told if isinstance(file, dict) and "path" in file]


def read_review(run: JobDir, project: Path) -> Review | None:
    """The review, None where there is none. Never raises: what is damaged is named in `error`."""
    file = run.review / "review.json"
    try:
        record = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return Review(None, (), (), {}, f"{file} cannot be read; R draws the review again.")
    if not isinstance(record, dict):
        return Review(None, (), (), {}, f"{file} is no review; R draws it again.")
    sheets = [
        Shown(project / path, _SHEETS.get(Path(path).stem, Path(path).stem), "")
        for path in _list(record, "sheets")
        if isinstance(path, str)
    ]
    pictures = [_picture(project, told) for told in _list(record, "pictures") if isinstance(told, dict)]
    step = record.get("checkpoint")
    tests = {
        str(told.get("test", "")): _test(told) for told in _list(record, "tests") if isinstance(told, dict)
    }
    return Review(step if isinstance(step, int) else None, sheets, pictures, tests)


def _picture(project: Path, told: Mapping[str, Any]) -> Shown:
    weight, prompt, seed = told.get("weight"), str(told.get("prompt", "")), told.get("seed")
    at = f"weight {weight:g}" if isinstance(weight, int | float) and weight else "base alone"
    words = f"{prompt} · seed {'-' if seed is None else seed} · {at}"
    return Shown(
        project / str(told.get("path", "")), at, words, prompt, seed if isinstance(seed, int) else None
    )


def _test(told: Mapping[str, Any]) -> str:
    """What to look for first, then the figure: how far pictures moved, of how many grey levels, and how sure that is."""
    value, low, high, weight = (told.get(key) for key in ("value", "low", "high", "weight"))
    parts = [str(told.get("advice") or "")]
    name = str(told.get("test", ""))
    if isinstance(value, int | float):
        at = f"At weight {weight:g} a" if isinstance(weight, int | float) else "A"
        sure = [f"{told['n']} pairs"] if isinstance(told.get("n"), int) else []
        if isinstance(low, int | float) and isinstance(high, int | float):
            sure.append(f"95 %: {low:.3g} to {high:.3g}")
        brackets = f" ({', '.join(sure)})" if sure else ""
        parts.append(f"{at} pixel differs from the base's by {value:.3g} of 255 grey levels{brackets}.")
        parts.append(_MEANING.get(name, ""))
    verdict = str(told.get("verdict", "unknown"))
    parts.append("Nothing judges it yet: look." if verdict == "unknown" else f"Verdict: {verdict}.")
    return " ".join(part for part in parts if part)


def _list(record: Mapping[str, Any], key: str) -> list[Any]:
    told = record.get(key)
    return told if isinstance(told, list) else []
