"""Runs as the screens see them: files read in threads, folded, and handed over as messages.

Following is looking: sizes are asked four times a second and what is new is read from an offset. So yesterday's run, one
of another process and one that three terminals watch look the same, on every file system.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from textual.message import Message

from projects import events, worker
from projects.curve import read_records
from projects.eventlog import Event
from projects.events import State
from projects.job import JobDir
from projects.status import Status, read_status
from projects.worker import JobState
from tui.follow_lines import Teller
from tui.run_list import PAUSE, RunRow, Standings, stamp
from tui.series import Series

CALM: Final = 0.95
"""Seconds between two views that differ in steps alone."""
_TURN: Final = 0.003
_PART: Final = 1 << 18
"""Bytes of events that are read at a time: a long history must neither fill the memory nor hold up what is new."""
_LINES: Final = 500


@dataclass(frozen=True)
class Line:
    """A line of the run's log."""

    step: int
    text: str


@dataclass(frozen=True, kw_only=True)
class RunView:
    """Everything that a screen shows of one run."""

    job: JobDir
    standing: JobState
    status: Status
    state: State
    asked: dict[str, str]
    """Request -> asked, heard, done or dropped."""
    series: Series = field(compare=False)
    """Shared with the follower, which appends to it."""
    points: int
    """Points of the series when this was made."""
    lines: tuple[Line, ...] = field(compare=False)
    attached: bool
    """Whether all events so far are in `state`."""

    @classmethod
    def of(cls, row: RunRow) -> "RunView":
        """What a list knows of a run."""
        return cls(
            job=row.job,
            standing=row.standing,
            status=row.status,
            state=State(),
            asked={},
            series=Series(),
            points=0,
            lines=(),
            attached=False,
        )

    @property
    def step(self) -> int:
        """The newest step that anything tells of."""
        return max(self.status.step or 0, self.state.step)

    @property
    def steps(self) -> int | None:
        """How many there will be."""
        return self.state.steps or self.status.steps


class RunMoved(Message):
    """Something of the followed run is new."""

    def __init__(self, view: RunView) -> None:
        self.view = view
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """Only the newest view matters."""
        return isinstance(message, RunMoved) and message.view.job == self.view.job


class Follower:
    """One run, followed. Every look reads at most a part of what is new."""

    def __init__(self, job: JobDir) -> None:
        self.job = job
        self._standings = Standings()
        self._teller = Teller(job)
        self._lines: deque[Line] = deque(maxlen=_LINES)
        self._state = State()
        self._offset = 0
        self._file = 0
        self._series = Series()
        self._curve_offset = 0
        self._attached = False
        self._last: RunView | None = None

    def look(self) -> RunView | None:
        """The run as it stands, None when nothing moved since the last look. The first reads status and curve alone."""
        first = self._last is None
        # The standing is asked before the events are read, so that an end is never seen without its last words.
        standing = self._standings.of(self.job)
        status = read_status(self.job.status)
        if not first:
            self._read_events()
        self._read_curve()
        view = RunView(
            job=self.job,
            standing=standing,
            status=status,
            state=self._state,
            asked=worker.asked(self.job, self._state),
            series=self._series,
            points=len(self._series),
            lines=tuple(self._lines),
            attached=self._attached,
        )
        if view == self._last:
            return None
        self._last = view
        return view

    @property
    def behind(self) -> bool:
        """Whether there is more to read at once."""
        return not self._attached

    def _read_events(self) -> None:
        size, file = stamp(self.job.events)[1], inode(self.job.events)
        if size < self._offset or (self._file and file != self._file):
            # Another file under the same name, e.g. a copied run: from its beginning.
            self._state, self._offset, self._attached = State(), 0, False
            self._lines.clear()
        self._file = file
        new, self._offset = events.read(self.job.events, self._offset, limit=_PART)
        attempts = len(self._state.attempts)
        for event in _without_overtaken(new):
            self._state = events.fold(self._state, event)
            if event.get("kind") not in ("step", "progress"):
                texts = self._teller.lines(event, self._state)
                self._lines.extend(Line(self._state.step, text) for text in texts)
        if len(self._state.attempts) > max(1, attempts):
            # An attempt that went on from an earlier step has made the curve anew.
            self._series, self._curve_offset = Series(), 0
        self._attached = not new or self._offset >= size

    def _read_curve(self) -> None:
        if stamp(self.job.curve)[1] < self._curve_offset:
            self._series, self._curve_offset = Series(), 0
        data, self._curve_offset = read_records(self.job.curve, self._curve_offset)
        if not self._series.extend_records(data):
            # Rewritten between two looks, and grown beyond the old length since.
            self._series = Series()
            data, self._curve_offset = read_records(self.job.curve, 0)
            self._series.extend_records(data)


def follow(job: JobDir, tell: Callable[[RunView], object], cancelled: Callable[[], bool]) -> None:
    """Look at a run until `cancelled`, for a thread of its own."""
    follower, told, told_at, waiting = Follower(job), None, 0.0, None
    while not cancelled():
        waiting = follower.look() or waiting
        now = time.monotonic()
        # Steps alone are told once a second: over a slow line, and on a small machine, that is often enough.
        if waiting is not None and (now - told_at >= CALM or _worth_telling(told, waiting)):
            tell(waiting)
            told, told_at, waiting = waiting, now, None
        # Between two parts of a long history the screen has its turn.
        time.sleep(_TURN if follower.behind else PAUSE)


def _worth_telling(before: RunView | None, view: RunView) -> bool:
    """Whether something happened besides steps."""
    if before is None or not view.attached:
        return before is None
    seen = (
        before.attached,
        before.standing,
        before.asked,
        before.status.phase,
        before.state.progress,
        len(before.lines),
    )
    return seen != (
        view.attached, view.standing, view.asked, view.status.phase, view.state.progress, len(view.lines)
    ) or (view.lines[-1:] != before.lines[-1:])  # fmt: skip


def inode(path: Path) -> int:
    """Which file it is; 0 for what is not there."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _without_overtaken(new: list[Event]) -> Iterator[Event]:
    """The events without every step and progress that another of its kind follows at once.

    What the screens take of the state is the same, the whole curve is in curve.bin, and folding every step of a
    history of 200,000 would take seconds.
    """
    for event, after in zip(new, [*new[1:], None], strict=False):
        if (
            after is None
            or event.get("kind") not in ("step", "progress")
            or after.get("kind") != event.get("kind")
        ):
            yield event
