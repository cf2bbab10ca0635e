"""safelight sample: pictures from prompts, with a run's adapter or the base alone."""

import dataclasses
from pathlib import Path
from typing import Any, get_args

import click

from projects.problems import Problem, Refused, refuse
from projects.project import open_project, resolve
from projects.spec import AdapterAt, RunSpec, Sample, SampleJob, Sampler
from projects.table import parse_table, plain_table
from tui.follow_lines import shown
from tui.jobs import finish, in_project, newest_or_none, open_run, refuse_without_checkpoint, start_job
from tui.output import Output, json_option


@click.command("sample")
@click.argument("source", metavar="RUN|DIR", default=".", type=click.Path(path_type=Path))
@click.option("--prompt", "prompts", multiple=True, required=True, help="May be said several times.")
@click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="FILE[:WEIGHT]",
    help="A further adapter. May be repeated.",
)
@click.option("--weight", type=float, help="Weight of the run's adapter.")
@click.option("--checkpoint", type=click.IntRange(0), metavar="STEP", help="Left out: the newest.")
@click.option("--negative", help="Negative prompt.")
@click.option("--guidance", type=float, help="Classifier-free guidance.")
@click.option("--steps", type=int, help="Denoising steps.")
@click.option("--sampler", type=click.Choice(get_args(Sampler), case_sensitive=False))
@click.option("--size", metavar="WIDTHxHEIGHT", help="In pixels. Left out: the base's native size.")
@click.option(
    "--seed", "seeds", multiple=True, type=int, help="May be repeated: each prompt is drawn with each."
)
@json_option
def command(
    source: Path,
    prompts: tuple[str, ...],
    adapters: tuple[str, ...],
    weight: float | None,
    checkpoint: int | None,
    negative: str | None,
    guidance: float | None,
    steps: int | None,
    sampler: str | None,
    size: str | None,
    seeds: tuple[int, ...],
    out: Output,
) -> None:
    """Draw prompts with RUN's adapter, or with the base alone where DIR has no run. What is not said, the project says."""
    said = {
        "prompts": list(prompts),
        "weight": weight,
        "negative": negative,
        "guidance": guidance,
        "steps": steps,
        "sampler": sampler,
        "size": size_of(size) if size else None,
        "seeds": list(seeds) or None,
    }
    spec, owner = job_of(
        source, checkpoint, adapters, {name: value for name, value in said.items() if value is not None}
    )
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


def with_sample(spec: RunSpec, said: dict[str, Any]) -> RunSpec:
    """`spec` with the options in [sample], checked as the project's own values are."""
    plain = plain_table(spec)["sample"]
    table = {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()} | said
    names = {"prompts": "--prompt", "seeds": "--seed"}
    sample = parse_table(table, Sample, where=lambda path: names.get(str(path[0]), f"--{path[0]}"))
    return dataclasses.replace(spec, sample=sample)


def size_of(text: str) -> list[int]:
    """`WIDTHxHEIGHT` as numbers. Raises Refused (usage)."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise refuse(f"{text} is not a size.", where="--size", hint="Write it as 1024x1024.", usage=True)
    return [int(width), int(height)]


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
