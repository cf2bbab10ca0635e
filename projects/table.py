"""TOML <-> spec: parse with every problem at once, write with comments and order kept, explain each key."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import tomlkit
import tomlkit.items

from projects import presets
from projects.checking import Checker, merged
from projects.fields import Field, class_text, fields_of, leaves, type_words
from projects.problems import Problem, Refused, refuse
from projects.rules import check_rules, without_excluded
from projects.spec import FORMAT, KINDS, GridJob, RunSpec, SampleJob
from projects.toml import (
    Key,
    key_lines,
    read_toml,
    split_assignment,
    split_key,
    value_of,
    write_key,
    write_value,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Assignment:
    """One `KEY=VALUE` of a command line or a form."""

    text: str
    path: Key
    value: Any
    """A TOML value; None takes the key out (`train.steps=`)."""


@dataclass(frozen=True)
class Explanation:
    """What `safelight explain KEY` says."""

    key: str
    type: str
    bounds: tuple[float, float] | None
    default: str
    """As TOML; "" where nothing is written when it is left out."""
    presets: Mapping[str, str]
    """Preset -> its value, as TOML, for presets that say this key."""
    reasons: Mapping[str, str]
    """Preset -> why it says this value, or leaves it out; of train.preset: what the preset is for."""
    text: str


def parse(text: str, cls: type[T], *, file: str, layers: Sequence[Mapping[str, Any]] = ()) -> T:
    """The spec in `text`, above `layers` (lowest first; plain tables such as a preset) and the defaults.

    `file` names the text in messages. Raises Refused with all problems, each `where` = "file: key (line n)".
    """
    table = read_toml(text, file)
    refuse_newer(table, file)
    return parse_table(table, cls, where=lines_of(text, file), layers=layers)


def parse_table(
    table: Mapping[str, Any],
    cls: type[T],
    *,
    where: Callable[[Key], str],
    layers: Sequence[Mapping[str, Any]] = (),
) -> T:
    """`parse` for a table that was read already; `where` says where a key path stands."""
    checker = Checker(where)
    over = checker.table(table, cls)
    under: dict[str, Any] = {}
    for layer in layers:
        below = Checker(lambda path: f"preset: {key_text(path)}")
        good = below.table(layer, cls)
        checker.problems += below.problems
        under = merged(without_excluded(under, layer), good)
    made = checker.build(cls, merged(without_excluded(under, table), over))
    if isinstance(made, RunSpec):
        check_rules(checker, made, table)
    if checker.problems:
        raise Refused(checker.problems, usage=True)
    return cast(T, made)


def refuse_newer(table: Mapping[str, Any], file: str) -> None:
    """Raise Refused where the table is of a later Safelight: its keys may mean something else there."""
    if is_newer(table):
        raise refuse(
            f"This was written by a newer Safelight (format {table['format']}; this one knows {FORMAT}).",
            where=f"{file}: format",
            hint="It opens read-only here; install the newer Safelight to work on it.",
            usage=True,
        )


def is_newer(table: Mapping[str, Any]) -> bool:
    """Whether `format` is beyond what this Safelight knows."""
    version = table.get("format")
    return isinstance(version, int) and version > FORMAT


def lines_of(text: str, file: str, assigned: Mapping[Key, str] | None = None) -> Callable[[Key], str]:
    """A function: key path -> where it stands in `text`, or which assignment said it."""
    lines = key_lines(text)

    def where(path: Key) -> str:
        for end in range(len(path), 0, -1):
            for said, assignment in (assigned or {}).items():
                if said == path[:end]:
                    return f"--set {assignment}"
            if path[:end] in lines:
                return f"{file}: {key_text(path)} (line {lines[path[:end]]})"
        return f"{file}: {key_text(path)}"

    return where


def key_text(path: Key) -> str:
    """A key path as it is written."""
    return ".".join(write_key(str(part)) for part in path)


def dump(spec: Any) -> str:
    """TOML of a spec: every value, in the dataclass's order; what is None is left out."""
    return dump_table(plain_table(spec))


def dump_table(table: Mapping[str, Any], path: Key = ()) -> str:
    """TOML of a plain table; values in front, then sections, lists of tables with double brackets."""
    values, sections = [], []
    for name, value in table.items():
        inner = (*path, name)
        if isinstance(value, dict):
            sections.append(f"\n[{key_text(inner)}]\n{dump_table(value, inner)}")
        elif isinstance(value, tuple) and value and isinstance(value[0], dict):
            sections += [f"\n[[{key_text(inner)}]]\n{dump_table(each, inner)}" for each in value]
        else:
            values.append(f"{write_key(name)} = {write_value(value)}\n")
    return "".join(values + sections)


def read_assignments(texts: Sequence[str]) -> list[Assignment]:
    """`KEY=VALUE` each, VALUE as TOML or else as plain text. Keys and values are checked later, together."""
    found: list[Assignment] = []
    problems: list[Problem] = []
    for text in texts:
        try:
            key, raw = split_assignment(text)
            path = tuple(int(part) if part.isdecimal() else part for part in split_key(key))
        except ValueError:
            hint = "Write KEY=VALUE, for example train.learning_rate=1e-4."
            problems.append(Problem(error="This is not an assignment.", where=f"--set {text}", hint=hint))
            continue
        found.append(Assignment(text, path, _assigned_value(path, raw)))
    if problems:
        raise Refused(problems, usage=True)
    return found


