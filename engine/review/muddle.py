"""Muddle: does the adapter hold one look? Where the training pictures were of two, the made ones waver between them."""

from dataclasses import asdict
from typing import Any

import numpy as np

from engine.dataset.audit.looks import two_looks
from engine.dataset.audit.mixtures import Split
from engine.draw import Shot
from engine.review import thresholds
from engine.review.evidence import Evidence
from engine.review.record import Step, Test, said
from engine.review.statistics import wilson

UNIT = "of the pictures on the smaller side of the two looks"
LEAST = 8
"""Made pictures below which their spread says nothing."""
FEWEST = 10
"""The same of training pictures."""


def judge(evidence: Evidence) -> Test:
    """The share of made pictures on the smaller side of the two looks that the training pictures have, if they have two."""
    own = np.array(evidence.own_warmth)
    made = _called(evidence)
    if len(own) < FEWEST or len(made) < LEAST:
        return _test(
            "unknown",
            f"{len(own)} training pictures and {len(made)} made ones are too few to tell one look from two.",
        )
    looks = two_looks(own)
    spread = {"set": float(own.std()), "made": float(np.std([warmth for _, warmth in made]))}
    if looks is None:
        wide = spread["made"] / max(spread["set"], 1e-6)
        words = f"The training pictures are of one look; the made ones spread {wide:.1f} times as wide as they do."
        return _test("good", words, spread=spread)
    middle = sum(looks.means) / 2
    warm = [shot for shot, warmth in made if warmth > middle]
    cool = [shot for shot, warmth in made if warmth <= middle]
    share = wilson(min(len(warm), len(cool)), len(made))
    smaller = warm if len(warm) <= len(cool) else cool
    details = {"spread": spread, "looks": _looks(looks), "warm": len(warm), "cool": len(cool)}
    if share.value < thresholds.SIDES:
        return _test(
            "suspect",
            f"The training pictures are of two looks; of {len(made)} made ones all but {len(smaller)} are of one.",
            figure=share, pictures=evidence.ids(smaller), **details,
        )  # fmt: skip
    return _test(
        "bad",
        f"The training pictures are of two looks, warm and cool, and so are the made ones: {len(warm)} warm, "
        f"{len(cool)} cool, {said(share)} on the smaller side.",
        figure=share, pictures=evidence.ids([*smaller, *(warm if smaller is cool else cool)]), **details,
    )  # fmt: skip


def _test(verdict: Any, words: str, *, figure: Any = None, pictures: Any = (), **details: Any) -> Test:
    bad = verdict in ("bad", "suspect")
    return Test(
        test="muddle", verdict=verdict, figure=figure, unit=UNIT, threshold=thresholds.SIDES, words=words,
        advice="Train on one of the two looks; the audit lists the pictures of each: check looks." if bad else "",
        steps=(
            Step(words="leave one of the two looks out: room 2, finding two looks, x"),
            Step(words="train two adapters, one a look"),
        ) if bad else (),
        pictures=pictures, details=details,
    )  # fmt: skip


def _called(evidence: Evidence) -> list[tuple[Shot, float]]:
    """Pictures that the trigger called at full weight, and the warmth of their light where they have any colour."""
    pairs = [
        evidence.cell(1.0),
        evidence.group("control"),
        evidence.group("bare"),
        evidence.group("verbatim"),
    ]
    shots = dict.fromkeys(shot for each in pairs if each for shot in each.adapted)
    found = ((shot, evidence.made[shot].seen.warmth) for shot in shots)
    return [(shot, warmth) for shot, warmth in found if warmth is not None]


def _looks(looks: Split) -> dict[str, Any]:
    return {name: value for name, value in asdict(looks).items() if name != "higher"}
