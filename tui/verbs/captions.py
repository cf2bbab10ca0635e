"""safelight captions: check what stands beside the pictures."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

from engine.dataset.captions import holds_word, read_caption
from engine.dataset.folders import Found, find_pictures
from projects.problems import Problem, Refused
from projects.project import open_project, resolve
from projects.spec import RunSpec
from tui.output import Output, json_option, words_of

# What the only reader of captions refuses, by a word of its sentence; whatever else it refuses is an encoding.
_CHECKS = {"empty caption": "empty", "placeholder": "placeholder"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing about one caption, as every check of pictures and captions reports it."""

    check: str
    severity: Literal["blocker", "warning", "note"]
    pictures: tuple[str, ...]
    value: str
    """What is wrong, as a sentence."""
    threshold: float | None = None
    confidence: Literal["exact"] = "exact"
    method: str
    remedy: str
    ignored: str = ""
    """The reason in [captions] ignored, where the project ignores this check."""


@click.command("captions")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("action", type=click.Choice(["check"]))
@json_option
def command(folder: Path, action: str, out: Output) -> int:
    """Read every caption of the project in DIR exactly as a run would. Exit 1 when a blocker stands."""
    project = open_project(folder)
    spec = resolve(project)
    listing = find_pictures(project.path, spec.data)
    findings = [finding for found in listing.pictures for finding in findings_of(found, spec)]
    for finding in findings:
        mark = "·" if finding.ignored else {"blocker": "!", "warning": "~", "note": "·"}[finding.severity]
        out.say(f"{mark} {', '.join(finding.pictures)}: {finding.value}\n    {finding.remedy}")
    for problem in listing.problems:
        out.say(f"! {words_of(problem)}")
    for note in listing.notes:
        out.say(f"· {words_of(note)}")
    captions = sum(len(found.captions) for found in listing.pictures)
    blockers = sum(finding.severity == "blocker" and not finding.ignored for finding in findings)
    out.say(f"{captions} captions of {len(listing.pictures)} pictures, {blockers} blockers.")
    out.result(
        {
            "project": str(project.path),
            "captions": captions,
            "findings": [asdict(finding) for finding in findings],
            "problems": [problem.table() for problem in listing.problems],
        }
    )
    return 1 if blockers or listing.problems else 0


def findings_of(found: Found, spec: RunSpec) -> Iterator[Finding]:
    """What stands against the captions of one picture."""
    ignored = spec.captions.ignored
    own = found.path.with_suffix(f".{spec.data.caption_extension}")
    if own not in found.captions:
        yield Finding(
            check="missing",
            severity="blocker",
            pictures=(found.name,),
            value=f"There is no {own.name}.",
            method="a file of the picture's stem beside it",
            remedy="Write what the picture shows, or train it on the trigger alone: --missing trigger.",
            ignored=ignored.get("missing", ""),
        )
    trigger = found.dataset.trigger or spec.trigger
    for path in found.captions:
        try:
            text = read_caption(path)
        except Refused as refused:
            yield from (_unreadable(found, path, problem, ignored) for problem in refused.problems)
            continue
        if found.dataset.role == "subject" and trigger and not holds_word(text, trigger):
            yield Finding(
                check="trigger-missing",
                severity="warning",
                pictures=(found.name,),
                value=f"{path.name} does not hold the trigger {trigger}.",
                method="whole word, whatever its case",
                remedy="What it shows is learned for every prompt, not for the trigger.",
                ignored=ignored.get("trigger-missing", ""),
            )


def _unreadable(found: Found, path: Path, problem: Problem, ignored: dict[str, str]) -> Finding:
    check = next((check for words, check in _CHECKS.items() if words in problem.error), "encoding")
    return Finding(
        check=check,
        severity="blocker",
        pictures=(found.name,),
        value=f"{path.name} {problem.error}",
        method="read as a run reads it",
        remedy=problem.hint,
        ignored=ignored.get(check, ""),
    )
