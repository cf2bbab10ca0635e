"""The captions of a project to read, to change and to take back. The one way a caption file is written.

Every change goes into the journal first and into the files then, each file whole. What somebody else wrote meanwhile is
never written over: an edit that does not touch theirs is merged with it, any other is given back as a conflict.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from engine.dataset.captioning.content import NEW, Content, content_of, data_of
from engine.dataset.captioning.entries import Entry, entries_in, read
from engine.dataset.captioning.journal import NAME, Change, Journal, Op
from engine.dataset.captioning.merge import merged
from engine.dataset.folders import find_pictures
from projects import atomic
from projects.problems import Problem, Refused, listed, refuse
from projects.spec import Data

Progress = Callable[[int, int], None]
"""(done, total)"""
_EVERY: Final = 100
"""Files between two reports of progress."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """An edit that touches what somebody else wrote into the file meanwhile. Nothing was written."""

    file: str
    origin: Content | None
    """What the edit started from; None where there was no file, or nobody knows."""
    mine: str
    theirs: Content
    """What the file holds now."""

    @property
    def base(self) -> str:
        """The words that the edit started from."""
        return self.origin.text if self.origin else ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a change."""

    op: Op | None = None
    """As it stands in the journal; None where nothing had to be changed."""
    merged: tuple[str, ...] = ()
    """Caption files in which somebody else's edit was kept beside this one."""
    conflicts: tuple[Conflict, ...] = ()
    """Caption files that were left as they are."""
    problems: tuple[Problem, ...] = ()
    """Caption files that could not be written."""


