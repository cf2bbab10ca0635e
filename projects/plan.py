"""What follows from a spec before anything runs: pure arithmetic, every number with its formula."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from projects.bases import UNKNOWN, BaseFacts, adapter_parameters, of_family
from projects.families import FAMILIES
from projects.measured import Measured, run_seconds
from projects.optimizers import OPTIMIZERS
from projects.problems import Problem, refuse
from projects.spec import Role, RunSpec

LEAST_STEPS = 1500
STEPS_A_PICTURE = 30
"""Rule of the trade, in optimizer steps at batch 1 over subject pictures."""

HIGH_RATE = 0.1
"""A learning rate from which on it can only be meant for an optimizer that finds the rate itself."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run would be."""

    steps: int
    """Optimizer steps."""
    slots: int
    """Pictures that a step takes."""
    epochs: float
    """How often the whole list (each trained picture x repeats) is gone through."""
    seen_subject: float
    """How often each subject picture is seen, on average."""
    seen_regularization: float
    """How often each regularization picture is seen, on average; 0 where there are none."""
    checkpoints: tuple[int, ...]
    """Steps of the checkpoints that stay at the end."""
    disk_bytes: int | None
    """Bytes of checkpoints at their peak (one more than are kept, as the old one goes after the new one stands); None
    where the size of the adapter is not known."""
    seconds: float | None
    """Duration, where it was measured."""
    seconds_range: tuple[float, float] | None
    """The same at the pace of the faster half of the measured steps, and of the slower half."""
    memory_gb: float | None
    """Memory of the device at its peak, where it was measured."""
    measured: Measured | None
    """What both follow from."""
    notes: tuple[str, ...]
    """Sentences that help to judge the numbers; rules of thumb are called so."""
    problems: tuple[Problem, ...]
    """What stands in the way of a start."""
    counts: Mapping[Role, int]
    """Pictures a role."""


def steps_rule(subject: int, slots: int) -> int:
    """max(1500, 30 x subject pictures) at batch 1, divided by the pictures a step takes and rounded up."""
    return math.ceil(max(LEAST_STEPS, STEPS_A_PICTURE * subject) / slots)


def resolve_steps(
    spec: RunSpec, counts: Mapping[Role, int], *, draws: Mapping[Role, int] | None = None
) -> RunSpec:
    """`spec` with train.steps filled and train.epochs gone.

    `counts`: pictures a role. `draws`: pictures x repeats a role, which epochs go by; left out: `counts`.
    """
    train = spec.train
    if train.steps is not None:
        return spec
    slots = slots_a_step(spec)
    if train.epochs is not None:
        steps = max(1, math.ceil(train.epochs * _trained(draws or counts) / slots))
    else:
        steps = steps_rule(counts.get("subject", 0), slots)
    return dataclasses.replace(spec, train=dataclasses.replace(train, steps=steps, epochs=None))


def slots_a_step(spec: RunSpec) -> int:
    """Pictures that one optimizer step takes: batch x accumulate x processes."""
    return spec.train.batch * spec.train.accumulate * spec.train.processes


def require_processes(spec: RunSpec, processes: int) -> None:
    """Raise Refused when a step of `spec` has fewer pictures than `processes`: it cannot be divided among so many."""
    slots = slots_a_step(spec)
    if not 1 <= processes <= slots:
        raise refuse(
            f"A step has {slots} pictures, so it can be divided among 1 to {slots} processes, not {processes}.",
            where="--processes",
            hint="The pictures of a step stay what the run began with.",
            usage=True,
        )


