"""How sure a figure of the review is: intervals, exact tests, corrections. numpy only; the same input, the same answer.

Every number that a review judges by comes from here. Values that are no numbers are refused with ValueError: a caller
leaves out what could not be measured, and says how many are left.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 4000
FLIPS: Final = 20_000
"""Random sign flips where there are too many differences to try all."""
ENUMERATED: Final = 16
"""Differences up to which every one of the 2^n flips is tried."""
FEWEST: Final = 6
"""Units (values, or groups of them) from which on the bootstrap is used."""
MOST_MORE: Final = 200
"""Further pairs above which nobody should draw them: at 3 seconds a picture that is 20 minutes for one question."""
_LEVEL: Final = 0.95
_POWER: Final = 0.8
_AT_ONCE: Final = 2_000_000
"""Random numbers in memory at once."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float | None
    """None where the sample says nothing of the spread: a single value, or fewer than FEWEST that are all the same."""
    high: float | None
    n: int
    """Values it is computed from."""

    @property
    def at_least(self) -> float:
        """The low end; the value where nothing is known of the spread."""
        return self.value if self.low is None else self.low

    @property
    def at_most(self) -> float:
        """The high end; the value where nothing is known of the spread."""
        return self.value if self.high is None else self.high

    def mapped(self, to: Callable[[float], float]) -> "Interval":
        """The same in another unit. to: a function that rises."""
        return Interval(
            value=to(self.value),
            low=None if self.low is None else to(self.low),
            high=None if self.high is None else to(self.high),
            n=self.n,
        )


@dataclass(frozen=True, kw_only=True)
class SignFlip:
    """A sign-flip test of the mean of differences: p-values under "each difference could as well have the other sign"."""

    two_sided: float
    one_sided: float
    """For a mean above 0."""
    n: int
    exact: bool
    """All 2^n flips were tried; else FLIPS random ones."""


@dataclass(frozen=True, kw_only=True)
class More:
    """What it would take to settle a comparison."""

    pairs: int
    """Further pairs; 0: there are enough. MOST_MORE where even so many would not do."""
    enough: bool
    """Whether so many would settle it."""
    words: str


def mean_interval(values: Sequence[float], groups: Sequence[Hashable] | None = None) -> Interval:
    """The mean of `values` with its 95 % interval.

    groups: one label a value, for instance its prompt. Prompts then differ among themselves too, so whole prompts are
    resampled, and seeds within each. One label for all of them is as good as none.

    A bootstrap whose percentiles are widened for small samples (Hesterberg 2015). Below FEWEST units its furthest resample
    is the furthest value, too near for 95 %: there it is Student's interval over the units' means.
    """
    sample = _checked(values)
    parts = _parts(sample, groups)
    mean = float(sample.mean())
    means = np.array([part.mean() for part in parts])
    if len(parts) < 2 or (len(parts) < FEWEST and np.ptp(sample) == 0):
        return Interval(value=mean, low=None, high=None, n=len(sample))
    if len(parts) < FEWEST:
        half = t_quantile(0.5 + _LEVEL / 2, len(parts) - 1) * float(means.std(ddof=1)) / math.sqrt(len(parts))
        return Interval(value=mean, low=mean - half, high=mean + half, n=len(sample))
    tail = _widened_tail(len(parts))
    low, high = np.quantile(_resampled_means(parts), (tail, 1 - tail))
    return Interval(value=mean, low=min(float(low), mean), high=max(float(high), mean), n=len(sample))


def paired(
    ones: Sequence[float], others: Sequence[float], groups: Sequence[Hashable] | None = None
) -> Interval:
    """`mean_interval` of ones - others, pair by pair (the same prompt and seed); `groups` holds one label a pair."""
    return mean_interval(_differences(ones, others), groups)


