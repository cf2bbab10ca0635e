"""What a training needs before its first step, in the order in which train.py asks for it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from engine import adapter, checkpoint, noise, optimizers, precision
from engine.cache import Cache, ConditionReader, LatentReader, encode_latents, encode_texts
from engine.conditions import LiveConditions
from engine.dataset.coverage import seen
from engine.dataset.items import Item, read_items, verify_unchanged, write_items
from engine.dataset.scan import scan
from engine.dataset.slots import draw, epoch_list, with_planned
from engine.desk import Desk, StopAsked
from engine.export.reading import read_adapter
from engine.families.family import Base, Family
from engine.families.opening import open_base
from engine.families.window import unread_from
from engine.group import Group
from engine.noise import NoiseSchedule
from engine.quantise import quantise
from engine.step import Task
from projects import spec as spec_of
from projects.families import FAMILIES as FACTS
from projects.plan import slots_a_step
from projects.problems import Problem, Refused, refuse
from projects.resolving import misfits
from projects.spec import RunSpec, Sample, Train, TrainJob, data_sets

STEP_QUIET = 900.0
"""Seconds that training may be silent before it counts as stalled: a large model's first step compiles and warms up."""


def steps_of(spec: RunSpec) -> int:
    """The number of optimizer steps, which the terminal resolves before it writes the job."""
    if spec.train.steps is None:
        raise refuse(
            "The run's spec names no steps.",
            where="spec.toml: train.steps",
            hint="Start it with safelight train.",
        )
    return spec.train.steps


def rank_and_alpha(spec: RunSpec) -> tuple[int, float]:
    """Rank, and alpha or what stands for it."""
    return spec.adapter.rank, float(spec.adapter.rank if spec.adapter.alpha is None else spec.adapter.alpha)


def texts_of(spec: RunSpec) -> list[str]:
    """Every word of the spec that reaches the model."""
    sets = [word for each in data_sets(spec.data) for word in (each.trigger, each.class_word)]
    return [spec.trigger, spec.class_word, *sets, *spec.sample.prompts, spec.sample.negative]


def triggers_of(spec: RunSpec) -> list[str]:
    """The project's trigger and those of its sets, each once."""
    words = [spec.trigger, *(each.trigger for each in data_sets(spec.data))]
    return list(dict.fromkeys(filter(None, words)))


