"""Echo: does the adapter know its training pictures by heart?

Two signs. The denoising loss, on a fixed grid, of pictures that were trained and of held-out ones of the same subject:
what was learned lowers both, what was memorized only the first. And every made picture beside every training picture,
whole, flipped, turned, and cut where it is large enough: with the bare trigger and with training captions word for word,
where copies show first. Captions of held-out pictures say how near a caption alone brings a picture.
"""

from collections.abc import Sequence
from typing import Any, Final

from engine.draw import Shot
from engine.review import thresholds
from engine.review.evidence import Evidence, Loss
from engine.review.record import Step, Test, Verdict, interval_table, rounded, said, slower
from engine.review.shots import Group
from engine.review.statistics import Interval, apart, mean_interval

WORST: Final[tuple[Group, ...]] = ("bare", "verbatim")
GROUPS: Final[tuple[Group, ...]] = (*WORST, "unseen")
UNIT: Final = "more loss spared to training pictures than to held-out ones, of the base's"
LEAST: Final = 3
"""Pictures of a kind below which a gap says nothing."""


def judge(evidence: Evidence, rate: float) -> Test:
    """The gap of the newest checkpoint, and the copies. rate: the run's learning rate."""
    gap, copies, near = gap_at(evidence.losses, evidence.newest), *_found(evidence)
    distances = _distances(evidence)
    own = len({(evidence.made[shot].nearest.picture, shot.seed) for shot in copies})  # type: ignore[union-attr]
    verdict = _verdict(gap, own, distances)
    details = {
        "copies": len(copies), "own": own, "near": len(near), "compared": len(_compared(evidence)),
        "distance": interval_table(distances), "limit": rounded(thresholds.copy_limit(evidence.reached)),
        "reached": [rounded(distance) for distance in evidence.reached],
    }  # fmt: skip
    bad = verdict in ("bad", "suspect")
    return Test(
        test="echo", verdict=verdict, figure=gap, unit=UNIT, threshold=thresholds.GAP_BAD,
        words=f"{_gap_words(gap)} {_copy_words(len(copies), own, len(near), len(_compared(evidence)), evidence.trained)}",
        advice="Add pictures, or divide the rate by 10 and train again from the same base." if bad else "",
        steps=(
            slower(rate, 10),
            Step(words="add pictures: below 20 of them a model memorizes"),
        ) if bad else (),
        pictures=evidence.ids([*copies, *near]), details=details,
    )  # fmt: skip


def gap_at(losses: Sequence[Loss], checkpoint: int) -> Interval | None:
    """How much more loss the training pictures were spared than the held-out ones, as a share of the base's.

    None where either kind has fewer than LEAST pictures.
    """
    kinds: dict[str, list[float]] = {"subject": [], "holdout": []}
    for loss in losses:
        if checkpoint in loss.adapted and loss.base > 0:
            kinds[loss.role].append((loss.adapted[checkpoint] - loss.base) / loss.base)
    if min(map(len, kinds.values())) < LEAST:
        return None
    return apart(mean_interval(kinds["holdout"]), mean_interval(kinds["subject"]))


def _compared(evidence: Evidence) -> list[Shot]:
    """Every picture made with the adapter that was held beside the training pictures."""
    shots = dict.fromkeys(shot for pairs in evidence.plan.pairs() for shot in pairs.adapted)
    return [shot for shot in shots if evidence.made[shot].nearest is not None]


def _found(evidence: Evidence) -> tuple[list[Shot], list[Shot]]:
    """Copies, and what is nearer to a training picture than held-out ones are; the nearest first."""
    worst = {shot for name in WORST if (pairs := evidence.group(name)) for shot in pairs.adapted}
    by_distance = sorted(_compared(evidence), key=lambda shot: evidence.made[shot].nearest.distance)  # type: ignore[union-attr]
    copies = [shot for shot in by_distance if evidence.made[shot].nearest.kind == "copy"]  # type: ignore[union-attr]
    near = [shot for shot in by_distance if shot in worst and evidence.made[shot].nearest.kind == "near"]  # type: ignore[union-attr]
    return copies, near


def _distances(evidence: Evidence) -> Interval | None:
    """Of the pictures of training captions to the nearest training picture."""
    bare = evidence.group("verbatim")
    return (
        evidence.figure(bare.adapted, lambda made: made.nearest.distance if made.nearest else None)
        if bare
        else None
    )


def _verdict(gap: Interval | None, own: int, distances: Interval | None) -> Verdict:
    if own >= thresholds.COPIES_BAD:
        return "bad"
    if gap is None:
        if distances is None:
            return "unknown"
        near = distances.high is not None and distances.high < thresholds.NEAR
        return "suspect" if own or near else "unknown"
    if gap.at_least > thresholds.GAP_BAD:
        return "bad"
    return "suspect" if own or gap.at_least > thresholds.GAP_SUSPECT else "good"


def _gap_words(gap: Interval | None) -> str:
    if gap is None:
        return (
            f"Fewer than {LEAST} held-out pictures: nobody can tell learning from copying by the loss. "
            "Put some in a folder of their own: data.holdout."
        )
    if gap.at_least > thresholds.GAP_SUSPECT:
        return f"Training pictures were spared {said(gap)} of their loss more than held-out ones."
    return f"Held-out pictures gained as much as training pictures: the gap is {said(gap)} of the loss."


def _copy_words(copies: int, own: int, near: int, compared: int, trained: int) -> str:
    if not compared:
        return "No training picture could be opened to compare with."
    if not copies and not near:
        return f"None of {compared} made pictures is close to any of {trained} training pictures."
    once = f" ({own}, prompts that differ in the trigger alone taken as one)" if own != copies else ""
    return (
        f"Of {compared} made pictures {copies} are copies of a training picture{once}, "
        f"{near} nearer than held-out ones are."
    )


def table_of(losses: Sequence[Loss]) -> list[dict[str, Any]]:
    """The losses as review.json has them."""
    return [
        {"picture": loss.picture, "role": loss.role, "base": loss.base, "adapted": dict(loss.adapted)}
        for loss in losses
    ]
