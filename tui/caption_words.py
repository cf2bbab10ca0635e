"""Captions in lines: a row of the list, the line under the editor, phrases, checks, what was done."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.cells import cell_len

from engine.dataset.captioning.phrases import Order as PhraseOrder
from engine.dataset.findings import MARKS
from engine.dataset.tokens import Counts, Place
from tui.audit_words import INKS
from tui.caption_rows import CaptionRow, Captions, Order
from tui.printable import printable
from tui.spans import Span, Spans, cell, ends, length

_NAME: Final = 16
_BAR: Final = 15
_SHORTEST_BAR: Final = 60
"""Cells of a line that has room for bars."""
_ORDERS: Final[Mapping[Order, str]] = {"name": "", "tokens": "longest first", "open": "open first"}


def list_title(captions: Captions, order: Order, chosen: int, shown: int | None) -> Spans:
    """What stands over the list. shown: pictures that a filter or check leaves, None without."""
    left: list[Span] = [("  PICTURES ", "muted")]
    left.append((f"{len(captions.rows):,}", "text") if captions.loaded else ("...", "muted"))
    if shown is not None:
        left[1:] = [(f"{shown:,}", "text"), (f" of {len(captions.rows):,}", "muted")]
    if captions.loaded and captions.open and shown is None and not chosen:
        left.append((f" ({captions.open:,} open)", "muted"))
    if chosen:
        left.append((f"  {chosen:,} selected", "accent"))
    if words := _ORDERS[order]:
        left.append((f"  {words}", "muted"))
    return left


def names_wide(captions: Captions) -> int:
    """Cells that the longest name takes, as far as names get any."""
    return min(_NAME, captions.widest or _NAME)


def caption_row(captions: Captions, name: str, width: int, wide: int) -> Spans:
    """One picture: its mark, its name without folder and ending in `wide` cells, what stands there behind the trigger."""
    row = captions.rows.get(name)
    if row is None:
        return [(name, "muted")]
    mark, ink = _mark(captions, row)
    more = f"+{len(row.entries) - 1} " if len(row.entries) > 1 else ""
    text, trigger = " ".join(row.text.split()), captions.spec.trigger
    # They all begin alike: what tells them apart stands behind the trigger.
    if trigger and text.startswith(f"{trigger}, "):
        text = "…" + text.removeprefix(f"{trigger},")
    name = middle(row.path.stem, min(wide, max(8, width // 2)))
    # A regularization picture may have the name of another one.
    named = "text" if row.role == "subject" else "muted"
    return [(mark, ink), (f" {name} ", named), (more, "muted"), (text, "muted")]


def middle(name: str, width: int) -> str:
    """A name in exactly `width` cells; of one that is too long both ends, as numbers and kinds stand at the end."""
    if cell_len(printable(name)) <= width:
        return cell(name, width)
    tail = printable(name)[-(width // 2) :]
    while cell_len(tail) > width // 2:
        tail = tail[1:]
    return cell(printable(name), width - cell_len(tail)) + tail


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
    for at, (place, count) in enumerate(zip(places, counts, strict=False)):
        # The encoders of one family read alike: one bar for both, until they differ.
        if at and count == counts[at - 1] and place.limit == places[at - 1].limit:
            continue
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


def phrases_title(shown: int, order: PhraseOrder, *, narrowed: bool, empty: bool) -> list[Spans]:
    """What stands over the phrases, and where there are none, what would."""
    where = f" in {shown:,} shown" if narrowed else f" in {shown:,}"
    how = {"count": "", "name": "  by name", "rarity": "  rarest first"}[order]
    title: Spans = [("  PHRASES", "muted"), (where, "muted"), (how, "muted")]
    if not empty:
        return [title]
    return [
        title,
        [("  what stands between commas,", "faint")],
        [("  by how many captions have it", "faint")],
    ]


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
