"""A caption cut into phrases and words, and put together again with everything between them where it was.

A phrase is what stands between commas and line ends, without the spaces around it.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_ENDS = re.compile(r"[,\n]")
_WORD = re.compile(r"[^\W_]+(?:['’\-_][^\W_]+)*")


class Phrase(NamedTuple):
    """One phrase of a caption and where it stands."""

    text: str
    start: int
    end: int


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


def as_word(word: str) -> re.Pattern[str]:
    """A pattern that finds it as a whole word, whatever its case."""
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)


def holds(text: str, word: str) -> bool:
    """Whether the text has it as a whole word, whatever its case; nobody has the empty word."""
    return bool(word) and as_word(word).search(text) is not None


def begins(text: str, start: str) -> bool:
    """Whether `text` starts with it, as a whole word where it ends in one."""
    return (
        re.match(
            re.escape(start) + r"(?!\w)" if start[-1:].isalnum() else re.escape(start), text, re.IGNORECASE
        )
        is not None
    )


def ends(text: str, end: str) -> bool:
    """Whether the text ends with it, not in the middle of a word; spaces behind it do not count."""
    bare = text.rstrip()
    return bare.endswith(end) and not bare[: -len(end)][-1:].isalnum()


def with_phrase(text: str, phrase: Phrase, new: str) -> str:
    """With other words in the place of that phrase."""
    return text[: phrase.start] + new + text[phrase.end :]


def without_phrase(text: str, index: int) -> str:
    """Without that phrase and one of the separators beside it: a comma rather than a line end."""
    found = phrases(text)
    start = found[index - 1].end if index else 0
    stop = found[index + 1].start if index + 1 < len(found) else len(text)
    before, behind = text[start : found[index].start], text[found[index].end : stop]
    if not index:
        return before.rstrip(" \t,") + text[stop:]
    if index + 1 == len(found):
        return text[:start] + behind
    return text[:start] + (behind if "\n" in behind else before) + text[stop:]


def without_word(text: str, phrase: Phrase, word: str, *, last: bool = False) -> str:
    """The word out of a phrase, with one of the spaces around it."""
    match = list(as_word(word).finditer(phrase.text))[-1 if last else 0]
    before, behind = phrase.text[: match.start()], phrase.text[match.end() :]
    if not behind or behind[0].isspace():
        before = before.rstrip()
    return with_phrase(text, phrase, before + (behind if before else behind.lstrip()))


def moved(count: int, at: int, place: int) -> list[int]:
    """An order of `count` things in which number `at` stands at `place`, or at the end."""
    order = [index for index in range(count) if index != at]
    order.insert(min(place, count - 1), at)
    return order


def reordered(text: str, found: Sequence[Phrase], order: Sequence[int]) -> str:
    """The phrases in another order, with everything between them where it was."""
    for slot, index in reversed(list(zip(found, order, strict=True))):
        text = with_phrase(text, slot, found[index].text)
    return text
