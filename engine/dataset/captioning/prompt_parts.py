"""A prompt taken apart into what people know (trigger, subject, clothing, place, light, camera) and put together again.

Known words say what a phrase, or the clause of one, is about; the last of them counts, as English says the thing itself
last. A clause of which no word is known belongs to the one that it leads to, else to the part that it stood behind.
Nothing is lost: put together without an edit, a prompt has the same phrases in the same order.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Final, Literal, NamedTuple, get_args

from engine.dataset.captioning.checks.lexicon import CAMERA, FUNCTION_WORDS, PLACES, SAID, SUBJECTS
from engine.dataset.captioning.parts import phrase_texts, words

Part = Literal["trigger", "subject", "clothing", "place", "light", "camera"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
"""In the order of a prompt that is written anew."""
_COMMA: Final = ", "
_CLAUSE: Final = re.compile(
    r"\s+(?=(?:in|on|at|by|with|wearing|dressed|under|beside|near|before|behind|against|between|among|along|across"
    r"|outside|inside|lit)\s)",
    re.IGNORECASE,
)
"""Where another clause of a phrase begins."""
_LENS: Final = re.compile(r"(?<!\w)(?:\d+\s?mm|f/?\d)", re.IGNORECASE)


class Piece(NamedTuple):
    """Some of a prompt that belongs to one part."""

    part: Part
    text: str
    """Phrases and clauses that stand together, with what stands between them."""
    joint: str
    """What stands before it where it is not the first: a comma, or the blanks inside of a phrase."""


def split(text: str, triggers: Sequence[str] = (), class_words: Sequence[str] = ()) -> tuple[Piece, ...]:
    """The pieces of a prompt or caption, in its order; neighbours belong to different parts.

    triggers: words that call the subject. class_words: what it is called in general; they are known as subjects.
    """
    called = frozenset(word for each in class_words for word in words(each))
    pieces: list[Piece] = []
    for phrase in phrase_texts(text):
        clauses = list(_clauses(phrase, triggers, called))
        leads = clauses[1][0] if len(clauses) > 1 else None
        for at, (part, clause, blanks) in enumerate(clauses):
            before: Part = pieces[-1].part if pieces else "trigger"
            # A trigger is its word alone: what is not known behind it is said of the subject.
            own: Part = part or ("subject" if before == "trigger" else leads or before)
            joint = blanks if at else _COMMA
            if pieces and before == own:
                last = pieces.pop()
                pieces.append(last._replace(text=f"{last.text}{joint}{clause}"))
            else:
                pieces.append(Piece(own, clause, joint))
    return tuple(pieces)


def joined(pieces: Sequence[Piece]) -> str:
    """The prompt that the pieces make."""
    return "".join(f"{each.joint if at else ''}{each.text}" for at, each in enumerate(pieces))


def said(pieces: Sequence[Piece], part: Part) -> str:
    """What a prompt says of a part, on one line; "" for nothing."""
    return _COMMA.join(each.text for each in pieces if each.part == part)


def edited(pieces: Sequence[Piece], part: Part, text: str) -> tuple[Piece, ...]:
    """With `text` for one part: in the places where the part stood, else behind the parts that come before it."""
    old = [phrase_texts(each.text) for each in pieces if each.part == part]
    new = phrase_texts(text)
    if [phrase for each in old for phrase in each] == new:
        return tuple(pieces)
    if not old:
        return _with_part(pieces, Piece(part, _COMMA.join(new), _COMMA))
    shares = iter(_shared_out([len(each) for each in old], new))
    found: list[Piece] = []
    joint = ""
    """Of what was taken out right before."""
    for each in pieces:
        share = next(shares) if each.part == part else None
        own = _COMMA if joint == _COMMA else each.joint
        if share == []:
            joint = own
            continue
        kept = share is None or share == phrase_texts(each.text)
        found.append(each._replace(text=each.text if kept else _COMMA.join(share or ()), joint=own))
        joint = ""
    return tuple(found)


def with_parts(pieces: Sequence[Piece], texts: Mapping[Part, str]) -> tuple[Piece, ...]:
    """With other texts for several parts."""
    found = tuple(pieces)
    for part in PARTS:
        if part in texts:
            found = edited(found, part, texts[part])
    return found


def _with_part(pieces: Sequence[Piece], new: Piece) -> tuple[Piece, ...]:
    """With a part that was not there, between commas."""
    earlier = PARTS[: PARTS.index(new.part)]
    at = max((number for number, each in enumerate(pieces, 1) if each.part in earlier), default=0)
    behind = [each._replace(joint=_COMMA) for each in pieces[at : at + 1]]
    return (*pieces[:at], new, *behind, *pieces[at + 1 :])


def _shared_out(counts: Sequence[int], new: Sequence[str]) -> Iterator[list[str]]:
    """The new phrases for the places of the old ones: each gets as many as it had, the last one the rest."""
    start = 0
    for count in counts[:-1]:
        yield list(new[start : start + count])
        start += count
    yield list(new[start:])


# ---- what a phrase is about


def _clauses(
    phrase: str, triggers: Sequence[str], called: frozenset[str]
) -> Iterator[tuple[Part | None, str, str]]:
    """(part, text, blanks before it) of a phrase's clauses; None where no word of one is known."""
    found = _trigger_in(phrase, triggers)
    if found is None:
        yield from _known_clauses(phrase, "", called)
        return
    before, after = phrase[: found.start()], phrase[found.end() :]
    start = 0
    if before.strip() and any(word not in FUNCTION_WORDS for word in words(before)):
        yield from _known_clauses(before.rstrip(), "", called)
        start = found.start()
    blanks = before[len(before.rstrip()) :] if start else ""
    yield "trigger", phrase[start : found.end()], blanks
    if after:
        yield from _known_clauses(after.lstrip(), after[: len(after) - len(after.lstrip())], called)


