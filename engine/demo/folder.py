"""A project folder of rendered pictures: written whole, and never over anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from engine.demo.sheets import png_bytes
from engine.demo.world import Picture
from projects.atomic import write_bytes, write_text

Place = Literal["images", "regularization", "holdout"]
"""Names of the folders of a project."""
PLACES: Final = get_args(Place)


@dataclass(frozen=True, kw_only=True)
class Captioned:
    """One picture of a project with its words."""

    place: Place
    stem: str
    """Name of the picture and of its caption, without the ending."""
    picture: Picture
    """(height, width, 3) uint8."""
    text: str
    """Its caption, without a line end."""


def write_folder(folder: Path, pictures: Iterable[Captioned], project: str) -> None:
    """Write `pictures`, each rendered when it is its turn, and `project` as project.toml.

    Raises FileExistsError where a project or a picture is already; nothing was written then.
    """
    if (folder / "project.toml").exists():
        raise FileExistsError(f"{folder / 'project.toml'}: a project is here already")
    for name in PLACES:
        if (folder / name).exists() and any((folder / name).iterdir()):
            raise FileExistsError(f"{folder / name}: not empty, so nothing was written")
    for one in pictures:
        (folder / one.place).mkdir(parents=True, exist_ok=True)
        write_bytes(folder / one.place / f"{one.stem}.png", png_bytes(one.picture))
        write_text(folder / one.place / f"{one.stem}.txt", one.text + "\n")
    # Last, so that a folder with a project.toml is always a whole project.
    write_text(folder / "project.toml", project)
