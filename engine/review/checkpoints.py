"""The checkpoints of a run side by side: loss, likeness, prompts, leak and echo as the training went on."""

from collections.abc import Sequence
from typing import Any

from engine.review import echo
from engine.review.evidence import Evidence, keeps_prompt, likeness
from engine.review.record import interval_table, rounded
from engine.review.statistics import Interval, mean_interval
from projects.events import fold_file
from projects.job import JobDir


def table(evidence: Evidence, run: JobDir, checkpoints: Sequence[int]) -> list[dict[str, Any]]:
    """A row a checkpoint, oldest first; what was drawn at one weight only is told of the largest."""
    evaluated = fold_file(run.events).evaluated if run.events.exists() else {}
    rows = []
    for step in checkpoints:
        cells = [cell for cell in evidence.plan.sweep if cell.checkpoint == step]
        strongest = evidence.plan.sweep[max(cells, key=lambda cell: cell.weight)].adapted if cells else ()
        own = [
            loss.adapted[step] for loss in evidence.losses if loss.role == "subject" and step in loss.adapted
        ]
        held = [
            loss.adapted[step] for loss in evidence.losses if loss.role == "holdout" and step in loss.adapted
        ]
        told = evaluated.get(step, (None, None))
        rows.append({
            "checkpoint": step,
            "loss": rounded(told[0] if told[0] is not None else _mean(own)),
            "loss_holdout": rounded(told[1] if told[1] is not None else _mean(held)),
            "likeness": interval_table(evidence.figure(strongest, likeness)),
            "prompt": interval_table(evidence.figure(strongest, keeps_prompt)),
            "leak": interval_table(_leak(evidence) if step == evidence.newest else None),
            "gap": interval_table(echo.gap_at(evidence.losses, step)),
        })  # fmt: skip
    return rows


def _leak(evidence: Evidence) -> Interval | None:
    """Of prompts without the trigger, in units of the base's noise between seeds; drawn at the newest checkpoint only."""
    pairs = evidence.group("deleted")
    if pairs is None or evidence.seed_noise <= 0:
        return None
    return mean_interval([each / evidence.seed_noise for each in evidence.differences(pairs, likeness)])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
