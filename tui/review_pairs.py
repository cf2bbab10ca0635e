"""Pictures of a review beside what they are compared with: the base's of the same prompt and seed, or the nearest
training picture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tui.review_words import place_words
from tui.reviewed import Made, Review, Test

Beside = Literal["base", "training"]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One picture, and what stands beside it."""

    made: Made
    name: str
    """What stands under the picture."""
    beside: Path | None
    """None where there is nothing to compare it with."""
    beside_name: str
    """What stands under that, or why there is nothing."""


def beside_of(test: Test) -> Beside:
    """What a test compares its pictures with."""
    return "training" if test.name == "echo" else "base"


def pairs_of(review: Review, pictures: Iterable[Made], beside: Beside) -> Sequence[Pair]:
    """Each of the pictures with its counterpart."""
    return [_pair(review, made, beside) for made in pictures]


def _pair(review: Review, made: Made, beside: Beside) -> Pair:
    path, name = None, ""
    if beside == "training":
        near = made.nearest
        path, name = (near.path, near.name) if near else (None, "it was compared with no training picture")
    elif made.cell.weight:
        base = review.base_of(made)
        path, name = (base.path, "base alone") if base else (None, "the base's picture is not made")
    return Pair(made=made, name=place_words(made), beside=path, beside_name=name)
