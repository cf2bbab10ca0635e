"""What of this machine helps or hinders: each check looks at one thing and says what to do. Nothing here can hang."""

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from tui.mounts import WHEN_THE_MACHINE_GOES, mount_of
from tui.plain import shows_marks

Standing = Literal["ok", "warning", "problem"]

HANG_SECONDS = 2.0
_GB = 1e9


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at."""

    check: str
    state: Standing
    value: str
    """What was found."""
    remedy: str = ""
    """What to do. Empty where nothing is to be done."""


def examine(folder: Path, state_folder: Path) -> list[Check]:
    """Every check, for work in `folder` (a project, or where projects will be)."""
    graphics = graphics_card()
    return [
        python_version(),
        *packages(tested_set(), has_graphics_card=graphics.state == "ok"),
        graphics,
        memory(),
        *disks(folder, state_folder),
        locks(folder),
        *terminal(os.environ),
        *tmux(os.environ),
    ]


def answer(command: Sequence[str], seconds: float = HANG_SECONDS) -> str | None:
    """What a command prints, stripped; None when it is not there, fails, or has not ended after `seconds`."""
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=seconds, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip()


def python_version() -> Check:
    """The interpreter that runs this."""
    value = f"{platform.python_version()} ({sys.executable})"
    return Check(check="python", state="ok", value=value)


# ---- packages

_NEEDED = ("click", "pillow", "psutil", "textual", "textual-image", "tokenizers", "tomlkit", "watchfiles")
_FOR_TRAINING = ("torch", "diffusers", "transformers", "peft", "accelerate", "safetensors", "numpy")


def tested_set() -> dict[str, str]:
    """Package -> version of constraints.txt at the root of a checkout; empty in an installation without one."""
    file = Path(__file__).parents[1] / "constraints.txt"
    if not file.is_file():
        return {}
    lines = (line.partition("==") for line in file.read_text(encoding="utf-8").splitlines())
    return {name.lower(): version for name, equals, version in lines if equals}


def packages(tested: Mapping[str, str], *, has_graphics_card: bool) -> list[Check]:
    """One check a package, from its metadata: nothing is imported."""
    install = (
        "Install what belongs together: make test, or pip install -c constraints.txt 'safelight[train]'."
    )
    checks = []
    for name in (*_NEEDED, *_FOR_TRAINING):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            state: Standing = "problem" if name in _NEEDED else "warning"
            remedy = install if name in _NEEDED else f"Training needs it. {install}"
            checks.append(Check(check=name, state=state, value="not installed", remedy=remedy))
            continue
        wanted = tested.get(name, "")
        if name == "torch" and has_graphics_card and version.endswith("+cpu"):
            remedy = "This torch cannot use the graphics card: install one built for CUDA (pytorch.org has the line)."
            checks.append(Check(check=name, state="problem", value=version, remedy=remedy))
        elif wanted and version.partition("+")[0] != wanted:
            remedy = f"Tested with {wanted}. If something behaves oddly, install that one."
            checks.append(Check(check=name, state="warning", value=version, remedy=remedy))
        else:
            checks.append(Check(check=name, state="ok", value=version))
    return checks


# ---- the machine


def graphics_card() -> Check:
    """GPU and driver as nvidia-smi tells them."""
    query = "--query-gpu=name,driver_version,memory.total,memory.used"
    if shutil.which("nvidia-smi") is None:
        remedy = "Training runs on the CPU: enough for the demo, far too slow for SDXL. Rent a machine with an NVIDIA card."
        return Check(check="gpu", state="warning", value="no nvidia-smi here", remedy=remedy)
    told = answer(["nvidia-smi", query, "--format=csv,noheader,nounits"])
    if not told:
        remedy = "nvidia-smi is there but says nothing: the driver does not run. Restart the machine or take another one."
        return Check(check="gpu", state="problem", value="no answer from nvidia-smi", remedy=remedy)
    cards = []
    for line in told.splitlines():
        name, driver, total, used = (part.strip() for part in (line + ",,,").split(",")[:4])
        cards.append(f"{name}, driver {driver}, {total} MB, {used} MB in use")
    return Check(check="gpu", state="ok", value="; ".join(cards))


def memory() -> Check:
    """Main memory, or the smaller limit that a container sets."""
    total = min(psutil.virtual_memory().total, _container_limit())
    value = f"{total / _GB:.1f} GB, {os.cpu_count()} cores"
    if total < 4 * _GB:
        return Check(
            check="memory",
            state="problem",
            value=value,
            remedy="Even the demo needs 4 GB: use a larger machine.",
        )
    if total < 15 * _GB:
        remedy = "Enough for the demo; loading SDXL wants 16 GB of main memory."
        return Check(check="memory", state="warning", value=value, remedy=remedy)
    return Check(check="memory", state="ok", value=value)


def _container_limit() -> float:
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            return float(Path(file).read_text())
        except (OSError, ValueError):
            continue
    return float("inf")


def disks(folder: Path, state_folder: Path) -> list[Check]:
    """Room and fate of the places that matter: the work, the models' cache, Safelight's own state."""
    models = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    return [
        disk("disk of the work", folder, wanted=20 * _GB),
        disk("disk of downloaded models", Path(models), wanted=15 * _GB),
        disk("disk of Safelight's state", state_folder, wanted=0.1 * _GB),
    ]


def disk(name: str, folder: Path, *, wanted: float) -> Check:
    """Free space below `folder` and whether it is lost when the machine goes; `wanted` is in bytes."""
    there = folder.resolve()
    while not there.exists():
        there = there.parent
    free, mount = shutil.disk_usage(there).free, mount_of(there)
    value = (
        f"{there}: {free / _GB:.1f} GB free, {mount.type or 'unknown'}, {WHEN_THE_MACHINE_GOES[mount.kind]}"
    )
    if not os.access(there, os.W_OK):
        return Check(
            check=name, state="problem", value=value, remedy="You may not write there: use another folder."
        )
    if free < wanted / 20:
        return Check(
            check=name, state="problem", value=value, remedy="Almost full: make room before anything runs."
        )
    if mount.kind in ("memory", "container"):
        remedy = (
            "Keep the work on a volume that stays, or copy runs and exports away before the machine goes."
        )
        return Check(check=name, state="warning", value=value, remedy=remedy)
    if free < wanted:
        remedy = f"{wanted / _GB:.0f} GB free is comfortable for SDXL; the demo needs 0.1 GB."
        return Check(check=name, state="warning", value=value, remedy=remedy)
    return Check(check=name, state="ok", value=value)


# A second interpreter tries the lock: 0 it got it, 3 somebody holds it, 4 locks do not work.
_TRY_LOCK = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
try:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(3)
except OSError:
    sys.exit(4)
"""


