"""safelight export: files for other tools, each read back and compared."""

from pathlib import Path
from typing import Literal, get_args

import click

from projects.project import find_run
from projects.spec import ExportJob
from tui.follow_lines import shown
from tui.jobs import finish, open_run, refuse_without_checkpoint, results, start_job
from tui.output import Output, json_option

Format = Literal["kohya", "diffusers", "comfyui"]
Dtype = Literal["fp32", "fp16", "bf16"]


@click.command("export")
@click.argument("run", default=".", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice([*get_args(Format), "all"]),
    help="May be said several times. Left out: kohya and diffusers.",
)
@click.option("--dtype", type=click.Choice(get_args(Dtype)), default="fp32", show_default=True)
@click.option("--checkpoint", type=click.IntRange(0), metavar="STEP", help="Left out: the newest.")
@json_option
def command(run: Path, formats: tuple[str, ...], dtype: Dtype, checkpoint: int | None, out: Output) -> None:
    """Write RUN's adapter into its export folder, in the formats that other tools load."""
    exported = open_run(find_run(run))
    refuse_without_checkpoint(exported.job, checkpoint)
    spec = ExportJob(
        project=exported.spec.project,
        run=str(exported.job.path),
        checkpoint=checkpoint,
        formats=chosen(formats),
        dtype=dtype,
        spec=exported.spec.spec,
    )
    state = finish(start_job(exported.job.path, spec), out)
    files, told = results(state, "files"), state.result.get("replaced")
    replaced = told if isinstance(told, list) else []
    for file in files:
        again = ", in the place of an earlier one" if file.get("path") in replaced else ""
        out.say(f"Wrote {shown(exported.project / str(file.get('path')))} ({file.get('format')}){again}.")
    out.result({"project": exported.spec.project, "files": files})


def chosen(formats: tuple[str, ...]) -> tuple[Format, ...]:
    """The formats asked for, in the order of the documentation, each once."""
    if "all" in formats:
        return get_args(Format)
    asked = formats or ("kohya", "diffusers")
    return tuple(name for name in get_args(Format) if name in asked)
