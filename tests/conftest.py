"""For all tests: what Safelight remembers of this machine goes into a folder of the test run."""

import os
from tempfile import mkdtemp

from projects.worker import SHARE_CORES


def keep_to_own_cores() -> None:
    """Where tests run side by side each process has cores of its own: threads of torch that wait for one another on shared
    ones take twice the time."""
    place = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if place and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        share = max(1, len(cores) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
        first = int(place) * share % len(cores)
        os.sched_setaffinity(0, cores[first : first + share])


keep_to_own_cores()

os.environ["SAFELIGHT_STATE"] = mkdtemp(prefix="safelight-state-")
os.environ.setdefault("TQDM_DISABLE", "1")
# As a worker does it, and before torch loads libgomp: tests must not take minutes because something else is at work.
for name, value in SHARE_CORES.items():
    os.environ.setdefault(name, value)
