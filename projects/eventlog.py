"""events.jsonl: one flat JSON line an event, written once and read from an offset. What they mean is `events.fold`.

Every event has `n` (counted from 1 in the file), `t` (seconds since 1970), `kind` and `attempt`; the other fields
belong to the kind (docs/files.md). The file only grows and has one writer, the holder of the job's lock.
"""

import errno
import json
import math
import os
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from projects.atomic import close_torn_line
from projects.job import JobDir
from projects.tail import end_of_lines, lines_from_the_end

Event = dict[str, object]
LAST_WORDS: Final = ("done", "stopped", "failed")
KINDS: Final = frozenset((
    "started", "phase", "progress", "step", "health", "evaluated", "sampled", "drafted", "saved", "finding", "warning",
    "verified", "acknowledged", *LAST_WORDS,
))  # fmt: skip
UNREADABLE: Final = "unreadable"
"""Kind of the event that `read` gives for a line that is no event: a torn one, or one that something else wrote."""


class Writer:
    """The pen of one attempt. Any thread may emit; nobody else may write while it is open."""

    def __init__(self, job: JobDir, attempt: int) -> None:
        self.attempt = attempt
        self._mutex = threading.Lock()
        self._torn = False
        close_torn_line(job.events)
        self._descriptor = os.open(job.events, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        lines = lines_from_the_end(self._descriptor, os.fstat(self._descriptor).st_size)
        self._n = next((n for line in lines if isinstance(n := _parse(line).get("n"), int)), 0)

    def emit(self, kind: str, **fields: object) -> int:
        """Append one event and return its number. Numbers that JSON has no word for (nan, inf) become null.

        Raises OSError when the line could not be written whole (no space); it then spoils only itself.
        """
        with self._mutex:
            event = {
                "n": self._n + 1,
                "t": round(time.time(), 3),
                "kind": kind,
                "attempt": self.attempt,
                **fields,
            }
            # ASCII only: names of files can hold bytes that are no UTF-8, and escapes that a `tail -f` would obey.
            line = json.dumps(_plain(event), separators=(",", ":")).encode("ascii") + b"\n"
            data = b"\n" + line if self._torn else line
            written = os.write(self._descriptor, data)
            if written < len(data):
                self._torn = self._torn or written > 0
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._torn = False
            self._n += 1
            return self._n

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def read(path: Path, offset: int = 0, *, limit: int = -1) -> tuple[list[Event], int]:
    """The whole lines from byte `offset` on, and the offset to go on from: a line that is still being written stays.

    `limit`: bytes to read at most, so that a long file comes in parts; a line longer than that is read whole.
    A line that is no event comes as kind "unreadable", so that `fold` counts it. A file that is not there is empty.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(limit)
            if limit >= 0 and b"\n" not in data:
                data += file.readline()
    except FileNotFoundError:
        return [], offset
    end = data.rfind(b"\n") + 1
    return [_parse(line) for line in data[:end].split(b"\n") if line], offset + end


def last_event(path: Path, kinds: Collection[str] = KINDS) -> Event | None:
    """The last whole event of one of `kinds`, read from the end of the file; None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        size = end_of_lines(descriptor, os.fstat(descriptor).st_size)
        # A history of 200,000 steps is parsed only where a line can be what is looked for.
        marks = [f'"{kind}"'.encode() for kind in kinds]
        lines = lines_from_the_end(descriptor, size)
        events = (_parse(line) for line in lines if any(mark in line for mark in marks))
        return next((event for event in events if event["kind"] in kinds), None)
    finally:
        os.close(descriptor)


def _parse(line: bytes) -> Event:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {"kind": UNREADABLE}
    return event if isinstance(event, dict) and isinstance(event.get("kind"), str) else {"kind": UNREADABLE}


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, os.PathLike) else value
