"""safelight plan: what a run would do, and what stands in its way."""

from pathlib import Path
from typing import Literal

import click

from projects.measured import require_one_process
from projects.plan import Plan
from projects.project import open_project
from projects.spec import MeasureJob
from tui.jobs import finish, start_job
from tui.measured_words import measured_rows
from tui.output import Output, json_option, words_of
from tui.readiness import examine
from tui.verbs.train import refuse_read_only

STEPS = 20
"""How many steps a measurement takes where nobody says."""


@click.command("plan")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="As project.toml would say it."
)
@click.option(
    "--missing", type=click.Choice(["refuse", "trigger"]), default="refuse", help="Pictures without caption."
)
@click.option("--measure", "measuring", is_flag=True, help="Run a few real steps first, for time and memory.")
@click.option(
    "--measure-steps", "steps", type=click.IntRange(2, 1000), help="How many; 20 where it is not said."
)
@json_option
def command(
    folder: Path, assignments: tuple[str, ...], missing: str, measuring: bool, steps: int | None, out: Output
) -> int:
    """Steps, times seen, disk and problems of a run of the project in DIR. Exit 1 when something stands in its way."""
    if steps is not None and not measuring:
        raise click.UsageError("--measure-steps says how many steps --measure runs: say both.")
    project = open_project(folder)
    captions: Literal["refuse", "trigger"] = "trigger" if missing == "trigger" else "refuse"
    found = examine(project, assignments, missing=captions)
    if measuring and not found.problems:
        require_one_process(found.spec)
        refuse_read_only(project)
        told = MeasureJob(
            project=str(project.path), steps=steps or STEPS, missing_caption=captions, spec=found.spec
        )
        finish(start_job(project.path, told), out)
        found = examine(project, assignments, missing=captions)
    if found.plan:
        out.say(described(found.plan))
    if measuring and found.problems:
        out.say("Nothing was measured: what is marked ! stands in the way.")
    for note in found.notes:
        out.say(f"· {note}")
    for problem in found.problems:
        out.say(f"! {words_of(problem)}")
    out.result(
        {
            "project": str(project.path),
            **fields(found.plan),
            "notes": list(found.notes),
            "findings": [finding.table() for finding in found.findings],
            "problems": [problem.table() for problem in found.problems],
        }
    )
    return 1 if found.problems else 0


def fields(planned: Plan | None) -> dict[str, object]:
    """The numbers for scripts; null where they are not known."""
    names = (
        "steps",
        "slots",
        "epochs",
        "seconds",
        "memory_gb",
        "disk_bytes",
        "seen_subject",
        "seen_regularization",
    )
    return {name: getattr(planned, name) if planned else None for name in names} | {
        "measured": measured_fields(planned)
    }


def measured_fields(planned: Plan | None) -> dict[str, object] | None:
    """What seconds and memory_gb follow from; None where nothing was measured of such a run."""
    if planned is None or planned.measured is None or planned.seconds_range is None:
        return None
    measured, (low, high) = planned.measured, planned.seconds_range
    names = ("steps", "seconds_per_step", "device_memory_gb")
    return {"seconds_low": low, "seconds_high": high} | {name: getattr(measured, name) for name in names}


def described(planned: Plan) -> str:
    """The numbers as lines."""
    lines = [
        f"{'steps':<22} {planned.steps:>10}",
        f"{'pictures a step':<22} {planned.slots:>10}",
        f"{'epochs':<22} {planned.epochs:>10.1f} times through all trained pictures",
        f"{'seen, subject':<22} {planned.seen_subject:>10.1f} times each",
    ]
    if planned.seen_regularization:
        lines.append(f"{'seen, regularization':<22} {planned.seen_regularization:>10.1f} times each")
    if planned.disk_bytes is not None:
        lines.append(f"{'disk of checkpoints':<22} {planned.disk_bytes / 1e6:>10.1f} MB")
    lines += [f"{name:<22} {value:>10}  {note}" for name, value, note in measured_rows(planned)]
    return "\n".join(lines)
