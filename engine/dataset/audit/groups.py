"""Which pictures of a project are one: by their bytes, by their hashes, and by the camera's clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from engine.dataset.audit import parts
from engine.dataset.audit.pairs import KINDS, VERSION, Alike, near_pairs
from engine.dataset.audit.parts import Part
from engine.dataset.audit.points import NOTHING, POINTS, Points, read
from engine.dataset.audit.shapes import Audited, Collection, Values
from engine.dataset.audit.sizes import size_of

NEAR: Final = 70
"""Bits of 256 that differ at most in one picture in two forms."""
BURST: Final = 90
"""The same for two frames of a burst."""
SHOT_TOGETHER: Final = 100
"""The same where their cameras say that they were taken within SECONDS."""
SECONDS: Final = 3.0
_PARTS: Final = f"{POINTS.version}.{parts.VERSION}"
OVERLAP: Final = 0.02
"""Of a side, that two parts of one picture share at least: less is the width of a seam."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Pictures that are one."""

    members: tuple[Audited, ...]
    """The largest first, of equals the least compressed, then the sharpest: the one to keep."""
    distance: int
    """Bits of 256, the most between two that stand next to each other; 0 for the same bytes."""
    cuts: tuple[Part[str], ...] = ()
    """Which of them are parts of which."""


def duplicate_groups(collection: Collection) -> list[Group]:
    """Every picture that opened, alone or with those that are the same. Keeps its arithmetic in the store."""
    if (known := collection.memo.get("duplicates")) is not None:
        return list(known)
    by_content = _by_content(collection)
    near = _edges(collection)["near"]
    cuts = _sound(_cuts(collection, by_content), _roots(by_content, near))
    found = _joined(by_content, [*near, *((whole, part, 0) for whole, part, *_ in cuts)], cuts)
    collection.memo["duplicates"] = found
    return found


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
    return collection.once("pairs", VERSION, pictures, lambda: _pairs(collection, pictures))


_Cut = tuple[str, str, tuple[float, float, float, float], bool, int]
"""A cut as it is kept, of contents instead of names."""


def _cuts(collection: Collection, by_content: dict[str, tuple[Audited, ...]]) -> list[_Cut]:
    pictures = [each[0] for each in by_content.values() if "points" in each[0].values]
    told = collection.once("parts", _PARTS, pictures, lambda: _parts(collection, pictures))["cuts"]
    return [(whole, part, tuple(box), mirrored, agreeing) for whole, part, box, mirrored, agreeing in told]


def _parts(collection: Collection, pictures: Sequence[Audited]) -> Values:
    """Of pictures that were compared before, when others were there, what came of it is taken over."""
    names = [one.sha256 or one.name for one in pictures]
    before = collection.before("parts", _PARTS)
    seen = frozenset(before.get("seen", ()))
    still = seen.intersection(names)
    cuts = [cut for cut in before.get("cuts", ()) if cut[0] in still and cut[1] in still]
    fresh = [index for index, name in enumerate(names) if name not in seen]
    if fresh:
        cuts += _fresh_cuts(collection, pictures, names, fresh)
    return {"cuts": cuts, "seen": names}


def _fresh_cuts(
    collection: Collection, pictures: Sequence[Audited], names: Sequence[str], fresh: Sequence[int]
) -> list[_Cut]:
    """Looked for where the hash has not found one picture in two forms already."""
    roots = _roots(names, _edges(collection)["near"])

    def points_of(indices: Iterable[int]) -> dict[int, Points]:
        chosen = list(indices)
        told = collection.told(POINTS, (pictures[index] for index in chosen))
        return {index: points for index, one in zip(chosen, told, strict=True) if (points := read(one))}

    # Of ten thousand pictures only the codes are held together, and the rest of those that may be parts.
    codes = [
        points.codes if (points := read(told)) else NOTHING for told in collection.told(POINTS, pictures)
    ]
    found = parts.find_parts(
        codes, points_of, fresh, lambda one, other: roots[names[one]] == roots[names[other]]
    )
    return [(names[one.whole], names[one.part], one.box, one.mirrored, one.agreeing) for one in found]


