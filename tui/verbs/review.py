"""safelight review: sheets that show what a run learned."""

import json
from pathlib import Path
from typing import Any

import click

from projects.job import JobDir
from projects.problems import refuse
from projects.project import find_run
from projects.spec import ReviewJob
from tui.follow_lines import shown
from tui.jobs import finish, open_run, refuse_without_checkpoint, start_job
from tui.output import Output, json_option


@click.command("review")
@click.argument("run", default=".", type=click.Path(path_type=Path))
@click.option("--checkpoint", type=click.IntRange(0), metavar="STEP", help="Left out: the newest.")
@json_option
def command(run: Path, checkpoint: int | None, out: Output) -> None:
    """Draw RUN's sheets: weight sweep, isolation, before and after; review.json stands beside them."""
    reviewed = open_run(find_run(run))
    refuse_without_checkpoint(reviewed.job, checkpoint)
    spec = ReviewJob(
        project=reviewed.spec.project,
        run=str(reviewed.job.path),
        checkpoint=checkpoint,
        spec=reviewed.spec.spec,
    )
    finish(start_job(reviewed.job.path, spec), out)
    record = read_review(reviewed.job)
    for sheet in record["sheets"]:
        out.say(f"Sheet: {shown(reviewed.project / sheet)}")
    keys = ("run", "case", "recommended", "tests", "sheets")
    out.result({"project": reviewed.spec.project, **{key: record.get(key) for key in keys}})


def read_review(run: JobDir) -> dict[str, Any]:
    """review.json of a run. Raises Refused when it is not there or damaged."""
    file = run.review / "review.json"
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError):
        raise refuse("The review cannot be read.", where=file, hint="Run safelight review again.") from None
    if not isinstance(record, dict) or not isinstance(record.get("sheets"), list):
        raise refuse("This is not a review.", where=file, hint="Run safelight review again.")
    return record
