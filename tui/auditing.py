"""The audit as a process: what it says by line, for whoever started it. It ends with the one that reads it."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Generic, Self, TypeVar

from engine.dataset.findings import Finding
from projects.machine import stand_back
from projects.problems import Problem, Refused

COMMAND: Final = (sys.executable, "-P", "-m", "engine.dataset.audit")
END_SECONDS: Final = 5.0
T = TypeVar("T")


class Died(Refused):
    """The process ended without having come to its end."""


@dataclass(frozen=True)
class Report(Generic[T]):
    """How far an audit has come."""

    told: Mapping[str, Any]
    """What it says of the whole set."""
    pictures: Sequence[T]
    """Those of which more is known than before; at first all."""
    findings: Sequence[Finding]
    """All there are now."""


class AuditProcess:
    """A context manager around the process: it is gone when it is over."""

    def __init__(
        self,
        project: Path,
        assignments: Sequence[str] = (),
        *,
        behind: bool = False,
        command: Sequence[str] = (),
    ) -> None:
        """assignments: as `--set` takes them. behind: it stands back for all others. Raises OSError."""
        self._project = project
        self._closing = threading.Lock()
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        # A session of its own: ^C is for the reader, who then asks it to stop and gets what it kept.
        self._process = subprocess.Popen(
            [*(command or COMMAND), str(project.resolve()), *assignments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._complaints, start_new_session=True,
        )  # fmt: skip
        if behind:
            stand_back(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        assert self._process.stdout
        self._process.stdout.close()
        try:
            self._process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaints.close()

    def stop(self) -> None:
        """Ask it to come to its end; its last report says what is known by then. From any thread."""
        assert self._process.stdin
        with self._closing, contextlib.suppress(OSError):
            self._process.stdin.close()

    def reports(self, read: Callable[[Mapping[str, Any]], T]) -> Iterator[Report[T]]:
        """What engine/dataset/audit/__main__.py says, report by report; of each picture what `read` makes of its table.

        Raises Refused with its problems, or Died.
        """
        assert self._process.stdout
        stage = "?"
        pictures: list[T] = []
        findings: list[Finding] = []
        for line in self._process.stdout:
            try:
                told = json.loads(line.decode("utf-8", "replace"))
            except ValueError:
                break  # A line that a dying process left half written.
            match told["kind"]:
                case "refused":
                    raise Refused([Problem(**each) for each in told["problems"]], usage=told["usage"])
                case "pictures":
                    pictures += map(read, told["pictures"])
                case "findings":
                    findings += map(Finding.read, told["findings"])
                case _:
                    stage = told["stage"]
                    yield Report(told, pictures, findings)
                    pictures, findings = [], []
        if self._process.wait() != 0 or stage:
            self._complaints.seek(0)
            words = self._complaints.read()[-4000:].decode("utf-8", "backslashreplace").strip().splitlines()
            error = f"The audit ended before its time: {words[-1] if words else self._end()}."
            raise Died(Problem(error=error, where=str(self._project), hint="Run it again."))

    def _end(self) -> str:
        """How the process ended, where it said nothing."""
        code = self._process.returncode
        if code == -signal.SIGKILL:
            return "it was killed, as happens where memory runs out"
        return f"signal {-code}" if code < 0 else f"code {code}"


def name_of(picture: Mapping[str, Any]) -> str:
    """All that a list of pictures needs for counting them."""
    return str(picture["name"])
