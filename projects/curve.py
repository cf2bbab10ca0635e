"""curve.bin: one record a step for drawing, step, loss, learning rate and gradient norm as little-endian `<Ifff`.

Nothing but a quick form of the step events: when an attempt goes on from an earlier step it is made anew from them, so
that no step is in it twice. A reader that follows it by offset starts again when it sees a `started` event.
"""

import math
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from projects.events import Event, State, fold

RECORD: Final = struct.Struct("<Ifff")


class Point(NamedTuple):
    """One step. nan where a value is not known."""

    step: int
    loss: float
    lr: float
    grad: float

    def pack(self) -> bytes:
        """The record."""
        return RECORD.pack(self.step, self.loss, self.lr, self.grad)


def read_curve(path: Path, offset: int = 0) -> tuple[list[Point], int]:
    """The whole records from byte `offset` on, and the offset to go on from. A file that is not there is empty."""
    data, offset = read_records(path, offset)
    return [Point(*record) for record in RECORD.iter_unpack(data)], offset


def read_records(path: Path, offset: int = 0) -> tuple[bytes, int]:
    """`read_curve` for readers that take the records as they are."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return b"", offset
    end = len(data) - len(data) % RECORD.size
    return data[:end], offset + end


def rebuild_curve(events: Iterable[Event]) -> bytes:
    """The curve that these events say: what later attempts did again is in it once."""
    state, points = State(), dict[int, Point]()
    for event in events:
        before, state = state, fold(state, event)
        if len(state.attempts) > len(before.attempts):
            points = {step: point for step, point in points.items() if step <= state.from_step}
        elif event["kind"] == "step" and state.attempt == event.get("attempt", state.attempt):
            values = (math.nan if value is None else value for value in (state.loss, state.lr, state.grad))
            points[state.step] = Point(state.step, *values)
    return b"".join(point.pack() for point in points.values())
