"""How far an adapter moves pictures away from the base, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

MEASURE = "mean absolute difference to the base's picture of the same prompt and seed, in grey levels of 255"
_RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class Change:
    """A mean over pairs of pictures in grey levels, with the bounds of its 95 % bootstrap interval."""

    value: float
    low: float | None
    """None where one pair alone says nothing of the spread."""
    high: float | None
    n: int
    """Pairs."""


def change(pairs: Sequence[tuple[Image.Image, Image.Image]]) -> Change:
    """Compare pairs of pictures of equal size; the same pairs give the same bounds."""
    moved = np.array([_difference(*pair) for pair in pairs])
    if len(moved) < 2:
        return Change(value=round(float(moved.mean()), 3), low=None, high=None, n=len(moved))
    drawn = np.random.default_rng(0).integers(0, len(moved), (_RESAMPLES, len(moved)))
    low, high = np.percentile(moved[drawn].mean(axis=1), (2.5, 97.5))
    return Change(
        value=round(float(moved.mean()), 3),
        low=round(float(low), 3),
        high=round(float(high), 3),
        n=len(moved),
    )


def _difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).mean())