def _trigger_in(phrase: str, triggers: Sequence[str]) -> re.Match[str] | None:
    """The trigger in a phrase, where it stands between blanks."""
    for trigger in filter(None, map(str.strip, triggers)):
        if found := re.search(rf"(?<!\S){re.escape(trigger)}(?!\S)", phrase, re.IGNORECASE):
            return found
    return None


def _known_clauses(text: str, blanks: str, called: frozenset[str]) -> Iterator[tuple[Part | None, str, str]]:
    """The clauses; one of which nothing is known stays one with the clause before it."""
    cuts = [0, *(each.start() for each in _CLAUSE.finditer(text)), len(text)]
    held: tuple[Part | None, str, str] | None = None
    for start, stop in pairwise(cuts):
        raw = text[start:stop]
        clause = raw.lstrip()
        gap = raw[: len(raw) - len(clause)] if start else blanks
        part = _about(clause, called)
        if held is None:
            held = part, clause, gap
        elif part is None or part == held[0]:
            held = held[0], f"{held[1]}{gap}{clause}", held[2]
        else:
            yield held
            held = part, clause, gap
    if held is not None:
        yield held


def _about(clause: str, called: frozenset[str]) -> Part | None:
    """The part that the last known word of a clause belongs to."""
    if _LENS.search(clause):
        return "camera"
    found, known = words(clause), _known()
    for at in reversed(range(len(found))):
        if not called.isdisjoint((found[at], found[at].removesuffix("s"))):
            return "subject"
        together = ("-".join(found[max(0, at - back) : at + 1]) for back in (2, 1))
        last = found[at].replace("_", "-").rpartition("-")[2]
        for word in (*together, found[at], last, last.removesuffix("s")):
            if word in known:
                return known[word]
    return None


@cache
def _known() -> Mapping[str, Part]:
    """Word -> its part; of a word of several the first counts."""
    lists: Sequence[tuple[Part, frozenset[str]]] = (
        ("clothing", SAID["wardrobe"]), ("light", SAID["light"]), ("place", PLACES), ("camera", CAMERA),
        ("camera", SAID["distance"]), ("subject", SUBJECTS),
    )  # fmt: skip
    found: dict[str, Part] = {}
    for part, listed in lists:
        for word in listed:
            found.setdefault(word, part)
    return found
