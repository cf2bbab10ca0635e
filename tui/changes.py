"""What a person changed in project.toml from a room, to take back and to do again, and what was typed and not saved."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from projects import atomic
from projects.problems import Problem
from projects.toml import read_toml, split_key, write_value
from tui.form import assignment, said_in, typed_as

_FILE: Final = "project.toml"
WRITING: Final = threading.Lock()
"""A writer reads the whole file first: two at once would lose what the first one wrote."""


@dataclass(frozen=True)
class Value:
    """One key of project.toml and what it said before and after a change; None where it said nothing."""

    key: str
    """As `--set` takes it: parts quoted where they must be."""
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """What was saved in one step: one value of a form, or what is said of many pictures at once."""

    values: tuple[Value, ...]
    file_before: bytes
    file_after: bytes
    told: str = ""
    """What it did, as a clause; "" where the one value says it."""

    @property
    def key(self) -> str:
        """The first key."""
        return self.values[0].key

    def back(self) -> "Change":
        """The change that takes this one back."""
        values = tuple(Value(each.key, each.after, each.before) for each in self.values)
        return Change(values, self.file_after, self.file_before, self.told)


class ChangedOutside(Exception):
    """The file does not say any more what the person saw, so nothing was written."""

    def __init__(self, key: str, now: str | None) -> None:
        self.key, self.now = key, now
        """What the file says, as it is typed; None for nothing."""
        super().__init__(key)


@dataclass
class Changes:
    """The history of a room, newest last."""

    done: list[Change] = field(default_factory=list)
    undone: list[Change] = field(default_factory=list)
    refused: dict[str, tuple[str, Problem]] = field(default_factory=dict)
    """Key -> what was typed and why it is not saved; it stays in the field until it is mended."""

    def keep(self, change: Change) -> None:
        """A new change; what was undone before it is gone."""
        self.done.append(change)
        self.undone.clear()


def save(folder: Path, key: str, typed: str | None, seen: str | None) -> Change:
    """Write what was typed (None takes the key out), where the file still says what was `seen`.

    Raises ChangedOutside where it does not, Refused where the value or the file cannot be had.
    """
    from projects.project import open_project, save_values

    project = open_project(folder)
    before = _bytes(project.file)
    now = said_in(project.text, key)
    if now != seen:
        raise ChangedOutside(key, now)
    if typed is None:
        saved = save_values(project, [], without=[key])
    else:
        saved = save_values(project, [assignment(key, typed)])
    value = Value(key, _plain(project.text, [key])[key], _plain(saved.text, [key])[key])
    return Change((value,), before, _bytes(project.file))


def put(
    folder: Path, said: Mapping[str, Any], told: str, seen: Mapping[str, Any] | None = None
) -> Change | None:
    """Write values by their keys, None takes one out, whatever the file says there. None: it says all of that already.

    seen: what it must say at some keys all the same, None for nothing. Raises ChangedOutside where not, and Refused.
    """
    from projects.project import open_project

    text = open_project(folder).text
    there = _plain(text, seen or ())
    for key, value in (seen or {}).items():
        if there[key] != value:
            raise ChangedOutside(key, None if there[key] is None else typed_as(there[key]))
    now = _plain(text, said)
    values = [Value(key, now[key], value) for key, value in said.items() if now[key] != value]
    return _written(folder, values, told) if values else None


def again(folder: Path, change: Change) -> Change:
    """Make a change once more, or its `back()`: the bytes of the file where nobody else wrote it, else its values.

    Gives the change as it was made now. Raises as `save` does: then nothing of it was written.
    """
    from projects.project import open_project

    file = folder / _FILE
    if _bytes(file) == change.file_before:
        atomic.write_bytes(file, change.file_after)
        return change
    now = _plain(open_project(folder).text, [each.key for each in change.values])
    for each in change.values:
        if now[each.key] != each.before:
            said = now[each.key]
            raise ChangedOutside(each.key, None if said is None else typed_as(said))
    return _written(folder, change.values, change.told)


def with_unsaved(unsaved: Mapping[str, str]) -> dict[str, tuple[str, Problem]]:
    """What was typed before the workbench was left, as it stands in its fields again."""
    left = "Not saved: it was typed when the workbench was left."
    hint = "Enter opens it and saves it, esc drops it."
    return {key: (typed, Problem(error=left, hint=hint)) for key, typed in unsaved.items()}


def _written(folder: Path, values: Sequence[Value], told: str) -> Change:
    from projects.project import open_project, save_values

    project = open_project(folder)
    before = _bytes(project.file)
    said = [f"{each.key}={write_value(each.after)}" for each in values if each.after is not None]
    gone = [each.key for each in values if each.after is None and each.before is not None]
    save_values(project, said, without=gone)
    return Change(tuple(values), before, _bytes(project.file), told)


def _plain(text: str, keys: Sequence[str] | Mapping[str, Any]) -> dict[str, Any]:
    """What the text says at each key; None where it says nothing."""
    table = read_toml(text, _FILE)
    found: dict[str, Any] = {}
    for key in keys:
        value: Any = table
        for part in split_key(key):
            value = value.get(part) if isinstance(value, Mapping) else None
        found[key] = value
    return found


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
