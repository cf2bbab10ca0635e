"""What a screen of many changes is about: captions to choose among, what is typed there, and what comes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from engine.dataset.captioning.arranging import DedupePhrases, MovePhrase, SortPhrases, TriggerFirst
from engine.dataset.captioning.content import Content
from engine.dataset.captioning.edits import Prefix, Replace, ReplacePattern, ReplacePhrase, Suffix
from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.phrases import count_phrases, twins
from engine.dataset.captioning.preview import EditOf, everywhere
from projects.spec import RunSpec, trigger_of

Change = Literal["trigger", "prefix", "suffix", "remove", "move", "sort", "dedupe", "twins"]
TRIGGER_FIRST: Final = "put the trigger first"
PLACES: Final = ("first", "second", "third", "last")
_LAST: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Captions that a change may be meant for."""

    words: str
    """all, filter, selected."""
    entries: Sequence[Entry]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A change of each caption."""

    kind: str
    """As the journal names it."""
    words: str
    """What it does, as people say it."""
    edit_of: EditOf


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What is to be written: one step of undo."""

    asked: Asked
    texts: Mapping[str, str]
    """By caption file."""
    bases: Mapping[str, Content | None]
    """What the texts were made from, so that what somebody else writes meanwhile is seen."""


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """What is typed and chosen in the screen of replace. Its edit may be refused: a pattern that is none."""

    old: str = ""
    new: str = ""
    how: Literal["", "regex", "phrase", "word"] = ""
    """"": letters, wherever they stand."""
    ignore_case: bool = False

    def asked(self) -> Asked | None:
        """None while there is nothing to look for."""
        if not self.old or (self.how == "phrase" and not self.old.strip()):
            return None
        edit: Replace | ReplacePattern | ReplacePhrase
        if self.how == "regex":
            edit = ReplacePattern(self.old, self.new, match_case=not self.ignore_case)
        elif self.how == "phrase":
            edit = ReplacePhrase((self.old,), self.new, match_case=not self.ignore_case)
        else:
            edit = Replace(self.old, self.new, match_case=not self.ignore_case, whole_word=self.how == "word")
        return Asked(kind="replace", words=edit.words, edit_of=everywhere(edit))


@dataclass(frozen=True)
class Offered:
    """One of the changes to choose from."""

    change: Change
    words: str
    label: str = ""
    """What its field holds; "" where it has none."""
    options: Callable[[Sequence[Entry]], Sequence["Option"]] = field(default=lambda _: (), repr=False)
    """What else there is to choose, given the captions."""


@dataclass(frozen=True)
class Option:
    """One of the values of a change beside its field."""

    words: str
    value: object
    text: str = ""
    """What the field holds to begin with."""


def offered() -> list[Offered]:
    """Every change, in the order of the list."""
    places = [Option(word, place) for word, place in zip(PLACES, (0, 1, 2, _LAST), strict=True)]
    orders = [Option("most captions first", "count"), Option("by name", "name")]
    return [
        Offered("trigger", "put the trigger first"),
        Offered("prefix", "put in front", "text"),
        Offered("suffix", "put at the end", "text"),
        Offered("remove", "remove a phrase", "phrase"),
        Offered("move", "move a phrase", "phrase", lambda _: places),
        Offered("sort", "sort the phrases", "", lambda _: orders),
        Offered("dedupe", "remove repeated phrases"),
        Offered("twins", "merge twins", "keep", _twins),
    ]


def asked_of(
    change: Change, text: str, option: Option | None, entries: Sequence[Entry], spec: RunSpec
) -> Asked | None:
    """What is typed and chosen as a change; None while something is missing.

    entries: all captions of the project, for what is counted. Takes some milliseconds with many.
    """
    own = text.strip()
    if change == "trigger":
        return Asked(kind="trigger-first", words=TRIGGER_FIRST, edit_of=trigger_first(spec))
    if change == "dedupe":
        return Asked(kind="dedupe", words=DedupePhrases().words, edit_of=everywhere(DedupePhrases()))
    if change == "sort" and option:
        sort = sorting("count" if option.value == "count" else "name", entries, spec)
        return Asked(kind="sort", words=sort.words, edit_of=everywhere(sort))
    if not own:
        return None
    if change == "twins" and option and isinstance(option.value, tuple):
        others = tuple(each for each in option.value if each != own)
        merge = ReplacePhrase(others, own)
        return Asked(kind="twins", words=merge.words, edit_of=everywhere(merge)) if others else None
    edit: Prefix | Suffix | ReplacePhrase | MovePhrase
    if change == "prefix":
        edit = Prefix(text)
    elif change == "suffix":
        edit = Suffix(text)
    elif change == "remove":
        edit = ReplacePhrase((own,))
    else:
        place = option.value if option and isinstance(option.value, int) else 0
        edit = MovePhrase(own, place)
    return Asked(kind=change, words=edit.words, edit_of=everywhere(edit))


def trigger_first(spec: RunSpec) -> EditOf:
    """The trigger in front in every subject picture's captions, its own set's where it has one."""

    def edit_of(entry: Entry) -> TriggerFirst | None:
        trigger = trigger_of(entry.dataset, spec.trigger)
        return TriggerFirst(trigger) if trigger and entry.dataset.role == "subject" else None

    return edit_of


def sorting(by: Literal["count", "name"], entries: Sequence[Entry], spec: RunSpec) -> SortPhrases:
    """Phrases sorted, the triggers in their place. entries: all captions of the project, for what is counted."""
    counts = count_phrases(entry.text for entry in entries) if by == "count" else {}
    keep = {spec.trigger, *(entry.dataset.trigger for entry in entries)} - {""}
    return SortPhrases(by, counts, tuple(sorted(keep)))


def _twins(entries: Sequence[Entry]) -> Sequence[Option]:
    counts = count_phrases(entry.text for entry in entries)
    return [
        Option(f"{', '.join(each.others)} ({each.why})", (each.keep, *each.others), each.keep)
        for each in twins(counts)
    ]
