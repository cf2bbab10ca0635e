"""safelight sample: pictures from prompts, with a run's adapter or the base alone."""

from pathlib import Path
from typing import Any

import click

from projects.problems import Problem, Refused, refuse
from projects.project import open_project, resolve
from projects.spec import AdapterAt, SampleJob
from tui.follow_lines import shown
from tui.jobs import finish, in_project, newest_or_none, open_run, refuse_without_checkpoint, start_job
from tui.output import Output, json_option
from tui.verbs.sampling import sample_options, with_sample


@click.command("sample")
@click.argument("source", metavar="RUN|DIR", default=".", type=click.Path(path_type=Path))
@click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="FILE[:WEIGHT]",
    help="A further adapter. May be repeated.",
)
@sample_options()
@json_option
def command(
    source: Path,
    adapters: tuple[str, ...],
    checkpoint: int | None,
    said: dict[str, Any],
    out: Output,
) -> None:
    """Draw prompts with RUN's adapter, or with the base alone where DIR has no run. What is not said, the project says."""
    spec, owner = job_of(source, checkpoint, adapters, said)
    if not spec.run:
        only = "the base and the adapter files that were named" if spec.adapters else "the base alone"
        out.aside(f"Drawn with {only}: this project has no run yet.")
    state = finish(start_job(owner, spec), out)
    told = state.result.get("pictures")
    pictures = [str(picture) for picture in told] if isinstance(told, list) else []
    for picture in pictures:
        out.say(f"Picture: {shown(Path(spec.project) / picture)}")
    adapter = in_project(spec.run, Path(spec.project)) if spec.run else None
    out.result({"project": spec.project, "adapter": adapter, "pictures": pictures})


def job_of(
    source: Path, checkpoint: int | None, adapters: tuple[str, ...], said: dict[str, Any]
) -> tuple[SampleJob, Path]:
    """The job, and the run or project it belongs to."""
    further = tuple(adapter_at(text) for text in adapters)
    found = newest_or_none(source)
    if found is None:
        project = open_project(source)
        if checkpoint is not None:
            raise refuse("There is no run whose checkpoint could be used.", where="--checkpoint", usage=True)
        spec = with_sample(resolve(project), said)
        return SampleJob(project=str(project.path), adapters=further, spec=spec), project.path
    run = open_run(found)
    refuse_without_checkpoint(run.job, checkpoint)
    spec = with_sample(run.spec.spec, said)
    job = SampleJob(
        project=run.spec.project, run=str(run.job.path), checkpoint=checkpoint, adapters=further, spec=spec
    )
    return job, run.job.path


def adapter_at(text: str) -> AdapterAt:
    """`FILE` or `FILE:WEIGHT`. Raises Refused (usage) for what is no .safetensors file or no weight."""
    name, colon, tail = text.rpartition(":")
    try:
        file, weight = (name, float(tail)) if colon else (text, 1.0)
    except ValueError:
        file, weight = text, 1.0
    path, where = Path(file).expanduser().resolve(), f"--adapter {text}"
    problems = []
    if not path.is_file() or path.suffix != ".safetensors":
        hint = "Name a .safetensors file, and its weight behind a colon: style.safetensors:0.7."
        problems.append(Problem(error="There is no adapter file here.", where=where, hint=hint))
    if not -4.0 <= weight <= 4.0:
        problems.append(
            Problem(error=f"The weight {weight:g} is out of range.", where=where, hint="Use -4 to 4.")
        )
    if problems:
        raise Refused(problems, usage=True)
    return AdapterAt(file=str(path), weight=weight)
