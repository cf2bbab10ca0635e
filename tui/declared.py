"""What a person says of pictures in project.toml: left out, ignored, cropped, declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from projects.project import open_project
from projects.toml import read_toml, write_key

Kind = Literal["distance", "light", "wardrobe"]
KINDS: Final[tuple[Kind, ...]] = ("distance", "light", "wardrobe")
DISTANCES: Final = ("close-up", "medium", "full body", "other")


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The sections of project.toml that are about single pictures, by their names."""

    excluded: Mapping[str, str] = field(default_factory=dict)
    """Left out -> the reason."""
    crop: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    """Check, or key of a finding -> the reason."""
    distance: Mapping[str, str] = field(default_factory=dict)
    light: Mapping[str, str] = field(default_factory=dict)
    wardrobe: Mapping[str, str] = field(default_factory=dict)
    background: str = "#ffffff"
    images: Path = Path()
    """Folder that the names of the first subject set start at."""
    project: Path = Path()


def read_declared(project: Path) -> Declared:
    """What the file says now; what stands there wrongly is passed over: the plan names it. Raises Refused."""
    table = read_toml(open_project(project).text, "project.toml")
    data, audit = _table(table, "data"), _table(table, "audit")
    sets = data.get("sets")
    first = next(
        (each for each in sets if isinstance(each, dict) and each.get("role", "subject") == "subject"), {}
    ) if isinstance(sets, list) else {}  # fmt: skip
    crop = {
        name: (float(point[0]), float(point[1]))
        for name, point in _table(data, "crop").items()
        if isinstance(point, list)
        and len(point) == 2
        and all(isinstance(each, int | float) for each in point)
    }
    return Declared(
        excluded=_words(data, "excluded"), crop=crop, ignored=_words(audit, "ignored"),
        distance=_words(audit, "distance"), light=_words(audit, "light"), wardrobe=_words(audit, "wardrobe"),
        background=str(data.get("background", "#ffffff")),
        images=project / str(data.get("images") or first.get("path") or ""), project=project,
    )  # fmt: skip


def place_of(name: str, declared: Declared) -> Path:
    """Where the file of a picture lies that no audit has named: in the first subject set, or else in the project."""
    inside = declared.images / name
    return inside if inside.is_file() else declared.project / name


def keys_of(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of pictures or findings by their names, in a section such as data.excluded, by the keys of the file."""
    return {f"{section}.{write_key(name)}": value for name, value in values.items()}


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = table.get(name)
    return found if isinstance(found, Mapping) else {}


def _words(table: Mapping[str, Any], name: str) -> Mapping[str, str]:
    return {key: value for key, value in _table(table, name).items() if isinstance(value, str)}
