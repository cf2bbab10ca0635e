"""Edits of typography: quotes, spaces, letters and commas as a keyboard types them."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_QUOTES: Final = str.maketrans(
    {**dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
     **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
     **dict.fromkeys("\u00a0\u202f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), " "),
     **dict.fromkeys("\u200b\u2060\ufeff\u00ad", ""), "\u2026": "..."}
)  # fmt: skip
LOOKALIKES: Final[Mapping[str, str]] = dict(
    zip(
        "аАВеЕКМНоОрРсСТуУхХіІјЈѕЅһԁԛԝαΑΒΕΖΗΙιΚκΜΝνοΟΡρΤτυΥΧχ",
        "aABeEKMHoOpPcCTyYxXiIjJsShdqwaABEZHIiKkMNvoOPpTtuYXx",
        strict=True,
    )
)
"""Letters of Cyrillic and Greek -> the Latin ones that look like them."""
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK")


def accidents(text: str) -> list[str]:
    """Words of two alphabets at once or of letters made for display; and look-alikes alone among Latin words only."""
    if text.isascii():
        return []
    found, alike, scripts = [], [], set()
    for word in _LETTERS.findall(text):
        own = {script for letter in word if (script := script_of(letter))}
        if len(own) > 1 or "STYLED" in own:
            found.append(word)
        elif own <= {"CYRILLIC", "GREEK"} and all(letter in LOOKALIKES for letter in word):
            alike.append(word)
        else:
            scripts |= own
    return list(dict.fromkeys(found + (alike if scripts == {"LATIN"} else [])))


@lru_cache(maxsize=4096)
def script_of(letter: str) -> str:
    """LATIN, CYRILLIC, GREEK, STYLED for what only looks like a letter of these, "" for every other."""
    name = unicodedata.name(letter, "")
    if name.startswith(("FULLWIDTH LATIN", "MATHEMATICAL")):
        return "STYLED"
    return next((script for script in _SCRIPTS if name.startswith(script)), "")


@dataclass(frozen=True)
class LatinLetters:
    """The words of `accidents` in Latin letters."""

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return "type letters that only look right anew"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        odd = set(accidents(text))
        return (
            _LETTERS.sub(lambda match: _latin(match[0]) if match[0] in odd else match[0], text)
            if odd
            else text
        )


def _latin(word: str) -> str:
    plain = (unicodedata.normalize("NFKC", x) if script_of(x) == "STYLED" else x for x in word)
    return "".join(LOOKALIKES.get(letter, letter) for letter in plain)


@dataclass(frozen=True)
class StraightQuotes:
    """Quotes, dots and spaces as a keyboard types them."""

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return "straighten quotes and spaces"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        return text.translate(_QUOTES)


@dataclass(frozen=True)
class TidyCommas:
    """No comma at the end, and none with nothing before it."""

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return "remove commas without a phrase"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        return "\n".join(map(_tidied, text.split("\n"))) if "," in text else text


def _tidied(line: str) -> str:
    parts = line.split(",")
    kept = [part for part in parts if part.strip()]
    if len(kept) == len(parts) or len(parts) == 1:
        return line
    end = "\r" if line.endswith("\r") else ""
    first = kept[0].lstrip() if kept and not parts[0].strip() else "".join(kept[:1])
    joined = ",".join((first, *kept[1:]))
    return joined if parts[-1].strip() else joined.rstrip() + end
