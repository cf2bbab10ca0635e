"""safelight open: the workbench on a project."""

import asyncio
import gc
import os
import sys
import threading
import time
from pathlib import Path

import click

from projects.problems import refuse
from projects.replay import in_replay
from tui.output import Output, json_option
from tui.plain import shows_marks

_IMAGES = ("auto", "half", "kitty", "sixel", "off")
_PATIENCE = 0.5
_PEOPLE = Output(json=False)
_THEMES = ("safelight", "daylight", "ansi", "mono")


@click.command("open")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--theme",
    type=click.Choice(_THEMES),
    metavar="NAME",
    help=f"{', '.join(_THEMES)}. Left out: as last time.",
)
@click.option(
    "--images",
    default="auto",
    type=click.Choice(_IMAGES),
    show_default=True,
    help="Pictures are drawn as half cells; kitty and sixel are not there yet and mean the same.",
)
@click.option("--ascii", "as_ascii", is_flag=True, help="No character beyond ASCII, and no pictures.")
@json_option
def command(folder: Path | None, theme: str | None, images: str, as_ascii: bool, out: Output) -> None:
    """The workbench on the project in DIR, or on the list of projects."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        hint = "Run it in a terminal; by line there are plan, train, runs and follow."
        raise refuse("The workbench needs a terminal.", hint=hint, usage=True)
    project = (folder or Path()).expanduser().resolve()
    if folder is not None and not (project / "project.toml").is_file():
        hint = "Make one with safelight new, or say safelight open alone for the list."
        raise refuse("There is no project here.", where=project, hint=hint, usage=True)
    found = project if (project / "project.toml").is_file() else None
    left = run(found, theme=theme or "", images=images, as_ascii=as_ascii, out=out)
    out.result({"project": str(project) if found else None, "running": [str(path) for path in left]})
    leave()


def run(
    project: Path | None,
    *,
    room: str = "",
    theme: str = "",
    images: str = "auto",
    as_ascii: bool = False,
    out: Output = _PEOPLE,
) -> tuple[Path, ...]:
    """The workbench until the person leaves; what goes on without it is said, and given."""
    # What is imported now stays: nothing to collect until the first paint, after which the app turns it on again.
    gc.disable()
    from tui.app import Options, Workbench
    from tui.follow_lines import shown

    term = os.environ.get("TERM", "")
    options = Options(
        theme=theme,
        images=images,  # type: ignore[arg-type]
        ascii=as_ascii or term == "dumb" or not shows_marks(sys.stderr.encoding),
        no_color="NO_COLOR" in os.environ,
        color_system=color_system(term, os.environ.get("COLORTERM", "")),
    )
    # With a loop of its own: asyncio.run would wait for every thread that still looks at something.
    loop = asyncio.new_event_loop()
    bench = Workbench(project, room=room, options=options)
    left = bench.run(loop=loop) or ()
    if bench.return_code:
        # The traceback is on the screen already.
        sys.exit(bench.return_code)
    # A replay is no training, and is gone with its screen.
    left = tuple(path for path in left if not in_replay(path))
    for path in left:
        what = path.name if path.parent.name == "jobs" else "training"
        out.say(f"{what} goes on: safelight follow {shown(path)}")
    return left


def leave() -> None:
    """End now: threads that only look, at ten thousand pictures perhaps, are not waited for; those that save are."""
    deadline = time.monotonic() + _PATIENCE
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() and not thread.daemon for thread in threading.enumerate()[1:]):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def color_system(term: str, colorterm: str) -> str | None:
    """What the terminal says it can show, as Rich names it; None for no colours."""
    if term in ("dumb", "unknown", "vt100", "vt220"):
        return None
    if colorterm.strip().lower() in ("truecolor", "24bit"):
        return "truecolor"
    name = term.rpartition("-")[2]
    return {"256color": "256", "kitty": "256", "direct": "truecolor"}.get(name, "standard" if term else None)
