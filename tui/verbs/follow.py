"""safelight follow: a run, line by line."""

from pathlib import Path

import click

from projects.project import find_run
from tui.follow_lines import follow
from tui.output import Output, json_option


@click.command("follow")
@click.argument("run", default=".", type=click.Path(path_type=Path))
@click.option("--line", is_flag=True, help="Follow by line, which is the only way yet.")
@json_option
def command(run: Path, line: bool, out: Output) -> int:
    """Follow RUN from its first event to its last; leaving does not stop it. With --json: events as lines.

    Exit 0 when the run is done or was stopped, 1 when it failed or died.
    """
    ended = follow(find_run(run), out, events_as_json=out.json)
    return 1 if ended in ("failed", "died") else 0
