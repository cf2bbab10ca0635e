"""Which machine this is, which boot of it, which device a job would run on, and where what belongs to it is kept.

No torch: the device is asked for before torch is imported.
"""

import os
import platform
import re
import socket
import subprocess
import sys
from contextlib import suppress
from functools import cache
from itertools import takewhile
from pathlib import Path

from projects.problems import refuse

_NICE = 10
_NVIDIA = Path("/proc/driver/nvidia/gpus")


def host() -> str:
    """Name of this machine."""
    return socket.gethostname()


@cache
def boot_id() -> str:
    """A name for the time since the machine was started: a pid means nothing beyond it. "" where it cannot be told."""
    if sys.platform == "darwin":
        told = subprocess.run(
            ["sysctl", "-n", "kern.boottime"], capture_output=True, text=True, check=False
        ).stdout
        found = re.search(r"sec = (\d+)", told)
        return f"boot-{found[1]}" if found else ""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def state_folder() -> Path:
    """Where what belongs to a machine and not to a project is kept: $SAFELIGHT_STATE, else ~/.local/state/safelight."""
    named = os.environ.get("SAFELIGHT_STATE")
    return Path(named) if named else Path.home() / ".local" / "state" / "safelight"


def stand_back(pid: int = 0) -> None:
    """Let the processors be others' first: a process by pid, 0 for this one. Nothing where the system does not let it."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _NICE)
    # Linux shares processors between sessions before it looks at priorities, so that of two sessions the one stands back
    # for the other by this alone. A session that others are in as well, a shell's, is left as it is.
    with suppress(OSError):
        if os.getsid(pid) == (pid or os.getpid()):
            Path(f"/proc/{pid or 'self'}/autogroup").write_text(f"{_NICE}", encoding="ascii")


def device_name() -> str:
    """`cuda:0` where an NVIDIA device may be used (the first of CUDA_VISIBLE_DEVICES when that is set), else `cpu`."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        first = visible.split(",")[0].strip()
        return "cpu" if first in ("", "-1", "NoDevFiles") else f"cuda:{first}"
    return "cuda:0" if _NVIDIA.is_dir() and any(_NVIDIA.iterdir()) else "cpu"


def device_names(processes: int) -> list[str]:
    """The devices of so many processes: an NVIDIA device each, in an order that is the same for everybody; else `cpu`.

    Raises Refused when there are fewer devices than processes.
    """
    first = device_name()
    if first == "cpu" or processes == 1:
        return [first]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        found = [f"cuda:{number}" for number, _ in enumerate(_NVIDIA.iterdir())]
    else:
        # As CUDA reads it: what stands behind an invalid entry is not seen.
        names = takewhile(lambda name: name not in ("", "-1"), (name.strip() for name in visible.split(",")))
        found = [f"cuda:{name}" for name in names]
    if len(found) < processes:
        raise refuse(
            f"{processes} processes want a GPU each, and there {'is' if len(found) == 1 else 'are'} {len(found)}.",
            where="train.processes",
            hint=f"Say {len(found)}. A run that began goes on with: safelight resume RUN --processes {len(found)}",
        )
    return sorted(found[:processes])


def device_model() -> str:
    """What kind of device `device_name` is: the model of the machine's NVIDIA cards, or its CPU and the cores of it."""
    if device_name() != "cpu":
        told = [_line(file, "Model") for file in sorted(_NVIDIA.glob("*/information"))]
        models = sorted(set(filter(None, told)))
        # CUDA counts the fastest card first and the system by slots, so which of several models it is nobody tells.
        return (f"{device_name()} of " if len(models) > 1 else "") + (" + ".join(models) or "NVIDIA")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    model = _line(Path("/proc/cpuinfo"), "model name") or platform.machine()
    return f"{model}, {cores} {'core' if cores == 1 else 'cores'}"


def _line(file: Path, name: str) -> str:
    """What a file of the system says behind `name` and a colon; "" where it cannot be read."""
    try:
        found = re.search(rf"^{name}\s*:\s*(.+)$", file.read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:
        return ""
    return found[1].strip() if found else ""
