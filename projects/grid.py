"""Axes of a grid as people write them: `NAME=VALUE,VALUE`, every mistake found before anything is loaded."""

import difflib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from projects import bases
from projects.checking import BAD, Checker
from projects.fields import fields_of
from projects.job import JobDir
from projects.problems import Problem, Refused
from projects.spec import AdapterAt, AxisName, GridAxis, Sample

AXES: Final[tuple[AxisName, ...]] = get_args(AxisName)
MOST_AXES: Final = 3
ALONE: Final = "base"
"""A value of the adapter axis: no adapter acts."""
OWN: Final = "run"
"""A member of a value of the adapter axis: the run's own adapter."""
BAR: Final = "|"
"""Stands between values that may hold commas."""
_TEXTS: Final = ("prompt", "negative")
_FIELDS: Final = {"prompt": "prompts", "seed": "seeds"}
"""Axis -> field of [sample] where the names differ."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One adapter of those that act together."""

    file: str
    """Absolute path; "" for the run's own."""
    weight: float | None
    """None: that of the weight axis, else of sample.weight, else 1."""


def members(value: str) -> tuple[Member, ...]:
    """What acts together in a value of the adapter axis; none for ALONE."""
    return () if value == ALONE else tuple(_member(part.strip()) for part in value.split("+"))


def uses_own(axes: Sequence[GridAxis], has_run: bool) -> bool:
    """Whether the run's own adapter acts somewhere. Where bases are compared, only if the adapter axis names it."""
    stacks = [members(value) for axis in axes if axis.name == "adapter" for value in axis.values]
    if stacks:
        return any(not member.file for stack in stacks for member in stack)
    return has_run and not any(axis.name == "base" for axis in axes)


def field_of(axis: AxisName) -> str:
    """The key of [sample] that an axis stands for."""
    return _FIELDS.get(axis, axis)


def typed(axis: AxisName, value: str) -> Any:
    """A checked value of an axis: number or text as [sample] holds it. Raises ValueError for what is no such number."""
    if axis in ("checkpoint", "steps", "seed"):
        return int(value)
    if axis in ("weight", "guidance"):
        return float(value)
    return value


def read_axes(
    texts: Sequence[str], *, project: Path, run: JobDir | None, said: Collection[str] = ()
) -> tuple[GridAxis, ...]:
    """The axes in `texts`; relative files are looked for from here first, then from `project`.

    said: keys of [sample], and checkpoint, that were given for the whole grid. Raises Refused (usage) with all problems.
    """
    reader = _Reader(project, run)
    axes = [axis for text in texts if (axis := reader.axis(text)) is not None]
    reader.together([axis.name for axis in axes], axes, len(texts), said)
    if reader.problems:
        raise Refused(reader.problems, usage=True)
    return tuple(axes)


