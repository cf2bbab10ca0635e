"""Phrases and words of many captions: how many captions hold each, and which are the same thing twice."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from engine.dataset.captioning.parts import phrase_texts, words

Order = Literal["count", "name", "rarity"]


@dataclass(frozen=True)
class Twins:
    """Phrases or words that are probably meant to be one."""

    keep: str
    """The one that most captions have."""
    others: tuple[str, ...]
    why: str
    """How they differ, for people."""


def count_phrases(texts: Iterable[str]) -> Counter[str]:
    """Phrase as it is spelled -> how many of the captions hold it, each counted once."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(set(phrase_texts(text)))
    return found


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Word in small letters -> how many of the captions hold it."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(set(words(text)))
    return found


def ordered(counts: Mapping[str, int], order: Order = "count") -> list[tuple[str, int]]:
    """Rows of a panel: most first, by name, or rarest first; by name where counts are the same."""
    if order == "name":
        return sorted(counts.items(), key=lambda row: (row[0].casefold(), row[0]))
    sign = -1 if order == "count" else 1
    return sorted(counts.items(), key=lambda row: (sign * row[1], row[0].casefold(), row[0]))


# ---- what is the same thing twice


_SPELLINGS: Final = (
    (re.compile(r"gr[ea]y"), "gray"),
    (re.compile(r"(?<=[a-z]{2})our(?=$|s$|ed$|ing$|ful$|less$|ite$)"), "or"),
    (re.compile(r"is(?=(?:e|ed|es|ing|ation)$)"), "iz"),
    (re.compile(r"(?<=[a-z]{2}[bt])re$"), "er"),
    (re.compile(r"(?<=[a-z]{2})ll(?=(?:ed|ing|er|ery)$)"), "l"),
)
"""British and American, word by word, to one of the two."""
_FEWER: Final = 3
"""How often rarer a phrase must be than one that differs by a letter, to be taken for a slip: times."""
_SHORTEST: Final = 4
"""Letters of a word that can be another one's slip."""
_LONGEST: Final = 6
"""Words of a phrase that can be another one's twin: longer ones are sentences, and seldom meant to be one."""


def twins(counts: Mapping[str, int]) -> list[Twins]:
    """Groups of phrases, or words, that differ only in case, joining, plural or spelling, or by a slip of one letter.

    Most captions first. A slip is only offered where one of both is much rarer, and never where they differ in a digit.
    """
    once: dict[str, str] = {}
    plain: defaultdict[str, list[str]] = defaultdict(list)
    for phrase in counts:
        parts = _parts(phrase)
        if 0 < len(parts) <= _LONGEST:
            plain[" ".join([once.get(word) or _spelled(word, once) for word in parts])].append(phrase)
    groups = _merged(plain, counts)
    found = [Twins(keep, tuple(others), _why(keep, others[0])) for keep, others in groups if others]
    return sorted(found, key=lambda each: (-counts[each.keep], each.keep))


def _parts(phrase: str) -> list[str]:
    """Its words in small letters, however they are joined."""
    return phrase.casefold().replace("_", " ").replace("-", " ").split()


def _spelled(word: str, once: dict[str, str]) -> str:
    known = word
    for pattern, spelling in _SPELLINGS:
        known = pattern.sub(spelling, known)
    once[word] = known = _singular(known)
    return known


def _singular(word: str) -> str:
    """Without the s of a plural, or of what looks like one: it is only ever held against other words."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    for end in ("shes", "ches", "xes", "sses", "zes"):
        if word.endswith(end):
            return word[:-2]
    return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def _merged(plain: Mapping[str, Sequence[str]], counts: Mapping[str, int]) -> list[tuple[str, list[str]]]:
    """(the one to keep, the others) of every group, slips joined to what they are slips of."""
    totals = {key: sum(counts[phrase] for phrase in group) for key, group in plain.items()}
    joined: dict[str, list[str]] = {key: list(group) for key, group in plain.items()}
    for slip, meant in _slips(totals):
        if slip in joined and meant in joined:
            joined[meant] += joined.pop(slip)
    found = []
    for group in joined.values():
        first, *others = sorted(group, key=lambda phrase: (-counts[phrase], phrase))
        found.append((first, others))
    return found


def _slips(totals: Mapping[str, int]) -> list[tuple[str, str]]:
    """(slip, meant): keys that differ in one word, by one letter left out, added, changed or two swapped."""
    by_word = _near({word for key in totals for word in key.split(" ")})
    if not by_word:
        return []
    found = []
    for key, count in totals.items():
        parts = key.split(" ")
        if by_word.keys().isdisjoint(parts):
            continue
        for place, word in enumerate(parts):
            for near in by_word.get(word, ()):
                meant = " ".join((*parts[:place], near, *parts[place + 1 :]))
                if _FEWER * count <= totals.get(meant, 0):
                    found.append((key, meant))
    # The commonest first: a slip of two of them belongs to that one.
    return sorted(found, key=lambda pair: (-totals[pair[1]], pair))


def _near(known: Collection[str]) -> dict[str, set[str]]:
    """Word -> the known words that are one letter away, through what is left of both without one letter.

    Linear in the letters: words that share a remainder are compared, not all with all.
    """
    left: defaultdict[str, list[str]] = defaultdict(list)
    for word in known:
        if len(word) < _SHORTEST or not word.isalpha():
            continue
        for rest in {word, *(word[:at] + word[at + 1 :] for at in range(1, len(word)))}:
            left[rest].append(word)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for sharing in left.values():
        if len(sharing) > 1:
            for word in sharing[:16]:
                found[word].update(other for other in sharing[:16] if other != word)
    near = {word: {other for other in others if one_apart(word, other)} for word, others in found.items()}
    return {word: others for word, others in near.items() if others}


def one_apart(one: str, other: str) -> bool:
    """Whether a letter left out, added or changed, or two neighbours swapped, make `other` out of `one`."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    if len(one) > len(other):
        one, other = other, one
    if len(one) < len(other):
        return one[same:] == other[same + 1 :]
    swapped = one[same : same + 2] == other[same : same + 2][::-1]
    return one[same + 1 :] == other[same + 1 :] or (swapped and one[same + 2 :] == other[same + 2 :])


def _why(keep: str, other: str) -> str:
    if keep.casefold() == other.casefold():
        return "case"
    ours, theirs = _parts(keep), _parts(other)
    if ours == theirs:
        return "joined otherwise"
    once: dict[str, str] = {}
    if [_singular(word) for word in ours] == [_singular(word) for word in theirs]:
        return "plural"
    same = [_spelled(word, once) for word in ours] == [_spelled(word, once) for word in theirs]
    return "spelling" if same else "one letter"
