"""A table of plain TOML values against the dataclasses of `spec.py`: every mistake found, none guessed away."""

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from projects.fields import Field, Shape, fields_of, leaves, type_words
from projects.problems import Problem
from projects.toml import Key, write_value

BAD = object()
"""Stands for a value that has a problem and is therefore left out."""

OTHER_NAMES = {
    "lr": "train.learning_rate",
    "unet_lr": "train.learning_rate",
    "network_dim": "adapter.rank",
    "dim": "adapter.rank",
    "network_alpha": "adapter.alpha",
    "max_train_steps": "train.steps",
    "max_train_epochs": "train.epochs",
    "train_batch_size": "train.batch",
    "gradient_accumulation_steps": "train.accumulate",
    "lr_scheduler": "train.schedule",
    "optimizer_type": "train.optimizer",
    "mixed_precision": "train.precision",
    "train_data_dir": "data.images",
    "reg_data_dir": "data.regularization",
    "prior_loss_weight": "train.prior_weight",
    "pretrained_model_name_or_path": "base.source",
    "cfg_scale": "sample.guidance",
}
"""What other trainers call a key."""

EXAMPLES = {"bool": "true", "int": "4", "float": "0.0001", "str": '"text"'}


class Checker:
    """Collects the problems of one table. `problems` and `bad` (key paths that have one) are the outcome."""

    def __init__(self, where: Callable[[Key], str]) -> None:
        self.where = where
        self.problems: list[Problem] = []
        self.bad: set[Key] = set()

    def add(self, path: Key, error: str, hint: str = "") -> Any:
        """Note a problem; returns BAD for `return self.add(...)`."""
        self.problems.append(Problem(error=error, where=self.where(path), hint=hint))
        self.bad.add(path)
        return BAD

    def table(
        self, table: Mapping[str, Any], cls: Any, path: Key = (), skip: Iterable[str] = ()
    ) -> dict[str, Any]:
        """The good values of `table` by field name, tables of fields as dicts again; unknown keys are problems."""
        known = {name: field for name, field in fields_of(cls).items() if name not in skip}
        good = {}
        for name, raw in table.items():
            if name not in known:
                self.add((*path, name), f"There is no key {name} here.", _did_you_mean(name, known, path))
                continue
            value = self.value(raw, known[name].shape, (*path, name))
            if value is not BAD:
                good[name] = value
        return good

    def value(self, raw: Any, shape: Shape, path: Key) -> Any:
        """`raw` as the field holds it, or BAD."""
        if shape.kind == "table":
            return self._section(raw, shape, path)
        if shape.kind == "list":
            return self._list(raw, shape, path)
        if shape.kind == "dict":
            return self._dict(raw, shape, path)
        if shape.kind == "either":
            parts = [part for part in shape.parts if (part.kind == "list") == isinstance(raw, list)]
            return (
                self.value(raw, parts[0], path)
                if parts and not isinstance(raw, dict)
                else self._wrong(raw, shape, path)
            )
        if shape.kind == "choice":
            return self._choice(raw, shape, path)
        if shape.kind in ("int", "float"):
            return self._number(raw, shape, path)
        if shape.kind == "bool":
            return raw if isinstance(raw, bool) else self._wrong(raw, shape, path)
        return self._text(raw, shape, path)

    def _section(self, raw: Any, shape: Shape, path: Key) -> Any:
        if isinstance(raw, dict):
            return self.table(raw, shape.cls, path)
        name = ".".join(map(str, path))
        if isinstance(raw, list) and raw and all(isinstance(each, dict) for each in raw):
            return self.add(path, f"[[{name}]] opens a list, but {name} is one section.", f"Write [{name}].")
        return self.add(
            path, f"{_found(raw)} stands where a section belongs.", f"Write [{name}] and its keys below."
        )

    def _list(self, raw: Any, shape: Shape, path: Key) -> Any:
        if shape.single and not isinstance(raw, (list, dict)):
            value = self.value(raw, shape.parts[0], path)
            return BAD if value is BAD else (value,)
        if not isinstance(raw, list):
            if shape.parts[0].kind == "table" and isinstance(raw, dict):
                name = ".".join(map(str, path))
                return self.add(
                    path, f"{name} is a list of sections.", f"Write [[{name}]] with two brackets."
                )
            return self._wrong(raw, shape, path)
        if shape.fixed and len(raw) != len(shape.parts):
            return self.add(
                path, f"{len(raw)} values stand here; {type_words(shape)} is expected.", _example(shape, path)
            )
        if shape.single and not raw:
            return self.add(path, "The list is empty; at least one value is needed.", _example(shape, path))
        parts = shape.parts if shape.fixed else shape.parts * len(raw)
        values = [
            self._item(each, part, (*path, at))
            for at, (each, part) in enumerate(zip(raw, parts, strict=True))
        ]
        return BAD if BAD in values else tuple(values)

    def _item(self, raw: Any, shape: Shape, path: Key) -> Any:
        if shape.kind != "table":
            return self.value(raw, shape, path)
        before = len(self.problems)
        values = self.value(raw, shape, path)
        if values is BAD:
            return BAD
        made = self.build(shape.cls, values, path)
        return BAD if len(self.problems) > before else made

    def _dict(self, raw: Any, shape: Shape, path: Key) -> Any:
        if not isinstance(raw, dict):
            return self._wrong(raw, shape, path)
        values = {name: self.value(each, shape.parts[0], (*path, name)) for name, each in raw.items()}
        return {name: value for name, value in values.items() if value is not BAD}

    def _choice(self, raw: Any, shape: Shape, path: Key) -> Any:
        if isinstance(raw, str) and raw in shape.choices:
            return raw
        if shape.choices == ("",):
            return self.add(path, f"{_found(raw)} is not possible yet.", f"Leave {path[-1]} out.")
        near = difflib.get_close_matches(str(raw).lower(), shape.choices, 1)
        listed = "Use one of: " + ", ".join(write_value(choice) for choice in shape.choices) + "."
        guess = f"Did you mean {write_value(near[0])}? " if near else ""
        return self.add(path, f"{_found(raw)} is not a choice of {path[-1]}.", guess + listed)

    def _number(self, raw: Any, shape: Shape, path: Key) -> Any:
        if isinstance(raw, bool) or not isinstance(raw, (int, float)):
            return self._wrong(raw, shape, path)
        if shape.kind == "int" and isinstance(raw, float):
            hint = (
                f"Write {int(raw)}." if math.isfinite(raw) and raw == int(raw) else "Leave out the decimals."
            )
            return self.add(path, f"{raw} has decimals; a whole number is expected.", hint)
        if isinstance(raw, float) and not math.isfinite(raw):
            return self.add(path, f"{raw} is not a number that can be used.", _range_hint(shape))
        if shape.bounds and not shape.bounds.low <= raw <= shape.bounds.high:
            high = raw > shape.bounds.high
            bound = (
                f"{'above' if high else 'below'} {_plain(shape.bounds.high if high else shape.bounds.low)}"
            )
            return self.add(
                path,
                f"{_plain(raw)} is {bound}, the {'most' if high else 'least'} allowed.",
                _range_hint(shape),
            )
        return float(raw) if shape.kind == "float" else raw

    def _text(self, raw: Any, shape: Shape, path: Key) -> Any:
        if not isinstance(raw, str):
            return self._wrong(raw, shape, path)
        if "\0" in raw:
            return self.add(
                path, "The text holds a NUL character, which no file name or prompt can have.", "Take it out."
            )
        if shape.bounds and not shape.bounds.low <= len(raw) <= shape.bounds.high:
            low, high = _plain(shape.bounds.low), _plain(shape.bounds.high)
            return self.add(
                path, f"The text is {len(raw)} characters long.", f"It must have {low} to {high}."
            )
        return raw

    def _wrong(self, raw: Any, shape: Shape, path: Key) -> Any:
        return self.add(
            path, f"{_found(raw)} stands here; {type_words(shape)} is expected.", _example(shape, path, raw)
        )

    def build(
        self, cls: Any, values: Mapping[str, Any], path: Key = (), given: Mapping[str, Any] | None = None
    ) -> Any:
        """The dataclass of checked values, defaults where a value is left out; None when a required one is missing."""
        arguments = dict(given or {})
        missing = False
        for name, field in fields_of(cls).items():
            if name in arguments:
                continue
            if field.shape.kind == "table":
                arguments[name] = self.build(field.shape.cls, values.get(name, {}), (*path, name))
            elif name in values:
                arguments[name] = values[name]
            elif field.default is dataclasses.MISSING:
                missing = True
                if (*path, name) not in self.bad:
                    self.add(
                        (*path, name), f"{name} is missing.", f"{field.text} {_example(field.shape, (name,))}"
                    )
        return None if missing else cls(**arguments)


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `under`, section by section; lists are replaced whole."""
    result = dict(under)
    for name, value in over.items():
        below = result.get(name)
        result[name] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def _did_you_mean(name: str, known: Mapping[str, Field], path: Key) -> str:
    near = difflib.get_close_matches(name.lower(), known, 1, 0.7)
    prefix = "".join(f"{part}." for part in path if isinstance(part, str))
    if near:
        return f"Did you mean {prefix}{near[0]}?"
    if name.lower() in OTHER_NAMES:
        return f"Did you mean {OTHER_NAMES[name.lower()]}?"
    elsewhere = [key for key in leaves() if key.rsplit(".", 1)[-1] == name]
    if elsewhere:
        return f"Did you mean {elsewhere[0]}?"
    lasts = {key.rsplit(".", 1)[-1]: key for key in reversed(list(leaves()))}
    near = difflib.get_close_matches(name.lower(), lasts, 1, 0.75)
    return f"Did you mean {lasts[near[0]]}?" if near else f"Known here: {', '.join(known)}."


def _found(raw: Any) -> str:
    """What stands there, as a subject of a sentence."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, dict):
        return "A table"
    if isinstance(raw, list):
        return "A list" if raw else "An empty list"
    if isinstance(raw, str):
        return f"The text {write_value(raw if len(raw) <= 40 else raw[:39] + '…')}"
    return f"{'The number ' if isinstance(raw, (int, float)) else ''}{_plain(raw)}"


