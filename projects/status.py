"""status.json: a small snapshot of a job, replaced atomically once a second, so that attaching is one read."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from projects import atomic

FORMAT = 1
WAITING = ("waiting-for-job", "waiting-for-device")
"""Phases in which a worker has not begun and may wait for as long as it takes: its job counts as queued."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the worker said last. None where it is not known; such keys are not in the file."""

    pid: int | None = None
    host: str | None = None
    boot_id: str | None = None
    attempt: int | None = None
    phase: str | None = None
    """What it does; after the end the last word: done, stopped or failed."""
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    seconds_per_step: float | None = None
    """Mean of this attempt's last 50 steps."""
    eta_seconds: float | None = None
    """Time the remaining steps take at that pace."""
    checkpoint: int | None = None
    """Step of the newest checkpoint."""
    memory_gb: float | None = None
    """Most memory taken so far, 10**9 bytes: reserved on the CUDA device, on a CPU resident of the worker."""
    updated: float | None = None
    """When this was written, seconds since 1970."""
    quiet_until: float | None = None
    """Until when it is no bad sign that nothing moves, seconds since 1970; not there: for as long as it takes."""
    error: str | None = None
    """Why it failed."""


def read_status(path: Path) -> Status:
    """The snapshot; empty where there is none or it cannot be read. Keys it does not know are passed over."""
    try:
        table = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return Status()
    if not isinstance(table, dict):
        return Status()
    known: dict[str, Any] = {}
    for each in fields(Status):
        value = table.get(each.name)
        if isinstance(value, _TYPES[each.name]) and not isinstance(value, bool):
            known[each.name] = value
    return Status(**known)


def write_status(path: Path, status: Status) -> None:
    """Replace the snapshot. Raises OSError (no space, no permission), the old one intact."""
    table = {key: value for key, value in asdict(status).items() if value is not None}
    atomic.write_text(path, json.dumps({"format": FORMAT, **table}) + "\n")


_TYPES: dict[str, type | tuple[type, ...]] = {
    each.name: {"int | None": int, "str | None": str}.get(str(each.type), (int, float))
    for each in fields(Status)
}
