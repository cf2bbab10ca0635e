"""An audit in lines: a row of the list, the facts of a picture, why a check says what it says."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.cells import cell_len

from engine.dataset.findings import MARKS, Finding
from tui.audited import CheckRow, Row, Seen
from tui.overlay import placed_words
from tui.printable import printable
from tui.spans import Span, Spans, cell, ends, length, wrapped

INKS: Final[Mapping[str, str]] = {"blocker": "bad", "warning": "warn", "note": "muted"}
_FOR_SIZE: Final = 44
"""Cells from which on a row has room for the picture's size."""
_WRONG: Final = 2
"""Sentences over the room about what is no picture's fault."""
_WIDE: Final = 72
"""Cells from which on a finding's whole sentence has room in a row; below it stands in a word or two."""
_NUMBERS: Final[Mapping[int, Mapping[str, int]]] = {
    _WIDE: {"sharp": 6, "dist": 10, "light": 10},
    54: {"sharp": 6, "dist": 6, "light": 7},
}
"""Cells of a row -> the columns at its right end and their cells. Narrower rows have none."""
_SHORT: Final = {"close-up": "close", "medium": "med", "full body": "full"}
_NAME: Final = 14
"""Cells of a name where the columns leave little."""
_REMEDY: Final = 3
"""Lines under a check that was not run."""


def columns_of(seen: Seen) -> tuple[str, ...]:
    """The columns at the right end that have something to show."""
    said = seen.declared
    held = {
        "sharp": any(row.sharp is not None for row in seen.rows.values()),
        "dist": said.distance or any(row.distance for row in seen.rows.values()),
        "light": said.light or seen.lights,
    }
    return tuple(name for name, there in held.items() if there)


def picture_row(seen: Seen, name: str, width: int, columns: Sequence[str]) -> Spans:
    """One picture: mark, name, size, what was found first, and its numbers."""
    row, out = seen.rows.get(name), seen.declared.excluded.get(name)
    if row is None:
        return [(name, "muted")]
    found = seen.of.get(name, ())
    ink = "faint" if out is not None else "text"
    wide, close = _columns(width, columns), width < _WIDE
    named = min(seen.name_width, _NAME) if close else seen.name_width
    left: list[Span] = [_mark(row, found, out), (f" {_tail(name, named)} ", ink)]
    if width >= _FOR_SIZE:
        left.append(
            (
                cell(_size(row), seen.size_width, right=True) + (" " if close else "  "),
                ink if out is not None else "muted",
            )
        )
    if out is not None:
        # What is left out needs no numbers, its reason needs their room.
        return [*left, (f"left out: {out}", ink)]
    if found:
        left.append((_in_short(seen, found) if close else without(name, found[0].value), ink))
    return ends(left, _numbers(seen, row, wide), width) if wide else left


def _columns(width: int, columns: Sequence[str]) -> Mapping[str, int]:
    """The columns that a row of this width has, and their cells."""
    cells = next((each for least, each in _NUMBERS.items() if width >= least), {})
    return {name: cells[name] for name in columns if name in cells}


def _in_short(seen: Seen, found: Sequence[Finding]) -> str:
    check = seen.checks.get(found[0].check)
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    return (check.title if check else found[0].check) + more


def _tail(text: str, width: int) -> str:
    """A name in exactly so many cells: names differ at their ends."""
    shown = printable(text)
    while cell_len(shown) > width:
        shown = "…" + shown[2 if shown.startswith("…") else 1 :]
    return cell(shown, width)


def _numbers(seen: Seen, row: Row, wide: Mapping[str, int]) -> list[Span]:
    """The columns; what a person says is not muted, what was measured is."""
    spans: list[Span] = []
    for column, cells in wide.items():
        if column == "sharp":
            words, said = ("-" if row.sharp is None else f"{row.sharp:.0f}"), False
        elif column == "dist":
            words, said = seen.distance(row.name)
            words = _SHORT.get(words, words) if cells < 10 else words
        else:
            words, said = seen.light(row.name)
            words = words.removeprefix("set-up ")
        spans.append(
            (" " + cell(words or "-", cells - 1, right=column == "sharp"), "text" if said else "muted")
        )
    return spans


def tile(seen: Seen, name: str) -> tuple[Path, Span, str]:
    """A picture as a tile shows it: its file, its mark, its name without folders."""
    row = seen.rows[name]
    return row.path, _mark(row, seen.of.get(name, ()), seen.declared.excluded.get(name)), row.path.name


def list_title(seen: Seen, check: CheckRow | None, chosen: int, width: int, columns: Sequence[str]) -> Spans:
    """What stands over the list, with the names of its columns."""
    count = len(check.pictures) if check else len(seen.rows)
    what = check.title if check else "all"
    words: list[Span] = [("  PICTURES  ", "muted"), (f"{count:,}", "text"), (f"  ({what})", "muted")]
    if check:
        words.append(("  esc shows all", "muted"))
    if chosen:
        words.append((f"  {chosen:,} selected", "accent"))
    names: list[Span] = [
        (" " + cell(column, wide - 1, right=column == "sharp"), "muted")
        for column, wide in _columns(width, columns).items()
    ]
    return ends(words, names, width) if names else words


def not_run_lines(check: CheckRow, width: int) -> list[str]:
    """How to get what a check that was not run lacks: the command, where its remedy names one."""
    remedy = check.findings[0].remedy
    command = re.search(r"pip install (?:'[^']+'|[^\s.]+)", remedy)
    lines = wrapped(f"({command[0]})" if command else remedy, max(10, width - 2))
    return [*lines[: _REMEDY - 1], lines[_REMEDY - 1] + " …"] if len(lines) > _REMEDY else lines


def check_row(check: CheckRow, width: int) -> Spans:
    """A check with how many pictures it is about; one that could not look with the way to make it, where there is room."""
    if check.not_run:
        words = f" not run: {check.title}"
        helped = f"{words} ({check.findings[0].remedy.removesuffix('.')})"
        return [("·", "muted"), (helped if length([(helped, "")]) < width else words, "muted")]
    count = f"{len(check.pictures):,}" if check.pictures else ""
    if len(check.findings) > 1 and any(len(each.pictures) > 1 for each in check.findings):
        count += f" in {len(check.findings):,}"
    words = f" {check.title}" + (" (ignored)" if check.ignored else "")
    ink = "muted" if check.severity == "note" else "text"
    return ends([(MARKS[check.severity], INKS[check.severity]), (words, ink)], [(count, "text")], width)


def coverage_lines(seen: Seen, stop: str, width: int) -> list[Spans]:
    """What the set holds, and how far the audit is. stop: the key that stops it."""
    out = len(seen.declared.excluded)
    counted: list[Span] = [(f"{len(seen.rows) - out:,} pictures", "text")] if not seen.coverage else []
    parts: list[Span] = [*counted, *((words, "text") for words in seen.coverage)]
    parts += [(f"{out:,} left out", "muted")] if out else []
    lines: list[Spans] = []
    line: list[Span] = [(" ", "text")]
    for part in parts:
        if len(line) > 1 and length(line) + length([part]) + 3 > width:
            lines, line = [*lines, line], [(" ", "text")]
        line += [("   ", "text"), part] if len(line) > 1 else [part]
    wrong = _wrong_lines(seen, width)
    if seen.error or not seen.running:
        told = " stopped: what was measured is kept, R goes on" if seen.stage == "stopped" else ""
        lines = [*lines, line, *wrong]
        return [*lines, [(told, "muted")]] if told and not seen.error else lines
    far = f"  {seen.done:,} of {seen.total:,}" if seen.total else ""
    progress: Spans = [(f" {seen.stage}{far}", "accent"), (f"   {stop} stops it", "muted")]
    together = length(line) + length(progress) + 2
    last = [ends(line, progress, width)] if together <= width else [line, progress]
    return [*lines, *last, *wrong]


def facts(seen: Seen, name: str, width: int, room: int, *, placed: int) -> list[Spans]:
    """What there is to say under a picture, in at most `room` lines. placed: as `AuditedPicture.show` has it."""
    row, said = seen.rows[name], seen.declared
    lines: list[Spans] = [[(words, "text")] for words in wrapped(name, width)[:2]]
    lines.append([(" · ".join(part for part in (_size(row), row.kind, row.role) if part), "muted")])
    if placed:
        count = f", {placed} of {len(row.placements)}" if len(row.placements) > 1 else ""
        lines.append([(f"as it is trained{count}", "accent")])
        lines.append([(placed_words(row.placements[placed - 1]), "text")])
    elif row.placements:
        buckets = dict.fromkeys(f"{each.bucket[0]}×{each.bucket[1]}" for each in row.placements)
        first, *more = wrapped(" · ".join(buckets), max(8, width - 7))
        lines += [[("bucket ", "muted"), (first, "text")], *([(f"       {each}", "text")] for each in more)]
    lines += [[(words, "muted")] for words in wrapped(" · ".join(_kinds(seen, name)), width) if words]
    if name in said.excluded:
        lines += [[(words, "warn")] for words in wrapped(f"left out: {said.excluded[name]}", width)]
    for finding in seen.of.get(name, ()):
        lines += _told(finding, name, width)
    return [*lines[: room - 1], [("… enter shows all", "muted")]] if len(lines) > room else lines


def check_facts(check: CheckRow, width: int, room: int) -> list[Spans]:
    """What a check has to say, while the cursor is on it."""
    lines: list[Spans] = [[(words, "bold")] for words in wrapped(check.title, width)]
    first = check.findings[0]
    if len(check.findings) > 1:
        lines.append([(f"{len(check.findings):,} findings, the first:", "muted")])
    lines += _told(first, "", width)
    lines += [[(words, "muted")] for words in wrapped(first.remedy, width)]
    return [*lines[: room - 1], [("… enter", "muted")]] if len(lines) > room else lines


def why_lines(findings: Sequence[Finding], name: str = "") -> list[Spans]:
    """All that findings say, to read."""
    lines: list[Spans] = []
    for finding in findings:
        lines += [[("", "text")]] if lines else []
        lines.append([(f"{MARKS[finding.severity]} ", INKS[finding.severity]), (finding.value, "text")])
        measured = measured_words(finding)
        lines += [[(f"  {measured}", "muted")]] if measured else []
        lines.append([(f"  {finding.confidence}: {finding.method}", "muted")])
        boxes = finding.boxes.get(name, ())
        lines += [[(f"  where: {_where(box.left, box.top, box.right, box.bottom)} {box.label}".rstrip(), "muted")]
                  for box in boxes]  # fmt: skip
        others = [each for each in finding.pictures if each != name]
        lines += [[(f"  {'with' if name else 'in'}: {', '.join(others)}", "muted")]] if others else []
        lines += [[(f"  the one to keep: {finding.keep}", "muted")]] if finding.keep else []
        lines.append([(f"  {finding.remedy}", "text")])
        lines += [[(f"  ignored: {finding.ignored}", "warn")]] if finding.ignored else []
    return lines or [[("✓ Nothing was found.", "text")]]


def measured_words(finding: Finding) -> str:
    """The number and where it begins to count."""
    if finding.number is None:
        return ""
    threshold = f" (from {finding.threshold:g})" if finding.threshold is not None else ""
    return f"{finding.number:g}{threshold}"


def without(name: str, value: str) -> str:
    """A finding's sentence beside the name of its picture, which it need not say again."""
    rest = value.removeprefix(f"{name} ")
    return rest.removeprefix("is ") if rest != value else value


def _wrong_lines(seen: Seen, width: int) -> list[Spans]:
    """Why the audit ended, or what is wrong with the folders, in a few lines."""
    told = [seen.error] if seen.error else []
    for problem in seen.problems:
        where, said = problem.get("where"), f"{problem.get('error')} {problem.get('hint') or ''}"
        told.append(f"{where}: {said}" if where else said)
    lines: list[Spans] = []
    for sentence in told[:_WRONG]:
        lines += [[(" ! " if not at else "   ", "bad"), (part, "text")]
                  for at, part in enumerate(wrapped(sentence, width - 4)[:3])]  # fmt: skip
    more = len(told) - _WRONG
    return [*lines, [(f"   and {more:,} more: safelight plan says all", "muted")]] if more > 0 else lines


def _told(finding: Finding, name: str, width: int) -> list[Spans]:
    first, *more = wrapped(without(name, finding.value) if name else finding.value, max(10, width - 2))
    told = " · ".join(part for part in (measured_words(finding), finding.confidence) if part)
    told += f" · ignored: {finding.ignored}" if finding.ignored else ""
    return [
        [(f"{MARKS[finding.severity]} ", INKS[finding.severity]), (first, "text")],
        *([(f"  {words}", "text")] for words in more),
        *([(f"  {words}", "muted")] for words in wrapped(told, max(10, width - 2))),
    ]


def _mark(row: Row, found: Sequence[Finding], out: str | None) -> Span:
    if out is not None:
        return "-", "faint"
    if found:
        return MARKS[found[0].severity], INKS[found[0].severity]
    return ("✓", "good") if row.size else (" ", "text")


def _size(row: Row) -> str:
    return f"{row.size[0]}×{row.size[1]}" if row.size else ""


def _kinds(seen: Seen, name: str) -> list[str]:
    """Distance, light and wardrobe: what a person says, then what was measured."""
    (distance, said), (light, named) = seen.distance(name), seen.light(name)
    measured = [
        words for words, by in ((distance, said), (light and f"light {light}", named)) if words and not by
    ]
    told = [distance] * said + [light] * named + [seen.declared.wardrobe.get(name, "")]
    return [*filter(None, told), *([f"measured: {', '.join(measured)}"] if measured else [])]


def _where(left: float, top: float, right: float, bottom: float) -> str:
    """A part of a picture in words."""
    across, down = (left + right) / 2, (top + bottom) / 2
    column = "left" if across < 1 / 3 else "right" if across > 2 / 3 else "middle"
    line = "top" if down < 1 / 3 else "bottom" if down > 2 / 3 else "middle"
    return f"{line} {column}" if line != column else "the middle"
