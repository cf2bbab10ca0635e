"""A caption cut into phrases and words, and put together again with everything between them where it was.

A phrase is what stands between commas and line ends, without the spaces around it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

_ENDS = re.compile(r"[,\n]")
_PIECE = re.compile(r"\w+|\s+|[^\w\s]")
_WORD = re.compile(r"[^\W_]+(?:['’\-_][^\W_]+)*")


class Phrase(NamedTuple):
    """One phrase of a caption and where it stands."""

    text: str
    start: int
    end: int


def pieces_of(text: str) -> list[str]:
    """Words, blanks and every other sign by itself: joined they are the text."""
    return _PIECE.findall(text)


def shared_ends(one: Sequence[str], other: Sequence[str]) -> tuple[int, int]:
    """How many pieces both begin with, and with how many of the rest both end."""
    first = _same(one, other)
    return first, _same(one[first:][::-1], other[first:][::-1])


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    return next((at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
                min(len(one), len(other)))  # fmt: skip


def phrases(text: str) -> list[Phrase]:
    """The phrases of a caption, in order; nothing between two commas is none."""
    found, start = [], 0
    for stop in [*(match.start() for match in _ENDS.finditer(text)), len(text)]:
        raw = text[start:stop]
        if own := raw.strip():
            at = start + len(raw) - len(raw.lstrip())
            found.append(Phrase(own, at, at + len(own)))
        start = stop + 1
    return found


def phrase_texts(text: str) -> list[str]:
    """The same without places, which is what counting takes."""
    return [own for raw in text.replace("\n", ",").split(",") if (own := raw.strip())]


def words(text: str) -> list[str]:
    """The words of a text, in small letters; what hyphens, apostrophes and underscores join is one."""
    return _WORD.findall(text.lower())


@lru_cache(maxsize=64)
def as_word(word: str) -> re.Pattern[str]:
    """A pattern that finds it as a whole word, whatever its case."""
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)


def holds(text: str, word: str) -> bool:
    """Whether the text has it as a whole word, whatever its case; nobody has the empty word."""
    return bool(word) and as_word(word).search(text) is not None


def begins(text: str, start: str) -> bool:
    """Whether `text` starts with it, as a whole word where it ends in one."""
    return _as_start(start).match(text) is not None


@lru_cache(maxsize=64)
def _as_start(start: str) -> re.Pattern[str]:
    return re.compile(re.escape(start) + (r"(?!\w)" if start[-1:].isalnum() else ""), re.IGNORECASE)


def ends(text: str, end: str) -> bool:
    """Whether the text ends with it, not in the middle of a word; spaces behind it do not count."""
    bare = text.rstrip()
    return bare.endswith(end) and not bare[: -len(end)][-1:].isalnum()


def rewritten(text: str, found: Sequence[Phrase], new: Mapping[int, str | None]) -> str:
    """With other words for some of the phrases that were found in it, by number; None: gone, with one of the separators
    beside it, a comma rather than a line end. Everything else stays."""
    kept = [index for index in range(len(found)) if new.get(index, "") is not None]
    if not kept:
        return ""
    lead = text[: found[0].start]
    parts = [lead.rstrip(" \t,") if kept[0] else lead]
    for place, index in enumerate(kept):
        if place:
            parts.append(_between(text, found[kept[place - 1] : index + 1]))
        parts.append(new.get(index) or found[index].text)
    return "".join((*parts, text[found[-1].end :]))


def _between(text: str, found: Sequence[Phrase]) -> str:
    """The separator to stand between the first and the last of these when those between them are gone."""
    between = [text[one.end : other.start] for one, other in pairwise(found)]
    return next((each for each in between if "\n" in each), between[0])


def without_word(phrase: str, word: str, first: int = 0) -> str:
    """A phrase without the word, wherever it stands from hit number `first` on, and without one space beside each."""
    count = -1

    def taken(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return match[0] if count < first else ""

    pattern = re.escape(word)
    out = re.sub(rf"\s?(?<!\w){pattern}(?=\s|\Z)|(?<!\w){pattern}(?!\w)", taken, phrase, flags=re.IGNORECASE)
    return out.lstrip() if not first and begins(phrase, word) else out


def moved(count: int, at: int, place: int) -> list[int]:
    """An order of `count` things in which number `at` stands at `place`, or at the end."""
    order = [index for index in range(count) if index != at]
    order.insert(min(place, count - 1), at)
    return order


def reordered(text: str, found: Sequence[Phrase], order: Sequence[int]) -> str:
    """The phrases in another order, with everything between them where it was."""
    return (
        rewritten(text, found, {slot: found[index].text for slot, index in enumerate(order)})
        if found
        else text
    )