@dataclass
class Book:
    """All captions of one project. Any thread may use it; other processes may work on the same project."""

    project: Path
    data: Data
    entries: dict[str, Entry] = field(default_factory=dict)
    """By caption file, in the order of the pictures. Replaced as a whole by `load`, entry by entry by everything else."""
    problems: list[Problem] = field(default_factory=list)
    """What stands against the folders of the project."""
    orphans: tuple[str, ...] = ()
    """Caption files without a picture."""

    def __post_init__(self) -> None:
        self.project = Path(os.path.abspath(self.project))
        self.journal = Journal(self.project / NAME)
        self._lock = threading.RLock()
        self._stamps: dict[str, tuple[int, ...]] = {}

    def load(self) -> None:
        """Read the folders, every caption and the journal."""
        listing = find_pictures(self.project, self.data)
        found = entries_in(self.project, listing, self.data)
        with self._lock:
            self.entries, self.problems = {entry.file: entry for entry in found}, list(listing.problems)
            self.orphans = listing.orphans
            self._stamps = {}
            self.journal.read()

    def refresh(self, files: Sequence[str]) -> list[str]:
        """Read again those of these files that were written since; gives the ones that hold something else by now."""
        with self._lock:
            changed = []
            for file in files:
                if self._stamps.get(file) == (stamp := self._stamp(file)):
                    continue
                self._stamps[file] = stamp
                if self._current(file) != self._known(file):
                    self._reread(file)
                    changed.append(file)
            return changed

    def apply(
        self,
        kind: str,
        words: str,
        texts: Mapping[str, str],
        *,
        bases: Mapping[str, Content | None] | None = None,
        drafted: bool = False,
        progress: Progress | None = None,
    ) -> Outcome:
        """Give caption files new texts: one step of undo.

        texts: by caption file, with plain or with the file's own line ends. bases: what the texts were made from, where
        that is not what `entries` says. Raises Refused where the journal cannot be written; then nothing was changed.
        """
        with self._lock, self.journal.locked():
            changes, merges, conflicts, problems = [], [], [], []
            for file, text in texts.items():
                base = bases[file] if bases and file in bases else self._content(file)
                try:
                    change, was_merged = self._change(file, text, base)
                except Refused as refused:
                    problems += refused.problems
                except _Touched as touched:
                    conflicts.append(touched.conflict)
                else:
                    changes += [change] if change.before != change.after else []
                    merges += [file] if was_merged else []
            op, failed = self._carry_out(kind, words, changes, drafted=drafted, progress=progress)
            for file in texts:
                self._reread(file)
            return Outcome(
                op=op, merged=tuple(merges), conflicts=tuple(conflicts), problems=(*problems, *failed)
            )

    def convert(self, files: Sequence[str]) -> Outcome:
        """Write captions of an older encoding as UTF-8, as they are shown."""
        with self._lock, self.journal.locked():
            changes = []
            for file in files:
                data = self._current(file)
                if data is not None and not (content := content_of(data)).editable:
                    changes.append(Change(file, data, (content.text + content.end).encode("utf-8")))
            words = "converted " + _captions([one.file for one in changes]) + " to UTF-8"
            op, failed = self._carry_out("convert", words, changes)
            for file in files:
                self._reread(file)
            return Outcome(op=op, problems=tuple(failed))

    def undo(self) -> Outcome:
        """Take the newest step back. Raises Refused where there is none."""
        return self._turn("undo", self.journal.done, back=True)

    def redo(self) -> Outcome:
        """Do again what was taken back last. Raises Refused where there is nothing."""
        return self._turn("redo", self.journal.undone, back=False)

    def finish(self) -> list[Op]:
        """Finish what was cut off between the journal and the files. Gives those operations that had to be."""
        with self._lock, self.journal.locked():
            finished = []
            for op in [self.journal.ops[number] for number in sorted(self.journal.open)]:
                left = [one for one in self.journal.changes(op.id) if self._current(one.file) == one.before]
                left = [one for one in left if one.before != one.after and self._newest(one.file) == op.id]
                if not self._write(left):
                    self.journal.end(op.id)
                if left:
                    finished.append(op)
                for one in left:
                    self._reread(one.file)
            return finished

    def restore(self) -> Outcome:
        """Write what somebody was still typing when the program ended, where it is not in its file yet."""
        with self._lock:
            self.journal.read()
            typed = dict(self.journal.typed)
            texts, bases = {}, {}
            for file, draft in typed.items():
                content, _ = read(self._path(file))
                if _sha256(content) == draft.on or content is None:
                    texts[file], bases[file] = draft.text, content
                else:
                    # What it was typed on is gone: only a person can say which of the two is meant.
                    texts[file], bases[file] = draft.text, self._recorded(file, draft.on)
            if not texts:
                return Outcome()
            words = f"brought back what was typed in {_captions(list(texts))}"
            outcome = self.apply("restore", words, texts, bases=bases)
            open_ones = {each.file for each in outcome.conflicts}
            if not outcome.problems:
                for file in set(texts) - set(outcome.op.files if outcome.op else ()) - open_ones:
                    self.type(file, None)
            return outcome

    def type(self, file: str, text: str | None, *, bases: Mapping[str, Content | None] | None = None) -> None:
        """Note what is being typed, once a second. None: it is not meant any more.

        bases: what it is typed into, where that is not what `entries` says by now: told otherwise, a start after a power
        cut would take what somebody else wrote meanwhile for what this text was made from, and write over it.
        """
        with self._lock, self.journal.locked():
            base = bases[file] if bases and file in bases else self._content(file)
            self.journal.type(file, text, _sha256(base))

    def look(self, files: Sequence[str]) -> None:
        """Somebody has looked at these: they are no drafts any more."""
        with self._lock, self.journal.locked():
            if there := [file for file in files if file in self.journal.drafted]:
                self.journal.look(there)

    def _turn(self, kind: str, stack: list[int], *, back: bool) -> Outcome:
        with self._lock, self.journal.locked():
            if not stack:
                raise refuse("There is nothing to take back." if back else "Nothing was taken back.")
            about = self.journal.ops[stack[-1]]
            changes, left = [], []
            for one in self.journal.changes(about.id):
                wanted, current = one.back() if back else one, self._current(one.file)
                if current == wanted.after:
                    continue
                turned = wanted.after if current == wanted.before else _turned(wanted, current)
                if turned is None and current != wanted.before:
                    left.append(one.file)
                else:
                    changes.append(Change(one.file, current, turned))
            words = f"{'took back' if back else 'did again'}: {about.words}"
            op, failed = self._carry_out(kind, words, changes, of=about.id)
            for file in about.files:
                self._reread(file)
            problems = [*failed]
            if left:
                hint = "They were left as they are."
                problems.append(
                    Problem(error=f"Changed since by somebody else: {listed(left)}.", hint=hint, files=left)
                )
            return Outcome(op=op, problems=tuple(problems))

    def _carry_out(
        self,
        kind: str,
        words: str,
        changes: Sequence[Change],
        *,
        of: int = 0,
        drafted: bool = False,
        progress: Progress | None = None,
    ) -> tuple[Op | None, list[Problem]]:
        """Into the journal, then into the files. A step back is written down even where no file had to change."""
        if not changes and not of:
            return None, []
        op = self.journal.begin(kind, words, changes, of=of, drafted=drafted)
        failed = self._write(changes, progress)
        if not failed:
            self.journal.end(op.id)
        return op, failed

    def _write(self, changes: Sequence[Change], progress: Progress | None = None) -> list[Problem]:
        def written(done: int) -> None:
            if progress and done % _EVERY == 0:
                progress(done, len(changes))

        # A link stays a link: what it points to is written.
        paths = {one.file: Path(os.path.realpath(self._path(one.file))) for one in changes}
        failed = atomic.write_many(
            [(paths[one.file], one.after) for one in changes if one.after is not None], written
        )
        for one in changes:
            if one.after is None:
                try:
                    paths[one.file].unlink(missing_ok=True)
                except OSError as error:
                    failed.append((paths[one.file], error))
        names = {path: file for file, path in paths.items()}
        hint = "What was meant is kept in captions.ops.jsonl and written when this is opened again."
        return [
            Problem(error=f"cannot be written: {error.strerror}.", where=names[path], hint=hint)
            for path, error in failed
        ]

    def _change(self, file: str, text: str, base: Content | None) -> tuple[Change, bool]:
        """What is to be written, and whether somebody else's edit is in it. Raises Refused or _Touched."""
        content, problem = read(self._path(file))
        if problem:
            raise Refused(problem)
        for each in (base, content):
            if each is not None and not each.editable:
                hint = "Convert it to UTF-8 first; what it shows is kept."
                raise refuse(f"is {each.encoding}, not UTF-8.", where=file, hint=hint)
        before = content.data if content else None
        if before == (base.data if base else None):
            return Change(file, before, _after(text, content)), False
        touched = Conflict(file=file, origin=base, mine=text, theirs=content or NEW)
        together = merged(touched.base, text, touched.theirs.text)
        if together is None:
            raise _Touched(touched)
        return Change(file, before, _after(together, content)), together != text

    def _content(self, file: str) -> Content | None:
        entry = self.entries.get(file)
        return entry.content if entry else read(self._path(file))[0]

    def _known(self, file: str) -> bytes | None:
        content = self._content(file)
        return content.data if content else None

    def _current(self, file: str) -> bytes | None:
        content, _ = read(self._path(file))
        return content.data if content else None

    def _recorded(self, file: str, sha256: str) -> Content | None:
        """The content of a file with that sha256, from the newest operation that wrote or found it."""
        for op in reversed(self.journal.ops.values()):
            if file not in op.files:
                continue
            for one in self.journal.changes(op.id):
                for data in (one.after, one.before):
                    if one.file == file and data is not None and hashlib.sha256(data).hexdigest() == sha256:
                        return content_of(data)
        return None

    def _newest(self, file: str) -> int:
        return max((op.id for op in self.journal.ops.values() if file in op.files), default=0)

    def _stamp(self, file: str) -> tuple[int, ...]:
        """What changes when a file is written; () where it is not there."""
        try:
            facts = self._path(file).stat()
        except OSError:
            return ()
        return facts.st_mtime_ns, facts.st_size, facts.st_ino

    def _reread(self, file: str) -> None:
        if entry := self.entries.get(file):
            content, problem = read(self._path(file))
            self.entries[file] = replace(entry, content=content, problem=problem)

    def _path(self, file: str) -> Path:
        return self.project / file


class _Touched(Exception):
    def __init__(self, conflict: Conflict) -> None:
        self.conflict = conflict
        super().__init__(conflict.file)


def _after(text: str, content: Content | None) -> bytes | None:
    """The bytes to write. Where there is no file, no words make none."""
    if content is None and not text:
        return None
    return data_of(text, content or NEW)


def _turned(wanted: Change, current: bytes | None) -> bytes | None:
    """The change made to a file that somebody else has changed, or None where the two touch."""
    if current is None or wanted.before is None or wanted.after is None:
        return None
    before, after, now = (content_of(data) for data in (wanted.before, wanted.after, current))
    if not (before.editable and after.editable and now.editable):
        return None
    text = merged(before.text, after.text, now.text)
    return None if text is None else data_of(text, now)


def _sha256(content: Content | None) -> str:
    return hashlib.sha256(content.data).hexdigest() if content else ""


def _captions(files: Sequence[str]) -> str:
    return Path(files[0]).name if len(files) == 1 else f"{len(files):,} captions"
