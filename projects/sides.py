"""What people compare in a review: pictures of one prompt and seed that differ by the adapter's weight and checkpoint."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from projects.job import JobDir
from projects.problems import refuse

_AGAIN: Final = "R in the review room makes it again."


@dataclass(frozen=True, kw_only=True, order=True)
class Side:
    """How a picture was made: the adapter at a weight, or the base alone."""

    weight: float
    """Factor on the adapter's effect; 0 is the base."""
    checkpoint: int
    """Step of the adapter; -1 for the base, which has none."""

    @property
    def words(self) -> str:
        """As a person says it: base, or 0.75, step 1,300."""
        return "base" if self == BASE else f"{self.weight:g}, step {self.checkpoint:,}"

    def table(self) -> dict[str, object]:
        """As it stands in files, where the base's checkpoint is null."""
        return {"weight": self.weight, "checkpoint": None if self == BASE else self.checkpoint}


BASE: Final = Side(weight=0.0, checkpoint=-1)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A picture that may be compared with others of its prompt and seed."""

    id: str
    """Its name in review.json."""
    file: Path
    """Absolute path."""
    prompt: str
    seed: int
    side: Side


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The pictures of a review's weight sweep that lie on the disk."""

    pictures: Sequence[Candidate]
    """At most one of each prompt, seed and side."""
    size: tuple[int, int]
    """Width and height in pixels; 1 x 1 where the review does not say them."""

    @property
    def sides(self) -> list[Side]:
        """The base first, then by weight and checkpoint."""
        return sorted({picture.side for picture in self.pictures})


def side_of(told: object) -> Side | None:
    """A side from a table with `weight` and `checkpoint`; None for anything else."""
    if not isinstance(told, Mapping):
        return None
    weight, checkpoint = number(told.get("weight")), told.get("checkpoint")
    if weight is None:
        return None
    if weight == 0:
        return BASE
    return Side(weight=weight, checkpoint=checkpoint) if type(checkpoint) is int else None


def number(told: object) -> float | None:
    """A finite number that a file says; None for anything else."""
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    try:
        return float(told) if math.isfinite(told) else None
    except OverflowError:
        return None


def read_sweep(run: JobDir, project: Path) -> Sweep:
    """What the review of `run` lets people compare. Raises Refused where there is no review, or none with such pictures.

    A picture that is not on the disk is left out, as is one of an older review, which says no test.
    """
    file = run.review / "review.json"
    try:
        record = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise refuse("There is no review of this run yet.", where=file, hint=_AGAIN) from None
    except (OSError, ValueError, RecursionError):
        raise refuse("The review cannot be read.", where=file, hint=_AGAIN) from None
    record = record if isinstance(record, dict) else {}
    told = record.get("pictures")
    found: dict[tuple[str, int, Side], Candidate] = {}
    for each in told if isinstance(told, list) else ():
        candidate = _candidate(each, project)
        if candidate is not None and candidate.file.is_file():
            found.setdefault((candidate.prompt, candidate.seed, candidate.side), candidate)
    sweep = Sweep(pictures=tuple(found.values()), size=_size(record))
    if len(sweep.sides) < 2:
        error = "This review has no pictures of several weights or checkpoints to compare."
        raise refuse(error, where=file, hint=_AGAIN)
    return sweep


def _candidate(told: Any, project: Path) -> Candidate | None:
    side = side_of(told)
    if side is None:
        return None
    tests, path, prompt, seed = (told.get(name) for name in ("tests", "path", "prompt", "seed"))
    if not (isinstance(tests, list) and "sweep" in tests and isinstance(path, str) and path):
        return None
    if not isinstance(prompt, str) or type(seed) is not int:
        return None
    return Candidate(
        id=str(told.get("id", "")), file=project / path, prompt=prompt, seed=seed, side=side
    )  # fmt: skip


def _size(record: Mapping[str, Any]) -> tuple[int, int]:
    settings = record.get("settings")
    size = settings.get("size") if isinstance(settings, dict) else None
    if isinstance(size, list) and len(size) == 2 and all(type(each) is int and each > 0 for each in size):
        return size[0], size[1]
    return 1, 1
