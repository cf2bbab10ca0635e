"""safelight new: a project of a folder of pictures."""

from pathlib import Path
from typing import get_args

import click

from projects.project import create_project
from projects.spec import Rating
from tui.follow_lines import shown
from tui.output import Output, json_option


@click.command("new")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--base", required=True, help='A hub id, a folder, one .safetensors file, or "demo".')
@click.option(
    "--images", required=True, help="The folder of pictures. It is read where it is, never changed."
)
@click.option("--trigger", required=True, help="The invented word that will call the subject or style.")
@click.option("--class-word", default="", help="The general category: woman, mug, watercolour.")
@click.option("--rating", type=click.Choice(get_args(Rating)), default="general", show_default=True)
@json_option
def command(
    folder: Path, base: str, images: str, trigger: str, class_word: str, rating: Rating, out: Output
) -> None:
    """Write project.toml into DIR."""
    project = create_project(
        folder, base=base, images=images, trigger=trigger, rating=rating, class_word=class_word
    )
    place = shown(project.path)
    out.say(f"Made {project.file}.")
    out.say(f"What a run would do: safelight plan {place}   Start it: safelight train {place}")
    out.result({"project": str(project.path), "file": project.file.name})