def set_threads(saved: checkpoint.Manifest | None, processes: int) -> int:
    """Threads of torch on the CPU: a process's part of the cores, or as many as the checkpoint was made with by as many
    processes, since the bits depend on it."""
    if saved and saved.processes == processes:
        threads = saved.threads
    else:
        threads = max(1, len(os.sched_getaffinity(0)) // processes)
    torch.set_num_threads(threads)
    return threads


def reporter(desk: Desk, what: str) -> Callable[[int, int], None]:
    """Tells the desk how far `what` is: (done, total)."""
    return lambda done, total: desk.progress(what, done, total)


def stoppable(desk: Desk, what: str) -> Callable[[int, int], None]:
    """`reporter` for a phase that a stop request ends: then it raises StopAsked."""

    def on_progress(done: int, total: int) -> None:
        if desk.stop_asked:
            raise StopAsked
        desk.progress(what, done, total)

    return on_progress


def open_trained_on(desk: Desk, base: spec_of.Base, project: Path, fingerprint: str) -> tuple[Family, Base]:
    """Open the base; "" for a new training, else the fingerprint of the one that an adapter was trained on.

    Another base is refused: whatever is drawn, measured or trained on it would not be what the run made.
    """
    desk.phase("opening the base", quiet=3600)
    family, opened = open_base(base, project, on_progress=stoppable(desk, "downloading the base"))
    if fingerprint and opened.fingerprint != fingerprint:
        raise refuse(
            f"This is not the base that the adapter was trained on ({fingerprint[:12]}, here {opened.fingerprint[:12]}).",
            where=f"base.source = {base.source}",
            hint="Put the old files back, or start a new run on this base.",
        )
    return family, opened


def check_family(spec: RunSpec, family: Family) -> None:
    """Refuse, all at once, what the family cannot do: a hub id that was not here yet told its family only now."""
    problems = [
        Problem(error=error, where=".".join(map(str, key)), hint=hint)
        for key, error, hint in misfits(spec, FACTS[family.name])
    ]
    if problems:
        raise Refused(problems, usage=True)


def items_of(desk: Desk, job: TrainJob, base: Base, steps: int) -> list[Item]:
    """The run's items: scanned and written once by its first attempt, read and compared with the disk by later ones."""
    desk.phase("looking at the pictures", quiet=3600)
    if desk.job.items.exists():
        items = read_items(desk.job.items)
        problems = verify_unchanged(items)
        if problems:
            raise Refused(problems)
        return items
    spec = job.spec
    scanned = scan(
        Path(job.project),
        spec,
        bucket_step=base.bucket_step,
        missing=job.missing_caption,
        on_progress=stoppable(desk, "looking at the pictures"),
    )
    for note in scanned.notes:
        desk.warn(str(note), **({"files": list(note.files)} if note.files else {}))
    items = with_planned(
        scanned.items,
        seed=spec.train.seed,
        steps=steps,
        slots_per_step=slots_a_step(spec),
    )
    write_items(desk.job.items, items)
    return items


def sample_of(spec: RunSpec, items: Sequence[Item]) -> Sample:
    """The preview settings, with the captions of the first three subject pictures where no prompts are given."""
    if spec.sample.prompts:
        return spec.sample
    captions = [item.captions[0] for item in items if item.role == "subject"]
    return replace(spec.sample, prompts=tuple(dict.fromkeys(captions))[:3])


def encode(
    desk: Desk, project: Path, spec: RunSpec, family: Family, base: Base, items: Sequence[Item]
) -> tuple[LatentReader, ConditionReader | None]:
    """Latents of every picture and conditions of every text; what the cache lacks is encoded, then the models leave.

    No conditions where the text encoder learns: then they change with every step (`encoder_with_adapter`).
    """
    cache = Cache(project / "cache")
    sample = sample_of(spec, items)
    texts = [text for item in items for text in item.captions] + [*sample.prompts, sample.negative]
    desk.phase("encoding pictures", quiet=1800)
    latents = encode_latents(
        cache, family, base, items, flip=spec.data.flip, background=spec.data.background,
        on_progress=stoppable(desk, "encoding pictures"),
    )  # fmt: skip
    if spec.adapter.text_encoder:
        return latents, None
    desk.phase("encoding captions", quiet=1800)
    conditions = encode_texts(
        cache, family, base, list(dict.fromkeys(texts)),
        on_progress=stoppable(desk, "encoding captions"),
    )  # fmt: skip
    return latents, conditions


def readers(
    project: Path, spec: RunSpec, family: Family, base: Base
) -> tuple[LatentReader, ConditionReader | None]:
    """What `encode` gives, where all of it is encoded already."""
    cache = Cache(project / "cache")
    latents = LatentReader(cache, base, background=spec.data.background)
    return latents, None if spec.adapter.text_encoder else ConditionReader(cache, family, base)


def accelerator_for(spec: RunSpec) -> Accelerator:
    """Device, precision, and in fp16 the scale of the loss. Raises Refused for bf16 on a card without it."""
    computed, _ = _precision_here(spec)
    accelerator = Accelerator(
        cpu=not torch.cuda.is_available(), mixed_precision="no" if computed == "fp32" else computed
    )
    # An environment variable could say otherwise, and backward would divide by it; the loop sums micro-batches itself.
    accelerator.gradient_accumulation_steps = 1
    return accelerator


def _precision_here(spec: RunSpec) -> tuple[precision.Precision, str]:
    capability = torch.cuda.get_device_capability() if torch.cuda.is_available() else None
    return precision.precision_on(spec.train.precision, capability)


def warn_of_machine(desk: Desk, spec: RunSpec, saved: checkpoint.Manifest | None) -> None:
    """Say what this attempt does otherwise than the spec says, or than the attempt that saved the checkpoint."""
    _, warning = _precision_here(spec)
    if warning:
        desk.warn(warning)
    if saved and saved.processes != desk.processes and spec.adapter.dropout:
        desk.warn(
            f"{desk.processes} processes go on where {saved.processes} trained: adapter.dropout draws other masks."
        )


def denoiser_with_adapter(spec: RunSpec, family: Family, base: Base, accelerator: Accelerator) -> nn.Module:
    """The frozen denoiser on its device with the adapter injected; the adapter's start follows from the seed."""
    dtype = precision.dtype_of(accelerator.mixed_precision)
    denoiser = family.load_denoiser(base, dtype)
    denoiser.requires_grad_(False)
    quantise(denoiser, spec, dtype)
    if spec.train.gradient_checkpointing:
        denoiser.enable_gradient_checkpointing()
    targets: str | Sequence[str] = spec.adapter.targets
    if spec.adapter.text_encoder and not isinstance(targets, str):
        targets = [pattern for pattern in targets if not pattern.startswith(adapter.ENCODER)]
    modules = adapter.target_modules(denoiser, targets, family)
    rank, alpha = rank_and_alpha(spec)
    torch.manual_seed(draw(spec.train.seed, "adapter") >> 1)
    adapter.inject(denoiser, modules, rank=rank, alpha=alpha, dropout=spec.adapter.dropout)
    denoiser.to(accelerator.device)
    if spec.train.channels_last and accelerator.device.type == "cuda":
        denoiser.to(memory_format=torch.channels_last)
    denoiser.train()
    return denoiser


def encoder_with_adapter(
    spec: RunSpec, family: Family, base: Base, accelerator: Accelerator
) -> LiveConditions:
    """The frozen text encoder on its device with its part of the adapter, for a spec that trains it."""
    learning = family.text_encoder
    if learning is None:
        raise refuse("The text encoders of this base stay frozen.", where="adapter.text_encoder")
    encoders = family.load_encoders(base, precision.dtype_of(accelerator.mixed_precision))
    model = learning.model(encoders)
    if spec.train.gradient_checkpointing:
        learning.checkpoint_layers(model)
    modules = adapter.encoder_modules(model, spec.adapter.targets, learning, learning.unread(encoders))
    rank, alpha = rank_and_alpha(spec)
    torch.manual_seed(draw(spec.train.seed, "adapter", "text_encoder") >> 1)
    adapter.inject(model, modules, rank=rank, alpha=alpha, dropout=spec.adapter.dropout)
    encoders.to(accelerator.device)
    model.train()
    return LiveConditions(learning, encoders)


def task_of(
    spec: RunSpec,
    family: Family,
    base: Base,
    denoiser: nn.Module,
    accelerator: Accelerator,
    items: Sequence[Item],
    latents: LatentReader,
    conditions: ConditionReader | LiveConditions,
    *,
    group: Group | None = None,
) -> Task:
    """What every step reads."""
    train = spec.train
    text_encoder = conditions.model if isinstance(conditions, LiveConditions) else None
    return Task(
        family=family, denoiser=denoiser, text_encoder=text_encoder, accelerator=accelerator,
        parameters=adapter.trained_parameters(denoiser, text_encoder), items=items, latents=latents, conditions=conditions,
        schedule=schedule_of(train, family, base, accelerator.device), seed=train.seed,
        slots_per_step=slots_a_step(spec), resolutions=len(train.resolution), flip=spec.data.flip,
        caption_dropout=train.caption_dropout, min_snr_gamma=train.min_snr_gamma, prior_weight=train.prior_weight,
        max_grad_norm=train.max_grad_norm, adapter_dropout=spec.adapter.dropout, group=group or Group(),
    )  # fmt: skip


def schedule_of(train: Train, family: Family, base: Base, device: torch.device) -> NoiseSchedule:
    """The base's noise schedule as a training draws from it."""
    if base.objective == "flow":
        factor = noise.resolution_shift(base.scheduler)

        def shift(height: int, width: int) -> float:
            return factor(height * width // family.patch**2)

        return NoiseSchedule(
            objective="flow",
            timesteps=int(base.scheduler.get("num_train_timesteps", 1000)),
            alphas_cumprod=None,
            sampling=train.timestep_sampling,
            **({"shift": shift} if train.timestep_shift == "resolution" else {}),
            device=device,
        )
    alphas_cumprod = noise.alphas_cumprod(base.scheduler).to(device)
    return NoiseSchedule(
        objective=base.objective, timesteps=len(alphas_cumprod), alphas_cumprod=alphas_cumprod, device=device
    )


def optimizer_of(spec: RunSpec, task: Task) -> torch.optim.Optimizer:
    """The optimizer of the adapter's parameters, new."""
    of_denoiser, of_encoder = adapter.parted(task.parameters)
    return optimizers.build(spec.train, of_denoiser.values(), of_encoder.values())


def restore(task: Task, optimizer: torch.optim.Optimizer, folder: Path) -> tuple[int, int]:
    """Put a checkpoint back; gives the steps done and the micro-batch in force."""
    manifest, tensors = checkpoint.load_adapter(folder)
    where = folder / checkpoint.ADAPTER
    adapter.load_state(task.denoiser, tensors, where=where, text_encoder=task.text_encoder)
    optimizers.restore(optimizer, task.parameters, checkpoint.load_optimizer(folder))
    precision.restore_scale(task.accelerator.scaler, manifest.loss_scale)
    return manifest.step, manifest.micro_batch


def facts(spec: RunSpec, task: Task, base: Base, threads: int) -> dict[str, Any]:
    """What facts.json says of this attempt beyond versions."""
    device = task.accelerator.device
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": threads,
        "processes": task.group.size,
        "precision": {"no": "fp32"}.get(task.accelerator.mixed_precision, task.accelerator.mixed_precision),
        "tf32": precision.tf32(),
        "attention": precision.attention_of(task.denoiser),
        "base": {
            "source": base.source,
            "fingerprint": base.fingerprint,
            "family": task.family.name,
            "quantize": spec.train.quantize,
        },
        "adapter": {
            "layers": len(task.parameters) // 2,
            "parameters": sum(parameter.numel() for parameter in task.parameters.values()),
        },
    }


def epoch_at(task: Task, step: int) -> float:
    """How often the trained pictures have come up after `step` steps."""
    return step * task.slots_per_step / len(epoch_list(task.items))


def warn_of_cut(
    desk: Desk, family: Family, base: Base, items: Sequence[Item], prompts: Sequence[str]
) -> None:
    """Say once which captions and prompts the model does not read to their end: the rest of them is never trained."""
    cuts = unread_from(
        family, base, dict.fromkeys([text for item in items for text in item.captions] + [*prompts])
    )
    if not cuts:
        return
    files = [item.picture for item in items if any(text in cuts for text in item.captions)]
    text, at = next(iter(cuts.items()))
    desk.warn(
        f"{len(cuts)} texts are longer than what the model reads. The first loses: {text[at:].strip()}",
        files=files,
    )


def outside_window(spec: RunSpec, family: Family, base: Base, items: Sequence[Item]) -> list[str]:
    """Subject pictures with a caption whose trigger lies, whole or in part, beyond the tokens that the model reads."""
    words = [word.casefold() for word in triggers_of(spec)]
    subject = [item for item in items if item.role == "subject"]
    cuts = unread_from(family, base, {text for item in subject for text in item.captions})

    def is_cut_off(caption: str) -> bool:
        found = [(caption.casefold().find(word), len(word)) for word in words]
        return any(at >= 0 and at + length > cuts.get(caption, len(caption)) for at, length in found)

    return [item.picture for item in subject if any(map(is_cut_off, item.captions))]


def summary(desk: Desk, items: Sequence[Item]) -> dict[str, Any]:
    """What the last word says of coverage: how often the trained pictures were seen, and those that never were."""
    counted = seen(desk.job.coverage, desk.starts()).times
    trained = [index for index, item in enumerate(items) if item.role != "holdout"]
    times = [counted[index] for index in trained]
    return {
        "seen_least": min(times),
        "seen_most": max(times),
        "never": [items[index].picture for index in trained if not counted[index]],
    }


def continue_from(task: Task, spec: RunSpec, base: Base, path: Path) -> None:
    """Begin with the weights of the adapter file at `path`. Raises Refused where its layers, rank or alpha are others."""
    rank, alpha = rank_and_alpha(spec)
    state, its_rank, its_alpha = read_adapter(path, task.family, base).to_continue()
    if (its_rank, its_alpha) != (rank, alpha):
        raise refuse(
            f"The adapter has rank {its_rank} alpha {its_alpha:g}, the project rank {rank} alpha {alpha:g}.",
            where=path,
            hint=f"Say --set adapter.rank={its_rank} --set adapter.alpha={its_alpha:g}.",
        )
    adapter.load_state(task.denoiser, state, where=path, text_encoder=task.text_encoder)
