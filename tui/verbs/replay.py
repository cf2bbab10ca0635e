"""safelight replay: a recorded run in the workbench, as if it were at work."""

import sys
from pathlib import Path

import click

from projects import worker
from projects.problems import refuse
from projects.project import find_run
from tui.follow_lines import shown
from tui.output import Output, json_option
from tui.verbs import open as workbench


@click.command("replay")
@click.argument("run", default=".", type=click.Path(path_type=Path))
@click.option(
    "--speed", default=20, show_default=True, type=click.IntRange(1, 10_000), metavar="N",
    help="How many times as fast as it was.",
)  # fmt: skip
@json_option
def command(run: Path, speed: int, out: Output) -> None:
    """Play RUN again in the workbench: to see what happened, on any machine. The run itself is only read.

    A stop (s) ends the replay; leaving takes it away.
    """
    job = find_run(run)
    path = shown(job.path)
    if out.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        hint = f"By line: safelight follow --line {path}"
        raise refuse("A replay is for looking at and needs a terminal.", hint=hint, usage=True)
    if worker.state_of(job) in ("live", "stalled", "queued"):
        hint = f"Follow it: safelight follow {path}"
        raise refuse("This run is not over, so it cannot be played again yet.", where=path, hint=hint)
    from tui.replay import replay

    with replay(job, speed) as played:
        workbench.run(played.path.parents[1], room="train")
    workbench.leave()
