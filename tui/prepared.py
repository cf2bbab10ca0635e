"""A step that a review advises, prepared as a new run: what it sets, and what would differ from the run that was judged."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.job import JobDir
from projects.problems import Problem, Refused
from projects.project import open_project, resolve
from projects.table import plain_table, read_assignments
from projects.toml import write_key, write_value
from tui.jobs import open_run
from tui.reviewed import Step
from tui.run_list import short_name


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A key that would be another one."""

    key: str
    now: str
    """In the run that was judged, as TOML; "-" where it says nothing."""
    then: str
    """In the new one."""
    said: bool
    """Whether the step says so; else project.toml was changed since."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What a new run would be."""

    assignments: Sequence[str]
    """As `train --set` takes them."""
    differences: Sequence[Difference] = ()
    problems: Sequence[Problem] = ()
    """Why it cannot be one."""


def assignments_of(step: Step) -> tuple[str, ...]:
    """`KEY=VALUE` for each key that the step sets; a value of null takes the key out."""
    return tuple(f"{key}={'' if value is None else write_value(value)}" for key, value in step.set.items())


def prepare(run: JobDir, step: Step) -> Prepared:
    """The step on the project as it is now, against what the run was given. For a thread: files are read."""
    assignments = assignments_of(step)
    try:
        before = open_run(run).spec
        said = {".".join(map(str, one.path)) for one in read_assignments(assignments)}
        after = resolve(open_project(Path(before.project)), assignments)
    except Refused as refused:
        return Prepared(assignments=assignments, problems=refused.problems)
    found = _differences(plain_table(before.spec), plain_table(after), said)
    return Prepared(assignments=assignments, differences=sorted(found, key=lambda each: not each.said))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], said: set[str]) -> Iterator[Difference]:
    was, will = dict(_leaves(before)), dict(_leaves(after))
    for key in dict.fromkeys((*was, *will, *sorted(said))):
        now, then = was.get(key), will.get(key)
        # A length that nobody says is counted from the pictures when the run starts.
        counted = key == "train.steps" and then is None
        if (now != then and not counted) or key in said:
            yield Difference(key=key, now=_words(now), then=_words(then), said=key in said)


def _leaves(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{write_key(str(inner))}", each) for inner, each in value.items())
        else:
            yield name, value


def _words(value: Any) -> str:
    return "-" if value is None else write_value(value)


def name_for(run: JobDir, step: Step) -> str:
    """A name for the new run: that of the old one and what is another now."""
    key = next(iter(step.set), "").rpartition(".")[2].replace("_", "-")
    name = re.sub(r"[^\w.-]", "-", f"{short_name(run)}-{key}".strip("-"))
    return name[:64]


def room_for(words: str) -> str:
    """The room where a step is done that no key of project.toml does."""
    said = words.casefold()
    if "project.toml" not in said:
        if "caption" in said:
            return "captions"
        if "picture" in said:
            return "pictures"
    return "project"
