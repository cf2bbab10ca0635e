"""The models with the adapter in them, the optimizer, and what a step reads: put together alike in every process."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from engine import adapter, checkpoint, noise, optimizers, precision
from engine.cache import ConditionReader, LatentReader
from engine.conditions import LiveConditions
from engine.dataset.items import Item
from engine.dataset.slots import draw
from engine.desk import Desk
from engine.export.reading import read_adapter
from engine.families.family import Base, Family
from engine.group import Group
from engine.noise import NoiseSchedule
from engine.quantise import quantise
from engine.step import Task
from projects.plan import slots_a_step
from projects.problems import refuse
from projects.spec import RunSpec, Train


def set_threads(saved: checkpoint.Manifest | None, processes: int) -> int:
    """Threads of torch on the CPU: a process's part of the cores, or as many as the checkpoint was made with by as many
    processes, since the bits depend on it."""
    if saved and saved.processes == processes:
        threads = saved.threads
    else:
        threads = max(1, len(os.sched_getaffinity(0)) // processes)
    torch.set_num_threads(threads)
    return threads


def rank_and_alpha(spec: RunSpec) -> tuple[int, float]:
    """Rank, and alpha or what stands for it."""
    return spec.adapter.rank, float(spec.adapter.rank if spec.adapter.alpha is None else spec.adapter.alpha)


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


def assemble(
    spec: RunSpec,
    family: Family,
    base: Base,
    items: Sequence[Item],
    latents: LatentReader,
    cached: ConditionReader | None,
    *,
    group: Group | None = None,
) -> Task:
    """Load the models, put the adapter into them, and give what every step reads.

    cached: None where the text encoder learns, which is then loaded too.
    """
    accelerator = accelerator_for(spec)
    denoiser = denoiser_with_adapter(spec, family, base, accelerator)
    conditions = cached or encoder_with_adapter(spec, family, base, accelerator)
    return _task_of(spec, family, base, denoiser, accelerator, items, latents, conditions, group)


def denoiser_with_adapter(spec: RunSpec, family: Family, base: Base, accelerator: Accelerator) -> nn.Module:
    """The frozen denoiser on its device with the adapter injected; the adapter's start follows from the seed."""
    dtype = precision.dtype_of(accelerator.mixed_precision)
    denoiser = family.load_denoiser(base, dtype)
    denoiser.requires_grad_(False)
    quantise(denoiser, spec, dtype)
    if spec.train.gradient_checkpointing:
        denoiser.enable_gradient_checkpointing()
    if spec.train.channels_last and accelerator.device.type == "cuda":
        # Before the adapter comes: its own tensors, and the optimizer's beside them, lie as they are saved.
        denoiser.to(memory_format=torch.channels_last)
    targets: str | Sequence[str] = spec.adapter.targets
    if spec.adapter.text_encoder and not isinstance(targets, str):
        targets = [pattern for pattern in targets if not pattern.startswith(adapter.ENCODER)]
    modules = adapter.target_modules(denoiser, targets, family)
    rank, alpha = rank_and_alpha(spec)
    torch.manual_seed(draw(spec.train.seed, "adapter") >> 1)
    adapter.inject(denoiser, modules, rank=rank, alpha=alpha, dropout=spec.adapter.dropout)
    denoiser.to(accelerator.device)
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


def _task_of(
    spec: RunSpec,
    family: Family,
    base: Base,
    denoiser: nn.Module,
    accelerator: Accelerator,
    items: Sequence[Item],
    latents: LatentReader,
    conditions: ConditionReader | LiveConditions,
    group: Group | None,
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
    if isinstance(task.conditions, LiveConditions):
        unread = task.conditions.learning.unread(task.conditions.encoders)
        if beyond := adapter.unread_layers(state, unread):
            raise refuse(
                f"The adapter has layers of the text encoder behind the one that this project reads, e.g. {beyond[0]}.",
                where=path,
                hint="Most tools read the last one: --set base.clip_skip=1.",
            )
    adapter.load_state(task.denoiser, state, where=path, text_encoder=task.text_encoder)


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
