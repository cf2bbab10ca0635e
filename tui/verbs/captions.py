"""safelight captions DIR ...: check what stands beside the pictures, and change it in many places at once."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import click

from engine.dataset.captions import holds_word, read_caption
from engine.dataset.findings import MARKS, Finding
from engine.dataset.folders import Found, find_pictures
from projects.problems import Problem, Refused
from projects.project import open_project, resolve
from projects.spec import RunSpec
from tui.output import Output, json_option, words_of

# What the only reader of captions refuses, by a word of its sentence; whatever else it refuses is an encoding.
_CHECKS = {"empty caption": "empty", "placeholder": "placeholder"}


# Verb -> its module. Imported when it is called, so that the others answer at once.
_BULK = ("replace", "prefix", "suffix", "remove", "move", "sort", "dedupe", "trigger-first", "convert")
_MODULES = {
    **dict.fromkeys(_BULK, "tui.verbs.captions_bulk"),
    **dict.fromkeys(("undo", "redo", "log", "restore"), "tui.verbs.captions_journal"),
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
@click.pass_context
def command(context: click.Context, folder: Path) -> None:
    """Check the captions of the project in DIR, and change many of them at once.

    A change is one step, which undo takes back, also after a restart. Nothing asks; --dry-run shows and writes nothing.
    Captions that cannot be changed are named, all at once, and left as they are: exit 1.
    """
    context.obj = folder


@click.command("check")
@json_option
@click.pass_obj
def check(folder: Path, out: Output) -> int:
    """Read every caption of the project in DIR exactly as a run would. Exit 1 when a blocker stands."""
    project = open_project(folder)
    spec = resolve(project)
    listing = find_pictures(project.path, spec.data)
    findings = [
        finding.told(spec.captions.ignored)
        for found in listing.pictures
        for finding in findings_of(found, spec)
    ]
    for finding in findings:
        names = ", ".join(finding.pictures)
        out.say(
            f"{MARKS[finding.severity]} {names}: {finding.value}\n    {finding.ignored or finding.remedy}"
        )
    for problem in listing.problems:
        out.say(f"! {words_of(problem)}")
    for note in listing.notes:
        out.say(f"· {words_of(note)}")
    captions = sum(len(found.captions) for found in listing.pictures)
    blockers = sum(finding.severity == "blocker" for finding in findings)
    out.say(f"{captions} captions of {len(listing.pictures)} pictures, {blockers} blockers.")
    out.result(
        {
            "project": str(project.path),
            "captions": captions,
            "findings": [finding.table() for finding in findings],
            "problems": [problem.table() for problem in listing.problems],
        }
    )
    return 1 if blockers or listing.problems else 0


def findings_of(found: Found, spec: RunSpec) -> Iterator[Finding]:
    """What stands against the captions of one picture."""
    own = found.path.with_suffix(f".{spec.data.caption_extension}")
    if own not in found.captions:
        yield Finding(
            check="missing",
            severity="blocker",
            pictures=(found.name,),
            value=f"There is no {own.name}.",
            confidence="exact",
            method="a file of the picture's stem beside it",
            remedy="Write what the picture shows, or train it on the trigger alone: --missing trigger.",
        )
    trigger = found.dataset.trigger or spec.trigger
    for path in found.captions:
        try:
            text = read_caption(path)
        except Refused as refused:
            yield from (_unreadable(found, path, problem) for problem in refused.problems)
            continue
        if found.dataset.role == "subject" and trigger and not holds_word(text, trigger):
            yield Finding(
                check="trigger-missing",
                severity="warning",
                pictures=(found.name,),
                value=f"{path.name} does not hold the trigger {trigger}.",
                confidence="exact",
                method="whole word, whatever its case",
                remedy="What it shows is learned for every prompt, not for the trigger.",
            )


def _unreadable(found: Found, path: Path, problem: Problem) -> Finding:
    check = next((check for words, check in _CHECKS.items() if words in problem.error), "encoding")
    return Finding(
        check=check,
        severity="blocker",
        pictures=(found.name,),
        value=f"{path.name} {problem.error}",
        confidence="exact",
        method="read as a run reads it",
        remedy=problem.hint,
    )
