"""Pictures as the audit knows them after measuring, made of given values."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from engine.dataset.audit.look import Look
from engine.dataset.audit.shapes import STAGES, Audited, Collection, Measure
from engine.dataset.buckets import placement


def picture(
    name: str, size: tuple[int, int] = (1024, 1024), role: Any = "subject", content: str = "", **values: Any
) -> Audited:
    """One that opened. Values by measure."""
    measured = {"header": {"size": list(size)}, "opened": {"size": list(size)}, **values}
    return Audited(
        name=name, path=Path("/pictures") / name, role=role, set="images", sha256=content or name, values=measured,
        placements=(placement(size, 1024, 64),),
    )  # fmt: skip


def collection(
    *pictures: Audited, floors: tuple[int, int] = (768, 1024), **declared: dict[str, str]
) -> Collection:
    """All of it measured."""
    return Collection(
        pictures=pictures, floors=floors, native_size=1024, resolution=(1024,),
        declared={"distance": {}, "light": {}, "wardrobe": {}, **declared}, absent=frozenset(), measured=frozenset(STAGES),
    )  # fmt: skip


def drawn(seed: int, size: tuple[int, int] = (240, 180)) -> Image.Image:
    """A picture with large and small shapes, another for every seed."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    pencil = ImageDraw.Draw(picture)
    for _ in range(12):
        left, top = chance.integers(0, size[0] - 20), chance.integers(0, size[1] - 20)
        pencil.ellipse(
            (left, top, left + 30, top + 24), fill=tuple(int(x) for x in chance.integers(0, 256, 3))
        )
    return picture


def looked(path: Path, image: Image.Image, *measures: Measure, **save: Any) -> Audited:
    """The picture written there and measured."""
    image.save(path, **save)
    look = Look(path)
    values = {measure.name: measure.take(look) for measure in measures}
    return picture(path.name, image.size, content=look.sha256, **values)
