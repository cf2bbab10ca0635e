"""Where a blind round stands: read from its files in a thread, and told by the clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from projects.blind import Round, read_round
from projects.job import JobDir
from projects.sides import Sweep, read_sweep
from projects.unsealed import Opened, opened

Stage = Literal["reading", "asking", "waiting", "rating", "rated", "opened"]
KEYS: Final[Mapping[Stage, tuple[str, ...]]] = {
    "reading": (), "asking": ("note", "seal"), "waiting": ("open",), "rating": ("undo", "open"),
    "rated": ("open", "undo"), "opened": ("again",),
}  # fmt: skip
"""Actions that the line of keys shows in each."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """What the disk says."""

    round: Round | None
    opened: Opened | None
    """The round with its labels, where they were shown already."""
    sweep: Sweep | None
    """What a new round is made of, where one may begin."""

    def stage(self, now: float) -> Stage:
        """What the person does next."""
        if self.sweep is not None or self.round is None:
            return "asking"
        if self.opened is not None:
            return "opened"
        if now < self.round.not_before:
            return "waiting"
        return "rating" if self.round.open_ids else "rated"


def read_stage(run: JobDir, project: Path, now: float, *, again: bool) -> Read:
    """The round of a run; where there is none yet, or another one is wanted (again), what to begin one with.

    Raises Refused as `read_round` and `read_sweep` do.
    """
    found = read_round(run)
    if found is None or (again and found.opened is not None):
        return Read(round=found, opened=None, sweep=read_sweep(run, project))
    return Read(round=found, opened=opened(run, now) if found.opened is not None else None, sweep=None)
