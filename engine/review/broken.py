"""Broken: texture in the place of pictures. At full weight the prompts are no longer kept, whatever they ask for.

Looked at where the trigger calls and where other things are named: of the sweep's few prompts alone nobody can be sure.
"""

from engine.review import thresholds
from engine.review.evidence import Evidence, moved
from engine.review.record import Test, Verdict, interval_table, said, slower
from engine.review.shots import ASKING, Pairs
from engine.review.statistics import Interval

UNIT = "of how well the base keeps its prompts"


def judge(evidence: Evidence, rate: float) -> Test:
    """How well prompts are kept at full weight, the base being 1. rate: the run's learning rate."""
    pairs = _asked(evidence)
    share = evidence.obeys(pairs)
    if share is None:
        return Test(
            test="broken", verdict="unknown", figure=None, unit=UNIT, threshold=thresholds.OBEYS_BAD,
            words="The base itself does not keep these prompts apart, so nobody can tell whether the adapter does.",
        )  # fmt: skip
    verdict = _verdict(share)
    bad = verdict != "good"
    named = evidence.group("named")
    strayed = evidence.figure(named.adapted, moved) if named else None
    return Test(
        test="broken", verdict=verdict, figure=share, unit=UNIT, threshold=thresholds.OBEYS_BAD,
        words=f"At full weight prompts are kept {said(share)} as well as by the base, on {share.n} pictures.",
        advice="Divide the rate by 10 and train again from the same base, or take an earlier checkpoint." if bad else "",
        steps=(slower(rate, 10),) if bad else (),
        pictures=_worst(evidence, pairs) if bad else (), details={"moved_named": interval_table(strayed)},
    )  # fmt: skip


def _verdict(share: Interval) -> Verdict:
    """A wide interval is no proof of health: what is low by itself is suspect."""
    if share.value < thresholds.OBEYS_BAD and share.at_most < thresholds.OBEYS_SUSPECT:
        return "bad"
    return "suspect" if share.value < thresholds.OBEYS_SUSPECT else "good"


def _asked(evidence: Evidence) -> Pairs:
    """All that was drawn at full weight of prompts that ask for something, whether they say the trigger or not."""
    found = [evidence.cell(1.0), *(evidence.group(name) for name in ASKING)]
    pairs = dict(pair[::-1] for each in found for pair in each or ())
    return Pairs(plain=tuple(pairs.values()), adapted=tuple(pairs))


def _worst(evidence: Evidence, pairs: Pairs) -> list[str]:
    """Those first that their own prompt explains least."""
    return evidence.ids(sorted(pairs.adapted, key=lambda shot: evidence.made[shot].prompt or 0.0))
