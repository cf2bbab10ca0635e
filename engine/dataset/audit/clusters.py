"""Which of many things are alike: clusters in which no two are far from each other."""

from collections.abc import Sequence

import numpy as np

from engine.dataset.audit.look import Array

MOST = 400
"""Things that are compared: of more, every so manieth."""
_FAR = 1e9


def spread(count: int) -> list[int]:
    """At most MOST indices below `count`, evenly spread."""
    return sorted({round(index) for index in np.linspace(0, count - 1, min(count, MOST))}) if count else []


def clusters(distances: Array, limit: float) -> list[list[int]]:
    """Complete linkage of (N, N) distances: no two in a cluster are farther apart than `limit`. The largest first."""
    members: list[list[int]] = [[index] for index in range(len(distances))]
    far = distances.astype(np.float64)
    np.fill_diagonal(far, _FAR)
    while len(members) and far.size and far.min() <= limit:
        one, other = sorted(int(side) for side in np.unravel_index(far.argmin(), far.shape))
        far[one] = far[:, one] = np.maximum(far[one], far[other])
        far[one, one] = far[other] = far[:, other] = _FAR
        members[one] += members[other]
        members[other] = []
    return sorted((sorted(each) for each in members if each), key=lambda each: (-len(each), each))


def counted(found: Sequence[Sequence[int]], share: float = 0.05) -> int:
    """How many clusters hold at least that share of all, and at least two: one picture is an exception."""
    total = sum(map(len, found))
    return sum(len(each) >= max(2, share * total) for each in found) or min(1, len(found))
