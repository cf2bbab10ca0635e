"""How many tokens a text has, where an encoder stops reading, and what it reads: as a training with this base does it.

Without torch, with the vocabularies of the base itself. Where one is not on this machine nothing is counted.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.dataset.vocabularies import WINDOWS, Kind, Vocabulary, is_there, vocabulary_in, window
from projects import spec
from projects.bases import CONFIGS_FOLDER, BaseFacts, describe, hub_snapshot
from projects.families import FAMILIES, Reader

_HALF = re.compile("[\ud800-\udfff]")
_MARKS = {"clip": 2, "t5": 1}
"""Tokens around a text: start and end with CLIP, end with T5."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """An encoder of a base, and where its vocabulary is. Nothing is loaded yet."""

    label: str
    """CLIP, CLIP 2, T5."""
    kind: Kind
    limit: int
    """Tokens of one's own that it reads; 75 with CLIP."""
    decides: bool = True
    """Whether what it does not read is lost."""
    folder: Path | None
    """None where the vocabulary is not on this machine: then "-" stands for every count."""


@dataclass(frozen=True)
class Count:
    """How an encoder reads a text."""

    tokens: int
    """Of one's own: without the marks around them, read or not."""
    cut: int | None
    """Index of the first character that is not read any more; None where it is read to its end."""


Counts = tuple[Count | None, ...]
"""Of one text, encoder by encoder; None where the vocabulary is not on this machine."""


@dataclass(frozen=True)
class Piece:
    """One token as the encoder sees it."""

    token: str
    """As the vocabulary spells it: "jacket</w>", "▁jacket", "<unk>" for what it does not know."""
    number: int
    start: int
    """The characters of the text that it stands for; of a mark none."""
    end: int
    read: bool
    """Whether it lies within the window."""


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """A vocabulary that is loaded. Counting is safe in several threads."""

    place: Place
    vocabulary: Vocabulary

    def count(self, text: str) -> Count:
        """Tokens and cut."""
        offsets = self._encoded(text).offsets
        limit = self.place.limit
        return Count(len(offsets), offsets[limit][0] if len(offsets) > limit else None)

    def cut(self, text: str) -> int | None:
        """Index of the first character that is not read; None where all are."""
        return self.count(text).cut

    def pieces(self, text: str) -> list[Piece]:
        """What the model is given, the marks among it, and behind the end mark what it is not given."""
        found = self._encoded(text)
        limit, named = self.place.limit, self.vocabulary.tokenizer.id_to_token
        own = [
            Piece(named(number), number, start, end, index < limit)
            for index, (number, (start, end)) in enumerate(zip(found.ids, found.offsets, strict=True))
        ]
        behind = own[limit - 1].end if len(own) > limit else len(text)
        first = [self._mark(self.vocabulary.start, 0)] if self.vocabulary.start else []
        return [*first, *own[:limit], self._mark(self.vocabulary.end, behind), *own[limit:]]

    def _encoded(self, text: str) -> Any:
        # Half of a pair of code units is no text and cannot be handed over; a file that holds it is refused anyway.
        plain = (
            text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _HALF.search(text) else text
        )
        return self.vocabulary.tokenizer.encode(plain, add_special_tokens=False)

    def _mark(self, token: str, at: int) -> Piece:
        return Piece(token, self.vocabulary.tokenizer.token_to_id(token), at, at, True)


def places_of(base: spec.Base, facts: BaseFacts, project: Path) -> tuple[Place, ...]:
    """The encoders of a base, in its order, loaded or not; none where its family is not known yet.

    facts: of `describe`. Reads a few small files at most.
    """
    family = facts.family or base.family
    if family not in FAMILIES:
        return ()
    home = _home(base, facts, project)
    return tuple(_place(reader, home) for reader in FAMILIES[family].readers)


def encoders_of(base: spec.Base, project: Path) -> tuple[Encoder | Place, ...]:
    """The same, loaded: an `Encoder` where the vocabulary is there and whole, else its `Place`.

    Takes a tenth of a second and 20 MB each. Raises Refused as `describe` does.
    """
    facts = describe(base.source, project, revision=base.revision)
    return tuple(loaded(place) or place for place in places_of(base, facts, project))


def loaded(place: Place) -> Encoder | None:
    """The encoder of a place; None where nothing is to be counted. Raises Refused for a damaged vocabulary."""
    if place.folder is None:
        return None
    return Encoder(place=place, vocabulary=vocabulary_in(place.folder, place.kind))


def counted(encoders: Sequence[Encoder | Place], texts: Iterable[str]) -> dict[str, Counts]:
    """Text -> how each encoder reads it; None for those whose vocabulary is not there. 60 microseconds each."""
    return {
        text: tuple(each.count(text) if isinstance(each, Encoder) else None for each in encoders)
        for text in texts
    }


def shipped() -> Encoder:
    """CLIP's own vocabulary, which comes with Safelight: what most bases read first."""
    folder = CONFIGS_FOLDER / "sd15" / "tokenizer"
    limit = window(folder, "clip") - _MARKS["clip"]
    place = Place(label="CLIP", kind="clip", limit=limit, folder=folder)
    return Encoder(place=place, vocabulary=vocabulary_in(folder, "clip"))


def _place(reader: Reader, home: Path | None) -> Place:
    folder = home / reader.tokenizer if home else None
    if folder is None or not is_there(folder, reader.kind):
        limit = WINDOWS[reader.kind] - _MARKS[reader.kind]
        return Place(label=reader.label, kind=reader.kind, limit=limit, decides=reader.decides, folder=None)
    limit = window(folder, reader.kind) - _MARKS[reader.kind]
    return Place(label=reader.label, kind=reader.kind, limit=limit, decides=reader.decides, folder=folder)


def _home(base: spec.Base, facts: BaseFacts, project: Path) -> Path | None:
    """The diffusers folder with the tokenizers: the base itself, its companion, or what comes with Safelight."""
    if facts.path is None:
        return None
    if facts.path.is_dir():
        return facts.path
    if not facts.companion:
        return CONFIGS_FOLDER / facts.family
    companion = base.companion or facts.companion
    folder = project / Path(companion).expanduser()
    return folder if folder.is_dir() else hub_snapshot(companion)
