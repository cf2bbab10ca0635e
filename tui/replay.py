"""A recorded run as a project of its own, in a temporary folder, in which another process plays it again.

The run itself is only read. Everything that looks at runs finds a run at work: `tui.replayer` holds its lock and writes
events, status and curve. It takes the folder away when whoever asked for the replay has gone, in whatever way.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from projects import atomic
from projects.job import JobDir
from projects.problems import refuse
from projects.project import write_job
from projects.replay import mark_replay
from projects.spec import Data, RunSpec, TrainJob
from projects.table import dump_table, plain_table
from tui.follow_lines import shown
from tui.jobs import open_run
from tui.run_list import short_name

NAME: Final = "replay of"
_BEGIN_SECONDS: Final = 30.0
_END_SECONDS: Final = 5.0


@contextmanager
def replay(run: JobDir, speed: int) -> Iterator[JobDir]:
    """The run in a temporary project while it is played again, `speed` times as fast; both are gone afterwards.

    Raises Refused for what is no run, has recorded nothing, or cannot be played, and OSError without room for it.
    """
    recorded = open_run(run).spec
    if not run.events.is_file():
        raise refuse("This run has recorded nothing yet.", where=shown(run.path))
    folder = Path(tempfile.mkdtemp(prefix="safelight-replay-")).resolve()
    try:
        job = _copied(run, recorded, folder, speed)
        with job.log.open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "tui.replayer",
                    str(folder),
                    str(job.path),
                    str(run.path),
                    str(speed),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            _wait_until_begun(job, process)
            yield job
        finally:
            _end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copied(run: JobDir, recorded: TrainJob, folder: Path, speed: int) -> JobDir:
    """What the screens show of a run beside events, status and curve, in a project that calls itself a replay."""
    spec = _placed(recorded.spec, Path(recorded.project))
    mark_replay(folder, run.path, speed)
    named = replace(spec, name=f"{NAME} {spec.name or Path(recorded.project).name}")
    table = plain_table(named)
    if not named.data.sets:
        # An empty list is a long form too, which would contradict the short one.
        del table["data"]["sets"]
    atomic.write_text(folder / "project.toml", dump_table(table))
    name, short = run.path.name, short_name(run)
    job = JobDir(folder / "runs" / f"{name.removesuffix(short)}{NAME} {short}")
    job.path.mkdir(parents=True)
    write_job(job, replace(recorded, project=str(folder), spec=spec))
    for manifest in run.checkpoints.glob("step-*/manifest.json"):
        # That a checkpoint is there is all that is looked at; its weights stay where they are.
        _take(manifest, job.checkpoints / manifest.parent.name / manifest.name)
    for place in (run.previews, run.review):
        for file in sorted(place.rglob("*")) if place.is_dir() else []:
            if file.is_file():
                _take(file, job.path / file.relative_to(run.path))
    if run.log.is_file():
        shutil.copyfile(run.log, job.log)
    _rename_in_review(job, folder)
    return job


def _placed(spec: RunSpec, project: Path) -> RunSpec:
    """With its folders named absolutely, as they lie beside the recorded run's project."""

    def at(path: str) -> str:
        return str(project / path) if path else ""

    data: Data = spec.data
    sets = tuple(replace(each, path=at(each.path)) for each in data.sets)
    data = replace(
        data,
        images=at(data.images),
        regularization=at(data.regularization),
        holdout=at(data.holdout),
        sets=sets,
    )
    source = project / spec.base.source
    base = replace(spec.base, source=str(source)) if spec.base.source and source.exists() else spec.base
    return replace(spec, data=data, base=base)


def _take(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


def _rename_in_review(job: JobDir, project: Path) -> None:
    """Let the review name its pictures where they lie now."""
    file = job.review / "review.json"
    try:
        text = file.read_text(encoding="utf-8")
        told = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(told, dict) and isinstance(before := told.get("run"), str):
        now = job.path.relative_to(project).as_posix()
        old, new = (json.dumps(f"{path}/")[:-1] for path in (before, now))
        atomic.write_text(file, text.replace(old, new))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The end of its input is what tells it that nobody looks any more."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_begun(job: JobDir, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _BEGIN_SECONDS
    # Written with the lock held; a short run is over before one can look whether it is.
    while not job.status.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            said = job.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise refuse("The replay does not begin.", where=shown(job.path), hint=said[-1] if said else "")
        time.sleep(0.02)
