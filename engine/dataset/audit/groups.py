"""Which pictures of a project are one: by their bytes, by their hashes, and by the camera's clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from engine.dataset.audit.pairs import VERSION, Alike, near_pairs
from engine.dataset.audit.shapes import Audited, Collection, Values
from engine.dataset.audit.sizes import size_of

NEAR: Final = 70
"""Bits of 256 that differ at most in one picture in two forms."""
BURST: Final = 90
"""The same for two frames of a burst."""
SHOT_TOGETHER: Final = 100
"""The same where their cameras say that they were taken within SECONDS."""
SECONDS: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Group:
    """Pictures that are one."""

    members: tuple[Audited, ...]
    """The largest first, of equals the least compressed, then the sharpest: the one to keep."""
    distance: int
    """Bits of 256, the most between two that stand next to each other; 0 for the same bytes."""


def duplicate_groups(collection: Collection) -> list[Group]:
    """Every picture that opened, alone or with those that are the same. Keeps its arithmetic in the store."""
    return _joined(_by_content(collection), _edges(collection)["near"])


def burst_groups(collection: Collection) -> list[Group]:
    """The same for bursts, of every group of duplicates only the one to keep."""
    kept = {
        content: group.members[:1] for group in duplicate_groups(collection) for content in contents_of(group)
    }
    found = []
    for group in _joined(kept, _edges(collection)["burst"]):
        each_once = {one.name: one for one in group.members}
        found.append(Group(members=tuple(each_once.values()), distance=group.distance))
    return found


def contents_of(group: Group) -> set[str]:
    """The contents in it, by sha256."""
    return {one.sha256 or one.name for one in group.members}


def _by_content(collection: Collection) -> dict[str, tuple[Audited, ...]]:
    found: dict[str, tuple[Audited, ...]] = {}
    for one in collection.of("subject", "regularization", "holdout"):
        found[one.sha256 or one.name] = (*found.get(one.sha256 or one.name, ()), one)
    return found


def _edges(collection: Collection) -> Values:
    pictures = [each[0] for each in _by_content(collection).values() if each[0].value("hash", "bits")]
    return collection.once("pairs", VERSION, pictures, lambda: _pairs(pictures))


def _pairs(pictures: Sequence[Audited]) -> Values:
    found = near_pairs(
        [one.value("hash", "bits") for one in pictures],
        np.array([_seconds(one.value("header", "taken")) for one in pictures]),
        Alike([one.value("hash", "shades") for one in pictures]),
        near=NEAR, burst=BURST, together=SHOT_TOGETHER, seconds=SECONDS,
    )  # fmt: skip
    names = [one.sha256 or one.name for one in pictures]
    return {kind: [(names[i], names[j], bits) for i, j, bits in pairs] for kind, pairs in found.items()}


def _seconds(taken: str | None) -> float:
    try:
        return (
            datetime.strptime((taken or "")[:19], "%Y:%m:%d %H:%M:%S") - datetime(1970, 1, 1)
        ).total_seconds()
    except ValueError:
        return float("nan")


def _joined(by_content: dict[str, tuple[Audited, ...]], edges: Iterable[tuple[str, str, int]]) -> list[Group]:
    parent = {content: content for content in by_content}
    farthest = dict.fromkeys(by_content, 0)

    def root(content: str) -> str:
        while parent[content] != content:
            parent[content] = content = parent[parent[content]]
        return content

    for first, second, distance in edges:
        if first in parent and second in parent:
            one, other = root(first), root(second)
            parent[other] = one
            farthest[one] = max(farthest[one], farthest[other], distance)
    members: dict[str, list[Audited]] = {}
    for content, each in by_content.items():
        members.setdefault(root(content), []).extend(each)
    return [
        Group(members=tuple(sorted(each, key=_worth)), distance=farthest[key])
        for key, each in members.items()
    ]


def _worth(one: Audited) -> tuple[float, float, float, str]:
    width, height = size_of(one) or (0, 0)
    # Coarse compression adds edges of its own: what it adds is no sharpness.
    return (
        -width * height,
        one.value("header", "quantization") or 0.0,
        -(one.value("hash", "detail") or 0.0),
        one.name,
    )
