"""From what a project says to what a run is given."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from projects import bases, presets
from projects.families import FAMILIES, FamilyFacts
from projects.optimizers import OPTIMIZERS
from projects.problems import Problem, Refused
from projects.rules import Fault
from projects.spec import RunSpec
from projects.table import assign, lines_of, parse_table, read_assignments, refuse_newer
from projects.toml import Key, read_toml


def resolve_text(
    text: str, folder: Path, assignments: Sequence[str] = (), *, where: Callable[[Key], str] | None = None
) -> RunSpec:
    """What `text`, the project.toml of `folder`, means: defaults < preset < project.toml < assignments.

    alpha and the size of samples are filled; train.steps stays None where nobody said it, as that takes the number of
    pictures (`plan.resolve_steps`). `where` says where a key was said; left out: by line.
    Raises Refused with all problems of the text, the assignments, the preset's name and the base.
    """
    table = read_toml(text, "project.toml")
    refuse_newer(table, "project.toml")
    read = read_assignments(assignments)
    assign(table, read)
    where = where or lines_of(text, "project.toml", {one.path: one.text for one in read})
    facts, problems = _facts(table, folder, where)
    name = _text_at(table, "train", "preset") or facts.preset
    if facts.kind == "hub" and not name:
        error = "This base is not on this machine yet, so nothing here can tell its kind."
        kinds = " or ".join(f'"{family}"' for family in FAMILIES)
        hint = f"Say it: base.family = {kinds}. The files are fetched when a run starts."
        problems.append(Problem(error=error, where=where(("base", "source")), hint=hint))
    layers = []
    if name in presets.NAMES:
        layers.append(presets.preset(name))
    elif name:
        try:
            presets.preset(name)
        except Refused as refused:
            problems += [
                dataclasses.replace(one, where=where(("train", "preset"))) for one in refused.problems
            ]
    try:
        spec = parse_table(table, RunSpec, where=where, layers=layers)
    except Refused as refused:
        raise Refused([*refused.problems, *problems], usage=True) from None
    family = FAMILIES.get(facts.family or spec.base.family)
    if family is not None:
        problems += [
            Problem(error=error, where=where(key), hint=hint) for key, error, hint in misfits(spec, family)
        ]
    if problems:
        raise Refused(problems, usage=True)
    return _filled(spec, facts, name)


def preset_under(text: str, folder: Path) -> str:
    """Name of the preset that stands under what `text` says; "" where the text or the base does not tell. Never raises."""
    try:
        table = read_toml(text, "project.toml")
    except Refused:
        return ""
    facts, _ = _facts(table, folder, lambda _path: "")
    return _text_at(table, "train", "preset") or facts.preset


def _facts(
    table: dict[str, Any], folder: Path, where: Callable[[Key], str]
) -> tuple[bases.BaseFacts, list[Problem]]:
    """What the base says of itself, or why it cannot be used."""
    source, said = _text_at(table, "base", "source"), _text_at(table, "base", "family")
    try:
        facts = bases.describe(source, folder, revision=_text_at(table, "base", "revision"))
    except Refused as refused:
        return bases.UNKNOWN, [
            dataclasses.replace(one, where=where(("base", "source"))) for one in refused.problems
        ]
    if said in FAMILIES and facts.kind == "hub" and not facts.family:
        facts = bases.of_family(said)
    return facts, [
        Problem(error=error, where=where(key), hint=hint) for key, error, hint in _against(table, facts)
    ]


def _against(table: dict[str, Any], facts: bases.BaseFacts) -> Iterator[Fault]:
    """What the project says and the base cannot do."""
    family = _value_at(table, "base", "family")
    if family in FAMILIES and facts.family and family != facts.family:
        error = f'The project says family "{family}", the base itself is "{facts.family}".'
        yield ("base", "family"), error, "Leave base.family out, or name another base."
    skip = _value_at(table, "base", "clip_skip")
    if (
        facts.clip_skips is not None
        and type(skip) is int
        and 1 <= skip <= 12
        and skip not in facts.clip_skips
    ):
        possible = " or ".join(map(str, facts.clip_skips))
        error = f"This base always reads clip skip {possible} (A1111's counting), not {skip}."
        if not possible:
            error = "This base reads no layer of CLIP but its last, so clip skip means nothing."
        yield (
            ("base", "clip_skip"),
            error,
            f"Write {possible}, or leave it out." if possible else "Leave it out.",
        )
    if _text_at(table, "base", "companion") and facts.kind and not facts.companion:
        error = "This base has its own text encoders and VAE."
        yield ("base", "companion"), error, "Leave it out."


def misfits(spec: RunSpec, family: FamilyFacts) -> Iterator[Fault]:
    """What bases of this family cannot do, and numbers that mean something for other families only: ignored, they would let
    a person believe in them. The worker asks again, as a hub id that was not here yet told its family to nobody before."""
    if family.freezes_text_encoder and spec.adapter.text_encoder:
        error = "The text encoders of this base stay frozen."
        yield ("adapter", "text_encoder"), error, "Write false, or leave it out."
    if spec.train.preset and spec.train.preset not in family.presets:
        known = " or ".join(f'"{name}"' for name in family.presets)
        error = (
            f'The preset "{spec.train.preset}" is made for another family than this base\'s, {family.name}.'
        )
        yield ("train", "preset"), error, f"Write {known}, or leave it out."
        return
    train, sample, own = spec.train, spec.sample, f"{family.name}'s own preset has what fits"
    if family.flow and train.min_snr_gamma:
        error = "Min-SNR weighs the timesteps of noise prediction; this base predicts a flow and has none."
        yield ("train", "min_snr_gamma"), error, f"Write 0; {own}."
    for name, plain in (("timestep_sampling", "uniform"), ("timestep_shift", "none")):
        if not family.flow and getattr(train, name) != plain:
            error = f"train.{name} is for bases that predict a flow; this one draws its timesteps evenly."
            yield ("train", name), error, f'Write "{plain}", or leave it out.'
    if family.denoiser == "transformer" and train.channels_last:
        error = f"{family.name} is a transformer and has no convolutions to keep channels last."
        yield ("train", "channels_last"), error, "Write false, or leave it out."
    if sample.sampler not in family.samplers:
        known = ", ".join(family.samplers)
        yield (
            ("sample", "sampler"),
            f'{family.name} has no sampler "{sample.sampler}".',
            f"There are: {known}.",
        )
    if not family.distilled and sample.true_guidance != 1.0:
        error = "true_guidance is for bases with distilled guidance; here sample.guidance is the true one."
        yield ("sample", "true_guidance"), error, "Leave it out."


def _filled(spec: RunSpec, facts: bases.BaseFacts, preset: str) -> RunSpec:
    alpha = spec.adapter.alpha if spec.adapter.alpha is not None else float(spec.adapter.rank)
    rate = spec.train.text_encoder_learning_rate
    if rate is None and spec.adapter.text_encoder:
        whole = OPTIMIZERS[spec.train.optimizer].finds_rate
        rate = spec.train.learning_rate if whole else max(1e-8, spec.train.learning_rate / 2)
    size = spec.sample.size or ((facts.native_size, facts.native_size) if facts.native_size else None)
    return dataclasses.replace(
        spec,
        base=dataclasses.replace(spec.base, family=facts.family or spec.base.family),  # type: ignore[arg-type]
        adapter=dataclasses.replace(spec.adapter, alpha=alpha),
        train=dataclasses.replace(spec.train, preset=preset, text_encoder_learning_rate=rate),
        sample=dataclasses.replace(spec.sample, size=size),
    )


def _value_at(table: dict[str, Any], section: str, name: str) -> Any:
    inside = table.get(section)
    return inside.get(name) if isinstance(inside, dict) else None


def _text_at(table: dict[str, Any], section: str, name: str) -> str:
    value = _value_at(table, section, name)
    return value if isinstance(value, str) else ""