def apart(one: Interval, other: Interval) -> Interval:
    """one - other where the two were measured on different things, by the square-and-add of their intervals (MOVER).

    Zou and Donner 2008: each side's distance counts, so that lopsided intervals stay so.
    """
    value, n = one.value - other.value, one.n + other.n
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return Interval(value=value, low=None, high=None, n=n)
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return Interval(value=value, low=value - below, high=value + above, n=n)


def told_apart(
    ones: Sequence[float], others: Sequence[float], groups: Sequence[Hashable] | None = None
) -> bool:
    """Whether two paired samples differ: the interval of their difference leaves out 0. False where there is none."""
    return excludes_zero(paired(ones, others, groups))


def excludes_zero(interval: Interval) -> bool:
    """Whether 0 lies outside of the interval; False where there is none."""
    if interval.low is None or interval.high is None:
        return False
    return interval.low > 0 or interval.high < 0


def sign_flip(differences: Sequence[float]) -> SignFlip:
    """Test whether the mean of paired differences is 0, without assuming a distribution.

    A difference of 0 stays in: it says that nothing changed there. Sums that are equal but for rounding count as equal.
    """
    sample = _checked(differences)
    size, observed = len(sample), float(sample.sum())
    near = 1e-9 * float(np.abs(sample).sum())
    exact = size <= ENUMERATED
    if exact:
        sums = np.zeros(1)
        for difference in sample:
            sums = np.concatenate((sums + difference, sums - difference))
    else:
        random = np.random.default_rng(0)
        at_once = max(1, _AT_ONCE // size)
        sums = np.concatenate(
            [
                random.choice((-1.0, 1.0), (min(at_once, FLIPS - start), size)) @ sample
                for start in range(0, FLIPS, at_once)
            ]
        )
    # Of random flips the sample itself is one more: so no p-value is ever 0.
    extra = 0 if exact else 1
    above = int((sums >= observed - near).sum()) + extra
    beyond = int((np.abs(sums) >= abs(observed) - near).sum()) + extra
    total = len(sums) + extra
    return SignFlip(two_sided=beyond / total, one_sided=above / total, n=size, exact=exact)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's correction for several tests: each p-value as it stands among the others, in the order given."""
    if not p_values:
        return ()
    sample = _checked(p_values)
    order = np.argsort(sample, kind="stable")
    stepped = np.maximum.accumulate(sample[order] * np.arange(len(sample), 0, -1))
    corrected = np.empty_like(sample)
    corrected[order] = np.minimum(stepped, 1.0)
    return tuple(float(value) for value in corrected)


def wilson(hits: int, n: int) -> Interval:
    """The share hits / n with Wilson's 95 % interval, which holds for small samples and for shares of 0 and 1."""
    if n < 1 or not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no share")
    z, share = NormalDist().inv_cdf(0.5 + _LEVEL / 2), hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(
        value=share,
        low=0.0 if hits == 0 else centre - half,
        high=1.0 if hits == n else centre + half,
        n=n,
    )


def how_many_more(
    differences: Sequence[float],
    *,
    wanted_half_width: float | None = None,
    smallest: float | None = None,
    groups: Sequence[Hashable] | None = None,
) -> More:
    """How many pairs are missing, beside those of `differences`, if the spread stays what it is.

    Exactly one of two aims, in the unit of the differences, above 0. smallest: a mean difference that large is found in
    80 of 100 tries. wanted_half_width: the interval reaches so far to each side. With `groups` further pairs are taken to
    be spread over further groups as these are.
    """
    aim = wanted_half_width if smallest is None else smallest
    if aim is None or (wanted_half_width is not None and smallest is not None):
        raise ValueError("say wanted_half_width or smallest, and one of them")
    if not aim > 0 or not math.isfinite(aim):
        raise ValueError(f"{aim} is no aim")
    sample = _checked(differences)
    have = len(sample)
    if len(sample) < 2:
        return More(pairs=FEWEST - 1, enough=False, words="One pair says nothing of the spread.")
    spread = math.sqrt(have) * _standard_error(_parts(sample, groups))
    power = 0.0 if smallest is None else _POWER
    for total in range(have, have + MOST_MORE + 1):
        reach = t_quantile(0.5 + _LEVEL / 2, total - 1) + (t_quantile(power, total - 1) if power else 0.0)
        if reach * spread / math.sqrt(total) <= aim and (spread > 0 or total >= FEWEST):
            return More(pairs=total - have, enough=True, words=_more_words(total - have))
    return More(
        pairs=MOST_MORE,
        enough=False,
        words=f"Not even {MOST_MORE} further pairs would settle it: the difference, if there is one, is too small.",
    )


def t_quantile(share: float, freedom: int) -> float:
    """Student's t below which `share` of the distribution lies; exact for 1 and 2 degrees of freedom, else to 0.5 %.

    For shares from 0.5 to 0.995; Cornish and Fisher's expansion from 3 on.
    """
    if freedom < 1 or not 0.5 <= share <= 0.995:
        raise ValueError(f"no quantile of {share} with {freedom} degrees of freedom")
    if freedom == 1:
        return math.tan(math.pi * (share - 0.5))
    if freedom == 2:
        return (2 * share - 1) / math.sqrt(2 * share * (1 - share))
    z = NormalDist().inv_cdf(share)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / freedom**power for power, term in enumerate(terms))


