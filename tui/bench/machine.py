"""Which machine figures were measured on, and how much of it something else used meanwhile."""

import importlib.metadata
import os
import platform
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

BUSY: Final = 0.05
"""Share of the processors from which on other work is in the figures."""


def facts() -> list[str]:
    """Processor, memory, system and versions, a line each."""
    memory = psutil.virtual_memory().total / 2**30
    versions = [f"{name} {_version(name)}" for name in ("textual", "torch", "diffusers")]
    return [
        f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GiB",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {', '.join(versions)}",
    ]


def processor() -> str:
    """The processor's name as the system gives it."""
    if sys.platform.startswith("linux"):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@dataclass(frozen=True)
class Since:
    """A moment from which on what else the machine does is counted."""

    wall: float = field(default_factory=time.monotonic)
    busy: float = field(default_factory=lambda: _busy_seconds())
    own: float = field(default_factory=lambda: sum(os.times()[:4]))
    """Processor time of this process and of those that it started and that have ended."""

    def others(self) -> float:
        """Share (0 to 1) of all processors that other work took since then."""
        seconds = (time.monotonic() - self.wall) * (os.cpu_count() or 1)
        theirs = (_busy_seconds() - self.busy) - (sum(os.times()[:4]) - self.own)
        return min(1.0, max(0.0, theirs / max(seconds, 1e-9)))


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not there"
