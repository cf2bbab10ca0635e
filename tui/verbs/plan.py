"""safelight plan: what a run would do, and what stands in its way."""

from pathlib import Path

import click

from projects.plan import Plan
from projects.project import open_project
from tui.follow_lines import duration
from tui.output import Output, json_option, words_of
from tui.readiness import examine


@click.command("plan")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="As project.toml would say it."
)
@click.option(
    "--missing", type=click.Choice(["refuse", "trigger"]), default="refuse", help="Pictures without caption."
)
@json_option
def command(folder: Path, assignments: tuple[str, ...], missing: str, out: Output) -> int:
    """Steps, times seen, disk and problems of a run of the project in DIR. Exit 1 when something stands in its way."""
    project = open_project(folder)
    found = examine(project, assignments, missing="trigger" if missing == "trigger" else "refuse")
    if found.plan:
        out.say(described(found.plan))
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
    return {name: getattr(planned, name) if planned else None for name in names}


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
    if planned.seconds is not None:
        lines.append(f"{'time':<22} {duration(planned.seconds):>10}")
    if planned.memory_gb is not None:
        lines.append(f"{'memory':<22} {planned.memory_gb:>10.1f} GB")
    return "\n".join(lines)
