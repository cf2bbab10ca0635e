"""Which pictures are parts of others: points in common propose a pair, and one frame in the other confirms it.

A frame is laid on another by a scale and a shift alone, mirrored as it may be: a crop does not turn, and a camera that
moved between two shots shifts what is near more than what is far.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import cv2
import numpy as np

from engine.dataset.audit.look import Array
from engine.dataset.audit.points import MIRRORED, SHADES, Points, bit

VERSION: Final = "1"
AGREE: Final = 10
"""Points at least that lie where the scale and the shift say."""
CORRELATED: Final = 0.8
"""Correlation at least of the grey levels, 16 x 16 of them, of what both show."""
LEAST, MOST = 0.2, 0.92
"""Share of the larger picture that a part shows. What shows more is the same picture to the hash, or another shot."""
OUTSIDE: Final = 0.02
"""Of the larger picture's sides, that a part may stand out of it: points lie a pixel apart, not less."""
TRIED: Final = 3
"""Pairs of a picture that are looked at closely, those with the most points in common: about half a millisecond each."""
FEWEST: Final = 100
"""The same for all that are new together, where they are few."""
_COMMON: Final = 3
"""Points in common from which on a pair is looked at."""
_NEXT: Final = 4
"""Pictures with the same point that each is paired with: of a hundred alike not all pairs, and still each with some."""
_DIFFER: Final = 12
"""Of 63 signs, in which two views of one point differ at most."""
_NEAR: Final = 2.5
"""Pixels at the smaller scale that a point may be off."""
_SAMPLES: Final = 16
_GUESSES: Final = np.random.default_rng(0).random((2, 100))
"""Which two points fix a scale and a shift, as shares of them: the same every time."""
_SIDE_SIGN: Final = bit(0, 1)


def _keys() -> list[np.uint64]:
    waves = [
        (row, column) for row in range(8) for column in range(8) if row + column and (row, column) != (0, 1)
    ]
    waves.sort(key=lambda at: (sum(at), at))
    return [np.bitwise_or.reduce([bit(*at) for at in waves[start::2][:24]]) for start in (0, 1)]


_KEYS: Final = _keys()
"""Two times 24 signs, the longest waves first: points that agree in either are the same until looked at closely."""


Named = TypeVar("Named", int, str)


@dataclass(frozen=True, kw_only=True)
class Part(Generic[Named]):
    """One picture in another, by index or by name."""

    whole: Named
    part: Named
    box: tuple[float, float, float, float]
    """Left, top, right, bottom of the part as shares of the whole, 0 to 1."""
    mirrored: bool
    agreeing: int
    """Points."""

    @property
    def share(self) -> float:
        """Of the whole, that the part shows."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


def proposed(codes: Sequence[Array], fresh: Collection[int]) -> list[tuple[int, int, bool]]:
    """Pairs that have points in common, first the lower index, and whether mirrored: those with the most first.

    fresh: the indices of which each pair has one at least.
    """
    asked = np.zeros(len(codes), bool)
    asked[list(fresh)] = True
    owners = np.repeat(np.arange(len(codes)), [len(each) for each in codes])
    together = np.concatenate([np.zeros(0, np.uint64), *codes])
    # Of a point and its mirror image the one that is lighter at the left: so both have one key.
    turned = (together & _SIDE_SIGN) == 0
    together = np.where(turned, together ^ MIRRORED, together)
    votes: list[Array] = []
    for key in _KEYS:
        masked = together & key
        order = np.argsort(masked, kind="stable")
        masked = masked[order]
        for apart in range(1, _NEXT + 1):
            at = np.nonzero(masked[apart:] == masked[:-apart])[0]
            first, second = order[at], order[at + apart]
            one, other = owners[first], owners[second]
            wanted = (one != other) & (asked[one] | asked[other])
            first, second, one, other = first[wanted], second[wanted], one[wanted], other[wanted]
            pair = np.minimum(one, other) * len(codes) + np.maximum(one, other)
            votes.append(pair * 2 + (turned[first] != turned[second]))
    found, counts = np.unique(np.concatenate(votes), return_counts=True)
    found, counts = found[counts >= _COMMON], counts[counts >= _COMMON]
    chosen = found[np.argsort(-counts, kind="stable")]
    return [(int(pair // 2 // len(codes)), int(pair // 2 % len(codes)), bool(pair % 2)) for pair in chosen]


def find_parts(
    codes: Sequence[Array],
    points_of: Callable[[Iterable[int]], dict[int, Points]],
    fresh: Collection[int],
    known: Callable[[int, int], bool] = lambda _, __: False,
) -> list[Part[int]]:
    """The parts among pictures, of which `codes` are the points' and `points_of` gives the whole points by index.

    fresh: those that were not yet compared; pairs without one are left out. known: whether two are the same picture anyway.
    """
    pairs = _chosen((pair for pair in proposed(codes, fresh) if not known(pair[0], pair[1])), fresh)
    points = points_of(sorted({index for one, other, _ in pairs for index in (one, other)}))
    found: dict[tuple[int, int], Part[int]] = {}
    for one, other, mirrored in pairs:
        first = points[one].mirrored() if mirrored else points[one]
        laid = _laid(first, points[other])
        if laid is None:
            continue
        box, agreeing, swapped = laid
        if mirrored and not swapped:  # The whole is the one that was mirrored.
            box = (1 - box[2], box[1], 1 - box[0], box[3])
        whole, part = (other, one) if swapped else (one, other)
        before = found.get((whole, part))
        if before is None or before.agreeing < agreeing:
            found[whole, part] = Part(whole=whole, part=part, box=box, mirrored=mirrored, agreeing=agreeing)
    return [found[key] for key in sorted(found)]


def _chosen(pairs: Iterable[tuple[int, int, bool]], fresh: Collection[int]) -> list[tuple[int, int, bool]]:
    """Of each fresh picture the first few: one with many neighbours takes nothing from the others."""
    left = dict.fromkeys(fresh, max(TRIED, FEWEST // max(1, len(fresh))))
    chosen = []
    for pair in pairs:
        if left.get(pair[0], 0) > 0 or left.get(pair[1], 0) > 0:
            chosen.append(pair)
            for index in pair[:2]:
                left[index] = left.get(index, 0) - 1
    return chosen


_Box = tuple[float, float, float, float]


def _laid(one: Points, other: Points) -> tuple[_Box, int, bool] | None:
    """Where the smaller of two frames lies in the larger, points that agree, and whether `other` is the larger."""
    first, second = _matched(one, other)
    if len(first) < AGREE:
        return None
    scale, shift, agreeing = _fitted(first, second)
    if agreeing < AGREE:
        return None
    # second = scale x first + shift: a frame is at the other's 0 and 1 where this is solved for them.
    ends = np.concatenate([-shift / scale / one.size, (other.size - shift) / scale / one.size])
    swapped = bool(np.prod(ends[2:] - ends[:2]) > 1)
    if swapped:
        one, other = other, one
        ends = np.concatenate([shift / one.size, (scale * other.size + shift) / one.size])
    if ends.min() < -OUTSIDE or ends.max() > 1 + OUTSIDE:
        return None
    box = np.clip(ends, 0, 1)
    if not LEAST <= float(np.prod(box[2:] - box[:2])) <= MOST or _alike(one, other, ends) < CORRELATED:
        return None
    left, top, right, bottom = (round(float(end), 3) for end in box)
    return (left, top, right, bottom), agreeing, swapped


def _matched(one: Points, other: Points) -> tuple[Array, Array]:
    """Places of points that are each other's nearest by their codes: (n, 2) of each picture."""
    if not len(one.codes) or not len(other.codes):
        return one.places[:0], other.places[:0]
    differ = np.bitwise_count(one.codes[:, None] ^ other.codes[None, :])
    nearest = differ.argmin(axis=1)
    rows = np.arange(len(nearest))
    mutual = (differ[rows, nearest] <= _DIFFER) & (differ.argmin(axis=0)[nearest] == rows)
    return one.places[rows[mutual]], other.places[nearest[mutual]]


