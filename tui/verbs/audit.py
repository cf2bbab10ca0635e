"""safelight audit: what ruins a training, found in the pictures before it does."""

import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from engine.dataset.findings import MARKS, Finding
from projects.problems import Problem, listed
from projects.project import open_project
from tui.auditing import AuditProcess, name_of
from tui.output import Output, json_option, words_of
from tui.printable import printable

SHOWN = 5
"""Findings of a check that are told one by one; the others are counted."""


@click.command("audit")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="As project.toml would say it."
)
@json_option
def command(folder: Path, assignments: tuple[str, ...], out: Output) -> int:
    """Look at every picture of the project in DIR. Exit 1 when a blocker stands. ^C keeps what was measured."""
    project = open_project(folder)
    started = time.monotonic()
    pictures: set[str] = set()
    told: Mapping[str, Any] = {}
    findings: Sequence[Finding] = ()
    with AuditProcess(project.path, assignments) as auditing, _stopped_by_interrupt(auditing):
        for report in auditing.reports(name_of):
            pictures.update(report.pictures)
            told, findings = report.told, report.findings
            _progress(told)
    seconds = time.monotonic() - started
    problems = [Problem(**table) for table in told["problems"]]
    for line in lines(findings, problems, told):
        out.say(line)
    blockers = sum(finding.severity == "blocker" for finding in findings)
    ended = f"{len(pictures)} pictures in {seconds:.1f} s, {blockers} blockers."
    out.say(ended if told["complete"] else f"Stopped: {ended} What was measured is kept.")
    out.result(
        {
            "project": str(project.path),
            "pictures": len(pictures),
            "usable": told["usable"],
            "seconds": round(seconds, 3),
            "complete": told["complete"],
            "findings": [finding.table() for finding in findings],
            "coverage": told["coverage"],
            "problems": [problem.table() for problem in problems],
        }
    )
    return 1 if blockers or problems or not told["complete"] else 0


def lines(
    findings: Sequence[Finding], problems: Sequence[Problem], report: Mapping[str, Any]
) -> Iterator[str]:
    """What people read: how the set stands, then what was found, check by check."""
    if report["coverage"]:
        yield "   ".join(report["coverage"])
    for problem in problems:
        yield f"! {words_of(problem)}"
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.check, finding.severity].append(finding)
    for (check, severity), group in groups.items():
        count = len({name for finding in group for name in finding.pictures})
        title = report["checks"].get(check, check)
        if all(finding.confidence == "not-run" for finding in group):
            title = f"not run: {title}"
        yield f"{MARKS[severity]} {title}" + (f"   {count}" if count else "")  # type: ignore[index]
        yield from _told(group)


def _told(group: Sequence[Finding]) -> Iterator[str]:
    """The findings of one check, and below those that share it the remedy, once."""
    shown = group[:SHOWN]
    for index, finding in enumerate(shown):
        names = (
            "" if not finding.pictures or finding.pictures[0] in finding.value else listed(finding.pictures)
        )
        yield "    " + (f"{names}: {finding.value}" if names else finding.value)
        if finding.ignored:
            yield f"      ignored: {finding.ignored}"
        elif index + 1 == len(shown) or shown[index + 1].remedy != finding.remedy:
            yield f"      {finding.remedy}"
    if len(group) > SHOWN:
        yield f"    and {len(group) - SHOWN} more: --json has all"


def _progress(report: Mapping[str, Any]) -> None:
    """One line that is written over, for people who watch."""
    if not sys.stderr.isatty():
        return
    words = f"{report['stage']} {report['done']}/{report['total']}" if report["total"] else report["stage"]
    click.echo(f"\r\x1b[K{printable(words)}", nl=False, file=sys.stderr)


@contextmanager
def _stopped_by_interrupt(auditing: AuditProcess) -> Iterator[None]:
    """^C asks the audit to come to its end; a second one leaves at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        auditing.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
