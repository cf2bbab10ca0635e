"""What an edit would do to many captions, before anything is written; and which words of one it would change."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from engine.dataset.captioning.content import Content, shown
from engine.dataset.captioning.edits import ALL_SECONDS, Edit
from engine.dataset.captioning.entries import Entry, empty
from engine.dataset.captioning.parts import pieces_of, shared_ends
from projects.problems import Problem, listed, refuse

EditOf = Callable[[Entry], Edit | None]
"""The edit of one caption, where it depends on the caption's set: a trigger. None: this one is not meant."""
Piece = tuple[str, str]
"""Some of a caption before and after the edit."""

_MOST: Final = 400
"""Words between the first and the last that differ, up to which they are compared one by one."""


@dataclass(frozen=True)
class Hit:
    """One caption that the edit changes."""

    entry: Entry
    before: str
    """With plain line ends, as `after`."""
    after: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What an edit would do."""

    hits: tuple[Hit, ...] = ()
    """In the order of the pictures."""
    barred: tuple[Entry, ...] = ()
    """Captions that it would change were they UTF-8: they are left as they are."""
    unreadable: tuple[Entry, ...] = ()
    """Captions that cannot be read, so that nobody knows."""
    looked: int = 0
    """Captions with words in them that were looked at."""
    wordless: int = 0
    """Captions that are missing or empty. No edit writes the first words of a caption."""

    @property
    def pictures(self) -> int:
        """How many pictures have a caption that changes."""
        return len({hit.entry.path for hit in self.hits})

    @property
    def texts(self) -> dict[str, str]:
        """What `Book.apply` is given."""
        return {hit.entry.file: hit.after for hit in self.hits}

    @property
    def bases(self) -> dict[str, Content | None]:
        """What the texts were made from: what somebody writes into the files meanwhile is merged or named."""
        return {hit.entry.file: hit.entry.content for hit in self.hits}

    @property
    def problems(self) -> list[Problem]:
        """Why captions are left as they are, a sentence for all of a kind."""
        problems = [each.problem for each in self.unreadable if each.problem]
        if self.barred:
            names = [each.file for each in self.barred]
            encodings = " and ".join(sorted({each.content.encoding for each in self.barred if each.content}))
            error = f"{encodings}, not UTF-8, so left as they are: {listed(names)}."
            hint = "Convert them first; what they show is kept."
            problems.append(Problem(error=error, where="captions", hint=hint, files=names))
        return problems


def everywhere(edit: Edit) -> EditOf:
    """The same edit of every caption."""
    return lambda _entry: edit


def preview(
    edit_of: EditOf,
    entries: Iterable[Entry],
    *,
    seconds: float = ALL_SECONDS,
    stop: Callable[[], bool] = lambda: False,
) -> Preview | None:
    """What is done to these captions; None when `stop` says that nobody wants to know any more.

    Raises Refused where it takes more than `seconds`, which only patterns do.
    """
    hits: list[Hit] = []
    barred, unreadable, looked, wordless = [], [], 0, 0
    end = time.monotonic() + seconds
    for entry in entries:
        if stop():
            return None
        if entry.problem:
            unreadable.append(entry)
            continue
        if empty(entry):
            wordless += 1
            continue
        if (edit := edit_of(entry)) is None:
            continue
        looked += 1
        before = shown(entry.text)
        if (after := edit(before)) != before:
            if entry.content and entry.content.editable:
                hits.append(Hit(entry, before, after))
            else:
                barred.append(entry)
        if time.monotonic() > end:
            hint = "Make the pattern simpler, or choose fewer captions."
            raise refuse(f"This takes longer than {seconds:g} s.", hint=hint, usage=True)
    return Preview(
        hits=tuple(hits), barred=tuple(barred), unreadable=tuple(unreadable), looked=looked, wordless=wordless
    )


def pieces(before: str, after: str) -> list[Piece]:
    """Both texts piece by piece, word by word; a piece whose two sides differ is what the edit does."""
    old, new = pieces_of(before), pieces_of(after)
    first, last = shared_ends(old, new)
    middle, other = old[first : len(old) - last], new[first : len(new) - last]
    head, tail = "".join(old[:first]), "".join(old[len(old) - last :])
    found = [(head, head)]
    if max(len(middle), len(other)) > _MOST:
        found.append(("".join(middle), "".join(other)))
    else:
        for _, start, end, begin, stop in SequenceMatcher(None, middle, other, autojunk=False).get_opcodes():
            found.append(("".join(middle[start:end]), "".join(other[begin:stop])))
    return [each for each in [*found, (tail, tail)] if any(each)]


def counted(preview: Preview) -> str:
    """How much would change: "18 captions of 12 pictures"."""
    captions, pictures = len(preview.hits), preview.pictures
    if captions == pictures:
        return f"{captions:,} caption{'s' * (captions != 1)}"
    return f"{captions:,} captions of {pictures:,} picture{'s' * (pictures != 1)}"
