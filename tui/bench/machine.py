"""Which machine figures were measured on, and whether it was quiet."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Final

import psutil

BUSY: Final = 0.5
"""Load average (1 minute) from which on other work is in the figures."""


def facts() -> list[str]:
    """Processor, memory, system and versions, a line each."""
    memory = psutil.virtual_memory().total / 2**30
    versions = [f"{name} {_version(name)}" for name in ("textual", "torch", "diffusers")]
    return [
        f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GiB",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {', '.join(versions)}",
        f"load at the start {load():.2f}",
    ]


def processor() -> str:
    """The processor's name as the system gives it."""
    if sys.platform.startswith("linux"):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def load() -> float:
    """Load average of the last minute."""
    return os.getloadavg()[0]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not there"
