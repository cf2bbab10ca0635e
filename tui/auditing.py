"""The audit as a process: what it says by line, for whoever started it. It ends with the one that reads it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from projects.problems import Problem, Refused, refuse

COMMAND = (sys.executable, "-P", "-m", "engine.dataset.audit")


class Auditing:
    """A context manager around the process: it is gone when it is over."""

    def __init__(self, project: Path, assignments: Sequence[str] = ()) -> None:
        """assignments: as `--set` takes them."""
        self._project = project
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        # A session of its own: ^C is for the reader, who then asks it to stop and gets what it kept.
        self._process = subprocess.Popen(
            [*COMMAND, str(project.resolve()), *assignments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._complaints, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        assert self._process.stdout
        self._process.stdout.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaints.close()

    def stop(self) -> None:
        """Ask it to come to its end; its last report says what is known by then."""
        assert self._process.stdin
        self._process.stdin.close()

    def reports(self) -> Iterator[dict[str, Any]]:
        """What engine/dataset/audit/__main__.py says, report by report. Raises Refused with its problems, or as it died."""
        assert self._process.stdout
        last: dict[str, Any] = {}
        for line in self._process.stdout:
            told = json.loads(line)
            if told["kind"] == "refused":
                raise Refused([Problem(**each) for each in told["problems"]], usage=told["usage"])
            last = told
            yield last
        if self._process.wait() != 0 or last.get("stage", "?"):
            self._complaints.seek(0)
            words = self._complaints.read().decode(errors="backslashreplace").strip().splitlines()
            reason = f": {words[-1]}" if words else f" with code {self._process.returncode}"
            raise refuse(
                f"The audit ended before its time{reason}.", where=self._project, hint="Run it again."
            )
