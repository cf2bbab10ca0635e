"""Letters of another alphabet that look like those around them."""

import unicodedata
from collections.abc import Iterator
from pathlib import PurePath

from engine.dataset.captioning.checks.shapes import Check, Collection
from engine.dataset.captioning.tidying import LatinLetters, accidents, script_of
from engine.dataset.findings import Finding


def _judge(collection: Collection) -> Iterator[Finding]:
    for entry in collection.told:
        for word in accidents(entry.text):
            odd = [letter for letter in word if not letter.isascii() and script_of(letter) != "LATIN"]
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
