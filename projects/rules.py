"""What no single key can get wrong: pairs that contradict each other, and texts with a form of their own."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from projects.checking import Checker
from projects.optimizers import OPTIMIZERS
from projects.spec import RunSpec, data_sets
from projects.toml import Key

EXCLUSIVE: tuple[Key, Key] = (("train", "steps"), ("train", "epochs"))
"""Two ways to say one thing: the layer above that says one takes the other out of the layers below."""

LEAST_FACTOR = 0.1
"""Below it, a factor on a rate that the optimizer finds is a rate that was left standing there."""

Fault = tuple[Key, str, str]
"""Key path, what is wrong, the next step."""


def check_rules(checker: Checker, spec: RunSpec, said: Mapping[str, Any]) -> None:
    """Add the problems of `spec`; `said` is the raw table. A key that has a problem already is not judged twice."""
    for path, error, hint in (*_forms(spec), *_pairs(spec, said), *_optimizer(spec), *_early_end(spec)):
        if path not in checker.bad:
            checker.add(path, error, hint)


def without_excluded(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`under` without `train.steps` where `over` says `train.epochs`, and the other way round."""
    train = under.get("train")
    above = over.get("train")
    if not isinstance(train, dict) or not isinstance(above, dict):
        return dict(under)
    gone = {"steps", "epochs"} if {"steps", "epochs"} & above.keys() else set()
    return {**under, "train": {name: value for name, value in train.items() if name not in gone}}


def _forms(spec: RunSpec) -> Iterator[Fault]:
    if spec.trigger and spec.trigger.split() != [spec.trigger]:
        hint = f'Join it to one invented word: "{"_".join(spec.trigger.split())}".'
        yield ("trigger",), "The trigger must be one word without spaces.", hint
    if spec.trigger and spec.trigger.lower() == spec.class_word.lower():
        hint = "The trigger is an invented word, the class word the general category."
        yield ("class_word",), "The class word is the trigger.", hint
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", spec.data.background):
        yield ("data", "background"), "This is not a colour.", 'Write it as #rrggbb, for example "#ffffff".'
    if not re.fullmatch(r"[^./\\\s]+", spec.data.caption_extension):
        yield (
            ("data", "caption_extension"),
            "This is not an extension.",
            'Write it without dot, for example "txt".',
        )
    for at, one in enumerate(spec.data.sets):
        for name in ("control", "mask"):
            if getattr(one, name):
                yield ("data", "sets", at, name), f"{name} is not possible yet.", f"Leave {name} out."


def _early_end(spec: RunSpec) -> Iterator[Fault]:
    """What a run that ends when it has settled has to look at."""
    if not spec.train.stop_when:
        return
    held_out = spec.data.holdout or any(one.role == "holdout" for one in spec.data.sets)
    missing = [
        name
        for name, there in (
            ("held-out pictures (data.holdout)", held_out),
            ("evaluations (train.evaluate_every above 0)", spec.train.evaluate_every),
            ("previews (sample.every above 0)", spec.sample.every),
        )
        if not there
    ]
    if missing:
        error = f"A run can only settle where there are {' and '.join(missing)}."
        yield ("train", "stop_when"), error, 'Add them, or leave stop_when empty: "".'


def _pairs(spec: RunSpec, said: Mapping[str, Any]) -> Iterator[Fault]:
    train, data = _section(said, "train"), _section(said, "data")
    if "steps" in train and "epochs" in train:
        yield ("train", "epochs"), "steps and epochs both say how long to train.", "Keep one of them."
    short = [name for name in ("images", "regularization", "holdout") if data.get(name)]
    if "sets" in data and short:
        names = " and ".join(f"data.{name}" for name in short)
        hint = f"Keep one form: move {names} into [[data.sets]], or take [[data.sets]] out."
        yield ("data", "sets"), f"{names} and [[data.sets]] both say where the pictures are.", hint
        return
    sets = data_sets(spec.data)
    if spec.data.sets and not any(one.role == "subject" for one in sets):
        hint = 'Give the set with the pictures to learn role = "subject".'
        yield ("data", "sets"), 'No set has role = "subject".', hint
    seen: dict[str, str] = {}
    for at, one in enumerate(sets):
        folder = posixpath.normpath(one.path)
        key: Key = (
            ("data", "sets", at, "path")
            if spec.data.sets
            else ("data", "images" if one.role == "subject" else one.role)
        )
        if folder in seen:
            hint = "Give each its own folder: a picture has one role."
            yield key, f'"{one.path}" is named twice, as {seen[folder]} and as {one.role}.', hint
        seen.setdefault(folder, one.role)


def _optimizer(spec: RunSpec) -> Iterator[Fault]:
    train = spec.train
    facts = OPTIMIZERS[train.optimizer]
    rate_of_encoder = train.text_encoder_learning_rate
    if rate_of_encoder is not None and not spec.adapter.text_encoder:
        hint = "Write adapter.text_encoder = true, or leave it out."
        yield (
            ("train", "text_encoder_learning_rate"),
            "The text encoder does not learn, so it has no rate.",
            hint,
        )
    elif facts.finds_rate and rate_of_encoder not in (None, train.learning_rate):
        error = (
            f"{facts.called} finds one rate for all layers, and takes none of its own for the text encoder."
        )
        yield ("train", "text_encoder_learning_rate"), error, "Leave it out."
    if facts.finds_rate and train.learning_rate < LEAST_FACTOR:
        error = (
            f"{facts.called} finds the learning rate itself and multiplies it by this one: with {train.learning_rate:g} "
            "it would hardly train."
        )
        yield ("train", "learning_rate"), error, "Write learning_rate = 1.0."
    if facts.averages and train.schedule != "constant":
        error = (
            f"{facts.called} averages the weights in place of a falling rate; with schedule {train.schedule} the rate "
            "would fall twice."
        )
        yield ("train", "schedule"), error, 'Write schedule = "constant"; the warm-up stays as it is.'


def _section(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = table.get(name)
    return section if isinstance(section, dict) else {}
