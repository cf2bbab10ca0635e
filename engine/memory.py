"""How much memory a worker has taken, and how much there is. Imports no torch: it asks the one that a job's code loaded."""

import resource
import sys

import psutil


def peak_memory_gb() -> float | None:
    """Most memory so far, 10**9 bytes, two decimals: reserved on the CUDA device, on a CPU resident of this process.

    None before the job's code has loaded torch: what the worker takes until then says nothing of the job.
    """
    torch = sys.modules.get("torch")
    # Asked by the heartbeat's thread, so torch may be half imported.
    on_cuda = getattr(getattr(torch, "cuda", None), "is_initialized", None)
    if torch is None or on_cuda is None:
        return None
    if on_cuda():
        return round(torch.cuda.max_memory_reserved() / 1e9, 2)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2)


def device_memory_gb() -> float:
    """What the device has, 10**9 bytes, one decimal: the CUDA device that a job uses, else this machine."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    if cuda is not None and cuda.is_available():
        return round(cuda.get_device_properties(0).total_memory / 1e9, 1)
    return round(psutil.virtual_memory().total / 1e9, 1)
