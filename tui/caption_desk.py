"""The hands of the captions room: reads and writes in a thread, in the order that it was asked, and tells the room."""

import queue
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from textual.message import Message

from engine.dataset.captioning.book import Book, Outcome
from engine.dataset.captioning.content import Content
from engine.dataset.captioning.entries import first_entries
from projects.problems import Problem, Refused
from projects.spec import RunSpec
from tui.caption_rows import Captions, rows_of
from tui.drafting import Drafting, drafting_in, ended

Post = Callable[[Message], object]
_GLANCE: Final = 100
"""Pictures that are shown before all are read."""
_PAINT_SECONDS: Final = 0.1
"""Left to the interface to show them, where many more are to be read."""
_PATIENCE: Final = 3.0
"""Seconds that whoever leaves waits for what is still to be written."""


class CaptionsMoved(Message):
    """The captions are others now, or more is known of them."""

    def __init__(self, captions: Captions, changed: Collection[str], *, names: bool = False) -> None:
        """changed: pictures whose captions are others. names: pictures have come or gone."""
        self.captions, self.changed, self.names = captions, changed, names
        super().__init__()


class CaptionsDone(Message):
    """What was asked for was done, or could not be."""

    def __init__(self, outcome: Outcome, then: Callable[[Outcome], object]) -> None:
        self.outcome, self.then = outcome, then
        super().__init__()


class DraftingMoved(Message):
    """The job that drafts captions is elsewhere now, or over."""

    def __init__(self, drafting: Drafting | None, sentence: str) -> None:
        """sentence: how it ended; "" while it has not."""
        self.drafting, self.sentence = drafting, sentence
        super().__init__()


