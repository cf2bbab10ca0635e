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
    rewritten,
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
        again: dict[int, None] = {}
        found = phrases(text)
        for index, each in enumerate(found):
            if (folded := each.text.casefold()) in seen:
                again[index] = None
            seen.add(folded)
        return rewritten(text, found, again) if again else text


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
        rest = without_word(found[own].text, self.trigger) or None
        return Prefix(self.trigger)(rewritten(text, found, {own: rest}))


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
        if not self.trigger:
            return text
        found = phrases(text)
        pattern, new, there = as_word(self.trigger), dict[int, str | None](), False
        for index, each in enumerate(found):
            count = len(pattern.findall(each.text))
            if count > (not there):
                # Empty: the phrase was nothing but triggers.
                new[index] = without_word(each.text, self.trigger, first=0 if there else 1).strip() or None
            there = there or count > 0
        return rewritten(text, found, new) if new else text