def plan(
    spec: RunSpec,
    counts: Mapping[Role, int],
    *,
    draws: Mapping[Role, int] | None = None,
    facts: BaseFacts = UNKNOWN,
    parameters: int | None = None,
    measured: Measured | None = None,
    free_bytes: int | None = None,
    device: str = "",
) -> Plan:
    """The plan of a resolved spec.

    `counts` and `draws` as in `resolve_steps`. `parameters` of the adapter: left out, from `facts` where they tell.
    `measured` here, of a run like this one; `free_bytes` on the project's disk; `device` that a run would have here, as
    `machine.device_name` says it.
    """
    draws = draws or counts
    train = resolve_steps(spec, counts, draws=draws).train
    steps = train.steps or 1
    rounds = steps * slots_a_step(spec) / max(1, _trained(draws))
    made = [*range(train.checkpoint_every, steps, train.checkpoint_every), steps]
    facts = _expected(spec, facts)
    if parameters is None:
        # Where a project says none, 2 is read.
        skip = (spec.base.clip_skip or 2) if spec.adapter.text_encoder else 0
        parameters = adapter_parameters(
            facts, spec.adapter.rank, spec.adapter.targets, encoder_clip_skip=skip
        )
    each = OPTIMIZERS[train.optimizer].checkpoint_bytes
    disk = None if parameters is None else parameters * each * (min(train.keep, len(made)) + 1)
    low, middle, high = (
        run_seconds(measured, spec, steps=steps, subject=counts.get("subject", 0))
        if measured
        else (None, None, None)
    )
    return Plan(
        steps=steps,
        slots=slots_a_step(spec),
        epochs=rounds,
        seen_subject=_seen("subject", rounds, counts, draws),
        seen_regularization=_seen("regularization", rounds, counts, draws),
        checkpoints=tuple(made[-train.keep :]),
        disk_bytes=disk,
        seconds=middle,
        seconds_range=None if low is None or high is None else (low, high),
        memory_gb=measured.memory_gb if measured else None,
        measured=measured,
        notes=(
            *_notes_on_base(spec, facts, device),
            *_notes_on_length(spec, counts, len(made)),
            *_notes_on_data(spec, counts, facts),
        ),
        problems=tuple(_problems(spec, counts, disk, free_bytes)),
        counts=dict(counts),
    )


def _expected(spec: RunSpec, facts: BaseFacts) -> BaseFacts:
    """`facts`, and of a base that is not here yet what follows from the family that the project says."""
    unknown = facts.kind == "hub" and not facts.widths and spec.base.family
    return of_family(spec.base.family) if unknown else facts


def _trained(draws: Mapping[Role, int]) -> int:
    return draws.get("subject", 0) + draws.get("regularization", 0)


def _seen(role: Role, rounds: float, counts: Mapping[Role, int], draws: Mapping[Role, int]) -> float:
    pictures = counts.get(role, 0)
    return rounds * draws.get(role, 0) / pictures if pictures else 0.0


def _notes_on_length(spec: RunSpec, counts: Mapping[Role, int], made: int) -> Iterator[str]:
    train, adapter = spec.train, spec.adapter
    alpha = adapter.rank if adapter.alpha is None else adapter.alpha
    rate = f"{train.learning_rate:g}"
    if adapter.text_encoder and train.text_encoder_learning_rate is not None:
        rate += f", of the text encoder {train.text_encoder_learning_rate:g}"
    scale = f"alpha / rank = {alpha:g} / {adapter.rank} = {alpha / adapter.rank:g}"
    yield f"The adapter acts at a scale of {scale}; each step moves it by a learning rate of {rate}."
    facts = OPTIMIZERS[train.optimizer]
    if train.learning_rate >= HIGH_RATE and not facts.finds_rate:
        yield f"A learning rate of {train.learning_rate:g} is one for Prodigy: {facts.called} forgets the base with it."
    if train.steps is None and train.epochs is None:
        subject, slots = counts.get("subject", 0), slots_a_step(spec)
        least = max(LEAST_STEPS, STEPS_A_PICTURE * subject)
        rule = f"Steps by the rule of thumb max({LEAST_STEPS}, {STEPS_A_PICTURE} x {subject} subject pictures) = {least}"
        yield rule + (f", over {slots} pictures a step = {steps_rule(subject, slots)}." if slots > 1 else ".")
    if train.processes > 1:
        yield (
            f"{train.processes} processes train together: a step takes {slots_a_step(spec)} pictures "
            f"({train.batch} x {train.accumulate} x {train.processes}), {train.batch * train.accumulate} in each of them."
        )
        if adapter.dropout:
            yield "With adapter.dropout another number of processes trains with other dropout masks."
    if made > train.keep:
        yield f"{made} checkpoints are made and the newest {train.keep} kept."
    elif made == 1:
        yield "There is one checkpoint, at the end: an earlier step cannot be chosen."


