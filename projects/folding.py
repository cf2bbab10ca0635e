"""Every way a text can be read once its disguises are taken off, as plain words with one space between them.

A reading starts and ends with a space. Taken off are case, accents and other marks, invisible characters, look-alike
letters, letter swaps (n4ked), spaced or dotted letters (n a k e d), hyphens inside words, digits stuck to a word.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DIGIT_GROUP = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_FRACTION = re.compile(r"(?<=\d)[.,]\d+(?!\d*[^\W\d_])")
_POSSESSIVE = re.compile(r"['’‘`´]s(?![^\W_])")
_INSIDE_WORD = re.compile(r"(?<=[^\W\d_])[-‐‑.*~'’_·|/+]+(?=[^\W\d_])")
_SPACED = re.compile(r"(?<![^\W_])[^\W\d_](?:[\W_]{1,3}[^\W\d_]){2,}(?![^\W_])")
_DIGITS_FIRST = re.compile(r"(?<![^\W_])(\d+)(?=[^\W\d_])")
_DIGITS_LAST = re.compile(r"(?<=[^\W\d_])(\d+)(?![^\W_])")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Disguises:
    """The tables that depend on the language: see wording.toml."""

    swaps: Mapping[str, str]
    """Character -> the letter it stands for inside a word; 1 is known to be i or l."""
    lookalikes: Mapping[int, int]
    """Code point -> code point, after folding."""


def fold(text: str) -> str:
    """Without case, marks and invisible characters."""
    for _ in range(2):  # Folding case can bring marks of its own.
        text = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in text if unicodedata.category(char) not in ("Mn", "Me", "Cf"))


def words(text: str) -> str:
    """A folded text as one reading: nothing but its words."""
    text = _POSSESSIVE.sub("", _FRACTION.sub("", _DIGIT_GROUP.sub("", text)))
    text = _DIGITS_LAST.sub(r" \1", _DIGITS_FIRST.sub(r"\1 ", text.replace("_", " ")))
    return " " + " ".join(_WORD.findall(text)) + " "


def readings(text: str, disguises: Disguises, sought: Collection[str]) -> set[str]:
    """Every reading of `text`. `sought` are words that are looked for inside a run of spaced letters."""
    return {words(form) for plain in _unswapped(text, disguises) for form in _joined(plain, sought)}


def _unswapped(text: str, disguises: Disguises) -> Iterator[str]:
    for cased in {text, _CAMEL.sub(" ", text)}:
        plain = fold(cased).translate(disguises.lookalikes)
        yield plain
        for one in "il":
            yield _swapped(plain, {**disguises.swaps, "1": one})


def _swapped(text: str, swaps: Mapping[str, str]) -> str:
    """`text` with the swaps undone in every word that has letters besides; marks at its end are punctuation."""
    table = str.maketrans(dict(swaps))
    marks = re.escape("".join(swap for swap in swaps if not swap.isalnum()))

    def undone(found: re.Match[str]) -> str:
        return found[0].translate(table) if any(char.isalpha() for char in found[0]) else found[0]

    return re.sub(rf"[\w{marks}]*\w", undone, text)


def _joined(text: str, sought: Collection[str]) -> Iterator[str]:
    yield text
    yield _INSIDE_WORD.sub("", _POSSESSIVE.sub("", text))

    def closed(found: re.Match[str]) -> str:
        run = "".join(_WORD.findall(found[0].replace("_", " ")))
        return " ".join([run, *(word for word in sought if len(word) > 2 and word in run)])

    yield _SPACED.sub(closed, text)
