"""An audit in lines: a row of the list, the facts of a picture, why a check says what it says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from engine.dataset.findings import MARKS, Finding
from tui.audited import CheckRow, Row, Seen
from tui.spans import Span, Spans, cell, ends, length, wrapped

INKS: Final[Mapping[str, str]] = {"blocker": "bad", "warning": "warn", "note": "muted"}
_FOR_SIZE: Final = 44
"""Cells from which on a row has room for the picture's size."""
_FOR_NUMBERS: Final = 66
"""The same for the columns at its right end."""
_SIZE: Final = 11
_WRONG: Final = 2
"""Sentences over the room about what is no picture's fault."""
_NUMBERS: Final = (("sharp", 6), ("dist", 9), ("light", 10))


def columns_of(seen: Seen) -> tuple[str, ...]:
    """The columns at the right end that have something to show."""
    said = seen.declared
    held = {
        "sharp": any(row.sharp is not None for row in seen.rows.values()),
        "dist": said.distance,
        "light": said.light,
    }
    return tuple(name for name, _ in _NUMBERS if held[name])


def picture_row(seen: Seen, name: str, width: int, columns: Sequence[str]) -> Spans:
    """One picture: mark, name, size, what was found first, and its numbers."""
    row, out = seen.rows.get(name), seen.declared.excluded.get(name)
    if row is None:
        return [(name, "muted")]
    found = seen.of.get(name, ())
    ink = "faint" if out is not None else "text"
    left: list[Span] = [_mark(row, found, out), (f" {cell(name, seen.name_width)} ", ink)]
    if width >= _FOR_SIZE:
        left.append((cell(_size(row), _SIZE, right=True) + "  ", ink if out is not None else "muted"))
    left.append(
        (f"left out: {out}" if out is not None else without(name, found[0].value) if found else "", ink)
    )
    numbers = _numbers(seen, row)
    right: list[Span] = [
        (" " + cell(numbers[column], wide - 1, right=column == "sharp"), "muted")
        for column, wide in _NUMBERS if column in columns and width >= _FOR_NUMBERS
    ]  # fmt: skip
    return ends(left, right, width) if right else left


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
        for column, wide in _NUMBERS if column in columns and width >= _FOR_NUMBERS
    ]  # fmt: skip
    return ends(words, names, width) if names else words


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
    line: list[Span] = [(" ", "text")]
    for part in parts:
        line += [("   ", "text"), part] if len(line) > 1 else [part]
    wrong = _wrong_lines(seen, width)
    if seen.error or not seen.running:
        told = " stopped: what was measured is kept, R goes on" if seen.stage == "stopped" else ""
        return [line, *wrong, [(told, "muted")]] if told and not seen.error else [line, *wrong]
    far = f"  {seen.done:,} of {seen.total:,}" if seen.total else ""
    progress: Spans = [(f" {seen.stage}{far}", "accent"), (f"   {stop} stops it", "muted")]
    together = length(line) + length(progress) + 2
    return [ends(line, progress, width), *wrong] if together <= width else [line, progress, *wrong]


def facts(seen: Seen, name: str, width: int, room: int, *, as_trained: bool) -> list[Spans]:
    """What there is to say under a picture, in at most `room` lines."""
    row, said = seen.rows[name], seen.declared
    lines: list[Spans] = [[(words, "text")] for words in wrapped(name, width)[:2]]
    lines.append([(" · ".join(part for part in (_size(row), row.kind, row.role) if part), "muted")])
    if row.placements:
        placed = row.placements[0]
        words = f"{placed.bucket[0]}×{placed.bucket[1]}"
        lines.append([("as it is trained: " if as_trained else "bucket ", "accent" if as_trained else "muted"),
                      (words, "text")])  # fmt: skip
    declared = [
        each for each in (said.distance.get(name), said.light.get(name), said.wardrobe.get(name)) if each
    ]
    lines += [[(" · ".join(declared), "muted")]] if declared else []
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


def _numbers(seen: Seen, row: Row) -> Mapping[str, str]:
    said = seen.declared
    sharp = f"{row.sharp:.0f}" if row.sharp is not None else "-"
    return {"sharp": sharp, "dist": said.distance.get(row.name, "-"), "light": said.light.get(row.name, "-")}


def _where(left: float, top: float, right: float, bottom: float) -> str:
    """A part of a picture in words."""
    across, down = (left + right) / 2, (top + bottom) / 2
    column = "left" if across < 1 / 3 else "right" if across > 2 / 3 else "middle"
    line = "top" if down < 1 / 3 else "bottom" if down > 2 / 3 else "middle"
    return f"{line} {column}" if line != column else "the middle"
