"""Changes of a caption's text, from text to text. One that has nothing to change gives the same text, to the letter.

An edit knows its words ("replace linen by cotton"), so that journal, command line and screens say the same. Several
captions are edited by doing the same to each: `changes`.
"""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from engine.dataset.captioning.parts import begins, ends, phrases, rewritten
from projects.problems import refuse

if TYPE_CHECKING:
    from engine.dataset.captioning.patterns import Pattern

_LONGEST: Final = 30
"""Letters of a person's words that an edit's own words repeat."""
ALL_SECONDS: Final = 10.0
"""How long a bulk change may take before it is refused: a pattern can be slow with every caption."""


class Edit(Protocol):
    """What is done to one caption."""

    @property
    def words(self) -> str:
        """What it does, as people say it."""

    def __call__(self, text: str) -> str:
        """The text afterwards."""


class Change(NamedTuple):
    """What an edit does to one of several captions."""

    key: str
    before: str
    after: str


def changes(edit: Edit, texts: Iterable[tuple[str, str]]) -> list[Change]:
    """What the edit changes of (key, text); those that stay as they are are not in it.

    Raises Refused where it takes too long, which only patterns do.
    """
    end = time.monotonic() + ALL_SECONDS
    found = []
    for key, text in texts:
        if (after := edit(text)) != text:
            found.append(Change(key, text, after))
        if time.monotonic() > end:
            raise refuse(
                f"{edit.words} takes longer than {ALL_SECONDS:.0f} s.",
                hint="Make the pattern simpler, or choose fewer captions.", usage=True,
            )  # fmt: skip
    return found


# ---- words for other words


@dataclass(frozen=True)
class Replace:
    """Some letters by others, wherever they stand."""

    old: str
    new: str
    match_case: bool = False
    whole_word: bool = False
    """Only where no letter, digit or underscore goes on before or behind."""

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return f"replace {short(self.old)} by {short(self.new)}" if self.new else f"remove {short(self.old)}"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        if not self.old or (self.match_case and self.old not in text):
            return text
        pattern = re.escape(self.old)
        if self.whole_word:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        return re.sub(pattern, lambda _: self.new, text, flags=0 if self.match_case else re.IGNORECASE)


@dataclass(frozen=True)
class ReplacePattern:
    """What a pattern finds, by a text that may name its groups. Of a pattern that is none, making it raises Refused."""

    pattern: str
    new: str
    match_case: bool = False
    _compiled: "Pattern" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        from engine.dataset.captioning.patterns import Pattern  # regex is loaded by whoever uses patterns

        object.__setattr__(self, "_compiled", Pattern(self.pattern, self.new, match_case=self.match_case))

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return (
            f"replace /{short(self.pattern)}/ by {short(self.new)}"
            if self.new
            else f"remove /{short(self.pattern)}/"
        )

    def __call__(self, text: str) -> str:
        """The text afterwards. Raises Refused for a pattern that does not come to its end on this text."""
        return self._compiled.replaced(text)


@dataclass(frozen=True)
class ReplacePhrase:
    """Whole phrases by another one; by nothing, and they go with their comma. What is there already is not put twice."""

    old: tuple[str, ...]
    new: str = ""
    match_case: bool = True

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        old = short(" and ".join(self.old))
        return f"replace the phrase {old} by {short(self.new)}" if self.new else f"remove the phrase {old}"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        new, wanted = self.new.strip(), {self._folded(each) for each in self.old}
        found = phrases(text)
        hits = [
            index
            for index, each in enumerate(found)
            if self._folded(each.text) in wanted and each.text != new
        ]
        there = any(each.text == new for each in found) or not new
        if not hits:
            return text
        changed: dict[int, str | None] = dict.fromkeys(hits)
        if not there:
            changed[hits[0]] = new
        return rewritten(text, found, changed)

    def _folded(self, phrase: str) -> str:
        return phrase.strip() if self.match_case else phrase.strip().casefold()


# ---- in front and behind


@dataclass(frozen=True)
class Prefix:
    """A text in front, as a phrase of its own unless it says otherwise; not where it stands there already."""

    text: str

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return f"put {short(self.text.strip())} first"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        own = self.text.strip()
        if not own or begins(text.lstrip(), own):
            return text
        if not text.strip():
            return own.rstrip(", ")
        joined = "" if self.text.endswith((",", " ", "\n")) else ", "
        return self.text + (" " if self.text.endswith(",") else joined) + text.lstrip()


@dataclass(frozen=True)
class Suffix:
    """A text behind, as a phrase of its own unless it says otherwise; not where it stands there already."""

    text: str

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return f"put {short(self.text.strip(', '))} last"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        own = self.text.strip(", ")
        if not own or ((found := phrases(text)) and found[-1].text == own) or ends(text, own):
            return text
        if not text.strip():
            return own
        if self.text.startswith((",", ".", ";", " ", "\n")):
            return text.rstrip(" ") + self.text
        bare = text.rstrip()
        return f"{bare} {self.text}" if bare.endswith(",") else f"{bare}, {self.text}"


@dataclass(frozen=True)
class Chain:
    """Several edits, one after another."""

    edits: Sequence[Edit]

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return ", then ".join(edit.words for edit in self.edits)

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        for edit in self.edits:
            text = edit(text)
        return text


def short(text: str) -> str:
    """What a person typed, as far as it fits into a line."""
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
