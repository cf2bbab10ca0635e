"""captions.ops.jsonl: everything that was done to the captions of a project, and what is being typed.

One JSON object a line, ASCII, appended under a lock and synced, never rewritten. A line is an operation (`op`), the end of
one (`applied`), what somebody is typing (`draft`), or that somebody looked at a model's drafts (`looked`). An operation is
written before its files are: so one that was cut off is known, and finished. docs/files.md has the fields.
"""

import base64
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.dataset.captioning.content import content_of
from projects.problems import refuse

NAME: Final = "captions.ops.jsonl"
FORMAT: Final = 1
LOOKING: Final = frozenset({"edit", "merge", "restore"})
"""Kinds of operations in which somebody has seen the caption."""


@dataclass(frozen=True)
class Change:
    """What became of one caption file: all its bytes before and after; None where it was not or is no more."""

    file: str
    before: bytes | None
    after: bytes | None

    def back(self) -> "Change":
        """The change that takes it back."""
        return Change(self.file, self.after, self.before)


@dataclass(frozen=True, kw_only=True)
class Op:
    """One step: an edit, a change of many captions, drafts of a model, or the undoing or doing again of one."""

    id: int
    at: float
    """Seconds since 1970."""
    kind: str
    """edit, merge, restore, replace, prefix ... fill, convert, undo, redo."""
    words: str
    """What was done, for people: 'replaced "linen" by "cotton"'."""
    files: tuple[str, ...]
    of: int = 0
    """undo, redo: the operation that it is about."""
    drafted: bool = False
    """Written by a model."""


@dataclass(frozen=True)
class Typed:
    """What somebody was typing when it was last written down."""

    text: str
    on: str
    """sha256 of the file that was being edited; "" where there was none."""
    at: float


