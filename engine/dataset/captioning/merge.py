"""Two edits of one caption: both kept where they do not touch, and where they do, what a person can choose from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

_WORDS: Final = re.compile(r"\w+|\s|[^\w\s]")
_MOST: Final = 4000
"""Words up to which two texts are compared word by word; longer ones are compared line by line."""


@dataclass(frozen=True)
class _Hunk:
    """base[start:end] became `now`."""

    start: int
    end: int
    now: tuple[str, ...]

    def touches(self, other: "_Hunk") -> bool:
        """Whether nothing stands between the two, so that neither says where the other belongs."""
        return self.start <= other.end and other.start <= self.end


def merged(base: str, mine: str, theirs: str) -> str | None:
    """Both edits of `base` in one text, or None where they touch. An edit that both made is one."""
    if mine == theirs or theirs == base:
        return mine
    if mine == base:
        return theirs
    texts = [_split(text) for text in (base, mine, theirs)]
    if max(map(len, texts)) > _MOST:
        texts = [text.splitlines(keepends=True) for text in (base, mine, theirs)]
    old = texts[0]
    ours, others = _hunks(old, texts[1]), _hunks(old, texts[2])
    both = set(ours) & set(others)
    alone = [hunk for hunk in others if hunk not in both]
    if any(hunk.touches(other) for hunk in ours for other in alone):
        return None
    made: list[str] = []
    at = 0
    for hunk in sorted([*ours, *alone], key=lambda each: (each.start, each.end)):
        made += [*old[at : hunk.start], *hunk.now]
        at = hunk.end
    return "".join([*made, *old[at:]])


def both(mine: str, theirs: str) -> str:
    """Every line of either side: where they differ mine stand first, then theirs."""
    made: list[str] = []
    lines, others = mine.split("\n"), theirs.split("\n")
    for kind, left, right, above, below in SequenceMatcher(None, lines, others, autojunk=False).get_opcodes():
        made += lines[left:right]
        if kind != "equal":
            made += others[above:below]
    return "\n".join(made)


def _split(text: str) -> list[str]:
    return _WORDS.findall(text)


def _hunks(old: Sequence[str], new: Sequence[str]) -> list[_Hunk]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        _Hunk(start, end, tuple(new[left:right]))
        for kind, start, end, left, right in matcher.get_opcodes()
        if kind != "equal"
    ]