class CaptionsRefused(Message):
    """It could not be done at all; nothing was changed."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__()


class CaptionDesk:
    """One project's captions. Its methods are for the interface's loop and return at once; what comes of it is posted."""

    def __init__(self, project: Path, post: Post) -> None:
        self.project, self._post = project, post
        self.captions = Captions()
        """As they are by now; replaced as a whole by the thread."""
        self.book: Book | None = None
        self._drafting: Drafting | None = None
        self._wanted: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="captions", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()
        self.load()

    def stop(self) -> None:
        """Do what was asked, then end. Waits for it a little."""
        self._wanted.put(None)
        self._thread.join(_PATIENCE)

    def load(self) -> None:
        """Read project, folders, captions and journal again; what was cut off is finished, what was typed comes back."""
        self._wanted.put(self._load)

    def apply(
        self, kind: str, words: str, texts: Mapping[str, str], then: Callable[[Outcome], object], *,
        bases: Mapping[str, Content | None] | None = None,
    ) -> None:  # fmt: skip
        """`Book.apply`. What could not even be begun is told as what could not be written: the text is still meant."""
        self._ask(lambda book: book.apply(kind, words, texts, bases=bases), then)

    def undo(self, then: Callable[[Outcome], object]) -> None:
        """`Book.undo`."""
        self._ask(Book.undo, then)

    def redo(self, then: Callable[[Outcome], object]) -> None:
        """`Book.redo`."""
        self._ask(Book.redo, then)

    def convert(self, files: Sequence[str], then: Callable[[Outcome], object]) -> None:
        """`Book.convert`."""
        self._ask(lambda book: book.convert(files), then)

    def type(self, file: str, text: str | None, base: Content | None = None) -> None:
        """`Book.type`."""

        def work(book: Book) -> None:
            before = len(book.journal.ops)
            book.type(file, text, bases={file: base})
            if len(book.journal.ops) != before:
                self._tell(book)

        self._ask(work, telling=False)

    def look(self, files: Sequence[str]) -> None:
        """`Book.look`."""
        self._ask(lambda book: book.look(files))

    def refresh(self, files: Sequence[str], then: Callable[[Sequence[str]], object] | None = None) -> None:
        """Read those of these files again that somebody else wrote meanwhile; all of them where none is named."""

        def work(book: Book) -> None:
            before = max(book.journal.ops, default=0)
            book.journal.read()
            # What another process did, a drafting job or a command line, is in files that nobody looks at here.
            news = [op for op in reversed(book.journal.ops.values()) if op.id > before]
            named = [*files, *(file for op in news for file in op.files)]
            changed = book.refresh(named if files else list(book.entries))
            self._watch_drafting()
            if changed or news:
                self._tell(book)
                if then is not None:
                    self._post(CaptionsDone(Outcome(), lambda _: then(changed)))

        if self.book is not None:
            self._ask(work, telling=False)

    def now(self, kind: str, words: str, file: str, text: str, base: Content | None) -> None:
        """Write one caption before anything else happens: the terminal may be going."""
        book = self.book or Book(self.project, self.captions.spec.data)
        book.apply(kind, words, {file: text}, bases={file: base})

    def _ask(
        self, work: Callable[[Book], object], then: Callable[[Outcome], object] | None = None, *,
        telling: bool = True,
    ) -> None:  # fmt: skip
        def done() -> None:
            book = self.book
            if book is None:
                return
            try:
                outcome = work(book)
            except (Refused, OSError) as error:
                # Whoever waits for an answer gets one.
                if then is None:
                    raise
                outcome = Outcome(problems=_problems(error))
            if telling:
                self._tell(book)
            if then is not None and isinstance(outcome, Outcome):
                self._post(CaptionsDone(outcome, then))

        self._wanted.put(done)

    def _work(self) -> None:
        while (job := self._wanted.get()) is not None:
            try:
                job()
            except (Refused, OSError) as error:
                self._post(CaptionsRefused(_problems(error)[0]))

    def _load(self) -> None:
        from projects.project import open_project, resolve

        spec = resolve(open_project(self.project))
        if not self.captions.rows:
            self._glance(spec)
        book = Book(self.project, spec.data)
        book.load()
        self.captions = replace(
            self.captions,
            rows=rows_of(book.entries),
            spec=spec,
            loaded=True,
            problems=tuple(book.problems),
            orphans=book.orphans,
        )
        self.book = book
        self._tell(book, names=True)
        finished, restored = book.finish(), book.restore()
        if finished or restored.op or restored.conflicts:
            self._tell(book)
        if restored.op or restored.conflicts or restored.problems:
            self._post(CaptionsDone(restored, lambda _: None))

    def _watch_drafting(self) -> None:
        before, self._drafting = self._drafting, drafting_in(self.project)
        if self._drafting == before:
            return
        over = before is not None and before.alive and not (self._drafting and self._drafting.alive)
        self._post(DraftingMoved(self._drafting, ended(before.job) if over and before else ""))

    def _glance(self, spec: RunSpec) -> None:
        """Something to read and to write in at once. What is written meanwhile waits until all is read."""
        rows = rows_of({entry.file: entry for entry in first_entries(self.project, spec.data, _GLANCE)})
        self.captions = replace(self.captions, rows=rows, spec=spec)
        if rows:
            self._post(CaptionsMoved(self.captions.counted(), set(rows), names=True))
        if len(rows) == _GLANCE:
            time.sleep(_PAINT_SECONDS)

    def _tell(self, book: Book, *, names: bool = False) -> None:
        """Post what the book holds now. Rows that did not change are the same objects."""
        journal = book.journal
        known = {entry.file: entry for row in self.captions.rows.values() for entry in row.entries}
        changed = {entry.picture for file, entry in book.entries.items() if entry is not known.get(file)}
        looked = self.captions.drafted ^ journal.drafted
        rows = dict(self.captions.rows)
        if changed:
            fresh = rows_of({file: each for file, each in book.entries.items() if each.picture in changed})
            rows.update(fresh)
        ops = journal.ops
        self.captions = replace(
            self.captions, rows=rows, drafted=frozenset(journal.drafted),
            undo=ops[journal.done[-1]].words if journal.done else "",
            redo=ops[journal.undone[-1]].words if journal.undone else "",
        )  # fmt: skip
        changed |= {book.entries[file].picture for file in looked if file in book.entries}
        self._post(CaptionsMoved(self.captions.counted(), changed, names=names))


def _problems(error: Refused | OSError) -> tuple[Problem, ...]:
    if isinstance(error, Refused):
        return tuple(error.problems)
    return (Problem(error=f"{error.strerror or error}."),)
