"""What a person changed in a form, to take back and to do again, and what was typed and not saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from projects import atomic
from projects.problems import Problem
from tui.form import assignment, said_in

if TYPE_CHECKING:
    from projects.project import Project


@dataclass(frozen=True)
class Change:
    """One value that was saved."""

    key: str
    before: str | None
    """As it is typed; None where the file said nothing."""
    after: str | None
    file_before: bytes
    file_after: bytes

    def back(self) -> "Change":
        """The change that takes this one back."""
        return Change(self.key, self.after, self.before, self.file_after, self.file_before)


class ChangedOutside(Exception):
    """The file does not say any more what the person saw, so nothing was written."""

    def __init__(self, key: str, now: str | None) -> None:
        self.key, self.now = key, now
        """What the file says, as it is typed; None for nothing."""
        super().__init__(key)


@dataclass
class Changes:
    """The history of a form, newest last."""

    done: list[Change] = field(default_factory=list)
    undone: list[Change] = field(default_factory=list)
    refused: dict[str, tuple[str, Problem]] = field(default_factory=dict)
    """Key -> what was typed and why it is not saved; it stays in the field until it is mended."""

    def keep(self, change: Change) -> None:
        """A new change; what was undone before it is gone."""
        self.done.append(change)
        self.undone.clear()


def save(project: "Project", key: str, typed: str | None, seen: str | None) -> Change:
    """Write what was typed (None takes the key out), where the file still says what was `seen`.

    Raises ChangedOutside where it does not, Refused where the value or the file cannot be had.
    """
    from projects.project import open_project, save_values

    file = project.file
    before = _bytes(file)
    now = said_in(open_project(project.path).text, key)
    if now != seen:
        raise ChangedOutside(key, now)
    if typed is None:
        saved = save_values(project, [], without=[key])
    else:
        saved = save_values(project, [assignment(key, typed)])
    return Change(key, seen, said_in(saved.text, key), before, _bytes(file))


def again(project: "Project", change: Change) -> Change:
    """Make a change once more, or its `back()`: the bytes of the file where nobody else wrote it, else the one value.

    Gives the change as it was made now. Raises as `save` does.
    """
    if _bytes(project.file) == change.file_before:
        atomic.write_bytes(project.file, change.file_after)
        return change
    return save(project, change.key, change.after, change.before)


def with_unsaved(unsaved: Mapping[str, str]) -> dict[str, tuple[str, Problem]]:
    """What was typed before the workbench was left, as it stands in its fields again."""
    left = "Not saved: it was typed when the workbench was left."
    hint = "Enter opens it and saves it, esc drops it."
    return {key: (typed, Problem(error=left, hint=hint)) for key, typed in unsaved.items()}


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
