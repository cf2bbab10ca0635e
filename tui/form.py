"""The project's form as data: which fields there are, what each says, where that comes from, and what is wrong with it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from projects.presets import NAMES, preset
from projects.problems import Problem, Refused
from projects.toml import read_toml, write_text, write_value

if TYPE_CHECKING:
    from projects.fields import Field

WHAT: Final = {
    "trigger": "trigger", "class_word": "category", "base.source": "base",
    "base.family": "family", "data.images": "pictures",
    "data.regularization": "regularization", "data.holdout": "held out", "rating": "rating",
}  # fmt: skip
HOW: Final = {
    "train.preset": "preset", "train.steps": "steps", "train.learning_rate": "learning rate", "adapter.rank": "rank",
    "adapter.alpha": "alpha", "train.schedule": "schedule", "train.resolution": "resolution", "train.batch": "batch",
    "sample.prompts": "prompts", "sample.every": "preview every",
}  # fmt: skip
_BESIDE: Final = ("trigger",)
"""Fields of which more is found than a value where nothing is said."""
_NEVER: Final = re.compile(r"format$|data\.sets\.")
_WHERE: Final = re.compile(r"project\.toml: ([\w.-]+)|--set ([\w.-]+)=")


@dataclass(frozen=True)
class FormRow:
    """One field."""

    key: str
    label: str
    value: str
    """As it is typed: text without quotes, everything else as TOML."""
    source: str
    """project, the preset's name, or default."""
    under: str
    """What would stand here if the project said nothing."""
    problem: Problem | None = None
    found: str = ""
    """What it comes to by other ways where nothing is said, e.g. steps by rule; in words, not to be typed."""
    beside: str = ""
    """What was found about the value that stands here."""

    @property
    def said(self) -> str | None:
        """What the file says, as it is typed; None where it says nothing."""
        return self.value if self.source == "project" else None

    @property
    def departs(self) -> bool:
        """Whether the project says something else than would stand here anyway."""
        return self.source == "project" and self.under not in ("", "[]") and self.value != self.under


@dataclass(frozen=True)
class Form:
    """All fields of one project.toml."""

    rows: Mapping[str, FormRow]
    unreadable: Problem | None = None
    """Why nothing of the file can be shown."""


def form_of(
    text: str, preset_name: str, problems: Sequence[Problem] = (), found: Mapping[str, str] | None = None
) -> Form:
    """The form of `text`. preset_name: the one that stands under it; problems: of the last check, put to their fields.

    found: key -> what the last check found for it where the text says nothing.
    """
    try:
        table = read_toml(text, "project.toml")
    except Refused as refused:
        return Form({}, refused.problems[0])
    wrong = {key: problem for problem in reversed(problems) if (key := key_of(problem))}
    under = preset(preset_name) if preset_name in NAMES else {}
    rows = {}
    for key, field in _fields().items():
        if _NEVER.match(key) or field.shape.kind == "dict":
            continue
        below = value_at(under, key)
        source = preset_name if below is not None else "default"
        value = below if below is not None else field.default
        said = value_at(table, key)
        shown = preset_name if key == "train.preset" else typed_as(value)
        rows[key] = FormRow(
            key,
            label_of(key),
            shown if said is None else typed_as(said),
            source if said is None else "project",
            shown,
            wrong.get(key),
            (found or {}).get(key, "") if said is None else "",
            (found or {}).get(key, "") if said is not None and key in _BESIDE else "",
        )
    return Form(rows)


def said_in(text: str, key: str) -> str | None:
    """What a project.toml says at a key, as it is typed; None where it says nothing. Raises Refused for what is no TOML."""
    said = value_at(read_toml(text, "project.toml"), key)
    return None if said is None else typed_as(said)


def label_of(key: str) -> str:
    """What a field is called in the form; the others by their key."""
    return WHAT.get(key) or HOW.get(key) or key


def listed(form: Form, *, everything: bool) -> list[str]:
    """Keys in the order of the form; headings are words that begin with #."""
    usual = ["#WHAT", *WHAT, "#", "#HOW", *HOW]
    if not everything:
        # What somebody set, and what is wrong, is never hidden.
        extra = [
            key
            for key, row in form.rows.items()
            if key not in usual and (row.source == "project" or row.problem)
        ]
        extra = [key for key in extra if key != "name"]
        return [*usual, *(["#", "#AND"] if extra else []), *extra]
    rest = [key for key in form.rows if key not in usual]
    return [*usual, "#", "#ALL OTHERS", *rest]


def key_of(problem: Problem) -> str:
    """The field that a problem is about; "" for none."""
    found = _WHERE.match(problem.where)
    key = (found[1] or found[2]) if found else ""
    return key if key in _fields() else ""


def assignment(key: str, typed: str) -> str:
    """What was typed as `KEY=VALUE`: text is taken as it stands, whatever it looks like."""
    kind = _fields()[key].shape.kind
    value = typed.strip()
    return f"{key}={write_text(value)}" if kind in ("str", "choice") and value else f"{key}={value}"


def not_saved(problem: Problem) -> Problem:
    """The problem of a value that was typed and refused: it stands nowhere but in the field."""
    _, _, expected = problem.error.partition(" stands here; ")
    words = expected or problem.error
    return Problem(error=f"Not saved: {words[:1].lower()}{words[1:]}", where=problem.where, hint=problem.hint)


def next_value(key: str, now: str) -> str | None:
    """The value after `now` where there are only a few; None where it is typed."""
    shape = _fields()[key].shape
    if shape.kind == "bool":
        return "false" if now == "true" else "true"
    if shape.kind == "choice" and len(shape.choices) > 1:
        choices = list(shape.choices)
        return choices[(choices.index(now) + 1) % len(choices)] if now in choices else choices[0]
    return None


def meaning(row: FormRow) -> str:
    """What a field means, its range, and where its value comes from."""
    from projects.table import explain

    found = explain(row.key)
    bounds = f" {found.bounds[0]:g} to {found.bounds[1]:g}." if found.bounds and _number(row.key) else ""
    if row.departs:
        source = (
            f"The preset says {row.under}. " if row.key in _preset_keys() else f"Left out it is {row.under}. "
        )
    else:
        unsaid = f"Not said: {row.found}. " if row.found else "Not said. "
        source = {"project": "", "default": unsaid}.get(row.source, f"From the preset {row.source}. ")
    return f"{source}{found.text}{bounds}"


def _fields() -> "Mapping[str, Field]":
    """Every field of a project by key."""
    # The empty form is painted before anything of this is needed.
    from projects.fields import leaves

    return leaves()


def _preset_keys() -> set[str]:
    return {key for key in _fields() if any(value_at(preset(name), key) is not None for name in NAMES)}


def _number(key: str) -> bool:
    shape = _fields()[key].shape
    return shape.kind in ("int", "float") or (
        shape.kind == "list" and shape.parts[0].kind in ("int", "float")
    )


def value_at(table: Mapping[str, Any], key: str) -> Any:
    """What a plain table says at a key; None where it says nothing."""
    value: Any = table
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def typed_as(value: Any) -> str:
    """A value as it is typed into the form."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)) and len(value) == 1 and not isinstance(value[0], str):
        return write_value(value[0])
    if isinstance(value, float):
        return _short(value)
    return value if isinstance(value, str) else write_value(value)


def _short(value: float) -> str:
    """1e-4 rather than 0.0001."""
    mantissa, _, exponent = f"{value:.6e}".partition("e")
    small = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return small if value and abs(value) < 0.01 else f"{value:g}"
