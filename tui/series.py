"""The loss of a run as numbers for drawing: read once, grown step by step, never copied."""

import math
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import Final

from projects.curve import RECORD, Point, read_records

WINDOW: Final = 50
"""Steps whose mean is shown: one step's loss jumps with its timestep."""
_FIELDS: Final = RECORD.size // 4


def recent_mean(curve: Path) -> float | None:
    """Mean loss of the last `WINDOW` steps of a curve.bin; None where there are none."""
    try:
        records = curve.stat().st_size // RECORD.size
    except OSError:
        return None
    series = Series()
    series.extend_records(read_records(curve, max(0, records - WINDOW) * RECORD.size)[0])
    return series.mean()


class Series:
    """Steps in order with loss and learning rate. Steps whose loss is not known are left out."""

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self.losses = array("f")
        self.rates = array("f")
        self._sums = array("d", [0.0])
        # Read while another thread appends: the steps come last, so that every step has its loss and sum already.
        self.steps = array("I")
        self.extend(points)

    def __len__(self) -> int:
        return len(self.steps)

    def extend(self, points: Iterable[Point]) -> bool:
        """`extend_records` with points."""
        return self.extend_records(b"".join(point.pack() for point in points))

    def extend_records(self, records: bytes) -> bool:
        """Append records of curve.bin. False, and nothing appended, where they do not come after what is there."""
        steps, floats = array("I"), array("f")
        steps.frombytes(records)
        floats.frombytes(records)
        if sys.byteorder == "big":
            steps.byteswap()
            floats.byteswap()
        steps, losses, rates = steps[::_FIELDS], floats[1::_FIELDS], floats[2::_FIELDS]
        if len(steps) and len(self) and steps[0] <= self.steps[-1]:
            return False
        if not math.isfinite(sum(losses)):
            known = [at for at, loss in enumerate(losses) if math.isfinite(loss)]
            steps = array("I", (steps[at] for at in known))
            losses, rates = array("f", (losses[at] for at in known)), array("f", (rates[at] for at in known))
        sums = accumulate(losses, initial=self._sums[-1])
        next(sums)
        self._sums.extend(sums)
        self.losses.extend(losses)
        self.rates.extend(rates)
        self.steps.extend(steps)
        return True

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
