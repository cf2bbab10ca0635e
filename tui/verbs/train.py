"""safelight train: check everything, then start a run in the background."""

from pathlib import Path
from typing import Literal

import click

from projects import worker
from projects.atomic import write_bytes
from projects.problems import Refused, refuse
from projects.project import Project, new_run_dir, open_project, write_job
from projects.spec import TrainJob
from tui.follow_lines import follow, shown
from tui.jobs import in_project, newest_checkpoint, newest_or_none
from tui.output import Output, json_option
from tui.readiness import Readiness, examine


@click.command("train")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="As project.toml would say it."
)
@click.option(
    "--from", "start_from", default="", metavar="RUN|FILE", help="Continue from the adapter of a run or file."
)
@click.option(
    "--processes", type=int, metavar="N", help="So many processes train together: short for train.processes."
)
@click.option("--name", default="", help="Ends the name of the run's folder. Left out: r and the rank.")
@click.option(
    "--missing",
    type=click.Choice(["refuse", "trigger"]),
    default="refuse",
    help="A picture without caption: refuse with the list, or train it on trigger and class word alone.",
)
@click.option("--follow", "following", is_flag=True, help="Stay and follow by line.")
@json_option
def command(
    folder: Path,
    assignments: tuple[str, ...],
    start_from: str,
    processes: int | None,
    name: str,
    missing: str,
    following: bool,
    out: Output,
) -> int:
    """Start a run of the project in DIR. It goes on when this terminal goes away."""
    project = open_project(folder)
    refuse_read_only(project)
    captions: Literal["refuse", "trigger"] = "trigger" if missing == "trigger" else "refuse"
    adapter = adapter_file(start_from) if start_from else ""
    if processes is not None:
        assignments = (*assignments, f"train.processes={processes}")
    found = ready(project, assignments, missing=captions, out=out)
    job = new_run_dir(project.path, name or f"r{found.spec.adapter.rank}")
    start = copied(Path(adapter), job.start_adapter) if adapter else ""
    write_job(
        job, TrainJob(project=str(project.path), start_from=start, missing_caption=captions, spec=found.spec)
    )
    pid = worker.start(job)
    path = shown(job.path)
    out.say(f"Started {path}: {found.spec.train.steps} steps, process {pid}, in the background.")
    result: dict[str, object] = {
        "project": str(project.path),
        "run": in_project(job.path, project.path),
        "pid": pid,
        "blockers": [finding.table() for finding in found.blockers],
    }
    if not following:
        out.say("Its worker loads the base and checks the pictures once more; following shows it.")
        out.say(f"Follow it: safelight follow {path}   Stop it: safelight stop {path}")
        out.result(result)
        return 0
    ended = follow(job, out)
    out.result({**result, "state": ended})
    return 1 if ended in ("failed", "died") else 0


def ready(
    project: Project, assignments: tuple[str, ...], *, missing: Literal["refuse", "trigger"], out: Output
) -> Readiness:
    """Check everything, tell the notes, and raise Refused with all problems."""
    found = examine(project, assignments, missing=missing)
    for note in found.notes:
        out.say(f"· {note}")
    if found.problems:
        raise Refused(list(found.problems))
    return found


def refuse_read_only(project: Project) -> None:
    """Raise Refused for a project of a newer Safelight."""
    if project.read_only:
        hint = "Install the newer Safelight to work on it."
        raise refuse(
            "This project was written by a newer Safelight and is read-only here.",
            where=project.file,
            hint=hint,
        )


def copied(file: Path, into: Path) -> str:
    """A copy of the adapter inside the run, with peft's config of it, which alpha is in. Gives its path; raises Refused
    with the reason."""
    beside = file.with_name("adapter_config.json")
    try:
        write_bytes(into, file.read_bytes())
        if beside.is_file():
            write_bytes(into.with_name(beside.name), beside.read_bytes())
    except OSError as error:
        raise refuse(
            f"The adapter could not be copied into the run: {error.strerror or error}.",
            where=file,
            hint="Make room, or name another run or file.",
        ) from error
    return str(into)


def adapter_file(said: str) -> str:
    """Absolute path of the adapter that `--from` means: a run's newest checkpoint, or a .safetensors file."""
    path = Path(said).expanduser().resolve()
    if path.is_dir():
        run = newest_or_none(path)
        checkpoint = newest_checkpoint(run) if run else None
        if checkpoint is None:
            raise refuse(
                "There is no checkpoint to continue from.",
                where=f"--from {said}",
                hint="Name a run that saved one.",
                usage=True,
            )
        return str(checkpoint / "adapter.safetensors")
    if path.suffix.lower() in (".ckpt", ".pt", ".bin", ".pth"):
        hint = "Such a file runs code when it is opened. Use a .safetensors file."
        raise refuse("This is a pickle.", where=f"--from {said}", hint=hint, usage=True)
    if not path.is_file() or path.suffix != ".safetensors":
        raise refuse(
            "There is no adapter here.",
            where=f"--from {said}",
            hint="Name a run or a .safetensors file.",
            usage=True,
        )
    return str(path)
