"""What the workbench remembers of a person on this machine, in the state folder: projects, what was seen last, habits.

Nothing of a project lives here; it may all be deleted. Files that cannot be read count as empty, and what cannot be
written is not remembered: neither stands in anybody's way.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from projects import atomic
from projects.machine import state_folder
from projects.replay import in_replay

FORMAT: Final = 1
_MOST: Final = 200


@dataclass(frozen=True)
class Seen:
    """How a run stood when it was last on a screen."""

    step: int
    time: float
    """Seconds since 1970."""
    previews: int
    warnings: int
    loss: float | None
    """Mean of the last 50 steps."""


def recent_projects() -> dict[Path, float]:
    """Project folder -> when it was opened last, newest first."""
    told = _read("recent.json").get("projects")
    found = told if isinstance(told, dict) else {}
    known = {Path(path): float(when) for path, when in found.items() if isinstance(when, int | float)}
    return dict(sorted(known.items(), key=lambda entry: -entry[1]))


def opened(project: Path, now: float) -> None:
    """Remember that a project was opened. A replay is gone when it is left, and not remembered."""
    if in_replay(project):
        return
    _keep_projects({**recent_projects(), project: now})


def forget(project: Path) -> None:
    """Take a project off the list."""
    _keep_projects({path: when for path, when in recent_projects().items() if path != project})


def seen(run: Path) -> Seen | None:
    """How `run` stood when it was last seen, None when it never was."""
    told = _runs().get(str(run))
    try:
        return Seen(**told) if isinstance(told, dict) else None
    except TypeError:
        return None


def keep_seen(run: Path, how: Seen) -> None:
    """Remember how `run` stands, unless it is a replay."""
    if in_replay(run):
        return
    runs = {**{path: told for path, told in _runs().items() if path != str(run)}, str(run): asdict(how)}
    _write("seen.json", {"runs": dict(list(runs.items())[-_MOST:])})


def unsaved(project: Path) -> dict[str, str]:
    """Key -> what was typed into a project's form and not saved when the workbench was left."""
    told = _unsaved().get(str(project))
    found = told if isinstance(told, dict) else {}
    return {key: typed for key, typed in found.items() if isinstance(typed, str)}


def keep_unsaved(project: Path, typed: Mapping[str, str]) -> None:
    """Remember it; an empty one is forgotten, and that of a replay is not remembered."""
    before = _unsaved()
    after = {path: told for path, told in before.items() if path != str(project)}
    if typed and not in_replay(project):
        after[str(project)] = dict(typed)
    if after != before:
        _write("unsaved.json", {"projects": dict(list(after.items())[-_MOST:])})


def habits() -> dict[str, Any]:
    """Theme and recent actions."""
    return _read("habits.json")


def keep_habit(name: str, value: object) -> None:
    """Remember one of them."""
    _write("habits.json", {**habits(), name: value})


def _keep_projects(found: Mapping[Path, float]) -> None:
    newest = sorted(found.items(), key=lambda entry: -entry[1])[:_MOST]
    _write("recent.json", {"projects": {str(path): when for path, when in newest}})


def _unsaved() -> dict[str, Any]:
    told = _read("unsaved.json").get("projects")
    return told if isinstance(told, dict) else {}


def _runs() -> dict[str, Any]:
    told = _read("seen.json").get("runs")
    return told if isinstance(told, dict) else {}


def _read(name: str) -> dict[str, Any]:
    try:
        table = json.loads((state_folder() / name).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _write(name: str, table: Mapping[str, object]) -> None:
    try:
        state_folder().mkdir(parents=True, exist_ok=True)
        atomic.write_text(state_folder() / name, json.dumps({"format": FORMAT, **table}, indent=1) + "\n")
    except OSError:
        return
