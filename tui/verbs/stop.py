"""safelight stop: ask what is at work to save and stop."""

import time
from pathlib import Path

import click

from projects import worker
from projects.events import fold_file
from projects.job import JobDir
from projects.locks import holder
from projects.project import find_run, read_job, runs
from tui.follow_lines import ENDED, shown
from tui.jobs import in_project
from tui.output import Output, json_option

_PATIENCE_SECONDS = 10.0


@click.command("stop")
@click.argument("run", default=".", type=click.Path(path_type=Path))
@click.option(
    "--hard", is_flag=True, help="End the worker now. What is not saved since the last checkpoint is lost."
)
@json_option
def command(run: Path, hard: bool, out: Output) -> int:
    """Ask RUN to save a checkpoint and stop. It finishes its step first.

    Where the run is over and a job on it works (review, export, sample, proof), that job is asked.
    """
    job = at_work(run)
    project = Path(read_job(job).project)
    state: str = worker.state_of(job)
    if state in ENDED:
        out.say(f"Nothing is at work here. {job.path.name}: {state}.")
    elif hard:
        state = worker.hard_stop(job)
        out.say(
            f"The worker of {job.path.name} was ended: {state}. Go on with: safelight resume {shown(job.path)}"
        )
    else:
        worker.ask(job, "stop")
        state = heard_after(job)
        out.say(words_for(state, job))
    out.result({"project": str(project), "run": in_project(job.path, project), "state": state})
    return 0


def at_work(path: Path) -> JobDir:
    """What is meant by a run or a project: the run with a worker, else a job with one, and only else the newest run."""
    folder = path.expanduser().resolve()
    named = [JobDir(folder)] if (folder / "spec.toml").is_file() else runs(folder)
    owners = dict.fromkeys([*(job.path for job in reversed(named)), folder])
    jobs = [JobDir(spec.parent) for owner in owners for spec in sorted(owner.glob("jobs/*/spec.toml"))]
    trained, drawn = ([job for job in found if holder(job.lock) is not None] for found in (named, jobs))
    if trained:
        return trained[-1]
    # Those that only wait come after the one that works.
    alive = [job for job in drawn if worker.state_of(job) != "queued"]
    unclear = [job for job in named if worker.state_of(job) not in ENDED]
    return next(iter([*alive, *drawn, *reversed(unclear)]), None) or find_run(path)


def heard_after(job: JobDir) -> str:
    """Wait shortly until the request was heard. Returns "heard", "asked" while nobody answers, or how the run ended."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        state = worker.state_of(job)
        if state in ENDED:
            return state
        if "stop" in fold_file(job.events).acknowledged:
            return "heard"
        time.sleep(0.1)
    return "asked"


def words_for(state: str, job: JobDir) -> str:
    """What the outcome of asking means."""
    path = shown(job.path)
    if state == "heard":
        does = "stops" if job.path.parent.name == "jobs" else "saves and stops"
        return f"Heard: {job.path.name} {does} at the next good moment. See it: safelight follow {path}"
    if state == "asked":
        asked = f"Asked {job.path.name}; not heard yet. It may be in a long phase."
        return f"{asked} At once, without saving: safelight stop {path} --hard"
    return f"{job.path.name} has ended: {state}."
