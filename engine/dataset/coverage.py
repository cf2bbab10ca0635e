"""The ledger of what was trained: picture, caption, flip and size of every slot of every step. Torch-free."""

import errno
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.dataset.slots import Slot
from projects import atomic
from projects.problems import refuse


class Coverage:
    """Appends one line a step; `sync` before a checkpoint is renamed, so that the ledger is never behind it."""

    def __init__(self, path: Path, attempt: int) -> None:
        self._path = path
        atomic.close_torn_line(path)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._attempt = attempt

    def record(self, step: int, slots: Sequence[Slot]) -> None:
        """Note that the step from `step` to `step` + 1 trained `slots`: [item, caption (-1 dropped), flip, resolution]."""
        rows = [[slot.item, slot.caption, int(slot.flip), slot.resolution] for slot in slots]
        line = json.dumps({"step": step, "attempt": self._attempt, "slots": rows}, separators=(",", ":"))
        data = line.encode() + b"\n"
        try:
            if os.write(self._descriptor, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise refuse(
                f"What was trained at step {step + 1} could not be recorded: {error.strerror}.",
                where=self._path,
                hint="Make room, then resume: the checkpoints are intact.",
            ) from error

    def sync(self) -> None:
        """Make what was recorded outlive a power cut."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


@dataclass(frozen=True)
class Seen:
    """How often things were trained, by item index."""

    times: Counter[int]
    """Draws of each item."""
    dropped: int
    """Draws without caption."""


def seen(path: Path, attempts: Iterable[tuple[int, int]]) -> Seen:
    """Count the ledger. `attempts` are (attempt, from_step) of every start, in order.

    What an earlier attempt recorded at or beyond a later attempt's first step was undone by that resume and is not counted.
    """
    starts = list(attempts)
    times: Counter[int] = Counter()
    dropped = 0
    for row in _rows(path):
        if any(later > row["attempt"] and row["step"] >= from_step for later, from_step in starts):
            continue
        for item, caption, _, _ in row["slots"]:
            times[item] += 1
            dropped += caption < 0
    return Seen(times=times, dropped=dropped)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return  # torn: the writer is in the middle of it, or died there
            try:
                yield json.loads(line)
            except ValueError:
                continue  # a torn line that a later attempt closed
