"""The two sides of an edit as spans: what differs stands out by weight and line, in every theme, without a colour."""

import re
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size

from engine.dataset.captioning.preview import Piece, pieces
from tui.printable import printable
from tui.spans import Span, Spans, cropped, length

CHANGED: Final = "changed"
"""Ink of the words that differ."""
_AHEAD: Final = 3
"""Share of a narrow view that stands before the first difference: one of so many."""
_BREAKS: Final = re.compile(r"(\n|[^\S\n]+)")


def sides(before: str, after: str) -> tuple[list[Span], list[Span]]:
    """Both texts, what differs marked; line ends stay."""
    found = pieces(before, after)
    return _side(found, 0), _side(found, 1)


def views(before: str, after: str, width: int) -> tuple[list[Span], list[Span]]:
    """Both texts on one line of exactly `width` cells each, at the place where they first differ."""
    found = [(printable(old), printable(new)) for old, new in pieces(before, after)]
    if found and found[0][0] == found[0][1]:
        room = max(4, width // _AHEAD)
        start = found[0][0]
        kept = start if len(start) <= room else "…" + start[-(room - 1) :]
        found[0] = (kept, kept)
    return _filled(_side(found, 0), width), _filled(_side(found, 1), width)


def laid_out(spans: Spans, width: int) -> list[Spans]:
    """Spans of a text in lines of at most `width` cells, broken between words and at the text's own line ends."""
    lines: list[list[Span]] = [[]]
    left = width
    for text, ink in spans:
        for word in _BREAKS.split(text):
            if word == "\n":
                lines.append([])
                left = width
                continue
            shown = printable(word, lines=False)
            if cell_len(shown) > left and left < width:
                lines.append([])
                left = width
                shown = shown if shown.strip() else ""
            while cell_len(shown) > width:
                part = set_cell_size(shown, width)
                # Half of a wide character does not fit.
                part = part if shown.startswith(part) else part[:-1]
                _add(lines[-1], part, ink)
                lines.append([])
                shown = shown[len(part) :]
            if shown:
                _add(lines[-1], shown, ink)
                left -= cell_len(shown)
    return [*lines]


def _add(line: list[Span], text: str, ink: str) -> None:
    # A blank of its own would be drawn in the ink of the word before it, which may be underlined.
    if line and line[-1][1] == ink:
        line[-1] = (line[-1][0] + text, ink)
    else:
        line.append((text, ink))


def _side(found: Sequence[Piece], at: int) -> list[Span]:
    return [(each[at], "text" if each[0] == each[1] else CHANGED) for each in found if each[at]]


def _filled(spans: Spans, width: int) -> list[Span]:
    kept = cropped(spans, width)
    return [*kept, (" " * max(0, width - length(kept)), "text")]
