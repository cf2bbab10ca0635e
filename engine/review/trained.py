"""The training pictures as a review needs them: their latents, and what can be seen of their files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PIL import Image, ImageOps
from torch import Tensor

from engine.cache import Cache, LatentReader, encode_latents
from engine.dataset.items import Item, verify_unchanged
from engine.dataset.pictures import open_picture, prepared
from engine.desk import Desk
from engine.evaluate import grid_items
from engine.families.family import Base, Family
from engine.preparation import stoppable
from engine.review import appearance
from engine.review.prompts import spread
from projects.problems import Refused, listed

MOST = 24
"""Pictures of a role that the axis of likeness is made of: enough, and hours saved on a thousand."""
LOOKED = 200
"""Pictures of the subject whose files are opened, spread evenly: of more only the latents are compared."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One picture of the training, or one held out of it."""

    item: Item
    latents_CHW: Tensor
    """At its first resolution, as it was trained."""
    forms: Sequence[tuple[str, str]]
    """Bits and shades of what was trained of it, whole and cut; empty where its file was not opened."""
    warmth: float | None
    """Of its light; None for a grey picture, or one that was not opened."""
    background: str
    """Colour that transparent pictures are laid on."""
    place: str
    """Path relative to the project; for a picture from elsewhere the name of its file."""

    @property
    def opened(self) -> bool:
        """Whether its file is there, unchanged."""
        return bool(self.forms)

    def picture(self, size: tuple[int, int]) -> Image.Image:
        """It, upright and on its background, scaled and cut to `size` (width, height). Raises Refused."""
        return ImageOps.fit(open_picture(self.item.path, self.background), size, Image.Resampling.LANCZOS)


@dataclass(frozen=True, kw_only=True)
class Set:
    """What is left of the training's pictures."""

    subject: Sequence[Trained]
    holdout: Sequence[Trained]
    reader: LatentReader
    graded: Sequence[int]
    """Indices, in the run's items, of the evaluation's pictures whose latents are there."""

    def with_files(self) -> "Set":
        """Those whose files are there unchanged: for whoever looks at pictures, and not at latents."""
        return replace(
            self,
            subject=[one for one in self.subject if one.opened],
            holdout=[one for one in self.holdout if one.opened],
        )

    def some(self, role: Literal["subject", "holdout"]) -> list[Trained]:
        """At most MOST of a role, spread evenly."""
        every = self.subject if role == "subject" else self.holdout
        kept = set(spread([one.item.picture for one in every], MOST))
        return [one for one in every if one.item.picture in kept]


def trained_set(
    desk: Desk, project: Path, family: Family, base: Base, items: Sequence[Item], background: str
) -> Set:
    """The pictures of the run's `items`. What was moved or changed since is named in a warning, and the rest goes on: its
    latents are in the cache, or it is left out. Raises StopAsked."""
    chosen = {item.path: item for item in items if item.role in ("subject", "holdout")}
    grid = grid_items(items)
    wanted = list(chosen.values())
    gone = {problem.where for problem in verify_unchanged(wanted)}
    moved = [item for item in wanted if str(item.path) in gone]
    if moved:
        names = [item.picture for item in moved]
        desk.warn(
            f"{len(moved)} pictures of the training were moved or changed since: {listed(names)}. "
            "What needs their files is left out; put them back for all of it.",
            files=names,
        )
    desk.phase("encoding pictures", quiet=1800)
    reader = encode_latents(
        Cache(project / "cache"), family, base, [item for item in wanted if item not in moved],
        flip=False, background=background, on_progress=stoppable(desk, "encoding pictures"),
    )  # fmt: skip
    found: dict[str, list[Trained]] = {"subject": [], "holdout": []}
    looked = set(spread([item.path for item in wanted if item not in moved], LOOKED))
    for number, item in enumerate(wanted):
        stoppable(desk, "looking at training pictures")(number, len(wanted))
        if (latents_CHW := _latents(reader, item)) is not None:
            forms, warmth = _looked_at(item, background) if item.path in looked else ((), None)
            inside = item.path.is_relative_to(project)
            found[item.role].append(
                Trained(
                    item=item, latents_CHW=latents_CHW, forms=forms, warmth=warmth, background=background,
                    place=str(item.path.relative_to(project)) if inside else item.path.name,
                )
            )  # fmt: skip
    graded = [index for index in grid if _latents(reader, items[index]) is not None]
    return Set(subject=found["subject"], holdout=found["holdout"], reader=reader, graded=graded)


def _latents(reader: LatentReader, item: Item) -> Tensor | None:
    try:
        return reader.get(item, 0, False)[0]
    except Refused:
        return None


def _looked_at(item: Item, background: str) -> tuple[Sequence[tuple[str, str]], float | None]:
    """Hashes and warmth of what was trained of a picture; nothing of one that cannot be opened."""
    try:
        picture = prepared(item.path, item.placements[0], background)
    except Refused:
        return (), None
    return appearance.forms(picture), appearance.appearance(picture).warmth