def _sound(cuts: Sequence[_Cut], roots: dict[str, str]) -> list[_Cut]:
    """Without those of a picture two parts of which have nothing in common: a collage is not one with what is in it."""
    boxes: dict[str, list[tuple[float, float, float, float]]] = {}
    for whole, _, box, *_ in cuts:
        boxes.setdefault(whole, []).append(box)
    apart = {
        whole
        for whole, each in boxes.items()
        if max(box[0] for box in each) >= min(box[2] for box in each) - OVERLAP
        or max(box[1] for box in each) >= min(box[3] for box in each) - OVERLAP
    }
    return [cut for cut in cuts if cut[0] in roots and cut[1] in roots and cut[0] not in apart]


def _pairs(collection: Collection, pictures: Sequence[Audited]) -> Values:
    """Of pictures that were compared before, when others were there, what came of it is taken over."""
    by_name = {one.sha256 or one.name: one for one in pictures}
    before = collection.before("pairs", VERSION)
    known = _still_joined(before, by_name)
    ordered = [*(name for name in by_name if name not in known), *(name for name in by_name if name in known)]
    places = {name: place for place, name in enumerate(ordered)}
    found = near_pairs(
        [by_name[name].value("hash", "bits") for name in ordered],
        np.array([_seconds(by_name[name].value("header", "taken")) for name in ordered]),
        Alike([by_name[name].value("hash", "shades") for name in ordered]),
        near=NEAR, burst=BURST, together=SHOT_TOGETHER, seconds=SECONDS,
        fresh=len(ordered) - len(known),
        known={
            kind: [(places[one], places[two], bits) for one, two, bits in before.get(kind, ()) if {one, two} <= known]
            for kind in KINDS
        },
    )  # fmt: skip
    told = {kind: [(ordered[i], ordered[j], bits) for i, j, bits in pairs] for kind, pairs in found.items()}
    return {**told, "seen": [name for name in ordered if by_name[name].sha256]}


def _still_joined(before: Values, names: Iterable[str]) -> frozenset[str]:
    """Those that need not be compared with each other again.

    What was joined through a picture that is gone may be joined without it, or not: only the pairs that join are kept.
    """
    seen = frozenset(before.get("seen", ()))
    gone = seen.difference(names)
    loose: set[str] = set()
    if gone:
        for kind in KINDS:
            roots = _roots(seen, before[kind])
            broken = {roots[name] for name in gone}
            loose.update(name for name in seen if roots[name] in broken)
    return seen.difference(loose)


def _seconds(taken: str | None) -> float:
    try:
        return (
            datetime.strptime((taken or "")[:19], "%Y:%m:%d %H:%M:%S") - datetime(1970, 1, 1)
        ).total_seconds()
    except ValueError:
        return float("nan")


def _roots(contents: Iterable[str], edges: Iterable[tuple[str, str, int]]) -> dict[str, str]:
    """Content -> the one that stands for all that are joined to it."""
    parent = {content: content for content in contents}

    def root(content: str) -> str:
        while parent[content] != content:
            parent[content] = content = parent[parent[content]]
        return content

    for first, second, _ in edges:
        if first in parent and second in parent:
            parent[root(second)] = root(first)
    return {content: root(content) for content in parent}


def _joined(
    by_content: dict[str, tuple[Audited, ...]],
    edges: Sequence[tuple[str, str, int]],
    cuts: Sequence[_Cut] = (),
) -> list[Group]:
    roots = _roots(by_content, edges)
    farthest = dict.fromkeys(roots.values(), 0)
    for first, second, distance in edges:
        if first in roots and second in roots:
            farthest[roots[first]] = max(farthest[roots[first]], distance)
    members: dict[str, list[Audited]] = {}
    for content, each in by_content.items():
        members.setdefault(roots[content], []).extend(each)
    named: dict[str, list[Part[str]]] = {}
    for whole, part, box, mirrored, agreeing in cuts:
        names = by_content[whole][0].name, by_content[part][0].name
        cut = Part(whole=names[0], part=names[1], box=box, mirrored=mirrored, agreeing=agreeing)
        named.setdefault(roots[whole], []).append(cut)
    found = []
    for key, joined in members.items():
        ordered = sorted(joined, key=_worth) if len(joined) > 1 else joined
        found.append(Group(members=tuple(ordered), distance=farthest[key], cuts=tuple(named.get(key, ()))))
    return found


def _worth(one: Audited) -> tuple[float, float, float, str]:
    width, height = size_of(one) or (0, 0)
    # Coarse compression adds edges of its own: what it adds is no sharpness.
    return (
        -width * height,
        one.value("header", "quantization") or 0.0,
        -(one.value("hash", "detail") or 0.0),
        one.name,
    )
