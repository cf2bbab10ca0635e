"""safelight captions: check what stands beside the pictures."""

from pathlib import Path

import click

from tui.output import Output, json_option
from tui.verbs.captions_check import check


@click.command("captions")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("action", type=click.Choice(["check"]))
@json_option
def command(folder: Path, action: str, out: Output) -> int:
    """Read every caption of the project in DIR exactly as a run would. Exit 1 when a blocker stands."""
    return check(folder, out)
