"""Plays a recorded run again: `python -P -m tui.replayer FOLDER JOB_DIR RECORDED SPEED`, started by `tui.replay` alone.

It is to JOB_DIR what a worker would be: it holds the lock, writes events, status and curve, and hears a request to
stop. FOLDER, the replay's project, is deleted when standard input ends, which the end of whoever started it sees to.
"""

import json
import math
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from projects import atomic
from projects.curve import Point, rebuild_curve
from projects.eventlog import LAST_WORDS, Event, read
from projects.events import State, fold
from projects.job import JobDir
from projects.machine import boot_id, host
from projects.replay import in_replay
from projects.status import WAITING, Status, read_status, write_status
from projects.worker import JobLock

_TICK: Final = 0.05
_PART: Final = 1 << 18
_BATCH: Final = 500
_STATUS_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 1.0
"""How long it lasts, as it is played, until a run goes on that was stopped or waited for hours."""


class Replayer:
    """One replay, from its first event to its last."""

    def __init__(self, job: JobDir, recorded: JobDir, speed: float) -> None:
        self._job, self._recorded, self._speed = job, recorded, speed
        self._memory = read_status(recorded.status).memory_gb
        self._state = State()
        self._lines: list[bytes] = []
        self._points: list[bytes] = []
        self._more = 0
        """Events that were not recorded, which those after them are counted behind."""
        self._told = (-math.inf, "")
        self.stop = threading.Event()
        """Set: end as a run that was stopped."""
        self.gone = threading.Event()
        """Set: nobody looks any more."""

    def play(self) -> None:
        """Write what was recorded when it is due, until it ends, somebody asks it to stop, or nobody looks."""
        due = time.monotonic()
        for event in recorded_events(self._recorded.events):
            due += self._pause_before(event) / self._speed
            if (due > time.monotonic() or len(self._lines) >= _BATCH) and not self._wait(due):
                break
            self._put(event)
        self._flush()
        if self.stop.is_set() and not self._state.last_word:
            self._say("stopped")
            self._flush()
        self._write_status()

    def _pause_before(self, event: Event) -> float:
        """Seconds of the recording."""
        when = event.get("t")
        if not isinstance(when, int | float) or not self._state.time:
            return 0.0
        pause = max(0.0, when - self._state.time)
        idle = event["kind"] == "started" or self._state.phase in WAITING
        return min(pause, _IDLE_SECONDS * self._speed) if idle else pause

    def _wait(self, due: float) -> bool:
        """Wait until `due`, with everything written; False when the replay is to end."""
        while True:
            self._flush()
            self._hear()
            now = time.monotonic()
            if now - self._told[0] >= _STATUS_SECONDS or self._state.phase != self._told[1]:
                self._told = (now, self._state.phase)
                self._write_status()
            if self.stop.is_set() or self.gone.is_set():
                return False
            if (left := due - now) <= 0:
                return True
            self.gone.wait(min(_TICK, left))

    def _put(self, event: Event) -> None:
        if event["kind"] == "started":
            # A run is alive where its process is, and that is this one here.
            event = {**event, "pid": os.getpid(), "host": host(), "boot_id": boot_id()}
        if isinstance(number := event.get("n"), int):
            event = {**event, "n": number + self._more}
        before, self._state = self._state, fold(self._state, event)
        self._lines.append(json.dumps(event, separators=(",", ":")).encode("ascii") + b"\n")
        if len(self._state.attempts) > max(1, len(before.attempts)):
            self._flush()
            atomic.write_bytes(self._job.curve, rebuild_curve(read(self._job.events)[0]))
        elif event["kind"] == "step" and self._state.loss is not None:
            state = self._state
            values = (math.nan if value is None else value for value in (state.loss, state.lr, state.grad))
            self._points.append(Point(state.step, *values).pack())

    def _say(self, kind: str, **fields: object) -> None:
        """An event of the replay itself, at the time that the recording has come to."""
        state = self._state
        event = {
            "n": state.n + 1 - self._more,
            "t": state.time,
            "kind": kind,
            "attempt": state.attempt,
            **fields,
        }
        self._put(event)
        self._more += 1

    def _flush(self) -> None:
        for path, parts in ((self._job.events, self._lines), (self._job.curve, self._points)):
            if parts:
                _append(path, b"".join(parts))
                parts.clear()

    def _hear(self) -> None:
        if not self._job.requests.is_dir():
            return
        for path in sorted(self._job.requests.iterdir()):
            if not path.is_file() or path.name.startswith("."):
                continue
            self._job.requests_done.mkdir(exist_ok=True)
            os.replace(path, self._job.requests_done / path.name)
            if path.name == "stop":
                self.stop.set()
                self._say("acknowledged", request="stop", state="done")
            else:
                self._say("acknowledged", request=path.name, state="dropped")
                self._say("warning", text="A replay shows what was recorded: it saves and draws nothing.")
        self._flush()

    def _write_status(self) -> None:
        state = self._state
        ended = state.last_word in LAST_WORDS
        left = None if ended or not state.steps else state.pace.left(state.steps - state.step)
        status = Status(
            pid=os.getpid(),
            host=host(),
            boot_id=boot_id(),
            attempt=state.attempt,
            phase=state.last_word or state.phase or None,
            step=state.step or None,
            steps=state.steps,
            loss=state.loss,
            seconds_per_step=state.pace.seconds,
            eta_seconds=None if left is None else round(left / self._speed, 1),
            checkpoint=max(state.saved, default=None),
            memory_gb=self._memory,
            updated=round(time.time(), 3),
            error=state.error or None,
        )
        write_status(self._job.status, status)


def recorded_events(path: Path) -> Iterator[Event]:
    """What stands in the file now, in parts; a torn last line is left out, and what comes later is not waited for."""
    size, offset = path.stat().st_size, 0
    while offset < size:
        events, after = read(path, offset, limit=_PART)
        if after == offset:
            return
        offset = after
        yield from events


def _append(path: Path, data: bytes) -> None:
    """To a journal, which only grows."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def main(folder: Path, job: JobDir, recorded: JobDir, speed: float) -> None:
    """Play, stay until nobody looks any more, and leave nothing."""
    player = Replayer(job, recorded, speed)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: player.stop.set())

    def watch() -> None:
        # The descriptor itself: a buffered stream that a thread reads cannot be closed at the end.
        while os.read(0, 4096):
            pass
        player.gone.set()

    threading.Thread(target=watch, daemon=True).start()
    lock = JobLock(job)
    try:
        player.play()
    finally:
        lock.close()
        player.gone.wait()
        if in_replay(folder):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), JobDir(Path(sys.argv[2])), JobDir(Path(sys.argv[3])), float(sys.argv[4]))
