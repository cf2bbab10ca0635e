"""The captions that a command line is about: read from the disk, and narrowed by a filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from engine.dataset.captioning.book import Book
from engine.dataset.captioning.content import shown
from engine.dataset.captioning.entries import Entry
from engine.dataset.tokens import Encoder, encoders_of
from projects.problems import Problem, listed, refuse
from projects.project import open_project, resolve
from projects.spec import RunSpec
from tui.caption_rows import Captions, rows_of
from tui.filters import FIELDS, parse
from tui.verbs.train import refuse_read_only

KNOWN: Final = ("name", "text", "role", "set", "is", "tokens")
"""Fields of a filter that captions have."""
_WAITING: Final = (
    "The captions room brings it back, or write it into its file now: safelight captions DIR restore"
)


@dataclass(frozen=True)
class Opened:
    """The captions of a project, read."""

    path: Path
    """The project, absolute."""
    spec: RunSpec
    book: Book
    finished: tuple[str, ...] = ()
    """What had been cut off and was finished just now, in words."""

    @cached_property
    def waiting(self) -> frozenset[str]:
        """Caption files of which something that was typed is in the journal only."""
        known = self.book.entries
        return frozenset(
            file
            for file, typed in self.book.journal.typed.items()
            if file not in known or typed.text != shown(known[file].text)
        )

    def narrowed(self, filter_text: str) -> list[Entry]:
        """Captions of the pictures that the filter shows. Raises Refused for a filter that means nothing here."""
        test = parse(filter_text).test
        rows = rows_of(self.book.entries)
        captions = Captions(rows=rows, loaded=True, drafted=frozenset(self.book.journal.drafted))
        return [
            entry
            for name, row in rows.items()
            if test(_Asked(captions.filtered_by(name), self, row.entries))
            for entry in row.entries
        ]

    @cached_property
    def encoders(self) -> list[Encoder]:
        """What tokens are counted with. Raises Refused where there is nothing to count with."""
        found = [each for each in encoders_of(self.spec.base, self.path) if isinstance(each, Encoder)]
        if not found:
            hint = "Without tokens in the filter it works."
            raise refuse("No tokenizer of this base is on this machine.", where="filter", hint=hint)
        return found


class _Asked(dict[str, object]):
    """A picture for a filter: tokens are counted when they are asked for, and what is not known here is refused."""

    def __init__(self, row: Mapping[str, object], opened: Opened, entries: Sequence[Entry]) -> None:
        super().__init__(row)
        self._opened, self._entries = opened, entries

    def get(self, field: str, default: Any = None) -> Any:
        if field == "tokens":
            texts = [entry.text for entry in self._entries]
            return max(each.count(text).tokens for each in self._opened.encoders for text in texts)
        if field in FIELDS and field not in KNOWN:
            hint = f"Of captions there are: {', '.join(KNOWN)}."
            raise refuse(f"{field} is not known of captions.", where="filter", hint=hint, usage=True)
        return super().get(field, default)


def opened(folder: Path, *, writing: bool) -> Opened:
    """The captions of the project in `folder`. writing: what had been cut off is finished first, as everywhere.

    Raises Refused where the project cannot be read, or, for writing, is of a newer Safelight.
    """
    project = open_project(folder)
    if writing:
        refuse_read_only(project)
    spec = resolve(project)
    book = Book(project.path, spec.data)
    book.load()
    # The journal is only opened for writing, which makes it, where there is something to finish.
    finished = book.finish() if writing and book.journal.open else []
    return Opened(project.path, spec, book, tuple(op.words for op in finished))


def waiting_problem(files: Sequence[str]) -> Problem:
    """Why these captions are left alone."""
    error = f"Typed and not saved yet, so left as it is: {listed(files)}."
    return Problem(error=error, hint=_WAITING, files=list(files))
