"""Captions in lines: a row of the list, the line under the editor, phrases, checks, what was done."""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from engine.dataset.captioning.journal import Op
from engine.dataset.findings import MARKS
from engine.dataset.tokens import Counts, Place
from tui.audit_words import INKS
from tui.caption_rows import CaptionRow, Captions, Order
from tui.spans import Span, Spans, cell, ends, length

_NAME: Final = 16
_BAR: Final = 15
_SHORTEST_BAR: Final = 60
"""Cells of a line that has room for bars."""
_ORDERS: Final[Mapping[Order, str]] = {"name": "", "tokens": "longest first", "open": "open first"}


def list_title(captions: Captions, order: Order, chosen: int) -> Spans:
    """What stands over the list."""
    left: list[Span] = [("  PICTURES ", "muted")]
    left.append((f"{len(captions.rows):,}", "text") if captions.loaded else ("...", "muted"))
    if captions.loaded and captions.open:
        left.append((f" ({captions.open:,} open)", "muted"))
    if chosen:
        left.append((f"  {chosen:,} selected", "accent"))
    if words := _ORDERS[order]:
        left.append((f"  {words}", "muted"))
    return left


def caption_row(captions: Captions, name: str, width: int) -> Spans:
    """One picture: its mark, its name without folder and ending, the beginning of what stands there."""
    row = captions.rows.get(name)
    if row is None:
        return [(name, "muted")]
    mark, ink = _mark(captions, row)
    more = f"+{len(row.entries) - 1} " if len(row.entries) > 1 else ""
    wide = min(_NAME, max(8, width // 3))
    text = " ".join(row.text.split())
    return [(mark, ink), (f" {cell(row.path.stem, wide)} ", "text"), (more, "muted"), (text, "muted")]


def _mark(captions: Captions, row: CaptionRow) -> Span:
    found = captions.of.get(row.picture, ())
    if found and found[0].severity == "blocker" and not row.empty:
        return MARKS["blocker"], INKS["blocker"]
    if captions.is_draft(row):
        return "?", "accent"
    if row.empty:
        return "·", "muted"
    if found and found[0].severity == "warning":
        return MARKS["warning"], INKS["warning"]
    return ("✓", "good") if captions.loaded else (" ", "muted")


def status_line(
    places: Sequence[Place],
    counts: Counts,
    saved: str,
    problem: str,
    phrases: Sequence[tuple[str, str]],
    width: int,
) -> Spans:
    """Under the editor: tokens by encoder, whether it is saved, and the phrases of the leader's numbers."""
    if problem:
        return [(" ! ", "bad"), (problem, "text")]
    left: list[Span] = [(" ", "text")]
    for place, count in zip(places, counts, strict=False):
        label, limit = place.label, place.limit
        if count is None:
            left += [(f"{label} ", "muted"), ("-", "text"), ("   ", "text")]
            continue
        over = count.tokens > limit
        left += [
            (f"{label} ", "muted"),
            (f"{count.tokens}", "bad" if over else "text"),
            (f"/{limit} ", "muted"),
        ]
        if width >= _SHORTEST_BAR:
            full = min(_BAR, round(_BAR * count.tokens / limit))
            left += [("━" * full, "bad" if over else "text"), ("─" * (_BAR - full), "faint")]
        left += [(" the rest is cut" if over else "", "bad"), ("   ", "text")]
    left.append((saved, "muted"))
    right: list[Span] = []
    for key, phrase in phrases:
        pair: list[Span] = [(f"  {key} ", "text"), (phrase, "muted")]
        if length(left) + length(right) + length(pair) + 6 > width:
            break
        right += pair
    return ends(left, [("^g", "text"), *right, (" ", "text")], width) if right else left


def phrase_row(phrase: str, count: int, width: int) -> Spans:
    """One phrase with how many captions hold it."""
    return [(f"{count:>5,} ", "muted"), (cell(phrase, max(1, width - 7)), "text")]


def phrases_title(captions: Captions, shown: int, narrowed: bool) -> Spans:
    """What stands over the phrases."""
    where = f" in {shown:,} of the filter" if narrowed else f" in {shown:,}"
    return [("  PHRASES", "muted"), (where, "muted")]


def leader_lines(
    table: Sequence[tuple[str, str]], phrases: Sequence[tuple[str, str]], width: int
) -> list[Spans]:
    """What the keys after the leader do."""
    lines: list[list[Span]] = [[(" ^g ", "accent")]]
    for key, words in [*table, *phrases]:
        pair: list[Span] = [(key, "text"), (f" {words}   ", "muted")]
        if length(lines[-1]) + length(pair) > width:
            lines.append([("    ", "text")])
        lines[-1] += pair
    return [*lines]


def op_line(op: Op, width: int) -> Spans:
    """One step of the journal."""
    when = time.strftime("%m-%d %H:%M:%S", time.localtime(op.at))
    count = f"{len(op.files):,}" if len(op.files) != 1 else op.files[0]
    return ends([(f" {when}  ", "muted"), (op.words, "text")], [(f"{count} ", "muted")], width)
