"""How long a run takes to begin with nothing encoded, and with everything: real workers, timed by their own events."""

import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from projects import worker
from projects.eventlog import read
from projects.job import JobDir
from projects.problems import refuse
from projects.project import new_run_dir, open_project, resolve, write_job
from projects.spec import TrainJob
from tui.bench.figures import Figure, median_of

ROUNDS: Final = 3
FROM, TO = "looking at the pictures", "training"
# One step that changes nothing worth keeping: what is measured lies before it.
_SETTINGS: Final = ("train.steps=1", "train.checkpoint_every=1", "train.evaluate_every=0", "sample.every=0")


def measure(project: Path, *, rounds: int = ROUNDS) -> list[Figure]:
    """Start runs of `project` by turns without a cache and with a whole one."""
    empty, full = [], []
    for _ in range(rounds):
        shutil.rmtree(project / "cache", ignore_errors=True)
        empty.append(seconds_to_begin(project))
        full.append(seconds_to_begin(project))
    entries = sum(1 for _ in (project / "cache").rglob("*.safetensors"))
    words = f'"{FROM}" to "{TO}" by a worker\'s own events'
    return [
        median_of("cache.empty", empty, "s", method=f"{words}, {entries} entries to encode"),
        median_of("cache.full", full, "s", method=f"{words}, nothing to encode"),
    ]


def seconds_to_begin(project: Path) -> float:
    """Seconds between the two phases of a new run's worker. Raises Refused when it did not get done."""
    job = new_run_dir(project, "begin")
    spec = resolve(open_project(project), _SETTINGS)
    write_job(job, TrainJob(project=str(project.resolve()), spec=spec))
    worker.start(job)
    try:
        while worker.state_of(job) in ("queued", "live", "stalled"):
            time.sleep(0.1)
    finally:
        worker.hard_stop(job)
    return between(read(job.events)[0], job)


def between(events: Iterable[Mapping[str, object]], job: JobDir) -> float:
    """Seconds from the one phase to the other."""
    began = {event.get("name"): event.get("t") for event in events if event.get("kind") == "phase"}
    first, last = began.get(FROM), began.get(TO)
    if not isinstance(first, int | float) or not isinstance(last, int | float):
        raise refuse("The run that is measured did not get to its first step.", where=job.events)
    return float(last - first)
