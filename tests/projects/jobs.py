"""Jobs for tests: real job directories, and waiting for what another process does."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from projects.job import JobDir
from projects.project import write_job
from projects.spec import Base, RunSpec, Sample, SampleJob

T = TypeVar("T")


def make_job(path: Path, *, how: str = "count", steps: int = 20, after: JobDir | None = None) -> JobDir:
    """A sample job; a trivial runner may take `how` (the prompt) and `steps` as what to do."""
    path.mkdir(parents=True)
    job = JobDir(path)
    sample = Sample(prompts=(how,), steps=steps)
    spec = RunSpec(name="trial", trigger="ohwx", base=Base(source="demo"), sample=sample)
    write_job(job, SampleJob(project=str(path.parent), after=str(after.path) if after else "", spec=spec))
    return job


def eventually(question: Callable[[], T], *, seconds: float = 20.0) -> T:
    """The first answer that is true, asked again and again; the last one when time is up."""
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer
