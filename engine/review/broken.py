"""Broken: texture in the place of pictures. At full weight the prompts are no longer kept, whatever they ask for."""

from engine.review import thresholds
from engine.review.evidence import Evidence, moved
from engine.review.record import Test, Verdict, interval_table, said, slower
from engine.review.statistics import Interval

UNIT = "of how well the base keeps its prompts"


def judge(evidence: Evidence, rate: float) -> Test:
    """How well prompts are kept at full weight, the base being 1. rate: the run's learning rate."""
    pairs = evidence.cell(1.0)
    share = evidence.obeys(pairs) if pairs else None
    if pairs is None or share is None:
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
        words=f"At full weight prompts are kept {said(share)} as well as by the base.",
        advice="Divide the rate by 10 and train again from the same base, or take an earlier checkpoint." if bad else "",
        steps=(slower(rate, 10),) if bad else (),
        pictures=_worst(evidence) if bad else (), details={"moved_named": interval_table(strayed)},
    )  # fmt: skip


def _verdict(share: Interval) -> Verdict:
    """A wide interval is no proof of health: what is low by itself is suspect."""
    high = share.value if share.high is None else share.high
    if share.value < thresholds.OBEYS_BAD and high < thresholds.OBEYS_SUSPECT:
        return "bad"
    return "suspect" if share.value < thresholds.OBEYS_SUSPECT else "good"


def _worst(evidence: Evidence) -> list[str]:
    """Those first that their own prompt explains least."""
    pairs = evidence.cell(1.0)
    if pairs is None:
        return []
    return evidence.ids(sorted(pairs.adapted, key=lambda shot: evidence.made[shot].prompt or 0.0))
