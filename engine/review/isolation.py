"""Isolation: does the look come when nobody calls it? The same prompts and seeds on the base and with the adapter.

Three kinds of prompts do not say the trigger, and they answer differently: one names another thing, one is a prompt of the
project without its trigger, one has a word without meaning in the trigger's place. A prompt that says it is the control: an
adapter that does nothing at all leaks nothing either.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from engine.review import thresholds
from engine.review.evidence import Evidence, likeness
from engine.review.record import Step, Test, Verdict, interval_table, rounded, said, slower
from engine.review.shots import Group
from engine.review.statistics import Interval, holm, sign_flip

GROUPS: Final[tuple[Group, ...]] = ("named", "deleted", "nonsense", "class")
"""Without the trigger."""
_WORDS: Final[Mapping[Group, str]] = {
    "named": "prompts that name other things",
    "deleted": "your prompts without the trigger",
    "nonsense": "your prompts with a nonsense word in its place",
    "class": "the class word alone",
}
_RARER: Final = "take a rarer trigger, put it first in every caption of the subject and in no other"


def judge(evidence: Evidence, rate: float) -> Test:
    """The leak of each group, in units of the base's own noise between seeds, and as a share of what the trigger brings.

    rate: the run's learning rate.
    """
    control = evidence.group("control")
    acts = evidence.change(control, likeness) if control else None
    unit, noise = "of the noise between seeds", evidence.seed_noise
    if control is None or acts is None or noise <= 0:
        return Test(
            test="isolation", verdict="unknown", figure=None, unit=unit, threshold=None,
            words="Nothing was drawn that could be compared.",
        )  # fmt: skip
    there = {name: pairs for name in GROUPS if (pairs := evidence.group(name))}
    leaks = {name: evidence.change(pairs, likeness) for name, pairs in there.items()}
    corrected = holm([sign_flip(evidence.differences(pairs, likeness)).one_sided for pairs in there.values()])
    tables = {}
    verdicts: dict[Group, Verdict] = {}
    for (name, shift), chance in zip(leaks.items(), corrected, strict=True):
        assert shift is not None  # likeness is measured of every picture
        share = shift.value / acts.value if acts.value > 0 else 0.0
        verdicts[name] = _verdict(name, share, chance)
        tables[name] = {
            **{key: rounded(value) for key, value in asdict(over_noise(shift, noise)).items()},
            "share": rounded(share), "p": rounded(chance), "verdict": verdicts[name],
        }  # fmt: skip
    details = {"groups": tables, "control": interval_table(over_noise(acts, noise)), "noise": rounded(noise)}
    if acts.value < thresholds.ACTS:
        return Test(
            test="isolation", verdict="unknown", figure=over_noise(acts, noise), unit=unit, threshold=None,
            words=f"With the trigger the pictures come only {acts.value:.0%} of the way to the training pictures: an "
            "adapter that hardly acts cannot be said to leak.",
            advice="Train longer, or look at the captions: safelight captions DIR check.", details=details,
        )  # fmt: skip
    verdict = max(verdicts.values(), key=_ORDER.index)
    if verdict == "good" and "deleted" not in leaks:
        return Test(
            test="isolation", verdict="unknown", figure=None, unit=unit, threshold=None, details=details,
            words="Nothing is left of these prompts without the trigger, so the main question was not tested.",
            advice="Say more in the captions than the trigger.",
        )  # fmt: skip
    worst = max((name for name in leaks if verdicts[name] == verdict), key=lambda name: tables[name]["share"])
    figure = over_noise(leaks[worst], noise)  # type: ignore[arg-type]
    limit = thresholds.LEAKS[worst][1]
    return Test(
        test="isolation", verdict=verdict, figure=figure, unit=unit,
        threshold=rounded(limit * acts.value / noise) if math.isfinite(limit) else None,
        words=_said(worst, tables[worst], figure, verdict), details=details,
        pictures=_evidence(evidence, worst) if verdict != "good" else (),
        **_advice(verdict, worst, rate),
    )  # fmt: skip


_ORDER: Final[Sequence[Verdict]] = ("unknown", "good", "suspect", "bad")


def _verdict(group: Group, share: float, chance: float) -> Verdict:
    suspect, bad = thresholds.LEAKS[group]
    if chance > thresholds.CHANCE or share < suspect:
        return "good"
    return "bad" if share >= bad else "suspect"


def _said(worst: Group, table: Mapping[str, Any], figure: Interval, verdict: Verdict) -> str:
    share = max(0.0, table["share"])
    if verdict == "good":
        most = f"Without the trigger {share:.0%} of its effect comes at most, with {_WORDS[worst]}"
        return f"{most}: {said(figure, 1)} of the noise between seeds, below the limit for such prompts."
    return f"{share:.0%} of the trigger's effect comes with {_WORDS[worst]}: {said(figure, 1)} of the noise between seeds."


def _advice(verdict: Verdict, worst: Group, rate: float) -> dict[str, Any]:
    if verdict == "good":
        return {}
    if worst == "named":
        return {
            "advice": "The look reaches things that nobody asked to change: lower the rate, or add regularization pictures "
            "of such things.",
            "steps": (
                slower(rate, 2),
                Step(words="add regularization pictures: ordinary captions of other things"),
            ),
        }
    return {
        "advice": "The look comes whenever no object is named: "
        + _RARER
        + ", and add regularization pictures whose "
        "captions lack the subject.",
        "steps": (
            Step(words="add regularization pictures whose captions name no subject, or a nonsense one"),
            Step(words=_RARER),
        ),
    }


def _evidence(evidence: Evidence, group: Group) -> list[str]:
    """Pictures of a group, those first that moved most towards the training pictures."""
    pairs = evidence.group(group)
    if pairs is None:
        return []
    by_leak = sorted(
        pairs, key=lambda pair: likeness(evidence.made[pair[0]]) - likeness(evidence.made[pair[1]])
    )
    return evidence.ids([after for _, after in by_leak])


def over_noise(interval: Interval, noise: float) -> Interval:
    """A change of likeness in units of the base's own noise between seeds."""
    return interval.mapped(lambda value: value / noise)
