"""The loss of a run as numbers for drawing: read once, grown step by step, never copied."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from projects.curve import Point

WINDOW: Final = 50
"""Steps whose mean is shown: one step's loss jumps with its timestep."""


class Series:
    """Steps in order with loss and learning rate. Steps whose loss is not known are left out."""

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self.losses = array("f")
        self.rates = array("f")
        self._sums = array("d", [0.0])
        # Read while another thread appends: the steps come last, so that every step has its loss and sum already.
        self.steps = array("L")
        self.extend(points)

    def __len__(self) -> int:
        return len(self.steps)

    def extend(self, points: Iterable[Point]) -> None:
        """Append points in order."""
        for point in points:
            if math.isfinite(point.loss):
                self.losses.append(point.loss)
                self.rates.append(point.lr)
                self._sums.append(self._sums[-1] + point.loss)
                self.steps.append(point.step)

    def index(self, step: int) -> int:
        """How many points there are up to and with `step`."""
        return bisect_right(self.steps, step)

    def mean(self, count: int | None = None) -> float | None:
        """Mean loss of the last `WINDOW` of the first `count` points (all when left out); None where there are none."""
        end = len(self.steps) if count is None else min(count, len(self.steps))
        start = max(0, end - WINDOW)
        return (self._sums[end] - self._sums[start]) / (end - start) if end else None

    def rate(self, count: int) -> float | None:
        """Learning rate at the last of the first `count` points."""
        return self.rates[count - 1] if 0 < count <= len(self.steps) else None
