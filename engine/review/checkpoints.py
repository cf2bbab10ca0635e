"""The checkpoints of a run side by side: loss, likeness, prompts, leak and echo as the training went on."""

from collections.abc import Sequence
from typing import Any

from engine.review import echo
from engine.review.evidence import Evidence, keeps_prompt, likeness
from engine.review.isolation import over_noise
from engine.review.record import interval_table, rounded
from engine.review.shots import Cell
from engine.review.statistics import Interval


def table(evidence: Evidence, checkpoints: Sequence[int]) -> list[dict[str, Any]]:
    """A row a checkpoint, oldest first: each at the strongest weight that was drawn at all of them."""
    weights = [
        {cell.weight for cell in evidence.plan.sweep if cell.checkpoint == step} for step in checkpoints
    ]
    shared = set.intersection(*weights) if weights else set()
    rows = []
    for step in checkpoints:
        pairs = evidence.plan.sweep.get(Cell(checkpoint=step, weight=max(shared))) if shared else None
        strongest = pairs.adapted if pairs else ()
        own = [
            loss.adapted[step] for loss in evidence.losses if loss.role == "subject" and step in loss.adapted
        ]
        held = [
            loss.adapted[step] for loss in evidence.losses if loss.role == "holdout" and step in loss.adapted
        ]
        rows.append({
            "checkpoint": step, "loss": rounded(_mean(own)), "loss_holdout": rounded(_mean(held)),
            "likeness": interval_table(evidence.figure(strongest, likeness)),
            "prompt": interval_table(evidence.figure(strongest, keeps_prompt)),
            "leak": interval_table(_leak(evidence, step)),
            "gap": interval_table(echo.gap_at(evidence.losses, step)),
        })  # fmt: skip
    return rows


def _leak(evidence: Evidence, step: int) -> Interval | None:
    """Of prompts without the trigger at full weight, in units of the base's noise between seeds."""
    pairs = evidence.group("deleted") if step == evidence.newest else evidence.plan.earlier.get(step)
    shift = evidence.change(pairs, likeness) if pairs else None
    return over_noise(shift, evidence.seed_noise) if shift and evidence.seed_noise > 0 else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
