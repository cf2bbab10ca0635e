"""Locks that die with their holder: POSIX `lockf` on a file that its holder opens once and never again.

A process loses such a lock when it closes ANY descriptor of the file, and its own locks are invisible to it: so what
this process holds is remembered here, and `holder` never opens a file that this process has locked. A lock is free the
moment its holder is dead, zombies and forked children included, and it cannot be taken for another's by a pid that
came up again.
"""

import errno
import fcntl
import os
import struct
import sys
from pathlib import Path

from projects.problems import Refused, refuse

# struct flock: Linux (64 bit, x86 and arm alike) has type and whence in front, the BSDs and macOS behind.
_LINUX = sys.platform.startswith("linux")
_FLOCK = struct.Struct("@hhqqi0q" if _LINUX else "@qqihh")
_CONTENTION = (errno.EACCES, errno.EAGAIN)

_held: dict[tuple[int, int], int] = {}
"""(device, inode) of every file locked here -> pid that locked it; a forked child inherits the entry, not the lock."""


class FileLock:
    """One exclusive lock on one file, from `open` to `close` on one descriptor."""

    def __init__(self, path: Path) -> None:
        """Open `path`, making it if needed. Raises Refused when this process holds the lock already, or may not write."""
        self.path = path
        if _held_here(path):
            raise refuse("This process holds the lock already.", where=path)
        try:
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise _cannot(path, error) from error

    def take(self) -> bool:
        """Take the lock if it is free; False when somebody else has it."""
        try:
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _CONTENTION:
                return False
            raise _cannot(self.path, error) from error
        facts = os.fstat(self.descriptor)
        _held[facts.st_dev, facts.st_ino] = os.getpid()
        return True

    def holder(self) -> int | None:
        """As `holder`, on the descriptor of this lock, which may be waiting for it."""
        return _ask(self.descriptor)

    def close(self) -> None:
        """Close the file, which frees the lock if it was taken."""
        facts = os.fstat(self.descriptor)
        os.close(self.descriptor)
        _held.pop((facts.st_dev, facts.st_ino), None)


def holder(path: Path) -> int | None:
    """Pid of the process that holds the lock on `path`, asked without trying it; None when it is free or not there.

    0 when it is held by a process that this one cannot name (another machine, another pid namespace).
    """
    if _held_here(path):
        return os.getpid()
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _cannot(path, error) from error
    try:
        return _ask(descriptor)
    finally:
        os.close(descriptor)


def _ask(descriptor: int) -> int | None:
    if _LINUX:
        question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    else:
        question = _FLOCK.pack(0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
        _, _, pid, kind, _ = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    return None if kind == fcntl.F_UNLCK else max(0, pid)


def _held_here(path: Path) -> bool:
    try:
        facts = path.stat()
    except OSError:
        return False
    return _held.get((facts.st_dev, facts.st_ino)) == os.getpid()


def _cannot(path: Path, error: OSError) -> Refused:
    return refuse(
        f"The lock cannot be used: {error.strerror}.",
        where=path,
        hint="Put the project on a file system that has locks and that you may write to.",
    )
