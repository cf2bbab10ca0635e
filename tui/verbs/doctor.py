"""safelight doctor: what of this machine helps or hinders."""

from dataclasses import asdict
from pathlib import Path

import click

from projects.machine import state_folder
from tui.doctor import Check, examine
from tui.output import Output, json_option

_MARKS = {"ok": "✓", "warning": "~", "problem": "!"}


@click.command("doctor")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@json_option
def command(folder: Path, out: Output) -> int:
    """Look at Python, packages, graphics card, memory, disks, file locks, terminal and tmux.

    DIR is where the work is or will be. Exit 1 when a problem stands.
    """
    checks = examine(folder, state_folder())
    for check in checks:
        out.say(line_of(check))
    problems = sum(check.state == "problem" for check in checks)
    warnings = sum(check.state == "warning" for check in checks)
    out.say(f"{problems} problems, {warnings} warnings.")
    out.result({"checks": [asdict(check) for check in checks]})
    return 1 if problems else 0


def line_of(check: Check) -> str:
    """Mark, name, what was found; the remedy on a line of its own."""
    line = f"{_MARKS[check.state]} {check.check:<26} {check.value}"
    return f"{line}\n    {check.remedy}" if check.remedy else line
