"""Letters of another alphabet that look like those around them."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePath

from engine.dataset.captioning.checks.shapes import Check, Collection
from engine.dataset.captioning.tidying import LOOKALIKES, LatinLetters
from engine.dataset.findings import Finding

_WORD = re.compile(r"[^\W\d_]+")
_OURS = ("LATIN", "CYRILLIC", "GREEK")


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    if name.startswith(("FULLWIDTH", "MATHEMATICAL")):
        return "STYLED"
    return next((script for script in _OURS if name.startswith(script)), "")


def accidents(text: str) -> list[str]:
    """Words of two alphabets at once, of look-alikes alone among Latin words, or in letters made for display."""
    if text.isascii():
        return []
    found, latin = [], False
    alike = []
    for word in _WORD.findall(text):
        scripts = {script for letter in word if (script := _script(letter))}
        latin = latin or scripts == {"LATIN"}
        if len(scripts) > 1 or "STYLED" in scripts:
            found.append(word)
        elif scripts & {"CYRILLIC", "GREEK"} and all(letter in LOOKALIKES for letter in word):
            alike.append(word)
    return list(dict.fromkeys(found + (alike if latin else [])))


def _judge(collection: Collection) -> Iterator[Finding]:
    for entry in collection.told:
        for word in accidents(entry.text):
            odd = [letter for letter in word if not letter.isascii() and _script(letter) != "LATIN"]
            shown = "".join(dict.fromkeys(odd))[:12]
            yield Finding(
                check="alphabet", severity="warning", pictures=(entry.picture,),
                value=f'{PurePath(entry.file).name}: "{word}" has letters that only look right '
                f"({unicodedata.name(shown[0], 'unnamed').title() if shown else 'of two alphabets'}).",
                confidence="exact", method=ALPHABET.method,
                remedy="Type the word anew: to the model it is another one.",
            )  # fmt: skip
            break


ALPHABET = Check(
    name="alphabet", title="mixed alphabets", judge=_judge, fix=lambda _collection, _finding: LatinLetters(),
    method="words with letters of two of Latin, Cyrillic and Greek, of look-alikes alone beside Latin words, or in "
    "full-width and mathematical letters (Unicode names)",
    known="Exact; a Greek letter as a sign beside Latin words is taken for a slip.",
)  # fmt: skip
