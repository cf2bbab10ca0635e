"""One device, one job: workers take turns, in the order in which their job directories were made.

A worker that wants the device puts a ticket into the queue's folder and holds a lock on it; the device itself is one
more lock. Both die with the worker, so a kill leaves nothing that blocks: a ticket without holder is swept by the next
who looks. Among those that wait the oldest job directory is first; who has the device keeps it until its job ends.
"""

import json
import os
import re
import time
import uuid
from pathlib import Path
from typing import Any, Final, NamedTuple

from projects.job import JobDir
from projects.locks import FileLock, holder
from projects.machine import state_folder
from projects.problems import refuse

STALE_SECONDS: Final = 60.0


class Key(NamedTuple):
    """The order of turns."""

    created_ns: int
    """When the job's spec.toml was written, file time: it is written once, with the directory."""
    path: str


class DeviceQueue:
    """The place of one job in the queue of one device. A process has at most one a device.

    Who wants several gets into the next line only when it has the devices before, in the order of `device_names`.
    """

    def __init__(self, job: JobDir, device: str) -> None:
        """Get in line. Raises Refused when the state folder cannot be used."""
        self._folder = state_folder() / "queue" / re.sub(r"[^A-Za-z0-9.-]", "-", device)
        self._key = Key(
            (job.spec if job.spec.exists() else job.path).stat().st_mtime_ns, str(job.path.absolute())
        )
        # Locked under a hidden name first: under its real one it could be swept before it is locked.
        aside = self._folder / f".{uuid.uuid4().hex}"
        self._path: Path | None = aside.with_name(f"{aside.name[1:]}.ticket")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._device = self._open(self._folder / "device")
            self._ticket = self._open(aside)
            self._ticket.take()
            _write(self._ticket.descriptor, {**self._key._asdict(), "pid": os.getpid()})
            os.rename(aside, self._path)
        except OSError as error:
            raise refuse(
                f"The queue of the device cannot be used: {error.strerror}.",
                where=self._folder,
                hint="Set SAFELIGHT_STATE to a folder that you may write to.",
            ) from error

    def take(self) -> bool:
        """Take the device if it is free and nobody is in front; True from then on."""
        if not self._path:
            return True
        if any(key < self._key for key in self._others()) or not self._device.take():
            return False
        _write(self._device.descriptor, {**self._key._asdict(), "pid": os.getpid()})
        self._leave()
        return True

    def holder(self) -> str:
        """Path of the job that has the device, or else of the first in front; "" when there is none."""
        if self._device.holder() is not None:
            return str(_parse(os.pread(self._device.descriptor, 1 << 16, 0)).get("path", ""))
        return min((key for key in self._others() if key < self._key), default=Key(0, "")).path

    def close(self) -> None:
        """Leave the queue and give the device back."""
        self._leave()
        self._device.close()

    def _leave(self) -> None:
        if self._path:
            self._path.unlink(missing_ok=True)
            self._ticket.close()
            self._path = None

    def _open(self, path: Path) -> FileLock:
        lock = FileLock(path)
        # A folder that an administrator shares is shared by everybody's files in it.
        if os.fstat(lock.descriptor).st_uid == os.geteuid():
            os.fchmod(lock.descriptor, self._folder.stat().st_mode & 0o666)
        return lock

    def _others(self) -> list[Key]:
        """Keys of the other tickets, those without holder swept away."""
        keys = []
        for path in self._folder.iterdir():
            if path in (self._path, self._device.path):
                continue
            try:
                if holder(path) is None:
                    # A hidden one may be about to be locked; nobody needs that long for it.
                    if not path.name.startswith(".") or time.time() - path.stat().st_mtime > STALE_SECONDS:
                        path.unlink(missing_ok=True)
                    continue
                ticket = _parse(path.read_bytes())
            except FileNotFoundError:
                continue
            created_ns, job = ticket.get("created_ns"), ticket.get("path")
            if path.suffix == ".ticket" and isinstance(created_ns, int) and isinstance(job, str):
                keys.append(Key(created_ns, job))
        return keys


def _write(descriptor: int, table: dict[str, object]) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(table).encode("ascii"), 0)


def _parse(data: bytes) -> dict[str, Any]:
    try:
        table = json.loads(data)
    except ValueError:
        return {}
    return table if isinstance(table, dict) else {}
