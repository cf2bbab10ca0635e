"""Caption files that a run refuses, and files that are nobody's caption."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from engine.dataset.captioning.checks.shapes import Check, Collection, Conversion, Fix
from engine.dataset.captioning.edits import Replace
from engine.dataset.captions import Fault, FaultKind
from engine.dataset.findings import Finding
from projects.problems import listed

_READ: Final = "read as a run reads it"


def _missing(collection: Collection) -> Iterator[Finding]:
    for entry in collection.entries:
        if entry.variant == 1 and entry.content is None and entry.problem is None:
            yield _blocker(
                "missing", entry.picture, f"There is no {PurePath(entry.file).name}.", MISSING.method,
                "Write what the picture shows, or train it on the trigger alone: --missing trigger.",
            )  # fmt: skip


def _refused(collection: Collection, kind: FaultKind, method: str) -> Iterator[Finding]:
    for entry in collection.entries:
        found = collection.read.get(entry.file)
        name = PurePath(entry.file).name
        if isinstance(found, Fault) and found.kind == kind:
            yield _blocker(kind, entry.picture, f"{name} {found.error}", method, found.hint)
        if kind == "encoding" and entry.problem is not None:
            yield _blocker(kind, entry.picture, f"{name} {entry.problem.error}", method, entry.problem.hint)


def _blocker(check: str, picture: str, value: str, method: str, remedy: str) -> Finding:
    return Finding(
        check=check, severity="blocker", pictures=(picture,), value=value, confidence="exact", method=method,
        remedy=remedy,
    )  # fmt: skip


def _orphans(collection: Collection) -> Iterator[Finding]:
    if collection.orphans:
        yield Finding(
            check="orphan", severity="warning", pictures=(),
            value=f"Captions without a picture: {listed(list(collection.orphans))}.",
            number=float(len(collection.orphans)), confidence="exact", method=ORPHAN.method,
            remedy="Check the names: the stem and the extension must be the picture's, case included.",
        )  # fmt: skip


def _converted(collection: Collection, finding: Finding) -> Fix | None:
    """Only where the words can be read: not where they hold control characters or are no caption at all."""
    for entry in collection.by_picture.get(finding.pictures[0], ()):
        name = PurePath(entry.file).name
        if entry.content is not None and not entry.content.editable and finding.value.startswith(f"{name} "):
            return Conversion()
    return None


def _filled_in(collection: Collection, finding: Finding) -> Fix | None:
    """The word that the placeholder stands for, where the project says one."""
    for entry in collection.by_picture.get(finding.pictures[0], ()):
        found = collection.read.get(entry.file)
        if isinstance(found, Fault) and found.kind == "placeholder":
            word = collection.class_word if "class" in found.found.lower() else collection.trigger_of(entry)
            plain = any(part in found.found.lower() for part in ("trigger", "class", "token", "subject"))
            return Replace(found.found, word, match_case=True) if word and plain else None
    return None


MISSING = Check(
    name="missing", title="no caption", judge=_missing, method="a file of the picture's stem beside it",
    known="Exact.",
)  # fmt: skip
EMPTY = Check(
    name="empty", title="empty", judge=lambda collection: _refused(collection, "empty", _READ),
    method=_READ, known="Exact.",
)  # fmt: skip
ENCODING = Check(
    name="encoding", title="not UTF-8", fix=_converted,
    judge=lambda collection: _refused(collection, "encoding", _READ), method=_READ,
    known="That a file is no UTF-8 is exact; which older encoding it is, is a guess, as letters beyond ASCII will show.",
)  # fmt: skip
PLACEHOLDER = Check(
    name="placeholder", title="placeholder", fix=_filled_in,
    judge=lambda collection: _refused(collection, "placeholder", _READ),
    method=_READ,
    known="Knows the placeholders of usual tools in brackets: [trigger], {class}, <token>.",
)  # fmt: skip
ORPHAN = Check(
    name="orphan", title="without a picture", judge=_orphans,
    method="files with the caption's extension that belong to no picture", known="Exact.",
)  # fmt: skip