def _fitted(first: Array, second: Array) -> tuple[float, Array, int]:
    """Scale and shift (x, y) under which most places of `first` come to those of `second`, and how many do."""
    a, b = (_GUESSES * len(first)).astype(int)
    before, after = first[a] - first[b], second[a] - second[b]
    length = np.square(before).sum(axis=1)
    scales = (before * after).sum(axis=1) / np.maximum(length, 1)
    sound = (length > 30**2) & (scales > 0.3) & (scales < 3.4)
    if not sound.any():
        return 1.0, np.zeros(2), 0
    scales, a = scales[sound], a[sound]
    shifts = second[a] - scales[:, None] * first[a]
    near = _near(first, second, scales, shifts)
    best = int(near.sum(axis=1).argmax())
    scale, shift, agree = float(scales[best]), shifts[best], near[best]
    for _ in range(2):
        if agree.sum() < AGREE:
            break
        centre, target = first[agree].mean(axis=0), second[agree].mean(axis=0)
        spread, moved = first[agree] - centre, second[agree] - target
        scale = float((spread * moved).sum() / max(float(np.square(spread).sum()), 1.0))
        shift = target - scale * centre
        agree = _near(first, second, np.array([scale]), shift[None])[0]
    return scale, shift, int(agree.sum())


def _near(first: Array, second: Array, scales: Array, shifts: Array) -> Array:
    off = scales[:, None, None] * first[None] + shifts[:, None] - second[None]
    within = _NEAR * np.maximum(1.0, scales)
    return np.asarray(np.square(off).sum(axis=2) < np.square(within)[:, None])


def _alike(whole: Points, part: Points, ends: Array) -> float:
    """Correlation of the grey levels of what both show. ends: of the part in the whole, as shares, before clipping."""
    inside = np.clip(ends, 0, 1)
    at = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    levels = []
    for shades, low, high in ((whole.shades, np.zeros(2), np.ones(2)), (part.shades, ends[:2], ends[2:])):
        places = (inside[:2] + (inside[2:] - inside[:2]) * at[:, None] - low) / (high - low) * SHADES - 0.5
        across, down = np.meshgrid(*places.T.astype(np.float32))
        smooth = cv2.GaussianBlur(shades, (3, 3), 0.8)
        seen = cv2.remap(smooth, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
            np.float32
        )
        levels.append(seen - seen.mean())
    return float(
        (levels[0] * levels[1]).sum() / (np.linalg.norm(levels[0]) * np.linalg.norm(levels[1]) + 1e-6)
    )
