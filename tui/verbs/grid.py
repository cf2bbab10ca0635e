"""safelight grid: the same prompts and seeds along up to three axes, on sheets."""

from pathlib import Path
from typing import Any

import click

from projects.grid import read_axes, uses_own
from projects.problems import Refused, refuse
from projects.project import open_project, resolve
from projects.spec import GridJob
from tui.follow_lines import shown
from tui.jobs import finish, in_project, newest_or_none, open_run, refuse_without_checkpoint, start_job
from tui.output import Output, json_option
from tui.verbs.sampling import sample_options, with_sample


@click.command("grid")
@click.argument("source", metavar="RUN|DIR", default=".", type=click.Path(path_type=Path))
@click.option(
    "--axis",
    "axes",
    multiple=True,
    required=True,
    metavar="NAME=V1,V2",
    help="weight, checkpoint, adapter, base, prompt, negative, guidance, steps, sampler or seed. Up to three: columns, "
    "rows, sheets. Values with commas are separated by |.",
)
@sample_options(prompts="Left out: the project's.")
@json_option
def command(
    source: Path,
    axes: tuple[str, ...],
    checkpoint: int | None,
    said: dict[str, Any],
    out: Output,
) -> None:
    """Draw the same prompts and seeds along axes, with RUN's adapter, or on the base alone where DIR has no run."""
    spec, owner = job_of(source, axes, checkpoint, said)
    if spec.run and not uses_own(spec.axes, True):
        out.aside("Drawn without the run's adapter: --axis adapter=base,run adds it.")
    state = finish(start_job(owner, spec), out)
    sheets, pictures = (_texts(state.result.get(key)) for key in ("sheets", "pictures"))
    for sheet in sheets:
        out.say(f"Sheet: {shown(Path(spec.project) / sheet)}")
    seconds, memory = (state.result.get(key) for key in ("seconds_per_picture", "memory_gb"))
    if isinstance(seconds, int | float):
        most = f", {memory:.3g} GB at most" if isinstance(memory, int | float) else ""
        out.say(f"{len(pictures)} pictures, {seconds:.3g} s each{most}.")
    out.result({
        "project": spec.project, "run": in_project(spec.run, Path(spec.project)) if spec.run else None,
        "sheets": sheets, "pictures": pictures, "seconds_per_picture": seconds, "memory_gb": memory,
    })  # fmt: skip


def job_of(
    source: Path, axes: tuple[str, ...], checkpoint: int | None, said: dict[str, Any]
) -> tuple[GridJob, Path]:
    """The job, and the run or project it belongs to. Raises Refused with all that is wrong."""
    found = newest_or_none(source)
    run = open_run(found) if found else None
    project = run.project if run else open_project(source).path
    spec = run.spec.spec if run else resolve(open_project(source))
    problems = []
    given = [*said, *(["checkpoint"] if checkpoint is not None else [])]
    try:
        spec = with_sample(spec, said)
    except Refused as refused:
        problems += refused.problems
    try:
        read = read_axes(axes, project=project, run=run.job if run else None, said=given)
    except Refused as refused:
        raise Refused([*problems, *refused.problems], usage=True) from None
    if problems:
        raise Refused(problems, usage=True)
    if run is None and checkpoint is not None:
        raise refuse("There is no run whose checkpoint could be used.", where="--checkpoint", usage=True)
    if run and uses_own(read, True):
        refuse_without_checkpoint(run.job, checkpoint)
    job = GridJob(
        project=str(project), run=str(run.job.path) if run else "", checkpoint=checkpoint, axes=read, said=tuple(said),
        spec=spec,
    )  # fmt: skip
    return job, run.job.path if run else project


def _texts(told: object) -> list[str]:
    return [str(each) for each in told] if isinstance(told, list) else []
