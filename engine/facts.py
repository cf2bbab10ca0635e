"""facts.json: what each attempt ran on and with, so that a difference between two runs can be found afterwards."""

import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from projects import atomic

FORMAT: Final = 1
PACKAGES: Final = (
    "safelight", "torch", "diffusers", "transformers", "peft", "accelerate", "safetensors", "tokenizers",
    "huggingface-hub", "numpy", "pillow", "bitsandbytes", "prodigyopt", "schedulefree", "onnxruntime",
)  # fmt: skip


def read_facts(path: Path) -> list[dict[str, Any]]:
    """One entry an attempt; empty where there is no such file or it cannot be read."""
    try:
        table = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    entries = table.get("attempts") if isinstance(table, dict) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def add_facts(path: Path, attempt: int, facts: dict[str, object]) -> None:
    """Add to the entry of `attempt`, making it if needed. Raises OSError when it cannot be written."""
    entries = read_facts(path)
    own = next((entry for entry in entries if entry.get("attempt") == attempt), None)
    if own is None:
        entries.append(own := {"attempt": attempt})
    own.update(facts)
    table = {"format": FORMAT, "attempts": entries}
    atomic.write_text(path, json.dumps(table, indent=1, default=str) + "\n")


def facts_of_install() -> dict[str, object]:
    """What can be known without importing torch: Python, system, versions of packages, cores, the install's commit."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    facts: dict[str, object] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": versions,
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "argv": sys.argv,
    }
    commit = _commit(Path(__file__).resolve().parent.parent)
    return {**facts, "commit": commit} if commit else facts


def _commit(root: Path) -> str:
    """The commit that is checked out, when Safelight runs from a checkout."""
    if not (root / ".git").exists():
        return ""
    try:
        asked = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip()
