"""A list of the other runs that can be reviewed, to compare with, and of what is exported of this one."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from projects.job import JobDir
from tui.follow_lines import shown
from tui.run_list import short_name
from tui.screens.modal import Choice, Pick

if TYPE_CHECKING:
    from tui.app import Workbench


def offer_others(
    bench: "Workbench",
    others: Sequence[JobDir],
    run: JobDir,
    exports: Sequence[str],
    chosen: Callable[[JobDir], object],
) -> None:
    """Let a run be picked, which goes to `chosen`, or an exported file of `run`, whose place is said."""
    runs = {str(job.path): job for job in others}
    files = {f"@{name}": run.export / name for name in exports}
    choices = [Choice(key, short_name(job), _reviewed(job)) for key, job in runs.items()]
    choices += [Choice(key, path.name, "exported") for key, path in files.items()]

    def picked(key: str | None) -> None:
        if key in runs:
            chosen(runs[key])
        elif key in files:
            bench.say(f"An adapter for other tools: {shown(files[key])}")

    bench.push_screen(Pick("Other runs, and what is exported of this one", choices, typing=False), picked)


def _reviewed(job: JobDir) -> str:
    return "reviewed" if (job.review / "review.json").is_file() else ""
