"""Weight sweep: the same prompts and seeds on the base and at several weights of the adapter."""

from collections.abc import Sequence
from dataclasses import replace

from engine.draw import Shot
from engine.review.sheets import Row, Sheet, label_of

ADVICE = (
    "Take the lowest weight at which the subject is right and the prompt is still obeyed; most photographic adapters "
    "peak between 0.7 and 0.85."
)


def plan(shots: Sequence[Shot], adapter: str, weights: Sequence[float]) -> Sheet:
    """One row for each of `shots` (drawn on the base alone), one column for the base and for each weight."""
    return Sheet(
        name="sweep",
        title="Weight sweep",
        note=ADVICE,
        columns=("base", *(f"weight {weight}" for weight in weights)),
        rows=tuple(
            Row(
                label=label_of(shot),
                shots=(shot, *(replace(shot, weights=((adapter, weight),)) for weight in weights)),
            )
            for shot in shots
        ),
    )
