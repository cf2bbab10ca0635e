"""Cases made, trained, reviewed and noted down, one after the other, over as many sittings as it takes.

WORK/SUBJECT/CASE is a project like any other, with one run; WORK/cases.jsonl has a line for each review that was read.
What is there is not made again, and what was killed goes on where it was.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from engine.demo.case_lines import LINES, key_of, line_of, read_lines
from engine.demo.cases import Case, write_case
from projects import atomic
from projects.events import fold_file
from projects.job import JobDir
from projects.locks import holder
from projects.problems import Refused, refuse
from projects.project import new_run_dir, newest_run, open_project, read_job, resolve, write_job
from projects.spec import ReviewJob, RunSpec, TrainJob
from projects.table import plain_table
from projects.worker import SHARE_CORES, state_of


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """Where and how cases are worked on."""

    work: Path
    """Folder of the projects and of cases.jsonl."""
    round: int = 1
    """1 or more. Another round reviews the same trainings once more, for example with other thresholds."""
    depth: Literal["coarse", "refined"] = "coarse"
    """Of the reviews that this sitting begins."""
    assignments: tuple[str, ...] = ()
    """KEY=VALUE each, over every project."""


class Stopped(Exception):
    """A worker was asked to stop, so that this sitting is over."""


def work_on(
    cases: Iterable[Case], sitting: Sitting, say: Callable[[str], object] = print
) -> dict[str, Refused]:
    """Bring each case to its line in cases.jsonl; gives those that failed, by folder, with the reason.

    Raises Stopped or KeyboardInterrupt where a worker was ended; calling it again goes on from there.
    """
    noted = {key_of(line) for line in read_lines(sitting.work)}
    failed: dict[str, Refused] = {}
    for case in cases:
        if (case.subject, case.kind, case.seed, sitting.round) in noted:
            continue
        place = f"{case.subject}/{case.name}"
        try:
            line = _brought_to_its_line(case, sitting, partial(_say_of, place, say))
        except Refused as refused:
            failed[place] = refused
            say(f"{place}: {refused}")
            continue
        data = json.dumps(line, ensure_ascii=False).encode()
        atomic.append_line(sitting.work / LINES, data, synced=True)
        say(f"{place}: judged {line['case']}")
    return failed


def _say_of(place: str, say: Callable[[str], object], text: str) -> None:
    say(f"{place}: {text}")


def _brought_to_its_line(case: Case, sitting: Sitting, say: Callable[[str], object]) -> dict[str, Any]:
    project = _written(case, sitting.work)
    run, spec = _run_of(project, sitting.assignments)
    _work(run, "training", say)
    review = JobDir(run.jobs / f"review-{sitting.round}")
    if not review.spec.exists():
        review.path.mkdir(parents=True, exist_ok=True)
        job = ReviewJob(project=str(project), run=str(run.path), depth=sitting.depth, spec=spec)
        write_job(review, job)
    _work(review, "review", say)
    return line_of(case, sitting.round, run, review)


def _written(case: Case, work: Path) -> Path:
    """The case's project, made where it is missing; one that was half written is made anew."""
    folder = work.absolute() / case.subject / case.name
    if not (folder / "project.toml").exists():
        aside = folder.with_name(f".{folder.name}.aside")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        write_case(case, aside)
        atomic.rename_folder(aside, folder)
    return folder


def _run_of(project: Path, assignments: Sequence[str]) -> tuple[JobDir, RunSpec]:
    """The project's run, written where there is none yet. Raises Refused where it trains something else than is asked."""
    wanted = resolve(open_project(project), assignments)
    run = newest_run(project)
    if run is None:
        run = new_run_dir(project, "case")
        write_job(run, TrainJob(project=str(project), spec=wanted))
        return run, wanted
    found = read_job(run).spec
    differ = [
        f"{section}.{key}"
        for section in ("base", "data", "adapter", "train")
        for key in _differing(plain_table(found)[section], plain_table(wanted)[section])
    ]
    if differ:
        raise refuse(
            f"It was trained with another {', '.join(differ)} than is asked for now.",
            where=run.path,
            hint="Ask for the same, or name another folder: --work.",
        )
    return run, found


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [key for key in {**one, **other} if one.get(key) != other.get(key)]


def _work(job: JobDir, what: str, say: Callable[[str], object]) -> None:
    """Work on a job in the foreground until its last word, unless it is done. Raises Refused when it failed.

    Raises Stopped when it was asked to stop. Whoever ends this program from the keyboard ends the worker as well, which
    saves first; when this program alone is killed, the worker goes on, and the next sitting waits for it.
    """
    while holder(job.lock) is not None:
        time.sleep(1)
    if state_of(job) == "done":
        return
    began = time.monotonic()
    say(f"{what} ...")
    with job.log.open("ab") as log:
        # Taken over: in another sitting the machine may have another name, and nobody else works in this folder.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine", str(job.path), "--take-over"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=job.path,
            env={**SHARE_CORES, **os.environ},
        )
        try:
            process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise
    state = state_of(job)
    if state == "stopped":
        raise Stopped(f"{job.path}: stopped")
    if state != "done":
        said = fold_file(job.events).error or f"The worker ended with {process.returncode}."
        raise refuse(f"The {what} {state}. {said}", where=job.log, hint="Look there, and start again.")
    say(f"{what} took {time.monotonic() - began:.0f} s")