def _example(shape: Shape, path: Key, raw: Any = None) -> str:
    name = next((part for part in reversed(path) if isinstance(part, str)), "value")
    if isinstance(raw, str) and shape.kind in ("int", "float"):
        try:
            float(raw)
            return f"Write it without quotes: {name} = {raw.strip()}"
        except ValueError:
            pass
    return f"For example: {name} = {_example_value(shape, raw)}"


def _example_value(shape: Shape, raw: Any = None) -> str:
    if shape.kind == "either":
        return _example_value(shape.parts[0])
    if shape.kind == "choice":
        return write_value(shape.choices[0])
    if shape.kind == "dict":
        return "{" + f'"name" = {_example_value(shape.parts[0])}' + "}"
    if shape.kind == "list":
        if (
            not shape.fixed
            and not isinstance(raw, bool)
            and isinstance(raw, {"str": str, "int": int}.get(shape.parts[0].kind, ()))
        ):
            return f"[{write_value(raw)}]"
        return "[" + ", ".join(_example_value(part) for part in shape.parts) + "]"
    if shape.bounds and shape.kind in ("int", "float"):
        low, high = shape.bounds.low, shape.bounds.high
        default = float(EXAMPLES[shape.kind])
        return EXAMPLES[shape.kind] if low <= default <= high else _plain(low)
    return EXAMPLES.get(shape.kind, "{}")


def _range_hint(shape: Shape) -> str:
    if not shape.bounds:
        return "Use an ordinary number."
    return f"Use a value from {_plain(shape.bounds.low)} to {_plain(shape.bounds.high)}."


def _plain(number: Any) -> str:
    text = str(number)
    if isinstance(number, float) and number == int(number) and abs(number) < 1e15:
        text = str(int(number))
    return text if len(text) <= 24 else f"{text[:20]}…"