def _notes_on_data(spec: RunSpec, counts: Mapping[Role, int], facts: BaseFacts) -> Iterator[str]:
    subject, regularization = counts.get("subject", 0), counts.get("regularization", 0)
    if 0 < subject < 20:
        yield f"{subject} subject pictures: fewer than 20 is a starting point; at 15 a model memorizes (rule of thumb)."
    if subject > 200:
        yield f"{subject} subject pictures: past 200 returns diminish (rule of thumb)."
    if subject and facts.kind != "demo":
        share = regularization / (subject + regularization)
        if not 0.095 <= share <= 0.155:
            of = "Regularization pictures (of other things, kept as they are)"
            yield f"{of} are {share:.0%} of all; 10 to 15 % is the rule of thumb."
    if not counts.get("holdout", 0):
        yield "There are no held-out pictures (never trained, only measured), so learning cannot be told from copying."
    if not spec.trigger:
        yield "There is no trigger: the adapter will act on every prompt."
    family = FAMILIES.get(facts.family or spec.base.family)
    if spec.train.quantize != "none" and family and family.against_quantize:
        yield family.against_quantize
    most = max(facts.native_size, facts.floors[1])
    over = [side for side in spec.train.resolution if most and side > most]
    if over:
        yield f"Resolution {over[0]} is beyond what the base was made for, {most}."


def _notes_on_base(spec: RunSpec, facts: BaseFacts, device: str) -> Iterator[str]:
    if facts.kind == "hub" and not facts.family:
        family = FAMILIES.get(spec.base.family)
        size = f" ({family.called}: {family.download})" if family else ""
        told = (
            f"taken for {family.name.upper()}, as the project says"
            if family
            else "of a kind that nobody said"
        )
        yield f"The base is not on this machine yet: it is {told}, and downloaded when the run starts{size}."
    if facts.hint:
        yield facts.hint
    known = FAMILIES.get(facts.family or spec.base.family)
    if known and known.distilled and spec.sample.negative and spec.sample.true_guidance == 1:
        yield (
            "The negative prompt does nothing: guidance is distilled into this base. "
            "sample.true_guidance = 3 makes it act, at twice the time a picture."
        )
    if facts.companion:
        source = spec.base.companion or facts.companion
        size = (
            "" if spec.base.companion else f", {facts.companion_size} where they are not on this machine yet"
        )
        yield f"The file holds the denoiser only: text encoders and VAE come from {source}{size}."
    if device == "cpu" and facts.kind in ("hub", "folder", "file") and facts.native_size not in range(1, 256):
        kind = (facts.family or spec.base.family).upper() or "such a base"
        slow = f"No NVIDIA card here: a step of {kind} takes minutes on a CPU."
        yield f"{slow} Rent a card, or use the demo base to try things."


def _problems(
    spec: RunSpec, counts: Mapping[Role, int], disk: int | None, free: int | None
) -> Iterator[Problem]:
    if not spec.base.source:
        hint = 'Name a hub id, a folder, a .safetensors file or "demo".'
        yield Problem(error="No base is named.", where="project.toml: base.source", hint=hint)
    if not counts.get("subject", 0):
        hint = "Put pictures into the folder that data.images names."
        yield Problem(error="There are no subject pictures.", where="project.toml: data.images", hint=hint)
    if disk is not None and free is not None and disk > free:
        error = f"The checkpoints need {disk / 1e9:.2g} GB and {free / 1e9:.2g} GB are free."
        yield Problem(
            error=error, where="project.toml: train.keep", hint="Free some space, or keep fewer checkpoints."
        )
