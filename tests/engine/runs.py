"""A small real training on the embedded base, for the tests that train: a few pictures, a few steps."""

import shutil
import time
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from engine import train
from engine.desk import Desk
from projects.curve import read_curve
from projects.events import fold_file, read
from projects.job import JobDir
from projects.project import new_run_dir, open_project, read_job, resolve, write_job
from projects.spec import TrainJob

SHORT = (
    "train.steps=8",
    "train.warmup=0.25",
    "train.checkpoint_every=3",
    "train.evaluate_every=4",
    "sample.every=4",
    "sample.steps=2",
    'sample.prompts=["tr0v3l_cap mushroom", "a mug"]',
    "sample.seeds=[1]",
)


@cache
def _demo() -> Path:
    from engine.demo.project import write_project

    folder = Path(mkdtemp(prefix="safelight-test-")) / "demo"
    write_project(folder)
    for role, keep in (("images", 6), ("regularization", 4), ("holdout", 2)):
        pictures = sorted((folder / role).glob("*.png"))
        for picture in pictures[keep:]:
            picture.unlink()
            picture.with_suffix(".txt").unlink()
    return folder


def demo_project(folder: Path) -> Path:
    """A copy of the demo's project with 6 subject, 4 regularization and 2 held-out pictures."""
    return Path(shutil.copytree(_demo(), folder / "demo"))


def new_run(project: Path, *assignments: str, name: str = "r", start_from: str = "") -> JobDir:
    """A run's directory, ready to be started; SHORT holds where the assignments say nothing else."""
    spec = resolve(open_project(project), [*SHORT, *assignments])
    job = new_run_dir(project, name)
    write_job(job, TrainJob(project=str(project), start_from=start_from, spec=spec))
    return job


def train_here(job: JobDir, *, verify: bool = False) -> str:
    """One attempt in this process, from the newest checkpoint or the start."""
    attempt = fold_file(job.events).attempt + 1
    with Desk.open(job, attempt, verify=verify) as desk:
        desk.begin(max(job.steps_saved(), default=0))
        spec = read_job(job)
        assert isinstance(spec, TrainJob)
        return train.run(desk, spec)


def events(job: JobDir, kind: str) -> list[dict[str, object]]:
    """All events of one kind, in order."""
    return [dict(event) for event in read(job.events)[0] if event.get("kind") == kind]


def losses(job: JobDir) -> list[float]:
    """The loss of every step that stands."""
    return [point.loss for point in read_curve(job.curve)[0]]


def wait_until_heard(job: JobDir, request: str) -> None:
    """Until the heartbeat has taken the request up."""
    deadline = time.monotonic() + 10
    while not any(event.get("request") == request for event in events(job, "acknowledged")):
        assert time.monotonic() < deadline, f"the {request} request was not heard"
        time.sleep(0.02)
