"""Projects at a glance, for the home screen and the top line. Read in threads; a project that is broken says so."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tui.run_list import RunRow, Standings, row_of


@dataclass(frozen=True)
class Facts:
    """What project.toml says of itself, unchecked."""

    name: str
    trigger: str = ""
    base: str = ""
    error: str = ""
    """Why it cannot be read."""


@dataclass(frozen=True)
class Overview:
    """One row of the home screen."""

    facts: Facts
    pictures: int | None = None
    captions: int | None = None
    newest: RunRow | None = None


def facts_of(project: Path) -> Facts:
    """The facts of a project. Never raises."""
    name = project.name
    try:
        table = tomllib.loads((project / "project.toml").read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return Facts(name, error="not there any more")
    except OSError as error:
        return Facts(name, error=f"cannot be read: {error.strerror}")
    except (ValueError, RecursionError):
        return Facts(name, error="project.toml cannot be read")
    source = _text(_table(table, "base"), "source")
    base = os.path.basename(source.rstrip("/")).removesuffix(".safetensors")
    return Facts(_text(table, "name") or name, _text(table, "trigger"), base)


def place_of(folder: Path, width: int) -> str:
    """A folder as a person writes it, from ~ on where it lies in their own; its end where `width` cells are too few."""
    home = Path.home()
    words = f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) and folder != home else str(folder)
    return words if len(words) <= width else f"…{words[len(words) - width + 1 :]}"


def told_apart(names: Mapping[Path, str]) -> dict[Path, str]:
    """Words for the folders of projects that share their name: the path from where they part on, `…/two/aurelia`."""
    found: dict[Path, str] = {}
    for name in {name for name in names.values() if list(names.values()).count(name) > 1}:
        paths = [path for path, other in names.items() if other == name]
        common = os.path.commonpath([path.parent for path in paths])
        found |= {path: f"…/{path.relative_to(common)}" for path in paths}
    return found


def overview_of(project: Path, standings: Standings, before: Overview | None) -> Overview:
    """What changes by itself: facts and the newest run. Counts are those of `before`."""
    facts = facts_of(project)
    if facts.error:
        return Overview(facts)
    from projects.project import runs

    found = runs(project)
    newest = row_of(found[-1], standings) if found else None
    counts = (before.pictures, before.captions) if before else (None, None)
    return Overview(facts, *counts, newest=newest)


def with_counts(overview: Overview, project: Path) -> Overview:
    """With pictures and captions counted by name; nothing is opened."""
    pictures, captions = _counted(project) or (None, None)
    return replace(overview, pictures=pictures, captions=captions)


def _counted(project: Path) -> tuple[int, int] | None:
    """Subject pictures, and those that have a caption; None where the project does not say which."""
    from engine.dataset.folders import find_pictures
    from projects.problems import Refused
    from projects.project import open_project, resolve

    try:
        pictures = find_pictures(project, resolve(open_project(project)).data).pictures
    except (Refused, OSError):
        return None
    subject = [found for found in pictures if found.dataset.role == "subject"]
    return len(subject), sum(bool(found.captions) for found in subject)


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inside = table.get(name)
    return inside if isinstance(inside, dict) else {}


def _text(table: Mapping[str, Any], name: str) -> str:
    value = table.get(name)
    return value if isinstance(value, str) else ""