def _checked(values: Sequence[float]) -> Floats:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not len(sample):
        raise ValueError("no values")
    if not np.isfinite(sample).all():
        raise ValueError("a value is not a finite number")
    return sample


def _differences(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    if len(ones) != len(others):
        raise ValueError(f"{len(ones)} values cannot be paired with {len(others)}")
    return [one - other for one, other in zip(ones, others, strict=True)]


def _parts(sample: Floats, groups: Sequence[Hashable] | None) -> list[Floats]:
    """The units that are resampled first: the groups, or single values where there are no two groups."""
    labels: Sequence[Hashable] = range(len(sample)) if groups is None else groups
    if len(labels) != len(sample):
        raise ValueError(f"{len(labels)} labels for {len(sample)} values")
    places: dict[Hashable, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    if len(places) == 1:
        return [sample[place : place + 1] for place in range(len(sample))]
    return [sample[chosen] for chosen in places.values()]


def _resampled_means(parts: Sequence[Floats]) -> Floats:
    """RESAMPLES means: as many parts as there are, drawn anew, and within each as many values as it has."""
    sizes = np.array([len(part) for part in parts])
    starts, flat = np.cumsum(sizes) - sizes, np.concatenate(parts)
    random, count, widest = np.random.default_rng(0), len(parts), int(sizes.max())
    at_once = max(1, _AT_ONCE // (count * widest))
    means = []
    for start in range(0, RESAMPLES, at_once):
        drawn = random.integers(0, count, (min(at_once, RESAMPLES - start), count))
        within = random.random((*drawn.shape, widest)) * sizes[drawn][..., None]
        there = np.arange(widest) < sizes[drawn][..., None]
        values = np.where(there, flat[starts[drawn][..., None] + within.astype(np.int64)], 0.0)
        means.append(values.sum(axis=(1, 2)) / sizes[drawn].sum(axis=1))
    return np.concatenate(means)


def _standard_error(parts: Sequence[Floats]) -> float:
    """Of the mean, from the spread of the parts' means."""
    means = np.array([part.mean() for part in parts])
    return float(means.std(ddof=1)) / math.sqrt(len(parts))


def _widened_tail(count: int) -> float:
    """Share to cut at each end of the resampled means of `count` units, so that the interval is as wide as Student's."""
    t = t_quantile(0.5 + _LEVEL / 2, count - 1)
    return NormalDist().cdf(-math.sqrt(count / (count - 1)) * t)


def _more_words(pairs: int) -> str:
    if pairs == 0:
        return "There are enough pairs."
    return f"{pairs} further {'pair' if pairs == 1 else 'pairs'} would settle it."
