"""Whether numbers come from one heap or from two: mixtures of one and of two normal distributions."""

import math
from dataclasses import dataclass

import numpy as np

from engine.dataset.audit.look import Array

_ROUNDS = 80
_NARROWEST = 0.02
"""Standard deviation that a heap has at least: identical values are no heap of their own."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Two heaps."""

    gain: float
    """How much better two explain the values than one: difference of BIC; above 0 they do."""
    distance: float
    """Ashman's D: above 2 the heaps stand apart."""
    share: float
    """Of the smaller heap."""
    valley: float
    """How many values lie in the middle third between the means, over how many in the thirds beside it: 1 is no valley."""
    means: tuple[float, float]
    """The higher first."""
    higher: Array
    """(N,), bool: which value belongs to the higher heap."""


def split(values: Array) -> Split | None:
    """The best two heaps of (N,) values by expectation and maximization; None below four values."""
    count = len(values)
    if count < 4:
        return None
    centre, width = float(values.mean()), max(float(values.std()), _NARROWEST)
    single = _log_likelihood(values, np.array([[centre, width, 1.0]]))
    best, score = np.empty(0), -math.inf
    ordered = np.sort(values)
    for start in (0.25, 0.5, 0.75):
        cut = max(1, min(count - 1, round(start * count)))
        parts = ordered[:cut], ordered[cut:]
        heaps = np.array([[p.mean(), max(p.std(), _NARROWEST), len(p) / count] for p in parts])
        for _ in range(_ROUNDS):
            belongs = _densities(values, heaps)
            belongs /= belongs.sum(axis=1, keepdims=True)
            weight = belongs.sum(axis=0) + 1e-9
            mean = (belongs * values[:, None]).sum(axis=0) / weight
            spread = np.sqrt((belongs * (values[:, None] - mean) ** 2).sum(axis=0) / weight)
            new = np.stack([mean, np.maximum(spread, _NARROWEST), weight / count], axis=1)
            done, heaps = bool(np.abs(new - heaps).max() < 1e-4), new
            if done:
                break
        if (likelihood := _log_likelihood(values, heaps)) > score:
            best, score = heaps, likelihood
    low, high = best[best[:, 0].argsort()]
    densities = _densities(values, np.stack([low, high]))
    thirds, _ = np.histogram(values, np.linspace(low[0], high[0] + 1e-9, 4))
    return Split(
        # Two heaps have five numbers, one has two: each costs ln N.
        gain=2 * (score - single) - 3 * math.log(count),
        distance=math.sqrt(2) * abs(high[0] - low[0]) / math.hypot(high[1], low[1]),
        share=float(min(low[2], high[2])),
        valley=2 * float(thirds[1]) / max(1.0, float(thirds[0] + thirds[2])),
        means=(float(high[0]), float(low[0])),
        higher=densities[:, 1] > densities[:, 0],
    )


def _densities(values: Array, heaps: Array) -> Array:
    mean, width, weight = heaps.T
    return weight / width * np.exp(-0.5 * ((values[:, None] - mean) / width) ** 2) + 1e-300


def _log_likelihood(values: Array, heaps: Array) -> float:
    return float(np.log(_densities(values, heaps).sum(axis=1)).sum()) - len(values) * 0.5 * math.log(
        2 * math.pi
    )
