"""A blind round as lines: the scale, the seal, and both verdicts side by side."""

import time
from collections.abc import Sequence
from typing import Final

from projects.blind import Round, time_left
from projects.unsealed import Opened, Rated
from tui.blind_stage import Read, Stage
from tui.spans import Spans, cell, ends, marked, wrapped

SCALE: Final = ("unusable", "poor", "fair", "good", "as I wanted it")
"""What the five ratings mean, from 1 on."""
_NAME: Final = 20
_GAP: Final = 3


def scale(rating: int | None) -> Spans:
    """The five ratings with their keys, the one that was given marked."""
    spans: list[tuple[str, str]] = []
    for number, words in enumerate(SCALE, 1):
        here = number == rating
        spans += [
            (" ▌" if here else "  ", "accent"),
            (f"{number}", "text"),
            (f" {words}", "bold" if here else "muted"),
        ]
    return spans


def title_lines(stage: Stage, found: Round | None, rating: int | None) -> list[Spans]:
    """What is asked, with the scale where there is something to rate."""
    head: list[tuple[str, str]] = [(" BLIND ROUND   ", "bold")]
    if stage == "asking":
        question = "How good is it at its best, and which would you take? You are asked again in 48 hours."
        return [[*head, (question, "muted")], scale(rating)]
    if stage == "rating" and found:
        return [[*head, (f"{len(found.verdicts) + 1} of {len(found.order)}", "text")], scale(None)]
    return [head]


def told_lines(read: Read, now: float, width: int) -> list[Spans]:
    """What there is to read of a round that nobody rates at the moment."""
    if read.opened:
        return opened_lines(read.opened, width)
    return sealed_lines(read.round, now, width) if read.round else []


def sealed_lines(found: Round, now: float, width: int) -> list[Spans]:
    """Before the round opens: how long still, the seal, and the first impression. And once all is rated."""
    left = found.not_before - now
    if left > 0:
        head: Spans = [
            ("Opens in ", "text"),
            (time_left(left), "bold"),
            (f", on {_day(found.not_before)}", "text"),
        ]
    else:
        head = [
            (
                f"All {len(found.order)} are rated. enter shows the labels; then nothing can be changed.",
                "bold",
            )
        ]
    problem = found.clock_problem(now)
    lines: list[Spans] = [head, *(marked("!", "bad", str(problem), width) if problem else []), []]
    lines += [*first_lines(found, width), [], *seal_lines(found, width)]
    return lines


def first_lines(found: Round, width: int) -> list[Spans]:
    """The first impression."""
    first = found.first
    return [
        [("FIRST IMPRESSION", "bold"), (f"   {_day(found.created)}", "muted")],
        [(f"{first.rating} of 5", "text"), (f"   {_meaning(first.rating)}", "muted")],
        [("would take ", "muted"), (first.side.words, "text")],
        *([(line, "muted")] for line in (wrapped(f"“{first.note}”", width) if first.note else ())),
    ]


def seal_lines(found: Round, width: int) -> list[Spans]:
    """The sha256 of the key, short and whole, and how to check it."""
    words = (
        f"{len(found.order)} pictures wait in an order and under names that mean nothing; some come twice. Which is which "
        "stands in blind.key.json: whoever opens it early has seen what the round hides. sha256sum of that file gives "
        "the number above as long as nobody changes it."
    )
    return [
        [("SEAL", "bold"), (f"   {found.sha256[:12]}", "accent")],
        *([(line, "text")] for line in wrapped(f"sha256 {found.sha256}", width)),
        *([(line, "muted")] for line in wrapped(words, width)),
    ]


def opened_lines(opened: Opened, width: int) -> list[Spans]:
    """Both verdicts side by side, never as one number; below them agreement with oneself, and whether the seal is whole."""
    found = opened.round
    half = (width - _GAP) // 2
    first = first_lines(found, half)
    blind: list[Spans] = [[("WITHOUT LABELS", "bold"), (f"   {_day(found.opened or found.latest)}", "muted")]]
    blind += [[(f"{len(found.verdicts)} of {len(found.order)} rated, 1 to 5", "muted")]]
    blind += [_row(each, half) for each in opened.sides]
    lines = _beside(first, blind, half)
    lines.append([])
    lines += [[(line, "bold")] for line in wrapped(opened.words, width)]
    lines += [[(line, "text")] for line in wrapped(opened.agreement.words, width)]
    lines.append([])
    for problem in opened.problems:
        lines += marked("!", "bad", str(problem), width)
    if not opened.problems:
        words = f"The key is the one that was sealed on {_day(found.created)}: its sha256 is still {found.sha256[:12]}..."
        lines += marked("✓", "good", words, width)
    return lines


def _row(rated: Rated, width: int) -> Spans:
    name = max(8, min(_NAME, width - 18))
    interval = (
        "too few" if rated.low is None or rated.high is None else f"[{rated.low:.1f}, {rated.high:.1f}]"
    )
    return [
        (f"{cell(rated.side.words, name)} ", "text"),
        (f"{rated.mean:.1f}", "bold"),
        (f" {interval:<10}", "text"),
        (f" n {rated.pictures}", "muted"),
    ]


def _beside(left: Sequence[Spans], right: Sequence[Spans], half: int) -> list[Spans]:
    """Two columns; the left one is cut at its width."""
    lines: list[Spans] = []
    for at in range(max(len(left), len(right))):
        words = left[at] if at < len(left) else ()
        other = right[at] if at < len(right) else ()
        lines.append([*ends(words, (), half), (" " * _GAP, "text"), *other])
    return lines


def _meaning(rating: int) -> str:
    return SCALE[rating - 1] if 1 <= rating <= len(SCALE) else ""


def _day(when: float) -> str:
    return time.strftime("%a %d %b %H:%M", time.localtime(when))
