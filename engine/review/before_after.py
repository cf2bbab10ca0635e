"""Before and after: the same prompt and seed on the base and with the adapter, large, at one weight."""

from collections.abc import Sequence
from dataclasses import replace

from engine.draw import Shot
from engine.review.sheets import Row, Sheet, label_of

LOW, HIGH = 0.7, 0.8
"""Weights that people start with (a rule of thumb)."""


def starting_weight(weights: Sequence[float], said: float | None) -> float:
    """`said` (sample.weight) where the run has one.

    Else the first of the sweep's `weights` that lies between LOW and HIGH, so that nothing is drawn twice; else 0.75.
    """
    if said is not None:
        return said
    return next((weight for weight in weights if LOW <= weight <= HIGH), 0.75)


def plan(shots: Sequence[Shot], adapter: str, weight: float) -> Sheet:
    """One row for each of `shots` (drawn on the base alone): the base, and the adapter at `weight`."""
    return Sheet(
        name="before-after",
        title="Before and after",
        note=f"Left the base, right the adapter at weight {weight:g}: same prompt, same seed.",
        columns=("before: base", f"after: weight {weight:g}"),
        rows=tuple(
            Row(label=label_of(shot), shots=(shot, replace(shot, weights=((adapter, weight),))))
            for shot in shots
        ),
    )