@dataclass
class Journal:
    """What the lines come to, read as far as they go."""

    path: Path
    ops: dict[int, Op] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    """Operations that undo takes back, the newest last."""
    undone: list[int] = field(default_factory=list)
    """Operations that redo does again, the next one last."""
    open: set[int] = field(default_factory=set)
    """Operations that were begun and not said to be applied."""
    typed: dict[str, Typed] = field(default_factory=dict)
    """By caption file: what was typed after the file's last operation."""
    drafted: set[str] = field(default_factory=set)
    """Caption files that hold a model's words that nobody has looked at."""
    drafted_by: dict[str, int] = field(default_factory=dict)
    """Of each of them the operation before which it held a person's words, or none: later drafts are over that one."""
    unreadable: int = 0
    """Lines that are none: torn ones, or what something else wrote."""
    _offset: int = 0
    _at: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Where the line of an operation is, offset and length: the texts stay in the file."""

    def read(self) -> None:
        """Take in what was appended since. Raises Refused where the file cannot be read or is of a newer Safelight."""
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._offset:
                    self._forget()
                file.seek(self._offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._take(line, self._offset)
                    self._offset += len(line)
        except FileNotFoundError:
            self._forget()
        except OSError as error:
            raise refuse(
                f"cannot be read: {error.strerror}.", where=self.path, hint="Check its permissions."
            ) from None

    def changes(self, op: int) -> list[Change]:
        """What an operation did, read from its line."""
        offset, length = self._at[op]
        with self.path.open("rb") as file:
            file.seek(offset)
            line = json.loads(file.read(length))
        return [Change(one["file"], _bytes(one["before"]), _bytes(one["after"])) for one in line["changes"]]

    def before_drafts(self) -> dict[str, str]:
        """Caption file -> what a person had written there, "" for nothing, of each that holds a draft."""
        found = {}
        for number in sorted(set(self.drafted_by.values())):
            for one in self.changes(number):
                if self.drafted_by.get(one.file) == number:
                    found[one.file] = content_of(one.before).text if one.before else ""
        return found

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the journal and with the caption files, among threads and processes. Reads what is new first."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            hint = (
                "Captions are edited only where the journal can be written: check the folder's permissions."
            )
            raise refuse(f"cannot be written: {error.strerror}.", where=self.path, hint=hint) from None
        try:
            # flock, as it holds between threads too; nobody holds it longer than an operation takes.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                os.write(descriptor, b"\n")
            self.read()
            self._descriptor = descriptor
            yield
        finally:
            self._descriptor = -1
            os.close(descriptor)

    def begin(
        self, kind: str, words: str, changes: Sequence[Change], *, of: int = 0, drafted: bool = False
    ) -> Op:
        """Write an operation down before it is done. Within `locked`."""
        number = max(self.ops, default=0) + 1
        table = {
            "format": FORMAT, "op": number, "t": round(time.time(), 3), "kind": kind, "words": words,
            "changes": [
                {"file": one.file, "before": _said(one.before), "after": _said(one.after)} for one in changes
            ],
        }  # fmt: skip
        if of:
            table["of"] = of
        if drafted:
            table["drafted"] = True
        self._append(table, synced=True)
        return self.ops[number]

    def end(self, op: int) -> None:
        """The operation is applied."""
        self._append({"applied": op})

    def type(self, file: str, text: str | None, on: str) -> None:
        """Write down what somebody is typing, so that a power cut loses a second of it. None: it is dropped."""
        self._append(
            {"draft": {"file": file, "text": text, "on": on}, "t": round(time.time(), 3)}, synced=True
        )

    def look(self, files: Sequence[str]) -> None:
        """Somebody has looked at these drafts of a model."""
        self._append({"looked": list(files)})

    def _append(self, table: Mapping[str, object], *, synced: bool = False) -> None:
        # ASCII: captions hold what a terminal would obey.
        line = json.dumps(table, separators=(",", ":")).encode("ascii") + b"\n"
        view = memoryview(line)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
            if synced:
                os.fsync(self._descriptor)
        except OSError as error:
            hint = "Nothing was changed. Make room on the disk, then do it again."
            raise refuse(f"cannot be written: {error.strerror}.", where=self.path, hint=hint) from None
        self.read()

    _descriptor: int = -1

    def _forget(self) -> None:
        self._offset, self.unreadable = 0, 0
        for each in (self.ops, self.done, self.undone, self.open, self.typed, self.drafted):
            each.clear()
        self.drafted_by.clear()
        self._at.clear()

    def _take(self, line: bytes, offset: int) -> None:
        try:
            table = json.loads(line)
            if "op" in table:
                self._take_op(table, offset, len(line))
            elif "applied" in table:
                self.open.discard(table["applied"])
            elif "draft" in table:
                self._take_draft(table["draft"], float(table["t"]))
            elif "looked" in table:
                self._no_drafts(table["looked"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.unreadable += bool(line.strip())

    def _take_op(self, table: Mapping[str, Any], offset: int, length: int) -> None:
        if table["format"] > FORMAT:
            hint = "Open the project with that Safelight; nothing was changed."
            raise refuse("was written by a newer Safelight.", where=self.path, hint=hint)
        op = Op(
            id=table["op"], at=float(table["t"]), kind=table["kind"], words=table["words"],
            files=tuple(one["file"] for one in table["changes"]), of=table.get("of", 0),
            drafted=table.get("drafted", False),
        )  # fmt: skip
        self.ops[op.id], self._at[op.id] = op, (offset, length)
        self.open.add(op.id)
        for file in op.files:
            self.typed.pop(file, None)
        about = self.ops.get(op.of)
        if op.kind == "undo":
            self._shift(op.of, self.done, self.undone)
        elif op.kind == "redo":
            self._shift(op.of, self.undone, self.done)
        else:
            self.done.append(op.id)
            self.undone.clear()
        if op.drafted or (op.kind == "redo" and about and about.drafted):
            self.drafted.update(op.files)
            for file in op.files:
                self.drafted_by.setdefault(file, op.id)
        elif op.kind in LOOKING or (op.kind == "undo" and about and about.drafted):
            self._no_drafts(op.files)

    def _no_drafts(self, files: Sequence[str]) -> None:
        self.drafted.difference_update(files)
        for file in files:
            self.drafted_by.pop(file, None)

    def _take_draft(self, draft: Mapping[str, Any], at: float) -> None:
        if draft["text"] is None:
            self.typed.pop(draft["file"], None)
        else:
            self.typed[draft["file"]] = Typed(draft["text"], draft["on"], at)

    @staticmethod
    def _shift(op: int, source: list[int], target: list[int]) -> None:
        if op in source:
            source.remove(op)
            target.append(op)


def _said(data: bytes | None) -> object:
    """Bytes in JSON: as text where they are UTF-8, which people can read, else in base64."""
    if data is None:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def _bytes(said: Any) -> bytes | None:
    if said is None:
        return None
    if isinstance(said, str):
        return said.encode("utf-8", errors="surrogatepass")
    return base64.b64decode(said["base64"])
