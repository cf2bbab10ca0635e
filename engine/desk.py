"""The desk of one attempt: what a job says (events, status, curve) and what it is asked (requests, signals).

A job's code gets a `Desk` and needs nothing else to be followed, asked and understood from outside. A daemon thread
refreshes status.json and hears requests once a second, so that a long phase neither looks dead nor is deaf.
"""

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn, Self

from engine.facts import add_facts
from engine.memory import peak_memory_gb
from projects import atomic
from projects.curve import RECORD, Point, rebuild_curve
from projects.events import State, Writer, fold_file, read
from projects.job import JobDir
from projects.machine import boot_id, host
from projects.pace import Pace
from projects.problems import Problem, Refused, refuse
from projects.status import Status, write_status

REQUESTS: Final = frozenset(("stop", "checkpoint", "preview"))
BEAT_SECONDS: Final = 1.0
PROGRESS_SECONDS: Final = 0.5


class StopAsked(Exception):
    """A stop was asked in the middle of something that has nothing to save: the attempt ends as stopped."""


class Desk:
    """Made by `Desk.open`, used as a context manager. Every method may be called from any thread."""

    def __init__(self, job: JobDir, attempt: int, *, verify: bool, since_ns: int) -> None:
        self.job = job
        self.attempt = attempt
        self.verify = verify
        """Whether a resume is to prove itself first (`resume --verify`)."""
        self.processes = 1
        """How many processes train together in this attempt; set before the job's code runs."""
        self.from_step = 0
        self._since_ns = since_ns
        self._mutex = threading.RLock()
        self._concluded = False
        # Its own, because a sync to a slow disk must not hold up the job's loop.
        self._snapshots = threading.Lock()
        self._writer = Writer(job, attempt)
        self._curve: int | None = None
        self._curve_size = 0
        self._status = Status(pid=os.getpid(), host=host(), boot_id=boot_id(), attempt=attempt)
        self._quiet = 60.0
        self._moved = time.time()
        self._pace = Pace()
        self._told = ("", -math.inf)
        self._result: dict[str, object] = {}
        self._heard: set[str] = set()
        self._announced: set[str] = set()
        self._mute = False
        self._stuck: dict[str, int] = {}
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._closed = False
        self._heartbeat = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)

    @classmethod
    def open(
        cls, job: JobDir, attempt: int = 1, *, verify: bool = False, since_ns: int | None = None
    ) -> Self:
        """The desk of `attempt`; the heart beats from here to `close`.

        since_ns: file time (nanoseconds) before which a request is meant for an earlier attempt; default: now.
        Raises Refused when the job's folder cannot be written.
        """
        try:
            job.requests_done.mkdir(parents=True, exist_ok=True)
            desk = cls(job, attempt, verify=verify, since_ns=since_ns or 0)
            desk._write_status()
            if since_ns is None:
                desk._since_ns = job.status.stat().st_mtime_ns
        except OSError as error:
            raise _cannot_write(job.path, error) from error
        desk._heartbeat.start()
        return desk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the heart and let go of the files. Closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        self._rest()
        self._writer.close()
        if self._curve is not None:
            os.close(self._curve)

    # ---- what the job says

    def emit(self, kind: str, **fields: object) -> None:
        """Write one event. Raises Refused when it cannot be written: a run that leaves no record must not go on."""
        self._moved = time.time()
        try:
            self._writer.emit(kind, **fields)
        except OSError as error:
            raise _cannot_write(self.job.events, error) from error

    def begin(self, from_step: int = 0) -> None:
        """Say that this attempt goes on from `from_step`, and what earlier attempts did beyond it no longer counts.

        Said once by the worker with the newest checkpoint; a job that has to go on from an older one says it again.
        """
        self.from_step = from_step
        status = self._status
        self.emit("started", from_step=from_step, pid=status.pid, host=status.host, boot_id=status.boot_id)
        self.set_status(step=from_step or None, loss=None)
        if self._curve is not None:
            os.close(self._curve)
            self._curve = None
        if self.job.curve.exists() or from_step:
            try:
                atomic.write_bytes(self.job.curve, rebuild_curve(read(self.job.events)[0]))
            except OSError as error:
                raise _cannot_write(self.job.curve, error) from error

    def phase(self, name: str, quiet: float = 60.0, **fields: object) -> None:
        """Enter a phase. quiet: seconds in which nothing has to move before it counts as stalled (math.inf: never)."""
        self._quiet = quiet
        self._told = ("", -math.inf)
        self.set_status(phase=name)
        self.emit("phase", name=name, quiet=quiet, **fields)
        self._wake.set()

    def progress(self, what: str, done: int, total: int, *, seconds_left: float | None = None) -> None:
        """Say how far a countable part of the phase is; every call counts as movement, at most 2 a second are written.

        seconds_left: how long the rest takes, where it is known.
        """
        self._moved = time.time()
        said, when = self._told
        if what == said and done < total and time.monotonic() - when < PROGRESS_SECONDS:
            return
        self._told = (what, time.monotonic())
        left = {} if seconds_left is None else {"seconds_left": round(seconds_left, 1)}
        self.emit("progress", what=what, done=done, total=total, **left)

    def step(
        self,
        step: int,
        *,
        loss: float,
        lr: float,
        grad: float,
        epoch: float,
        seconds: float,
        steps: int,
        applied: bool = True,
    ) -> None:
        """Optimizer step `step` of `steps` is done: grad is the norm before clipping, seconds what it took.

        applied: False where the gradient overflowed in fp16 and changed nothing; only then the event says it.
        """
        said = {} if applied else {"applied": False}
        self.emit(
            "step", step=step, loss=loss, lr=lr, grad=grad, epoch=epoch, seconds=seconds, steps=steps, **said
        )
        self._pace = self._pace.after(seconds)
        pace, left = self._pace.seconds, self._pace.left(steps - step)
        self.set_status(
            step=step,
            steps=steps,
            loss=loss if math.isfinite(loss) else None,
            seconds_per_step=None if pace is None else round(pace, 4),
            eta_seconds=None if left is None else round(left, 1),
        )
        self._draw(Point(step, loss, lr, grad))

    def warn(self, text: str, **fields: object) -> None:
        """Say something that a person should know and that is no reason to end. files=[...] names what it is about."""
        self.emit("warning", text=text, **fields)

    def set_status(self, **fields: object) -> None:
        """Set keys of status.json that no event carries: checkpoint."""
        with self._mutex:
            self._status = replace(self._status, **fields)  # type: ignore[arg-type]

    def add_facts(self, **facts: object) -> None:
        """Add to this attempt's entry in facts.json (versions, threads, device, fingerprint of the base)."""
        with self._snapshots:
            try:
                add_facts(self.job.facts, self.attempt, facts)
            except OSError as error:
                raise _cannot_write(self.job.facts, error) from error

    def result(self, **fields: object) -> None:
        """Add to what the last word will say."""
        self._result.update(fields)

    def recorded(self) -> State:
        """What the events say so far, earlier attempts included as far as they count."""
        return fold_file(self.job.events)

    def starts(self) -> tuple[tuple[int, int], ...]:
        """(attempt, from_step) of every attempt so far, this one included."""
        return self.recorded().attempts

    def conclude(self, word: str, **fields: object) -> None:
        """The last word of the attempt; nothing is said after it. Said by engine/__main__.py, and by `give_up`."""
        with self._mutex:
            if self._concluded:  # By the thread that watches over this one, in the same moment.
                return
            self._concluded = True
        self._rest()
        self.emit(word, **{**self._result, **fields})
        error = " ".join(str(fields[key]) for key in ("error", "hint") if fields.get(key))
        self.set_status(phase=word, eta_seconds=None, error=error or None, memory_gb=peak_memory_gb())
        self._quiet = math.inf
        self._try("status.json", self._write_status)

    def fail(self, problems: Sequence[Problem]) -> None:
        """The last word `failed`, with all that is wrong."""
        told = [each.table() for each in problems]
        self.conclude("failed", **told[0], **({"problems": told} if len(told) > 1 else {}))

    def give_up(self, refusal: Refused) -> NoReturn:
        """Fail and end the process at once, from a thread that watches over the job's own and finds it stuck."""
        print(refusal, file=sys.stderr, flush=True)
        self.fail(refusal.problems)
        os._exit(1)

    # ---- what the job is asked

    @property
    def stop_asked(self) -> bool:
        """Whether to stop at the next good moment."""
        return "stop" in self._heard

    def requests(self) -> frozenset[str]:
        """What was asked and is not done yet: any of stop, checkpoint, preview."""
        with self._mutex:
            return frozenset(self._heard)

    def done_with(self, name: str) -> None:
        """The request is fulfilled. Nothing happens when nobody asked."""
        with self._mutex:
            if name not in self._heard:
                return
            self._set_aside(self.job.requests / name)
            self._heard.discard(name)
            self._announced.discard(name)
        self.emit("acknowledged", request=name, state="done")

    def ask_stop(self) -> None:
        """A stop request that came as a signal. Safe inside a signal handler: it takes no lock and writes nothing."""
        self._heard.add("stop")

    # ---- the heartbeat

    def _beat_on(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(BEAT_SECONDS)
            self._wake.clear()
            self.set_status(memory_gb=peak_memory_gb())
            self._try("requests", self._hear)
            self._try("status.json", self._write_status)

    def _rest(self) -> None:
        self._closing.set()
        self._wake.set()
        if self._heartbeat.is_alive() and self._heartbeat is not threading.current_thread():
            self._heartbeat.join()

    def _hear(self) -> None:
        with self._mutex:
            for path in sorted(self.job.requests.iterdir()):
                name = path.name
                if name in self._heard or name.startswith(".") or path.is_dir():
                    continue
                asked_ns = path.stat().st_mtime_ns
                if self._stuck.get(name) == asked_ns:
                    continue
                if name not in REQUESTS:
                    self._set_aside(path)
                    known = ", ".join(sorted(REQUESTS))
                    self._say("warning", text=f"{name!r} is no request that a job knows ({known}): dropped.")
                elif asked_ns < self._since_ns:
                    self._set_aside(path)
                    self._say("acknowledged", request=name, state="dropped")
                    text = f"A request to {name} is older than attempt {self.attempt} and was dropped."
                    self._say("warning", text=f"{text} Ask again if it still holds.")
                else:
                    self._heard.add(name)
            for name in sorted(self._heard - self._announced):
                self._announced.add(name)
                self._say("acknowledged", request=name, state="heard")

    def _say(self, kind: str, **fields: object) -> None:
        # Not `emit`: that the heart beats does not mean that the job moves.
        self._writer.emit(kind, **fields)

    def _set_aside(self, path: Path) -> None:
        try:
            os.replace(path, self.job.requests_done / path.name)
        except FileNotFoundError:
            return
        except OSError as error:
            self._stuck[path.name] = path.stat().st_mtime_ns
            self._complain("requests", error)

    def _write_status(self) -> None:
        now = time.time()
        until = round(self._moved + self._quiet, 1) if math.isfinite(self._quiet) else None
        with self._snapshots:
            write_status(self.job.status, replace(self._status, updated=round(now, 3), quiet_until=until))

    def _draw(self, point: Point) -> None:
        try:
            if self._curve is None:
                self._curve = os.open(self.job.curve, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                self._curve_size = os.fstat(self._curve).st_size
            if os.write(self._curve, point.pack()) == RECORD.size:
                self._curve_size += RECORD.size
            else:
                os.ftruncate(self._curve, self._curve_size)
        except OSError as error:
            self._complain("curve.bin", error)

    def _try(self, what: str, do: Callable[[], None]) -> None:
        try:
            do()
        except OSError as error:
            self._complain(what, error)

    def _complain(self, what: str, error: OSError) -> None:
        """Say once that the desk cannot keep a file up to date; the job goes on."""
        if self._mute:
            return
        self._mute = True
        text = f"{what} cannot be kept up to date: {error.strerror}. The job goes on; what is shown of it may be old."
        try:
            self._say("warning", text=text)
        except OSError:
            print(text, file=sys.stderr, flush=True)


def _cannot_write(path: Path, error: OSError) -> Refused:
    return refuse(
        f"This cannot be written: {error.strerror}.",
        where=path,
        hint="Make room or give permission, then resume.",
    )
