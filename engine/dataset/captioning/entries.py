"""The captions of a project as they lie on the disk: one entry a caption file, and one where a picture has none yet."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.dataset.captioning.content import NEW, Content, content_of
from engine.dataset.folders import Findings, Found, find_pictures, first_pictures
from projects.problems import Problem
from projects.spec import Data, DataSet

LARGEST = 1_000_000
"""Bytes of a caption file that are read; a larger one is no caption, and is neither shown nor edited."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One caption file of one picture, there or not yet."""

    picture: str
    """Name of the picture as people write it."""
    path: Path
    """The picture, absolute."""
    dataset: DataSet
    """Its set: role, and trigger and class word where they are the set's own."""
    file: str
    """The caption file: relative to the project, with slashes; absolute where it lies elsewhere. The key of everything."""
    variant: int
    """1: NAME.txt. n: NAME.n.txt."""
    content: Content | None
    """None where there is no file, or where it cannot be read: then `problem` says so."""
    problem: Problem | None = None
    """Why it cannot be read."""

    @property
    def text(self) -> str:
        """The caption, "" where there is none."""
        return self.content.text if self.content else ""


def entries_of(project: Path, data: Data) -> tuple[list[Entry], list[Problem]]:
    """Every caption of every picture that is not left out, set by set, by name; and what stands against the folders."""
    listing = find_pictures(project, data)
    return entries_in(project, listing, data), list(listing.problems)


def entries_in(project: Path, listing: Findings, data: Data) -> list[Entry]:
    """Every caption of the pictures that were found."""
    root = Path(os.path.abspath(project))
    return [entry for each in listing.pictures for entry in _of(root, each, data.caption_extension)]


def first_entries(project: Path, data: Data, count: int) -> list[Entry]:
    """The captions of the first `count` pictures, while all are still read."""
    root = Path(os.path.abspath(project))
    found = first_pictures(project, data, count)
    return [entry for each in found for entry in _of(root, each, data.caption_extension)]


def _of(project: Path, found: Found, extension: str) -> Iterable[Entry]:
    own = found.path.with_suffix(f".{extension}")
    files = found.captions if own in found.captions else (own, *found.captions)
    for file in files:
        number = file.name[len(found.path.stem) + 1 : -len(extension) - 1]
        content, problem = read(file)
        yield Entry(
            picture=found.name, path=found.path, dataset=found.dataset, file=named(project, file),
            variant=int(number) if number else 1, content=content, problem=problem,
        )  # fmt: skip


def named(project: Path, file: Path) -> str:
    """How a caption file is called everywhere: relative to the project where it lies in it."""
    return file.relative_to(project).as_posix() if file.is_relative_to(project) else file.as_posix()


def read(file: Path) -> tuple[Content | None, Problem | None]:
    """What a caption file holds, or why nobody can say. (None, None): it is not there."""
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except FileNotFoundError:
        return None, None
    except OSError as error:
        hint = "Check its permissions."
        return None, Problem(error=f"cannot be read: {error.strerror or error}.", where=str(file), hint=hint)
    if len(data) > LARGEST:
        hint = "A caption is a sentence or two. Take the file away."
        return None, Problem(error=f"is larger than {LARGEST // 1000:,} kB.", where=str(file), hint=hint)
    return content_of(data), None


def empty(entry: Entry) -> bool:
    """Whether nothing is written there."""
    return entry.content is None or not entry.text.strip()


def style(entry: Entry) -> Content:
    """The manner in which an edit of it is written."""
    return entry.content or NEW
