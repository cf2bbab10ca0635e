"""Figures as a table for people and as a dated section of a file."""

import shutil
import textwrap
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from projects import atomic
from projects.problems import refuse
from tui.bench.figures import Figure

_HEAD = ("", "figure", "value", "", "budget", "method")


def lines_of(figures: Sequence[Figure], width: int | None = None) -> list[str]:
    """A table: mark, name, value, unit, budget, method; `width` columns, default the terminal's."""
    rows = [_HEAD, *(cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    margin = sum(widths) + 2 * 5
    room = max(24, (width or shutil.get_terminal_size().columns) - margin)
    lines = []
    for row in rows:
        mark, name, value, unit, budget = (text.rjust(w) for text, w in zip(row[:5], widths, strict=True))
        front = "  ".join((mark, name.strip().ljust(widths[1]), value, unit.strip().ljust(widths[3]), budget))
        first, *more = textwrap.wrap(row[5], room) or [""]
        lines.append(f"{front}  {first}".rstrip())
        lines += [" " * margin + words for words in more]
    return lines


def cells(figure: Figure) -> tuple[str, str, str, str, str, str]:
    """A figure as the cells of its row. ~ marks a missed budget, ✓ one that is kept."""
    mark = "" if figure.budget is None else "~" if figure.missed else "✓"
    budget = "" if figure.budget is None else f"{figure.budget:g}"
    return mark, figure.name, number(figure.value), figure.unit, budget, figure.method


def number(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def section(
    figures: Sequence[Figure], *, when: datetime, command: str, machine: Sequence[str], notes: Sequence[str]
) -> str:
    """A dated section in Markdown."""
    rows = [" | ".join(text.replace("|", "\\|") for text in cells(figure)) for figure in figures]
    lines = [
        f"## {when:%Y-%m-%d %H:%M}",
        "",
        f"`{command}`",
        "",
        *(f"- {fact}" for fact in machine),
        "",
        f"| {' | '.join(_HEAD)} |",
        "| --- | --- | ---: | --- | ---: | --- |",
        *(f"| {row} |" for row in rows),
    ]
    if notes:
        lines += ["", "```", *notes, "```"]
    return "\n".join(lines) + "\n"


def append(file: Path, text: str) -> None:
    """Add a section at the end of `file`, made when it is not there. Raises Refused where that cannot be."""
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else "# Measurements\n"
        atomic.write_text(file, f"{before.rstrip()}\n\n{text}")
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise refuse(f"The figures cannot be added to this file: {words}.", where=file) from None
