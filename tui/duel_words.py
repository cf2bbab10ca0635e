"""Duels and their ranking as lines."""

from collections.abc import Sequence

from projects.duels import Duel
from projects.strengths import Ranked, Ranking
from tui.spans import Spans, cell, wrapped

_NAME = 22


def decided(duel: Duel | None) -> Spans:
    """Who won the last duel: the first moment at which its labels are shown."""
    if duel is None:
        return [(" Labels are shown once you have decided.", "muted")]
    if duel.won == "neither":
        return [(f" last: {duel.left.words} and {duel.right.words} were as good as each other", "text")]
    sides = (duel.left, duel.right) if duel.won == "left" else (duel.right, duel.left)
    return [(" last: ", "muted"), (sides[0].words, "bold"), (f" won against {sides[1].words}", "text")]


def ranking_lines(ranking: Ranking, width: int, rows: int) -> list[Spans]:
    """The strongest sides, at most `rows` lines of them, and what it comes to in a sentence."""
    if not ranking.sides:
        return [[(" Who is how strong stands here after the first duel.", "muted")]]
    title = f" {cell('SO FAR', _NAME)} wins against a middling one, 95 % interval"
    lines: list[Spans] = [[(title, "muted")]]
    shown = ranking.sides if len(ranking.sides) <= rows else ranking.sides[: max(1, rows - 1)]
    lines += [_row(each) for each in shown]
    if len(shown) < len(ranking.sides):
        lines.append([(f" and {len(ranking.sides) - len(shown)} more below", "muted")])
    return [*lines, *_sentence(ranking.words, width)]


def _row(ranked: Ranked) -> Spans:
    chance, low, high = (f"{100 * each:.0f}" for each in ranked.chances)
    return [
        (f" {cell(ranked.side.words, _NAME)} ", "text"),
        (f"{chance:>3} %", "bold"),
        (f"  {f'[{low}, {high}]':<10}", "text"),
        (f"  {ranked.won:g} of {ranked.count} won", "muted"),
    ]


def _sentence(words: str, width: int) -> Sequence[Spans]:
    return [[(f" {line}", "text")] for line in wrapped(words, max(20, width - 2))[:2]]
