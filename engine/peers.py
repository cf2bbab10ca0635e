"""The other processes of a training, as its worker sees them: started, watched, and ended with it. No torch.

What they print goes into the worker's out.log, a line at a time with its rank. One that ends ends the training, with its
last words. They hold one end of a pipe whose other end is the worker's: it closes when the worker is gone, however it went.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from engine.desk import Desk
from projects.problems import Refused, refuse

COMMAND: Final = (sys.executable, "-P", "-m", "engine")
WAIT_SECONDS: Final = 1800.0
"""How long the worker waits for the others in the middle of a step before it takes them for stuck."""
END_SECONDS: Final = 10.0
"""How long a process may take to end, or the worker's own thread to come out of a wait for one that has ended."""
POLL_SECONDS: Final = 0.2


class Peers:
    """Ranks 1 to size - 1. Used as a context manager: none is left when it is over."""

    def __init__(self, desk: Desk, size: int) -> None:
        self._desk = desk
        self._size = size
        self._processes: list[subprocess.Popen[str]] = []
        self._threads: list[threading.Thread] = []
        self._since: float | None = None
        self._lost: Refused | None = None
        self._told = threading.Event()
        self._over = threading.Event()

    def start(self, port: int) -> None:
        """Start them all; they meet at `port`."""
        for rank in range(1, self._size):
            options = ["--rank", str(rank), "--processes", str(self._size), "--port", str(port)]
            try:
                process = subprocess.Popen(
                    [*COMMAND, str(self._desk.job.path), *options],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    encoding="utf-8",
                    errors="backslashreplace",
                )
            except OSError as error:
                said = error.strerror or error
                raise refuse(
                    f"Rank {rank} cannot be started: {said}.", hint="Use fewer processes."
                ) from error
            self._processes.append(process)
            self._run(self._listen, f"rank {rank}", rank, process)
        self._run(self._watch, "watch")

    def _run(self, work: Callable[..., None], name: str, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for process in self._processes:
            # Killed at once: they have nothing to save, and one that is stuck would not hear anything else.
            process.kill()
        for thread in self._threads:
            thread.join(END_SECONDS)

    def wait(self) -> None:
        """Until all have ended, as they were ordered to; those that take too long are left to the exit."""
        self._over.set()
        deadline = time.monotonic() + END_SECONDS
        for process in self._processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                return

    def check(self) -> None:
        """Raise Refused when one has ended."""
        if self._lost:
            raise self._lost

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """While the worker's own thread waits for the others. Raises Refused when one has ended before."""
        self.check()
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def refusal(self, error: Exception) -> Refused:
        """Why a wait for the others broke off with `error`: the one that ended, as soon as that is known."""
        self._told.wait(END_SECONDS)
        said = next(iter(str(error).strip().splitlines()), type(error).__name__)
        return self._lost or refuse(f"The processes of the training lost each other: {said}", hint=_HINT)

    def _listen(self, rank: int, process: "subprocess.Popen[str]") -> None:
        last = ""
        assert process.stdout
        for line in process.stdout:
            print(f"rank {rank}: {line}", end="", flush=True)
            last = line.strip() or last
        code = process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        said = f" Its last words: {last}" if last else ""
        self._lose(refuse(f"Rank {rank} of the {self._size} processes {how}.{said}", hint=_HINT))

    def _lose(self, refusal: Refused) -> None:
        if not self._over.is_set() and self._lost is None:
            self._lost = refusal
            self._told.set()

    def _watch(self) -> None:
        """A wait that has no end: the others are killed, which lets gloo go; what NCCL still holds ends as a whole."""
        lost_at = 0.0
        while not self._over.wait(POLL_SECONDS):
            now, since = time.monotonic(), self._since
            if self._lost:
                lost_at = lost_at or now
                if since is not None and now - max(since, lost_at) > END_SECONDS:
                    self._desk.give_up(self._lost)
            elif since is not None and now - since > WAIT_SECONDS:
                minutes = (
                    f"{WAIT_SECONDS / 60:.0f} minutes" if WAIT_SECONDS >= 120 else f"{WAIT_SECONDS:.0f} s"
                )
                ranks = "Rank 1 has" if self._size == 2 else f"One of the ranks 1 to {self._size - 1} has"
                self._lose(refuse(f"{ranks} not answered for {minutes}: the training was stuck.", hint=_HINT))
                for process in self._processes:
                    process.kill()


_HINT = "The checkpoints are intact: resume the run. What it printed is in out.log."
