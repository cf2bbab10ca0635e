"""Edits of the order in which phrases stand, the trigger's place among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.dataset.captioning.edits import Prefix, short
from engine.dataset.captioning.parts import (
    as_word,
    begins,
    holds,
    moved,
    phrases,
    reordered,
    without_phrase,
    without_word,
)

# ---- the order of phrases


@dataclass(frozen=True)
class MovePhrase:
    """A phrase to a place, from 0; captions that do not have it stay as they are."""

    phrase: str
    place: int = 0

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        where = "first" if self.place == 0 else f"to place {self.place + 1}"
        return f"move {short(self.phrase)} {where}"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        found = phrases(text)
        at = next((index for index, each in enumerate(found) if each.text == self.phrase.strip()), None)
        if at is None or found[min(self.place, len(found) - 1)].text == found[at].text:
            return text
        return reordered(text, found, moved(len(found), at, self.place))


@dataclass(frozen=True)
class SortPhrases:
    """Phrases by name, or those first that most captions have. Phrases with one of `keep`'s words stay where they are."""

    by: Literal["name", "count"] = "name"
    counts: Mapping[str, int] = field(default_factory=dict, repr=False)
    """How many captions have each, for by = "count"."""
    keep: tuple[str, ...] = ()
    """The triggers."""

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return f"sort phrases by {self.by}"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        found = phrases(text)
        free = [
            index for index, each in enumerate(found) if not any(holds(each.text, word) for word in self.keep)
        ]
        count = self.counts if self.by == "count" else {}
        wanted = sorted(
            free, key=lambda index: (-count.get(found[index].text, 0), found[index].text.casefold())
        )
        order = list(range(len(found)))
        for place, index in zip(free, wanted, strict=True):
            order[place] = index
        return reordered(text, found, order)


@dataclass(frozen=True)
class DedupePhrases:
    """Every phrase once, at its first place, whatever its case."""

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return "remove repeated phrases"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        seen: set[str] = set()
        again = []
        for index, each in enumerate(phrases(text)):
            if (folded := each.text.casefold()) in seen:
                again.append(index)
            seen.add(folded)
        for index in reversed(again):
            text = without_phrase(text, index)
        return text


# ---- the trigger


@dataclass(frozen=True)
class TriggerFirst:
    """The trigger in front: its phrase if it has one, else the word taken out of where it stands, else written anew."""

    trigger: str

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return f"put the trigger {short(self.trigger)} first"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        if not self.trigger:
            return text
        found = phrases(text)
        own = next((index for index, each in enumerate(found) if holds(each.text, self.trigger)), None)
        if own is None:
            return Prefix(self.trigger)(text)
        if own == 0 and begins(found[0].text, self.trigger):
            return text
        if begins(found[own].text, self.trigger):
            return reordered(text, found, moved(len(found), own, 0))
        return Prefix(self.trigger)(without_word(text, found[own], self.trigger))


@dataclass(frozen=True)
class TriggerOnce:
    """The trigger where it stands first, and nowhere else."""

    trigger: str

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return f"keep the trigger {short(self.trigger)} once"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        pattern = as_word(self.trigger)
        while self.trigger and len(places := [match.span() for match in pattern.finditer(text)]) > 1:
            found, (start, end) = phrases(text), places[-1]
            around = (index for index, each in enumerate(found) if each.start <= start and end <= each.end)
            if (at := next(around, None)) is None:  # A trigger with a comma in it is no part of a phrase.
                break
            whole = pattern.fullmatch(found[at].text) is not None
            text = (
                without_phrase(text, at) if whole else without_word(text, found[at], self.trigger, last=True)
            )
        return text
