"""The training pictures as a review needs them: their latents, and what can be seen of their files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from engine.cache import Cache, LatentReader, encode_latents
from engine.dataset.items import Item, verify_unchanged
from engine.dataset.pictures import prepared
from engine.desk import Desk
from engine.evaluate import grid_items
from engine.families.family import Base, Family
from engine.preparation import stoppable
from engine.review.appearance import Appearance, appearance
from engine.review.eyes import Sight
from engine.review.prompts import spread
from projects.problems import Refused, listed

MOST = 24
"""Pictures of a role that are looked at: enough for an axis, and an hour saved on a thousand."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One picture of the training, or one held out of it."""

    item: Item
    latents_CHW: Tensor
    """At its first resolution, as it was trained."""
    seen: Appearance | None
    """None where the file was moved or changed since."""
    background: str
    """Colour that transparent pictures are laid on."""
    place: str
    """Path relative to the project; for a picture from elsewhere the name people know it by."""

    @property
    def sight(self) -> Sight:
        """It, to be looked at; its picture as it was trained."""
        return Sight(
            latents_CHW=self.latents_CHW,
            picture=lambda: prepared(self.item.path, self.item.placements[0], self.background),
        )


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
            subject=[one for one in self.subject if one.seen],
            holdout=[one for one in self.holdout if one.seen],
        )


def trained_set(
    desk: Desk, project: Path, family: Family, base: Base, items: Sequence[Item], background: str
) -> Set:
    """The pictures of the run's `items`. What was moved or changed since is named in a warning, and the rest goes on: its
    latents are in the cache, or it is left out. Raises StopAsked."""
    chosen = {item.picture: item for role in ("subject", "holdout") for item in _some(items, role)}
    grid = grid_items(items)
    wanted = list({**chosen, **{items[index].picture: items[index] for index in grid}}.values())
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
    for item in chosen.values():
        if (latents_CHW := _latents(reader, item)) is not None:
            seen = None if item in moved else _seen(item, background)
            place = str(item.path.relative_to(project)) if item.path.is_relative_to(project) else item.picture
            found[item.role].append(
                Trained(item=item, latents_CHW=latents_CHW, seen=seen, background=background, place=place)
            )
    graded = [index for index in grid if _latents(reader, items[index]) is not None]
    return Set(subject=found["subject"], holdout=found["holdout"], reader=reader, graded=graded)


def _latents(reader: LatentReader, item: Item) -> Tensor | None:
    try:
        return reader.get(item, 0, False)[0]
    except Refused:
        return None


def _seen(item: Item, background: str) -> Appearance | None:
    try:
        return appearance(item.path, background)
    except Refused:
        return None


def _some(items: Sequence[Item], role: str) -> list[Item]:
    of_role = {item.picture: item for item in items if item.role == role}
    return [of_role[name] for name in spread(list(of_role), MOST)]
