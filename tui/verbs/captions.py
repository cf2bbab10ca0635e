"""safelight captions DIR ...: check what stands beside the pictures, and change it in many places at once."""

import importlib
from pathlib import Path

import click

from tui.output import Output, json_option

# Verb -> its module. Imported when it is called, so that the others answer at once.
_BULK = ("replace", "prefix", "suffix", "remove", "move", "sort", "dedupe", "trigger-first", "convert")
_MODULES = {
    **dict.fromkeys(_BULK, "tui.verbs.captions_bulk"),
    **dict.fromkeys(("undo", "redo", "log", "restore"), "tui.verbs.captions_journal"),
    "fill": "tui.verbs.captions_fill",
}


class Commands(click.Group):
    """The verbs about the captions of one project."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["check", *_MODULES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "check":
            return check
        if cmd_name not in _MODULES:
            return None
        found = getattr(importlib.import_module(_MODULES[cmd_name]), cmd_name.replace("-", "_"))
        assert isinstance(found, click.Command)
        return found


@click.group("captions", cls=Commands, subcommand_metavar="VERB ...")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def command(context: click.Context, folder: Path, out: Output) -> None:
    """Check the captions of the project in DIR, and change many of them at once.

    A change is one step, which undo takes back, also after a restart. Nothing asks; --dry-run shows and writes nothing.
    Captions that cannot be changed are named, all at once, and left as they are: exit 1.
    """
    context.obj = folder
    if out.json:
        # Said before DIR it holds for the verb behind it.
        context.default_map = {name: {"out": True} for name in ("check", *_MODULES)}


@click.command("check")
@json_option
@click.pass_obj
def check(folder: Path, out: Output) -> int:
    """Read every caption exactly as a run would, and check what is known to matter. Exit 1 when a blocker stands."""
    from tui.verbs.captions_check import check as checked  # with all that the checks take

    return checked(folder, out)
