"""safelight review: what a run learned, with evidence, and which weight and checkpoint to use."""

import json
from pathlib import Path
from typing import Any, Literal

import click

from projects.job import JobDir
from projects.problems import refuse
from projects.project import find_run
from projects.spec import ReviewJob
from tui.follow_lines import shown
from tui.jobs import finish, open_run, refuse_without_checkpoint, start_job
from tui.output import Output, json_option

_MARKS = {"good": "✓", "suspect": "~", "bad": "!", "unknown": "-"}


@click.command("review")
@click.argument("run", default=".", type=click.Path(path_type=Path))
@click.option("--checkpoint", type=click.IntRange(0), metavar="STEP", help="Left out: the newest.")
@click.option(
    "--refine",
    is_flag=True,
    help="More prompts and seeds for the two best weights and checkpoints, so that they may be told apart.",
)
@click.option(
    "--judge",
    default="",
    metavar="MODEL",
    help="SigLIP, CLIP or DINOv2, a folder or hub id: measures likeness, and prompts if it reads. Left out: the base.",
)
@json_option
def command(run: Path, checkpoint: int | None, refine: bool, judge: str, out: Output) -> None:
    """Review RUN: draw it at several weights and checkpoints, with and without its trigger, measure and judge.

    What was drawn before is not drawn again, and what was stopped goes on. RUN/review has the sheets, report.html and
    review.json.
    """
    reviewed = open_run(find_run(run))
    refuse_without_checkpoint(reviewed.job, checkpoint)
    depth: Literal["coarse", "refined"] = "refined" if refine else "coarse"
    spec = ReviewJob(
        project=reviewed.spec.project,
        run=str(reviewed.job.path),
        checkpoint=checkpoint,
        depth=depth,
        judge=judge,
        spec=reviewed.spec.spec,
    )
    finish(start_job(reviewed.job.path, spec), out)
    record = read_review(reviewed.job)
    out.say("\n".join(lines_of(record)))
    for sheet in record["sheets"]:
        out.say(f"Sheet: {shown(reviewed.project / sheet)}")
    keys = ("run", "case", "recommended", "tests", "sheets")
    out.result({"project": reviewed.spec.project, **{key: record.get(key) for key in keys}})


def lines_of(record: dict[str, Any]) -> list[str]:
    """The verdict for people: the case, what to use, and each test with its figure and its advice.

    What a review of an older Safelight does not say is left out.
    """
    lines = [f"{record['case']}: {record['words']}"] if record.get("words") else []
    if record.get("recommended"):
        lines.append(record["recommended"]["words"])
    if record.get("more"):
        lines.append(f"  {record['more']['words']} safelight review --refine draws more.")
    for test in record.get("tests", []):
        lines.append(f"{_MARKS.get(test['verdict'], '-')} {test['test']:<10} {test.get('words', '')}")
        lines += [f"{'':<13}{test['advice']}"] if test.get("advice") else []
    lines += [
        f"  {judge['measure']}: {judge['name']}. {judge['trust']}" for judge in record.get("judges", [])
    ]
    return lines


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
