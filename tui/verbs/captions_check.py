"""safelight captions DIR check: what stands against the captions, from the shelf of checks."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.dataset.captioning import known
from engine.dataset.captioning.checks.shapes import Collection, collection_of
from engine.dataset.captioning.checks.shelf import fix_of, judged, titles
from engine.dataset.captioning.entries import entries_of
from engine.dataset.captioning.trigger_word import judged as judged_trigger
from engine.dataset.captioning.trigger_word import worst
from engine.dataset.findings import MARKS, Finding
from engine.dataset.folders import find_pictures
from engine.dataset.tokens import Encoder, Place, counted, encoders_of
from projects.problems import Refused, listed
from projects.project import open_project, resolve
from projects.spec import Base
from tui.output import Output, words_of

SHOWN = 8
"""Findings of a check that are told one by one; the others are counted."""


def check(folder: Path, out: Output) -> int:
    """Look at every caption as a run reads it. Returns the exit code: 1 when a blocker stands."""
    project = open_project(folder)
    spec = resolve(project)
    listing = find_pictures(project.path, spec.data)
    entries, problems = entries_of(project.path, spec.data)
    encoders = _encoders(spec.base, project.path)
    loaded = [each for each in encoders if isinstance(each, Encoder)]
    triggers = {spec.trigger, *(entry.dataset.trigger for entry in entries)} - {""}
    collection = collection_of(
        spec, entries, orphans=listing.orphans,
        places=[each.place if isinstance(each, Encoder) else each for each in encoders],
        counts=counted(encoders, {entry.text for entry in entries}) if loaded else {},
        word=worst([judged_trigger(word, each) for word in sorted(triggers) for each in loaded]),
        known=known.measured(project.path, {found.path: found.name for found in listing.pictures}),
    )  # fmt: skip
    findings = list(judged(collection, spec.captions.ignored))
    for line in lines(findings, collection):
        out.say(line)
    for problem in problems:
        out.say(f"! {words_of(problem)}")
    for note in listing.notes:
        if not set(note.files or ()) & set(listing.orphans):
            out.say(f"· {words_of(note)}")
    captions = sum(entry.content is not None or entry.problem is not None for entry in entries)
    blockers = sum(finding.severity == "blocker" for finding in findings)
    out.say(f"{captions} captions of {len(listing.pictures)} pictures, {blockers} blockers.")
    out.result(
        {
            "project": str(project.path),
            "captions": captions,
            "findings": [finding.table() for finding in findings],
            "problems": [problem.table() for problem in problems],
        }
    )
    return 1 if blockers or problems else 0


def _encoders(base: Base, project: Path) -> Sequence[Encoder | Place]:
    """None of a base that cannot be opened: plan and train say why, and the captions are checked without it."""
    try:
        return encoders_of(base, project)
    except Refused:
        return ()


def lines(findings: Sequence[Finding], collection: Collection) -> Iterator[str]:
    """What people read, check by check; below the findings that share it the remedy, and what would do it, once."""
    called = titles()
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.check, finding.severity].append(finding)
    for (name, _), group in groups.items():
        yield f"{MARKS[group[0].severity]} {called.get(name, name)}" + (
            f"   {len(group)}" if len(group) > 1 else ""
        )
        shown = group[:SHOWN]
        for index, finding in enumerate(shown):
            yield f"    {_whose(finding)}{finding.value}"
            if finding.ignored:
                yield f"      ignored: {finding.ignored}"
            elif index + 1 == len(shown) or shown[index + 1].remedy != finding.remedy:
                fix = fix_of(collection, finding)
                yield f"      {finding.remedy}" + (f" In the room of captions: {fix.words}." if fix else "")
        if len(group) > SHOWN:
            yield f"    and {len(group) - SHOWN} more: --json has all"


def _whose(finding: Finding) -> str:
    """The pictures, where the sentence does not name them by their caption's file and they are not nearly all."""
    names = finding.pictures
    if not names or (finding.number == len(names) and len(names) > SHOWN) or names[0] in finding.value:
        return ""
    stem = Path(names[0]).stem
    return "" if finding.value.startswith(f"{stem}.") and len(names) == 1 else f"{listed(list(names))}: "
