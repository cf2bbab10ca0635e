"""Processes that measure pictures: one a core, each with one picture at a time, none waited for for ever."""

import json
import os
import queue
import selectors
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil

COMMAND: Final = (sys.executable, "-P", "-m", "engine.dataset.audit.hand")
ANSWER_SECONDS: Final = 20.0
"""How long one picture may take."""
START_SECONDS: Final = 60.0
"""The same for the first picture of a process, which imports its libraries first, and for the first of a measure, which
may load a model."""
STOP_SECONDS: Final = 0.2
"""How often it is asked whether to stop while no picture gets done."""
END_SECONDS: Final = 2.0
"""How long a killed process may take to be gone."""
HAND_BYTES: Final = 700 << 20
"""What a process takes, with its models and a large picture: no more of them are started than the free memory holds."""
# One thread a process, and none that spins while it waits: there is a process for every core.
_ENVIRONMENT: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}


@dataclass(frozen=True, kw_only=True)
class Order:
    """One picture to be measured."""

    path: Path
    background: str
    measures: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of an order."""

    order: Order
    sha256: str = ""
    """Empty where the file could not be read."""
    stat: tuple[int, int] = (0, 0)
    """Bytes and time of change (ns) of the file, as they were before it was read."""
    values: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Measure -> why it has no values."""
    passing: Sequence[str] = ()
    """Those of them that may do another time."""
    error: str = ""
    """Why nothing at all came, as a clause."""


class Crew:
    """A context manager: no process is left when it is over."""

    def __init__(self, size: int = 0) -> None:
        """size: processes; 0: one a core, as far as memory goes."""
        fitting = psutil.virtual_memory().available // HAND_BYTES
        self._size = size or max(1, min(len(os.sched_getaffinity(0)), fitting))
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._hands = [_Hand(self._orders, self._answers) for _ in range(self._size)]

    def __enter__(self) -> Self:
        for hand in self._hands:
            hand.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hand in self._hands:
            hand.end()
        for _ in self._hands:
            self._orders.put(None)
        for hand in self._hands:
            hand.join(timeout=END_SECONDS)

    def work(
        self, orders: Iterable[Order], should_stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Answer]:
        """The answers, in the order in which they come. A stop waits for no picture, and what is not begun stays undone."""
        waiting, given = iter(orders), 0
        # A few ahead, so that no process waits, and so that a stop has little to wait for.
        for order in waiting:
            self._orders.put(order)
            given += 1
            if given >= 2 * self._size:
                break
        while given:
            try:
                answer = self._answers.get(timeout=STOP_SECONDS)
            except queue.Empty:
                if should_stop():
                    return
                continue
            given -= 1
            if (more := next(waiting, None)) is not None:
                self._orders.put(more)
                given += 1
            yield answer


class _Hand(threading.Thread):
    """One process, and the thread that gives it orders."""

    def __init__(
        self, orders: "queue.SimpleQueue[Order | None]", answers: "queue.SimpleQueue[Answer]"
    ) -> None:
        super().__init__(name="hand", daemon=True)
        self._orders = orders
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None
        self._taken: set[str] = set()
        """Measures that this process has taken of a picture before."""
        self._over = threading.Event()

    def run(self) -> None:
        while (order := self._orders.get()) is not None and not self._over.is_set():
            try:
                # One that ended may have been killed from outside, e.g. for memory that others took: asked once more.
                answer = self._ask(order) or self._ask(order)
                self._answers.put(answer or Answer(order=order, error="ends the program that looks at it"))
            except Exception as error:  # An order without an answer would be waited for for ever.
                self._answers.put(Answer(order=order, error=f"could not be measured ({error})"))
        if self._process:
            self._drop(self._process)

    def end(self) -> None:
        """Kill the process: it has nothing to save."""
        self._over.set()
        if self._process:
            self._process.kill()

    def _ask(self, order: Order) -> Answer | None:
        """None: the process has ended without a word."""
        if self._over.is_set():
            return None
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env={**os.environ, **_ENVIRONMENT},
            )  # fmt: skip
            self._taken = set()
            if self._over.is_set():  # The end came while it was being started, and found nothing to kill.
                self._process.kill()
        process = self._process
        assert process.stdin and process.stdout
        asked = {"path": str(order.path), "background": order.background, "measures": list(order.measures)}
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
            first = not self._taken.issuperset(order.measures)
            line = _line(process.stdout, START_SECONDS if first else ANSWER_SECONDS)
        except TimeoutError:
            self._drop(process)
            return Answer(order=order, error=f"takes longer than {ANSWER_SECONDS:.0f} seconds to look at")
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            self._drop(process)
            return None
        self._taken.update(order.measures)
        told = json.loads(line)
        return Answer(order=order, **{**told, "stat": tuple(told["stat"])})

    def _drop(self, process: "subprocess.Popen[bytes]") -> None:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # What it was still to be told is lost with it.
                if pipe:
                    pipe.close()
        self._process = None


def _line(pipe: Any, seconds: float) -> bytes:
    """The next line; b"" when the pipe has ended. Raises TimeoutError."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        if not selector.select(seconds):
            raise TimeoutError
    # Whole lines are written at once and flushed: where there is a byte, the rest follows.
    return bytes(pipe.readline())
