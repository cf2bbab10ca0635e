"""A worker that only writes: `python -m tui.bench.writer JOB_DIR` goes on with an invented run, ten steps a second.

It holds the job's lock as a worker does, so that whoever looks finds the run alive. It ends on SIGTERM.
"""

import os
import sys
import time
from pathlib import Path

from projects.curve import Point
from projects.events import Writer
from projects.job import JobDir
from projects.status import read_status, write_status
from projects.worker import JobLock
from tui.bench.invented import EVENTS_A_SECOND, loss_at, status_at, step_fields


def main(job: JobDir) -> None:
    """Write until somebody ends this process."""
    lock = JobLock(job)
    status = read_status(job.status)
    step, steps = status.step or 0, status.steps or 1_000_000
    writer = Writer(job, 1)
    curve = os.open(job.curve, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    due = time.monotonic()
    try:
        while True:
            step += 1
            writer.emit("step", **step_fields(step, steps))
            os.write(curve, Point(step, loss_at(step), 1e-4, 0.3).pack())
            if step % EVENTS_A_SECOND == 0 or status.pid != os.getpid():
                status = status_at(step, steps, pid=os.getpid(), phase="training")
                write_status(job.status, status)
            due += 1 / EVENTS_A_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
    finally:
        lock.close()


if __name__ == "__main__":
    main(JobDir(Path(sys.argv[1])))