def locks(folder: Path) -> Check:
    """Whether a lock held by one process is seen by another on the file system of `folder`: runs are guarded by it."""
    name = "file locks"
    there = folder.resolve()
    while not there.exists():
        there = there.parent
    remedy = "Two workers could run the same training here. Keep the project on a local disk or on NFS 4 with locks."
    try:
        import fcntl

        with tempfile.NamedTemporaryFile(dir=there, prefix=".safelight-lock-") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = _second_process(file.name)
            fcntl.lockf(file, fcntl.LOCK_UN)
            free = _second_process(file.name)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(check=name, state="problem", value=f"cannot be tried in {there}: {error}", remedy=remedy)
    if (held, free) == (3, 0):
        return Check(check=name, state="ok", value=f"work in {there}")
    return Check(check=name, state="problem", value=f"do not work in {there}", remedy=remedy)


def _second_process(file: str) -> int:
    command = [sys.executable, "-I", "-S", "-c", _TRY_LOCK, file]
    return subprocess.run(command, stdin=subprocess.DEVNULL, timeout=5 * HANG_SECONDS, check=False).returncode


# ---- the terminal


def terminal(environment: Mapping[str, str]) -> list[Check]:
    """What the terminal says of itself, and the encoding of text on it."""
    kind = environment.get("TERM", "")
    checks = [Check(check="TERM", state="ok", value=kind)]
    if kind in ("", "dumb"):
        remedy = "The full screen needs a real terminal; every verb works by line without one."
        checks = [Check(check="TERM", state="warning", value=kind or "not set", remedy=remedy)]
    colours = environment.get("COLORTERM", "")
    if colours in ("truecolor", "24bit"):
        checks.append(Check(check="colours", state="ok", value=colours))
    else:
        remedy = "If your terminal shows 24-bit colour, say so: export COLORTERM=truecolor (ssh: SendEnv COLORTERM)."
        checks.append(
            Check(check="colours", state="warning", value=f"COLORTERM={colours or 'not set'}", remedy=remedy)
        )
    encoding = (sys.stdout.encoding or "").lower()
    if shows_marks(encoding):
        checks.append(Check(check="encoding", state="ok", value=encoding))
    else:
        remedy = "Until then all is written in ASCII, as with --ascii: export LC_ALL=C.UTF-8, unset PYTHONIOENCODING."
        checks.append(Check(check="encoding", state="warning", value=encoding or "unknown", remedy=remedy))
    return checks


def tmux(environment: Mapping[str, str]) -> list[Check]:
    """Version, the client behind it, and the settings that make a full-screen program pleasant. Empty without tmux."""
    if not environment.get("TMUX"):
        value = answer(["tmux", "-V"]) or "not installed"
        remedy = (
            ""
            if value != "not installed"
            else "Runs survive without it; with it, your screen does too: apt install tmux."
        )
        return [Check(check="tmux", state="ok", value=f"{value}, not inside it", remedy=remedy)]
    version = answer(["tmux", "-V"])
    client = answer(["tmux", "display", "-p", "#{client_termtype}"])
    features = answer(["tmux", "display", "-p", "#{client_termfeatures}"])
    escape = answer(["tmux", "show", "-sv", "escape-time"])
    if version is None or client is None or features is None or escape is None:
        remedy = (
            "tmux does not answer: its server hangs or another user owns it. Try a new one: tmux -L fresh."
        )
        return [Check(check="tmux", state="warning", value=version or "no answer", remedy=remedy)]
    checks = [Check(check="tmux", state="ok", value=f"{version}, client {client or 'unnamed'}")]
    wanted = {"RGB": "24-bit colour", "clipboard": "copying to your clipboard"}
    missing = [f"{words} ({name})" for name, words in wanted.items() if name not in features.split(",")]
    if missing:
        remedy = "In ~/.tmux.conf: set -as terminal-features ',*:RGB:clipboard', then tmux kill-server and start again."
        value = f"{features or 'none'}; missing: {', '.join(missing)}"
        checks.append(Check(check="tmux features", state="warning", value=value, remedy=remedy))
    else:
        checks.append(Check(check="tmux features", state="ok", value=features))
    milliseconds = int(escape) if re.fullmatch(r"\d+", escape) else 0
    if milliseconds > 50:
        remedy = "The escape key waits that long. In ~/.tmux.conf: set -sg escape-time 10."
        checks.append(Check(check="tmux escape-time", state="warning", value=f"{escape} ms", remedy=remedy))
    else:
        checks.append(Check(check="tmux escape-time", state="ok", value=f"{escape} ms"))
    return checks
