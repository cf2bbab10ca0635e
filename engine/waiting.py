"""What a worker waits for before it begins: the job that must be done first, then its turn on the device. No torch yet."""

import math
import time
from typing import Final

from engine.desk import Desk
from projects.devicequeue import DeviceQueue
from projects.job import JobDir
from projects.problems import refuse
from projects.worker import state_of

JOB_SECONDS: Final = 1.0
DEVICE_SECONDS: Final = 0.5
_ENDED: Final = {
    "failed": ("failed", "Mend what its last event says and resume it: this one goes on with it."),
    "died": ("died without a last word", "Resume it: this one goes on with it."),
    "elsewhere": (
        "was last worked on elsewhere, so nobody here can tell when it is done",
        "Resume it with --take-over if it does not run there: this one goes on with it.",
    ),
}


def wait_for_job(desk: Desk, after: JobDir) -> bool:
    """Wait until `after` is done; False when it was stopped, or when this job is asked to stop meanwhile.

    Raises Refused when it ended in another way. The last word of a job that ends because `after` did has `ended_by`.
    """
    told = False
    while True:
        if not after.spec.exists():
            raise refuse(
                "The job that this one waits for is not there.", where=after.path, hint="Start this one anew."
            )
        state = state_of(after)
        if state == "done":
            return True
        if state == "stopped":
            desk.result(ended_by=str(after.path))
            return False
        if state in _ENDED:
            how, hint = _ENDED[state]
            desk.result(ended_by=str(after.path))
            raise refuse(
                f"{after.path.name}, which must be done before this job, {how}.", where=after.path, hint=hint
            )
        if desk.stop_asked:
            return False
        if not told:
            desk.phase("waiting-for-job", quiet=math.inf, holder=str(after.path))
            told = True
        time.sleep(JOB_SECONDS)


def wait_for_device(desk: Desk, queue: DeviceQueue, device: str) -> bool:
    """Wait until `queue` gives the device to this job; False when asked to stop meanwhile."""
    told = None
    while not queue.take():
        if desk.stop_asked:
            return False
        holder = queue.holder()
        if holder != told:
            desk.phase("waiting-for-device", quiet=math.inf, holder=holder, device=device)
            told = holder
        time.sleep(DEVICE_SECONDS)
    return True
