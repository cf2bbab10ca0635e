"""A measured figure, and the little statistics that figures are made with."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number that was measured here."""

    name: str
    """GROUP.WHAT, for example ui.key_p50."""
    value: float
    unit: str
    budget: float | None = None
    """At most so much, in the same unit; None where nothing is asked."""
    method: str
    """How it was measured, in half a line; docs/measurements.md has the whole."""

    @property
    def missed(self) -> bool:
        """Whether it is over its budget."""
        return self.budget is not None and self.value > self.budget


def median_of(
    name: str, values: Sequence[float], unit: str, *, budget: float | None = None, method: str
) -> Figure:
    """The median of repeated measurements; `method` is completed by how many they were and their range."""
    spread = f"median of {len(values)}, {min(values):.3g} to {max(values):.3g}"
    return Figure(
        name=name,
        value=round(statistics.median(values), 3),
        unit=unit,
        budget=budget,
        method=f"{method}; {spread}",
    )


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` (one or more) that at least `share` (0 to 1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -int(-share * len(ordered) // 1) - 1))]


def figure(name: str, value: float, unit: str, budget: float | None, method: str) -> Figure:
    """A figure, rounded."""
    return Figure(name=name, value=round(value, 3), unit=unit, budget=budget, method=method)


def stall(name: str, ticks: Path, since: float, until: float, words: str, *, budget: float = 50.0) -> Figure:
    """The longest time between two moments in which the interface's loop did not come round."""
    late = [0.0]
    for line in ticks.read_text(encoding="ascii").splitlines():
        began, seconds = map(float, line.split()[:2])
        # What began before and ended after belongs to what came after: the program's end, say.
        if since <= began and began + seconds <= until:
            late.append(seconds)
    return figure(name, 1e3 * max(late), "ms", budget, f"longest wait of a 3 ms ticker on its loop; {words}")
