"""Pairs of times measured in alternation, and what they say: shares, and how far to trust their median."""

import random
import statistics
from collections.abc import Sequence
from typing import Final

DRAWS: Final = 10_000


def shares_beside(whole: Sequence[float], part: Sequence[float]) -> list[float]:
    """Of each pair, the share of `whole` that `part` does not explain: 1 - part / whole. Below 0 where noise is larger."""
    return [1 - b / a for a, b in zip(whole, part, strict=True)]


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the median of `values` (one or more), the same for the same values."""
    rng = random.Random(1)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(DRAWS))
    return medians[round(0.025 * (DRAWS - 1))], medians[round(0.975 * (DRAWS - 1))]
