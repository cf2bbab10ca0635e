"""safelight new: a project of a folder of pictures."""

from pathlib import Path
from typing import get_args

import click

from projects.bases import to_be_fetched
from projects.fields import leaves
from projects.project import create_project
from projects.spec import Rating
from tui.follow_lines import shown
from tui.output import Output, json_option


@click.command("new")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--base",
    required=True,
    help='A hub id, "demo", or a folder or .safetensors file, looked for from here first, then in DIR.',
)
@click.option(
    "--family",
    type=click.Choice([family for family in leaves()["base.family"].shape.choices if family]),
    help="What the base is, where it is a hub id that is not on this machine yet; else it is read from it.",
)
@click.option(
    "--images", required=True, help="The folder of pictures. It is read where it is, never changed."
)
@click.option("--trigger", required=True, help="The invented word that will call the subject or style.")
@click.option("--class-word", default="", help="The general category: woman, mug, watercolour.")
@click.option("--rating", type=click.Choice(get_args(Rating)), default="general", show_default=True)
@json_option
def command(
    folder: Path,
    base: str,
    family: str | None,
    images: str,
    trigger: str,
    class_word: str,
    rating: Rating,
    out: Output,
) -> None:
    """Write project.toml into DIR."""
    project = create_project(
        folder,
        base=base,
        images=images,
        trigger=trigger,
        rating=rating,
        class_word=class_word,
        family=family or "",
    )
    place = shown(project.path)
    out.say(f"Made {project.file}.")
    if not family and to_be_fetched(base, project.path):
        out.say(
            "The base is not on this machine yet, and nothing here can tell its kind. Say it in project.toml"
        )
        out.say("(take the # from base.family there); until then plan and train ask for it.")
    out.say(f"What a run would do: safelight plan {place}   Start it: safelight train {place}")
    out.result({"project": str(project.path), "file": project.file.name})
