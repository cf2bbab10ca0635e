"""sha256 of weights files, remembered: a file of 7 GB is read once, then known by path, size, time and inode."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from projects.atomic import write_text
from projects.machine import state_folder

_CHUNK = 1 << 22
_WORTH_REMEMBERING = 1 << 20
"""Bytes. Below this, hashing is faster than remembering."""


def file_digest(path: Path) -> str:
    """sha256 of `path`'s bytes as hex, from memory when the file is the one that was hashed before.

    Raises OSError when the file cannot be read.
    """
    real = path.resolve()
    if real.stat().st_size < _WORTH_REMEMBERING:
        return hashlib.sha256(real.read_bytes()).hexdigest()
    memory = state_folder() / "digests.json"
    identity = _identity(real)
    known = _read(memory).get(str(real))
    if isinstance(known, dict) and known.get("is") == identity and isinstance(known.get("sha256"), str):
        return str(known["sha256"])
    digest = hashlib.sha256()
    with real.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    if _identity(real) == identity:
        _remember(memory, str(real), {"is": identity, "sha256": digest.hexdigest()})
    return digest.hexdigest()


def combined(parts: Iterable[tuple[str, str]]) -> str:
    """One sha256 over named digests; the order in which they come does not matter."""
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(parts))
    return hashlib.sha256(lines.encode()).hexdigest()


def _identity(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _read(memory: Path) -> dict[str, object]:
    try:
        found = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember(memory: Path, path: str, entry: dict[str, object]) -> None:
    """A memory that cannot be written costs time on the next start, not this one's work."""
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_text(memory, json.dumps({**_read(memory), path: entry}, indent=1, sort_keys=True) + "\n")
    except OSError:
        return