def assign(table: dict[str, Any], assignments: Sequence[Assignment]) -> None:
    """Lay assignments on a plain table, in place; one way of saying the length replaces the other."""
    for one in assignments:
        if one.path in (("train", "steps"), ("train", "epochs")) and isinstance(table.get("train"), dict):
            said = {other.path for other in assignments}
            for name in ("steps", "epochs"):
                if ("train", name) not in said:
                    table["train"].pop(name, None)
        _put(table, one)


def keys() -> list[str]:
    """Every key path of a project, then those of `[job]`."""
    return [*leaves(), *_job_fields()]


def explain(key: str) -> Explanation:
    """What a key or section means. Raises Refused (usage) with the nearest key when there is none of that name."""
    field = leaves().get(key) or _job_fields().get(key)
    section = _sections().get(key)
    if section is not None:
        return Explanation(key, "section", None, "", {}, {}, class_text(section))
    if field is None:
        checker = Checker(lambda path: "explain")
        checker.table(_nested(key.split("."), {}), RunSpec)
        hint = checker.problems[0].hint if checker.problems else ""
        raise refuse(f"There is no key {key}.", hint=hint or "`safelight explain` lists all.", usage=True)
    bounds = field.shape.bounds
    low_high = (bounds.low, bounds.high) if bounds else None
    given = field.default is not dataclasses.MISSING and field.default is not None
    default = write_value(field.default) if given else ""
    said = {name: _said(presets.preset(name), key) for name in presets.NAMES}
    values = {name: write_value(value) for name, value in said.items() if value is not None}
    if key == "train.preset":
        why = {name: presets.heading(name) for name in presets.NAMES}
    else:
        told = {name: presets.reasons(name).get(key) for name in presets.NAMES}
        why = {name: reason for name, reason in told.items() if reason}
    return Explanation(key, type_words(field.shape), low_high, default, values, why, field.text)


def _job_fields() -> dict[str, Field]:
    found: dict[str, Field] = {}
    kinds: Sequence[Any] = list(KINDS.values())
    for cls in kinds:
        for name, field in fields_of(cls).items():
            if name in ("adapters", "axes"):
                found.update(leaves(field.shape.parts[0].cls, f"job.{name}."))
            elif name not in ("spec", "kind"):
                found.setdefault(f"job.{name}", field)
    return found


def _sections() -> dict[str, Any]:
    sections: dict[str, Any] = {
        name: field.shape.cls for name, field in fields_of(RunSpec).items() if field.shape.kind == "table"
    }
    sets = fields_of(sections["data"])["sets"].shape.parts[0].cls
    adapters = fields_of(SampleJob)["adapters"].shape.parts[0].cls
    axes = fields_of(GridJob)["axes"].shape.parts[0].cls
    jobs = {f"job.{name}": cls for name, cls in KINDS.items() if f"job.{name}" not in _job_fields()}
    return {**sections, "data.sets": sets, "job.adapters": adapters, "job.axes": axes, **jobs}


def plain_table(spec: Any) -> dict[str, Any]:
    """A spec as a plain table in the order of its dataclass; what is None is left out."""
    table: dict[str, Any] = {}
    cls: Any = type(spec)
    for name in fields_of(cls):
        value = getattr(spec, name)
        if dataclasses.is_dataclass(value):
            table[name] = plain_table(value)
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            table[name] = tuple(plain_table(each) for each in value)
        elif value is not None:
            table[name] = value
    return table


def _assigned_value(path: Key, raw: str) -> Any:
    """An empty value is an empty text where the key holds text, and no value elsewhere."""
    if raw:
        return value_of(raw)
    field = leaves().get(".".join(part for part in path if isinstance(part, str)))
    return "" if field and (field.shape.kind == "str" or "" in field.shape.choices) else None


def _put(table: Any, one: Assignment) -> None:
    """Set or take out one value in a plain table or a tomlkit document, sections made on the way."""
    *outer, last = one.path
    for at, name in enumerate(outer):
        try:
            table = table[name] if name in table or isinstance(name, int) else _made(table, name, one, at)
        except (KeyError, IndexError, TypeError):
            raise refuse("There is no such entry.", where=f"--set {one.text}", usage=True) from None
    if not isinstance(table, dict):
        raise refuse("This is not a section.", where=f"--set {one.text}", usage=True)
    if one.value is None:
        table.pop(last, None)
    else:
        table[last] = one.value


def _made(table: Any, name: Any, one: Assignment, at: int) -> Any:
    if one.value is None:
        return {}
    table[name] = tomlkit.table() if isinstance(table, tomlkit.items.Item | tomlkit.TOMLDocument) else {}
    return table[name]


def value_at(table: Mapping[str, Any], path: Key) -> Any:
    """What a plain table says at a key path of names; None where it says nothing."""
    value: Any = table
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) and isinstance(part, str) else None
    return value


def _nested(parts: Sequence[str], value: Any) -> dict[str, Any]:
    return {parts[0]: _nested(parts[1:], value) if len(parts) > 1 else value}


def _said(table: Mapping[str, Any], key: str) -> Any:
    return value_at(table, tuple(key.split(".")))
