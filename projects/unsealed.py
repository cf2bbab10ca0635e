"""What a blind round says once its labels are shown, beside the first impression and never mixed with it."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from projects import blind
from projects.blind import Round
from projects.job import JobDir
from projects.problems import Problem, listed, refuse
from projects.replay import refuse_in_replay
from projects.sides import Side, side_of

FEWEST: Final = 3
"""Pictures of a side from which on an interval is given."""
_T: Final = (
    4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110,
    2.101, 2.093, 2.086,
)  # fmt: skip
"""97.5 % quantiles of Student's t with 2, 3, ... 20 degrees of freedom."""
_ROUNDED: Final = 1 / 12
"""Variance of what is rounded to whole points: equal verdicts do not say that there is no spread at all."""


@dataclass(frozen=True, kw_only=True)
class Rated:
    """What was said of one side."""

    side: Side
    mean: float
    """Mean of its pictures, 1 to 5; a picture that was shown twice counts once, with the mean of both verdicts."""
    low: float | None
    """Lower end of the 95 % interval by Student's t; None where there are too few pictures."""
    high: float | None
    """Upper end."""
    pictures: int
    """Different pictures that were rated."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How the person agrees with themselves on pictures that were shown twice."""

    pairs: int
    """Repeats of which both were rated."""
    exact: int
    """Of those, with the same verdict."""
    within: int
    """Of those, at most one point apart."""

    @property
    def words(self) -> str:
        """As a sentence."""
        if not self.pairs:
            return "No picture was rated twice, so agreement with yourself is not known."
        how = "few, so this says little" if self.pairs < 2 * FEWEST else "of those that were shown twice"
        return f"Shown twice: {self.within} of {self.pairs} within one point, {self.exact} the same ({how})."


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A blind round with its labels."""

    round: Round
    sides: tuple[Rated, ...]
    """The best first; empty where the labels are lost."""
    agreement: Agreement
    problems: tuple[Problem, ...]
    """What is not as it was sealed; empty: the labels are those of the first day."""

    @property
    def best(self) -> Side | None:
        """The side rated best, if its interval lies above all others and the seal is whole; else None."""
        if self.problems or not self.sides or self.sides[0].low is None:
            return None
        first, *others = self.sides
        return (
            first.side
            if all(each.high is not None and each.high < self.sides[0].low for each in others)
            else None
        )

    @property
    def level(self) -> list[Side]:
        """The side rated best and those that cannot be told from it."""
        if not self.sides or self.sides[0].low is None:
            return [each.side for each in self.sides]
        low = self.sides[0].low
        return [each.side for each in self.sides if each.high is None or each.high >= low]

    @property
    def words(self) -> str:
        """Whether the blind verdict is that of the first impression, as a sentence."""
        took = self.round.first.side
        if self.problems and self.sides:
            return "No best one is named: the round is not as it was sealed."
        if not self.sides:
            return "Nothing was rated with a label that is known."
        if self.best is not None:
            same = "the one you took at first" if self.best == took else f"at first you took {took.words}"
            return f"Best without labels: {self.best.words}, {same}."
        if took not in {each.side for each in self.sides}:
            return f"What you took at first, {took.words}, was not rated without its label."
        if took not in self.level:
            return f"What you took at first, {took.words}, is not among the best without labels."
        return (
            f"{len(self.level)} cannot be told apart at the top, and what you took at first is one of them."
        )


def opened(run: JobDir, now: float, *, early: bool = False) -> Opened:
    """Show the labels, which ends the round: nothing is rated from then on. Asked again, it says the same again.

    early: although not everything is rated. Raises Refused where there is no round, or something is left to rate, and
    OSError. Whatever is not as it was sealed is named in `problems`, and nothing is lost by it.
    """
    found = blind.read_round(run)
    if found is None:
        raise refuse(
            "There is no blind round of this review.",
            where=run.blind,
            hint="B in the review room begins one.",
        )
    if found.opened is None:
        left = len(found.open_ids)
        if left and not early:
            hint = "Rate the rest first: once the labels are seen, no verdict is blind any more."
            raise refuse(f"{left} of {len(found.order)} are not rated yet.", where=run.blind, hint=hint)
        refuse_in_replay(run.review)
        blind.journal(run, {"opened": True, "time": now})
        found = blind.read_round(run) or found
    labels, problems = _labels(run, found)
    clock = found.clock_problem(now)
    return Opened(
        round=found, sides=_rated(found, labels), agreement=_agreement(found, labels),
        problems=(*problems, *([clock] if clock else [])),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Label:
    side: Side
    prompt: str
    seed: int
    sha256: str


def _labels(run: JobDir, found: Round) -> tuple[dict[str, _Label], list[Problem]]:
    """Opaque id -> what it was, and all that is not as it was sealed."""
    try:
        data = run.blind_key.read_bytes()
    except OSError as failed:
        missing = isinstance(failed, FileNotFoundError)
        gone = "is not there any more" if missing else f"cannot be read ({failed.strerror})"
        error, hint = (
            f"The key {gone}: nobody can say which is which.",
            "Put a copy of it back. The verdicts stay.",
        )
        return {}, [Problem(error=error, where=str(run.blind_key), hint=hint)]
    problems = []
    if (seen := hashlib.sha256(data).hexdigest()) != found.sha256:
        error = f"This is not the key that was sealed: its sha256 is {seen[:12]}..., sealed was {found.sha256[:12]}..."
        hint = "Put a copy of the sealed one back. The verdicts stay."
        problems.append(Problem(error=error, where=str(run.blind_key), hint=hint))
    key = _parsed(data)
    labels = _labels_of(key.get("pictures"), found.order)
    sealed = (
        blind.first_of(key.get("first")),
        *(key.get(name) for name in ("order", "created", "not_before")),
    )
    if not problems and sealed != (found.first, list(found.order), found.created, found.not_before):
        error = (
            "First impression, order or times are not those that were sealed; the key has the sealed ones."
        )
        problems.append(Problem(error=error, where=str(run.blind), hint="Put a copy of it back."))
    changed = [
        f"{name}.png"
        for name, label in labels.items()
        if _sha256(run.blind_pictures / f"{name}.png") != label.sha256
    ]
    if changed:
        error = f"Pictures are gone or not those that were sealed: {listed(changed)}."
        problems.append(Problem(error=error, where=str(run.blind_pictures), files=changed))
    return labels, problems


def _labels_of(told: Any, order: Sequence[str]) -> dict[str, _Label]:
    labels = {}
    for name in order if isinstance(told, dict) else ():
        each = told.get(name)
        side = side_of(each)
        if side is not None and type(each.get("seed")) is int:
            labels[name] = _Label(
                side=side, prompt=str(each.get("prompt")), seed=each["seed"], sha256=str(each.get("sha256"))
            )
    return labels


def _rated(found: Round, labels: Mapping[str, _Label]) -> tuple[Rated, ...]:
    """Each side that was rated, the best first."""
    sides: dict[Side, list[float]] = {}
    for label, verdicts in _by_picture(found, labels):
        sides.setdefault(label.side, []).append(sum(verdicts) / len(verdicts))
    rated = []
    for side, means in sides.items():
        mean, half = sum(means) / len(means), _half(means)
        low, high = (None, None) if half is None else (max(1.0, mean - half), min(5.0, mean + half))
        rated.append(Rated(side=side, mean=mean, low=low, high=high, pictures=len(means)))
    return tuple(sorted(rated, key=lambda each: (-each.mean, each.side)))


def _half(values: Sequence[float]) -> float | None:
    """Half of the 95 % interval of a mean, None for fewer than `FEWEST` values."""
    count = len(values)
    if count < FEWEST:
        return None
    mean = sum(values) / count
    variance = max(_ROUNDED, sum((each - mean) ** 2 for each in values) / (count - 1))
    # Beyond the table this is right to 0.002.
    quantile = _T[count - 3] if count - 3 < len(_T) else 1.96 + 2.5 / (count - 1)
    return quantile * math.sqrt(variance / count)


def _agreement(found: Round, labels: Mapping[str, _Label]) -> Agreement:
    apart = [
        abs(verdicts[0] - verdicts[1]) for _, verdicts in _by_picture(found, labels) if len(verdicts) == 2
    ]
    return Agreement(pairs=len(apart), exact=apart.count(0), within=sum(each <= 1 for each in apart))


def _by_picture(found: Round, labels: Mapping[str, _Label]) -> list[tuple[_Label, list[int]]]:
    """What each different picture was, and the verdicts on it: two where it was repeated."""
    pictures: dict[_Label, list[int]] = {}
    for name, rating in found.verdicts.items():
        if name in labels:
            pictures.setdefault(labels[name], []).append(rating)
    return list(pictures.items())


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _sha256(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
