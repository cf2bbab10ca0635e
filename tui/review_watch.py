"""A run's review, looked at until somebody leaves: read again whenever its file is another one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textual.message import Message

from projects.job import JobDir
from projects.people import said_by_people
from tui.review_grid import Grid, grid_of
from tui.reviewed import Review
from tui.reviews import exported, read_review
from tui.run_list import stamp

PAUSE: Final = 0.4
"""Seconds between two looks."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What there is of a run to review."""

    run: JobDir
    review: Review | None
    grid: Grid
    exports: Sequence[str]
    """Names of exported files."""
    saved: bool
    """Whether there is a checkpoint."""
    people: Sequence[tuple[str, str]] = ()
    """What people said of it: of which kind, and the words."""


class ReviewFound(Message):
    """Something of the review is new."""

    def __init__(self, found: Found) -> None:
        self.found = found
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """Only the newest matters."""
        return isinstance(message, ReviewFound) and message.found.run == self.found.run


def watch_review(
    run: JobDir, project: Path, tell: Callable[[Found], object], cancelled: Callable[[], bool]
) -> None:
    """Tell what is there, and again whenever it changes, until `cancelled`; for a thread of its own."""
    last: object = None
    while not cancelled():
        files = [
            run.review / "review.json", run.export / "export.json", run.checkpoints, run.duels, run.blind,
            run.blind_verdicts,
        ]  # fmt: skip
        now = [stamp(file) for file in files]
        if now != last:
            last = now
            review = read_review(run, project)
            found = Found(
                run=run,
                review=review,
                grid=grid_of(review) if review else Grid(),
                exports=exported(run),
                saved=bool(run.steps_saved()),
                people=said_by_people(run),
            )
            if not cancelled():
                tell(found)
        time.sleep(PAUSE)