class _Reader:
    """Reads axes and collects what is wrong with them."""

    def __init__(self, project: Path, run: JobDir | None) -> None:
        self._project, self._run = project, run
        self.problems: list[Problem] = []

    def axis(self, text: str) -> GridAxis | None:
        """One axis; None where its name is none, or a value is wrong."""
        said, equals, rest = text.partition("=")
        axis = next((name for name in AXES if name == said.strip().lower()), None)
        if axis is None or not equals:
            near = difflib.get_close_matches(said.strip().lower(), AXES, 1)
            guess = f"Did you mean {near[0]}? " if near and axis is None else ""
            hint = f"{guess}Write NAME=VALUE,VALUE with one of: {', '.join(AXES)}."
            self._add(text, f"There is no axis {said}." if axis is None else "Its values are missing.", hint)
            return None
        parts = rest.split(BAR) if BAR in rest or axis in _TEXTS else rest.split(",")
        values = [part.strip() for part in parts]
        if len(values) < 2:
            hint = f"Separate its values by {BAR}." if axis in _TEXTS else "Separate its values by commas."
            self._add(text, "An axis has two values at least.", hint)
            return None
        before = len(self.problems)
        read = [self._value(axis, value, f"--axis {axis}={value}") for value in values]
        if len(set(read)) < len(read):
            self._add(text, "A value stands there twice.", "Say each once.")
        if len(self.problems) > before:
            return None
        return GridAxis(name=axis, values=tuple(read))

    def together(
        self, names: Sequence[AxisName], axes: Sequence[GridAxis], given: int, said: Collection[str]
    ) -> None:
        """What is wrong with the axes as a whole."""
        if not 1 <= given <= MOST_AXES:
            self._add(
                "", f"A grid has 1 to {MOST_AXES} axes, not {given}.", "Columns, then rows, then sheets."
            )
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                self._add(name, "This axis is there twice.", "Put all of its values into one.")
            if field_of(name) in said:
                self._add(name, f"--{name} says the same for the whole grid.", "Say it once.")
        if self.problems:  # What acts is not known where one of the values is wrong.
            return
        own = uses_own(axes, self._run is not None)
        files = any(members(value) for axis in axes if axis.name == "adapter" for value in axis.values)
        if "weight" in names and not (own or files):
            self._add("weight", "There is no adapter whose weight could change.", self._how())
        if "checkpoint" in names and not own:
            self._add(
                "checkpoint", "There is no run's adapter whose checkpoints could be compared.", self._how()
            )

    def _how(self) -> str:
        if self._run is None:
            return "Name a run, or files: --axis adapter=base,style.safetensors."
        return f"Bases are compared alone: add --axis adapter={ALONE},{OWN}."

    def _value(self, axis: AxisName, value: str, where: str) -> str:
        """`value` as a job has it; problems are noted."""
        if axis == "base":
            return self._base(value, where)
        if axis == "adapter":
            return self._adapter(value, where)
        if axis == "checkpoint":
            return self._checkpoint(value, where)
        fields = fields_of(Sample)
        shape = fields[field_of(axis)].shape
        if axis in _FIELDS:
            shape = shape.parts[0]
        if axis == "sampler":
            value = value.lower()
        checker = Checker(lambda _path: where)
        try:
            raw = typed(axis, value)
        except ValueError:
            raw = value
        found = checker.value(raw, shape, (axis,))
        self.problems += checker.problems
        return value if found is BAD else str(found)

    def _checkpoint(self, value: str, where: str) -> str:
        steps = self._run.steps_saved() if self._run else []
        if self._run is not None and (not value.isdecimal() or int(value) not in steps):
            there = ", ".join(map(str, steps)) or "none"
            self.problems.append(
                Problem(
                    error=f"There is no checkpoint of step {value}.", where=where, hint=f"There are: {there}."
                )
            )
            return value
        return str(int(value)) if value.isdecimal() else value

    def _base(self, value: str, where: str) -> str:
        placed = value if value == bases.DEMO else self._placed(value)
        try:
            bases.describe(placed, self._project)
        except Refused as refused:
            self.problems += [
                Problem(error=one.error, where=where, hint=one.hint) for one in refused.problems
            ]
        if not value:
            self.problems.append(
                Problem(error="A base is missing here.", where=where, hint="Take the comma out.")
            )
        return placed

    def _adapter(self, value: str, where: str) -> str:
        if value == ALONE:
            return value
        parts = []
        files = [member.file for member in members(value)]
        if len(set(files)) < len(files):
            self._add_at(where, "One adapter acts twice here.", "Give it once, with the sum of the weights.")
        for part in value.split("+"):
            member = _member(part.strip())
            weight = "" if member.weight is None else f":{member.weight:g}"
            low, high = _weights()
            if member.weight is not None and not (
                math.isfinite(member.weight) and low <= member.weight <= high
            ):
                self._add_at(
                    where, f"The weight {member.weight:g} is out of range.", f"Use {low:g} to {high:g}."
                )
            if not member.file and self._run is None:
                self._add_at(
                    where, "There is no run here whose adapter could act.", "Name a run, or an adapter file."
                )
            if member.file and not self._is_adapter(member.file):
                self._add_at(
                    where, f"There is no adapter file {member.file}.",
                    f"Name a .safetensors file, {OWN} or {ALONE}; a weight stands behind a colon: style.safetensors:0.7.",
                )  # fmt: skip
            parts.append((self._placed(member.file) if member.file else OWN) + weight)
        return "+".join(parts)

    def _is_adapter(self, file: str) -> bool:
        path = Path(self._placed(file))
        return path.suffix.lower() == ".safetensors" and path.is_file()

    def _placed(self, named: str) -> str:
        """A file or folder named from here or from the project, absolute; what is neither stays as it is."""
        for folder in (Path.cwd(), self._project):
            path = folder / Path(named).expanduser()
            if named and path.exists():
                return str(path.resolve())
        return named

    def _add(self, text: str, error: str, hint: str) -> None:
        self._add_at(f"--axis {text}".strip(), error, hint)

    def _add_at(self, where: str, error: str, hint: str) -> None:
        self.problems.append(Problem(error=error, where=where, hint=hint))


def _member(part: str) -> Member:
    name, colon, tail = part.rpartition(":")
    try:
        file, weight = (name, float(tail)) if colon else (part, None)
    except ValueError:
        file, weight = part, None
    return Member(file="" if file == OWN else file, weight=weight)


def _weights() -> tuple[float, float]:
    bounds = fields_of(AdapterAt)["weight"].shape.bounds
    assert bounds is not None
    return bounds.low, bounds.high
