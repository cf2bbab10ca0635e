"""Muddle: does the adapter hold one look? Where the training pictures were of two, it wavers between them.

The prompt asks for the light, and the base gives it: so each picture is held beside the base's own of the same prompt and
seed. An adapter of one look shifts the warmth of all of them alike, or not at all; one of two looks shifts some one way and
some the other. The spread of these shifts is measured in units of what another seed changes at the base.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any, Final

import numpy as np

from engine.dataset.audit.looks import two_looks
from engine.draw import Shot
from engine.review import thresholds
from engine.review.evidence import Evidence
from engine.review.record import Step, Test, Verdict, rounded, said
from engine.review.statistics import Interval, mean_interval

UNIT: Final = "of what another seed changes in the warmth of the light"
LEAST: Final = 8
"""Made pictures below which their spread says nothing."""
_FREEDOM: Final = 4
"""Degrees of freedom of the base's seeds below which there is no unit."""


def judge(evidence: Evidence) -> Test:
    """How far the shifts of warmth spread, over what seeds do."""
    shifts, noise = _shifts(evidence), _noise(evidence)
    if len(shifts) < LEAST or noise is None:
        return _test(
            "unknown", f"{len(shifts)} made pictures with some colour are too few to tell one look from two."
        )
    mean = fmean(shift for _, shift in shifts)
    spread = _root(
        mean_interval([(shift - mean) ** 2 for _, shift in shifts], [shot.prompt for shot, _ in shifts]),
        noise,
    )
    own = two_looks(np.array(evidence.own_warmth)) if evidence.own_warmth else None
    limit = thresholds.WAVERS_BAD if own is None else thresholds.WAVERS_SUSPECT
    verdict = _verdict(spread, own is not None)
    details: dict[str, Any] = {
        "shift": rounded(mean / noise), "warmer": sum(shift > mean for _, shift in shifts), "noise": rounded(noise),
        "looks": None if own is None else {name: value for name, value in asdict(own).items() if name != "higher"},
    }  # fmt: skip
    far = sorted(shifts, key=lambda each: -abs(each[1] - mean))
    return _test(
        verdict, _words(spread, verdict, own is not None), figure=spread, limit=limit, details=details,
        pictures=evidence.ids([shot for shot, _ in far]) if verdict != "good" else (),
    )  # fmt: skip


def _verdict(spread: Interval, two: bool) -> Verdict:
    """two: whether the training pictures themselves are of two looks, so that what wavers has its reason."""
    if spread.value < thresholds.WAVERS_SUSPECT:
        return "good"
    surely = spread.value >= thresholds.WAVERS_BAD and spread.at_least >= thresholds.WAVERS_SUSPECT
    return "bad" if two or surely else "suspect"


def _words(spread: Interval, verdict: Verdict, two: bool) -> str:
    if verdict == "good":
        alike = f"but for {said(spread)} of what a seed does"
        return f"The light's warmth is one: it is changed alike in all pictures, {alike}."
    found = f"The light wavers between warm and cool by {said(spread)} times what a seed does"
    return f"{found}, and the training pictures are of two looks." if two else f"{found}."


def _test(verdict: Verdict, words: str, *, figure: Interval | None = None, limit: float | None = None,
          pictures: Sequence[str] = (), details: dict[str, Any] | None = None) -> Test:  # fmt: skip
    bad = verdict in ("bad", "suspect")
    return Test(
        test="muddle", verdict=verdict, figure=figure, unit=UNIT, threshold=limit, words=words,
        advice="Train on one of the two looks; the audit lists the pictures of each: check looks." if bad else "",
        steps=(
            Step(words="leave one of the two looks out: room 2, finding two looks, x"),
            Step(words="train two adapters, one a look"),
        ) if bad else (),
        pictures=pictures, details=details or {},
    )  # fmt: skip


def _shifts(evidence: Evidence) -> list[tuple[Shot, float]]:
    """Of every picture that the trigger called at full weight: its warmth less the base's of the same prompt and seed."""
    called = [
        evidence.cell(1.0),
        evidence.group("control"),
        evidence.group("bare"),
        evidence.group("verbatim"),
    ]
    found = {}
    for pairs in called:
        for before, after in pairs or ():
            one, other = evidence.made[after].seen.warmth, evidence.made[before].seen.warmth
            if one is not None and other is not None:
                found[after] = one - other
    return list(found.items())


def _noise(evidence: Evidence) -> float | None:
    """Standard deviation of warmth between the base's pictures of one prompt; None where too few prompts have two seeds."""
    by_prompt: dict[str, list[float]] = defaultdict(list)
    for shot, made in evidence.made.items():
        if not shot.weights and made.seen.warmth is not None:
            by_prompt[shot.prompt].append(made.seen.warmth)
    freedom = sum(len(same) - 1 for same in by_prompt.values())
    if freedom < _FREEDOM:
        return None
    squares = sum((value - fmean(same)) ** 2 for same in by_prompt.values() for value in same)
    return max(math.sqrt(squares / freedom), 1e-6)


def _root(square: Interval, unit: float) -> Interval:
    """The root of a mean of squares, over `unit`."""
    return square.mapped(lambda value: math.sqrt(max(value, 0.0)) / unit)
