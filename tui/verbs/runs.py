"""safelight runs: the runs of a project and how they stand."""

from pathlib import Path

import click

from projects import worker
from projects.job import JobDir
from projects.problems import Refused
from projects.project import open_project, read_job, runs
from projects.status import read_status
from tui.follow_lines import duration, shown
from tui.jobs import in_project, newest_checkpoint
from tui.output import Output, json_option
from tui.printable import printable
from tui.series import WINDOW, recent_mean


@click.command("runs")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@json_option
def command(folder: Path, out: Output) -> None:
    """The runs of the project in DIR, oldest first, each with its state."""
    project = open_project(folder)
    entries = [entry(job, project.path) for job in runs(project.path)]
    for each in entries:
        out.say(line_of(each))
    if not entries:
        out.say(f"No runs yet. Start one: safelight train {shown(project.path)}")
    out.result({"project": str(project.path), "runs": entries})


def entry(job: JobDir, project: Path) -> dict[str, object]:
    """What `--json` says of one run. Values that are not known are null."""
    status, checkpoint = read_status(job.status), newest_checkpoint(job)
    return {
        "run": in_project(job.path, project),
        "state": worker.state_of(job),
        "phase": status.phase,
        "step": status.step,
        "steps": status.steps or _planned(job),
        "loss": status.loss,
        "mean_loss": recent_mean(job.curve),
        "eta_seconds": status.eta_seconds,
        "checkpoint": in_project(checkpoint, project) if checkpoint else None,
    }


def _planned(job: JobDir) -> int | None:
    """How many steps the run is to take: known before its first one."""
    try:
        return read_job(job).spec.train.steps
    except Refused:
        return None


def line_of(each: dict[str, object]) -> str:
    """One run on one line."""
    step, steps, loss, left = each["step"], each["steps"], each["mean_loss"], each["eta_seconds"]
    line = f"{printable(str(each['run'])):<44} {each['state']:<9}"
    if isinstance(step, int):
        line += f" {step}/{steps}" if steps else f" at step {step}"
    # One step's loss jumps with its timestep.
    line += f"   loss {loss:.4f}, mean of {WINDOW}" if isinstance(loss, float) else ""
    return line + (
        f"   {duration(left)} left" if each["state"] == "live" and isinstance(left, int | float) else ""
    )
