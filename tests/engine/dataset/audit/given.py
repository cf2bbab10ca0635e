"""Pictures as the audit knows them after measuring, made of given values."""

from pathlib import Path
from typing import Any

from engine.dataset.audit.shapes import Audited, Collection
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
        declared={"distance": {}, "light": {}, "wardrobe": {}, **declared}, absent=frozenset(), complete=True,
    )  # fmt: skip
