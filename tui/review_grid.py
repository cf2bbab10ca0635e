"""The pictures of a review as a grid: checkpoints by weights, for one prompt and seed at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tui.reviewed import Cell, Made, Review

SWEPT: Final = ("sweep", "before-after", "before_after")
"""Whose pictures stand in the grid; those of the other tests have no places beside each other."""
START: Final = 0.75
"""Weight that people look at first where nothing is recommended."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Places for pictures, also for those that are not made yet."""

    prompts: Sequence[str] = ()
    seeds: Sequence[int | None] = ()
    rows: Sequence[int | None] = ()
    """Checkpoints, oldest first."""
    columns: Sequence[float] = ()
    """Weights, the base first."""
    made: Mapping[Cell, Made] = field(default_factory=dict)
    recommended: tuple[int | None, float] | None = None
    """Checkpoint and weight."""

    def at(self, row: int, column: int, prompt: str, seed: int | None) -> Made | None:
        """The picture of a place, None where it is not made. The base's is the same in every row."""
        weight = self.columns[column]
        checkpoint = self.rows[row] if weight else None
        return self.made.get(Cell(checkpoint=checkpoint, weight=weight, prompt=prompt, seed=seed))

    def start(self) -> tuple[int, int]:
        """Row and column to begin on: what is recommended, else the newest checkpoint near weight `START`."""
        checkpoint, weight = self.recommended or (None, START)
        row = self.rows.index(checkpoint) if checkpoint in self.rows else max(0, len(self.rows) - 1)
        near = sorted(range(len(self.columns)), key=lambda at: abs(self.columns[at] - weight))
        return row, near[0] if near else 0


def grid_of(review: Review) -> Grid:
    """Every checkpoint and weight that is drawn, or will be. Without any picture of a sweep: all pictures."""
    swept = [made for made in review.pictures if any(test in SWEPT for test in made.tests)]
    pictures = swept or list(review.pictures)
    judged = [
        each.checkpoint
        for each in review.checkpoints
        if each.checkpoint is not None and each.measures.keys() - {"loss", "loss_holdout"}
    ]
    drawn = [made.cell.checkpoint for made in pictures if made.cell.checkpoint is not None]
    rows: Sequence[int | None] = sorted({*judged, *drawn}) or [review.checkpoint]
    best = review.recommended
    return Grid(
        prompts=list(dict.fromkeys(made.cell.prompt for made in pictures)),
        seeds=list(dict.fromkeys(made.cell.seed for made in pictures)),
        rows=rows if pictures else (),
        columns=sorted({0.0, *review.planned, *(made.cell.weight for made in pictures)}) if pictures else (),
        made={made.cell: made for made in pictures},
        recommended=(best.checkpoint, best.weight) if best else None,
    )


def weight_name(weight: float) -> str:
    """A weight as it stands over a column."""
    return f"{weight:.2f}" if weight else "base"
