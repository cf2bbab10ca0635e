"""Which kind a training was, which kind its review said, and how far each test's value spreads: tables in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from engine.demo.case_lines import key_of
from engine.demo.cases import KINDS

VERDICTS = ("good", "suspect", "bad", "unknown")
Lines = Sequence[Mapping[str, Any]]


def tables(lines: Lines) -> str:
    """All tables, a block for each subject and round, in the order of the lines. Of a case told twice the later counts."""
    newest = {key_of(line): line for line in lines}
    groups: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for (subject, _, _, number), line in newest.items():
        groups.setdefault((subject, number), []).append(line)
    blocks = [_block(subject, number, group) for (subject, number), group in groups.items()]
    return "\n\n".join(blocks) or "No case was judged yet."


def _block(subject: str, number: int, lines: Lines) -> str:
    depths = ", ".join(sorted({str(line.get("depth") or "of unknown depth") for line in lines}))
    count = f"{len(lines)} training{'s' if len(lines) > 1 else ''}"
    parts = [f"**{subject}**, round {number}, {depths}: {count}", confusion(lines)]
    names = dict.fromkeys(test.get("test") for line in lines for test in line.get("tests", ()))
    parts += [f"Test {name}, its value:\n\n{spread(lines, str(name))}" for name in names]
    times = [_times(lines, what) for what in ("training", "review")]
    return "\n\n".join([*parts, *filter(None, times)])


def confusion(lines: Lines) -> str:
    """Rows are what was made, columns what the review said, cells how many. A last column counts the right ones."""
    said = Counter((line["kind"], str(line.get("case"))) for line in lines)
    strange = {case for _, case in said} - {*KINDS, "unknown"}
    columns = (*KINDS, "unknown", *sorted(strange))
    kinds = [kind for kind in KINDS if any(line["kind"] == kind for line in lines)]
    rows = []
    for kind in kinds:
        total = sum(said[kind, column] for column in columns)
        cells = [str(said[kind, column] or "") for column in columns]
        rows.append([kind, *cells, f"{said[kind, kind]} of {total}"])
    return _table(["made / said", *columns, "right"], rows)


def spread(lines: Lines, test: str) -> str:
    """Per kind: how many trainings, lowest, median and highest value of a test, and its verdicts."""
    rows = []
    for kind in KINDS:
        found = [
            each
            for line in lines
            if line["kind"] == kind
            for each in line.get("tests", ())
            if each.get("test") == test
        ]
        if not found:
            continue
        values = [each["value"] for each in found if isinstance(each.get("value"), int | float)]
        figures = (
            [f"{value:.3g}" for value in (min(values), median(values), max(values))] if values else [""] * 3
        )
        verdicts = Counter(each.get("verdict") for each in found)
        rows.append([kind, str(len(found)), *figures, *(str(verdicts[word] or "") for word in VERDICTS)])
    return _table(["made", "n", "lowest", "median", "highest", *VERDICTS], rows)


def _times(lines: Lines, what: str) -> str:
    seconds = [line["seconds"][what] for line in lines if line.get("seconds", {}).get(what)]
    if not seconds:
        return ""
    return f"Seconds of a {what}: {min(seconds):.0f} to {max(seconds):.0f}, median {median(seconds):.0f}."


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))
