"""Whether a trigger is a word already, as a base's own vocabulary has it, and invented ones that are none.

A word that the model knows leaks: the adapter fires wherever somebody writes it, and brings what the model thinks of it.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from engine.dataset.tokens import Encoder, Piece
from projects.wording import wording_of

Verdict = Literal["word", "words", "rare", "invented"]
"""A word of the vocabulary; made of such words and nothing else; one token that hardly any text has; none of these."""

WORST: Final[Sequence[Verdict]] = ("word", "words", "rare", "invented")
KNOWN: Final = 40_000
"""Numbers below it are words that the base has read often: CLIP's vocabulary is in the order of how often, to 49,407."""
RARE: Final = 47_000
"""Numbers from it on are so rare that nothing is tied to them."""
_COMMON: Final = 20_000
"""Numbers below it are pieces that stand for something by themselves, where they are long enough."""
_LARGE: Final = 20_000
"""Tokens of a vocabulary whose order tells how common a word is. The demo's has a thousand, all of them words it knows."""
_LONG, _SHORT = 4, 3
"""Letters of a piece that is taken for a word; and beside such a one."""
MANY: Final = 4
"""Tokens from which on a trigger takes room that the caption could use."""
_ENDINGS: Final = re.compile(
    "(t|s)ion|ment|ness|able|ible|ally|less|ship|hood|ings|ate[ds]|i[sz]ed|ward|tive"
)


@dataclass(frozen=True, kw_only=True)
class TriggerWord:
    """What one encoder makes of a trigger."""

    word: str
    label: str
    """Of the encoder."""
    pieces: tuple[Piece, ...]
    """Without the marks around them."""
    verdict: Verdict
    parts: tuple[str, ...]
    """Words that stand inside it, which it takes on something of."""

    @property
    def summary(self) -> str:
        """For a line: "5 tokens, not a word, but holds portrait"."""
        inside = self.parts if self.verdict == "invented" else ()
        return f"{self.brief}, but holds {' and '.join(inside)}" if inside else self.brief

    @property
    def brief(self) -> str:
        """For less room: "5 tokens, not a word"."""
        count = len(self.pieces)
        tokens = "1 token" if count == 1 else f"{count} tokens"
        if self.verdict == "word":
            return f"{tokens}, a word already"
        if self.verdict == "words":
            return f"{tokens}, made of words: {' + '.join(self.parts)}"
        if self.verdict == "rare":
            return f"{tokens}, so rare that nothing is tied to it"
        return f"{tokens}, not a word"


def judged(word: str, encoder: Encoder) -> TriggerWord:
    """What the encoder makes of it. An empty word is made of nothing."""
    pieces = tuple(piece for piece in encoder.pieces(word) if piece.end > piece.start)
    return TriggerWord(
        word=word, label=encoder.place.label, pieces=pieces, verdict=_verdict(pieces, word, encoder),
        parts=tuple(_words_in(pieces, word, encoder)),
    )  # fmt: skip


def worst(found: Sequence[TriggerWord]) -> TriggerWord | None:
    """What to say of a base with several encoders: the one to which it is most of a word."""
    return min(found, key=lambda each: WORST.index(each.verdict), default=None)


def suggestions(word: str, encoders: Sequence[Encoder], count: int = 3) -> list[str]:
    """Invented words of three tokens and more, the first of them after `word`; the same for the same word.

    None has a known word in it, and none of them points at anything that a project may not be about.
    """
    found: list[str] = []
    for candidate in _candidates(word):
        if len(found) == count:
            break
        if candidate in found or candidate == word or len(candidate) > 24:
            continue
        told = [judged(candidate, encoder) for encoder in encoders]
        wording = wording_of(candidate)
        plain = not (wording.minor or wording.sexual or wording.joined)
        if plain and all(
            each.verdict == "invented" and not each.parts and len(each.pieces) > 2 for each in told
        ):
            found.append(candidate)
    return found


def _verdict(pieces: Sequence[Piece], word: str, encoder: Encoder) -> Verdict:
    if not pieces:
        return "invented"
    if len(pieces) == 1:
        return _of_one(pieces[0], encoder)
    made = [_is_whole(piece, word, encoder) or _is_part(piece, encoder, _SHORT) for piece in pieces]
    told = [_is_whole(piece, word, encoder) or _is_part(piece, encoder, _LONG) for piece in pieces]
    return "words" if all(made) and any(told) else "invented"


def _is_whole(piece: Piece, word: str, encoder: Encoder) -> bool:
    """Whether it is a word between spaces, of a trigger that has several."""
    around = word[: piece.start][-1:] + word[piece.end :][:1]
    return not around.strip() and bool(around) and _of_one(piece, encoder) == "word"


def _is_part(piece: Piece, encoder: Encoder, least: int) -> bool:
    letters = _bare(piece, encoder)
    return len(letters) >= least and _is_common(letters, encoder)


def _of_one(piece: Piece, encoder: Encoder) -> Verdict:
    if not _ranked(encoder):
        # A small vocabulary holds the words of its little world, and syllables of two letters.
        return "word" if len(_bare(piece, encoder)) >= _SHORT else "rare"
    if encoder.place.kind == "t5":
        return "word"
    return "rare" if piece.number >= RARE else "word"


def _words_in(pieces: Sequence[Piece], word: str, encoder: Encoder) -> Iterator[str]:
    known = _verdict(pieces, word, encoder) in ("word", "words")
    for piece in pieces:
        letters = _bare(piece, encoder)
        if known or (_is_part(piece, encoder, _LONG) and not _ENDINGS.fullmatch(letters)):
            yield letters


def _bare(piece: Piece, encoder: Encoder) -> str:
    """The letters of a piece, without what marks a word's end or beginning."""
    return piece.token.removesuffix(encoder.vocabulary.word_end).removeprefix("▁")


def _is_common(letters: str, encoder: Encoder) -> bool:
    """Whether the vocabulary has these letters as a whole word that is often written."""
    if not letters.isalpha():
        return False
    tokenizer = encoder.vocabulary.tokenizer
    whole = f"▁{letters}" if encoder.place.kind == "t5" else letters + encoder.vocabulary.word_end
    number = tokenizer.token_to_id(whole)
    return number is not None and (number < _COMMON or not _ranked(encoder))


def _ranked(encoder: Encoder) -> bool:
    return int(encoder.vocabulary.tokenizer.get_vocab_size()) >= _LARGE


_DIGITS: Final = {"e": "3", "i": "1", "o": "0", "a": "4", "s": "5"}
_FIRST, _VOWELS, _LAST = "bdgklmnprtvxz", "aeiou", "kxrvz"


def _candidates(word: str) -> Iterator[str]:
    """First the word itself with digits for letters, one and then several; then syllables that mean nothing."""
    own = "".join(
        letter for letter in word.lower() if letter.isascii() and (letter.isalnum() or letter == "_")
    )
    if len(own) >= _LONG:
        for letter, digit in _DIGITS.items():
            yield own.replace(letter, digit, 1)
        swapped = own
        for letter, digit in _DIGITS.items():
            swapped = swapped.replace(letter, digit)
            yield swapped
    draw = random.Random(own)
    for _ in range(400):
        start = draw.choice(_FIRST) + draw.choice(_VOWELS) + draw.choice(_LAST)
        yield start + draw.choice("34157") + draw.choice(_FIRST) + draw.choice(_VOWELS) + draw.choice(_LAST)
