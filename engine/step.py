"""The training step's arithmetic: slots in, loss and gradients out. Read by the loop, the probe and the evaluation."""

import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from engine import noise, optimizers, precision
from engine.cache import ConditionReader, LatentReader
from engine.conditions import LiveConditions
from engine.dataset.items import Item
from engine.dataset.slots import Slot, draw, micro_batches, slots_of_step
from engine.families.family import Condition, Family, Framing
from engine.group import Group
from engine.noise import Levels, NoiseSchedule
from projects.problems import listed, refuse


@dataclass(frozen=True, kw_only=True)
class Task:
    """What every step reads and none changes."""

    family: Family
    denoiser: nn.Module
    text_encoder: nn.Module | None
    """Where an adapter is trained on it too: then every condition comes out of it."""
    accelerator: Accelerator
    parameters: Mapping[str, nn.Parameter]
    """The trained adapter's, by file name."""
    items: Sequence[Item]
    latents: LatentReader
    conditions: ConditionReader | LiveConditions
    """Out of the cache, or out of `text_encoder`."""
    schedule: NoiseSchedule
    seed: int
    slots_per_step: int
    resolutions: int
    flip: bool
    caption_dropout: float
    min_snr_gamma: float
    prior_weight: float
    max_grad_norm: float
    adapter_dropout: float
    group: Group = field(default_factory=Group)
    """The processes that train this together."""

    @property
    def models(self) -> tuple[nn.Module, ...]:
        """The models that carry the adapter."""
        return (self.denoiser,) if self.text_encoder is None else (self.denoiser, self.text_encoder)


@dataclass(frozen=True, kw_only=True)
class MicroBatch:
    """Everything that one call of the denoiser reads and is measured by, on the device. Axes as in noise.py."""

    noisy_BCHW: Tensor
    timesteps_B: Tensor
    target_BCHW: Tensor
    """What the denoiser is to predict."""
    condition: Condition
    framings: Sequence[Framing]
    min_snr_weight_B: Tensor
    own_weight_B: Tensor
    """The picture's own weight, and prior_weight where it is a regularization picture."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What one forward and backward pass over a step's slots gave."""

    loss: float
    """Sum over the slots of their weighted losses, divided by the number of slots."""
    grad_norm: float
    """Euclidean norm of the adapter's gradient before it is clipped."""
    slots: Sequence[Slot]
    overflow: bool = False
    """The scaled gradient left fp16's range: it is not to be applied, and a smaller scale mends it."""


def slots_at(task: Task, step: int) -> list[Slot]:
    """The slots that step `step` (from 0) trains."""
    return slots_of_step(
        task.items,
        seed=task.seed,
        step=step,
        slots_per_step=task.slots_per_step,
        resolutions=task.resolutions,
        flip=task.flip,
        caption_dropout=task.caption_dropout,
    )


def forward_backward(
    task: Task, step: int, micro_batch: int, slots: Sequence[Slot] | None = None
) -> Pass | None:
    """Leave the gradient of step `step` in the adapter's parameters, clipped; `micro_batch` changes memory, not meaning.

    Each process takes its share of the slots, and all have the sum at the end. Ends at the first micro-batch whose loss
    is not finite, with that batch's slots: `check_finite` refuses it. None where memory ran out, in whichever process.
    slots: others than the step's own, for a measurement.
    """
    slots = slots_at(task, step) if slots is None else slots
    clear_gradients(task)
    own = message = None
    try:
        own = _backward(task, step, micro_batch, task.group.share(slots), len(slots))
        message = task.group.packed(task.parameters)
    except torch.OutOfMemoryError as error:
        print(error, file=sys.stderr, flush=True)
        own = None
    parts = task.group.gather(own)
    whole = [part for part in parts if part is not None]
    if len(whole) < len(parts):
        clear_gradients(task)
        return None
    for loss, spoiled in whole:
        if spoiled:
            return Pass(loss=loss, grad_norm=math.nan, slots=spoiled)
    # Summed while still scaled: a gradient that is infinite in one process is so in all, and all come to one decision.
    task.group.sum_gradients(task.parameters, message)
    parameters, scaler = list(task.parameters.values()), task.accelerator.scaler
    if scaler is not None:
        precision.unscale(parameters, scaler)
    norm = nn.utils.clip_grad_norm_(parameters, task.max_grad_norm or math.inf).item()
    loss = sum(loss for loss, _ in whole)
    return Pass(loss=loss, grad_norm=norm, slots=slots, overflow=precision.overflowed(scaler, norm))


def _backward(
    task: Task, step: int, micro_batch: int, share: Sequence[Slot], count: int
) -> tuple[float, Sequence[Slot]]:
    """Add the gradient of `share`, some of the step's `count` slots; gives its part of the loss and slots that spoil it."""
    total = 0.0
    for batch in micro_batches(share, task.items, micro_batch):
        if task.adapter_dropout:
            torch.manual_seed(draw(task.seed, "dropout", step, batch[0].slot) >> 1)
        loss = slot_losses(task, micro_batch_of(task, step, batch)).sum() / count
        value = loss.item()
        if not math.isfinite(value):
            return value, batch
        task.accelerator.backward(loss)
        total += value
    return total, []


def update(task: Task, optimizer: torch.optim.Optimizer, share: float, *, overflow: bool) -> float:
    """One optimizer step on the gradients that the last pass left, or none where they overflowed; they are gone then.

    share: of each group's own learning rate, as the schedule has it. Moves the loss scale too. Gives the denoiser's rate in
    force, which some optimizers find themselves.
    """
    optimizers.set_rates(optimizer, share)
    in_force = optimizers.effective_rate(optimizer)
    if not overflow:
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    precision.advance(task.accelerator.scaler, overflow)
    return in_force


def clear_gradients(task: Task) -> None:
    """Forget the gradients without a step."""
    for parameter in task.parameters.values():
        parameter.grad = None


def slot_losses(task: Task, batch: MicroBatch) -> Tensor:
    """Weighted loss of each slot, shape (B,), fp32: mean squared error x min-SNR weight x the picture's own weight."""
    with autocast(task.accelerator):
        prediction_BCHW = task.family.predict(
            task.denoiser, batch.noisy_BCHW, batch.timesteps_B, batch.condition, batch.framings
        )
    error_B = (prediction_BCHW.float() - batch.target_BCHW).pow(2).mean(dim=(1, 2, 3))
    return error_B * batch.min_snr_weight_B * batch.own_weight_B


def micro_batch_of(task: Task, step: int, slots: Sequence[Slot]) -> MicroBatch:
    """What the slots of one bucket train at step `step` (from 0), drawn by the formulas of noise.py."""
    latents_BCHW, noise_BCHW, levels = _drawn(task, step, slots)
    device, objective = task.accelerator.device, task.schedule.objective
    return MicroBatch(
        noisy_BCHW=noise.mix(latents_BCHW, noise_BCHW, levels),
        timesteps_B=levels.timesteps_B,
        target_BCHW=noise.target(objective, latents_BCHW, noise_BCHW, levels),
        condition=told(task, [_text(task, slot) for slot in slots]),
        framings=[framing(task.items[slot.item], slot.resolution, slot.flip) for slot in slots],
        min_snr_weight_B=noise.min_snr_weight(objective, levels, task.min_snr_gamma),
        own_weight_B=torch.tensor([_own_weight(task, slot) for slot in slots], device=device),
    )


def told(task: Task, texts: Sequence[str | None]) -> Condition:
    """What the denoiser is told of each text (None: the unconditional), batch axis in front, on the device.

    With gradient where the text encoder learns, as it is then encoded here.
    """
    with autocast(task.accelerator):
        condition = task.conditions.batch(texts)
    return {key: value.to(task.accelerator.device) for key, value in condition.items()}


def framing(item: Item, resolution: int, flip: bool = False) -> Framing:
    """What the model is told of a picture's size and crop; a mirrored picture's left edge was its right one."""
    placement = item.placements[resolution]
    width, height = placement.bucket
    left, top = placement.crop_left_top
    if flip:
        left = placement.scaled[0] - width - left
    return Framing(
        original_hw=(item.original[1], item.original[0]), crop_top_left=(top, left), target_hw=(height, width)
    )


def autocast(accelerator: Accelerator) -> AbstractContextManager[object]:
    """Mixed precision where the run has it; nothing in fp32."""
    return accelerator.autocast()


def _drawn(task: Task, step: int, slots: Sequence[Slot]) -> tuple[Tensor, Tensor, Levels]:
    """Latents and noise, (B, C, H, W), and levels of the slots of one bucket, by the formulas of noise.py."""
    latents, noises, shares = [], [], []
    for slot in slots:
        mean_CHW, std_CHW = task.latents.get(task.items[slot.item], slot.resolution, slot.flip)
        shape = tuple(mean_CHW.shape)
        latents.append(mean_CHW + std_CHW * noise.gaussian(task.seed, "latent", step, slot.slot, shape))
        noises.append(noise.gaussian(task.seed, "noise", step, slot.slot, shape))
        shares.append(noise.share(task.seed, step, slot.slot))
    device, (_, height, width) = task.accelerator.device, latents[0].shape
    return (
        torch.stack(latents).to(device),
        torch.stack(noises).to(device),
        task.schedule.drawn(shares, (height, width)),
    )


def _text(task: Task, slot: Slot) -> str | None:
    return None if slot.caption < 0 else task.items[slot.item].captions[slot.caption]


def _own_weight(task: Task, slot: Slot) -> float:
    item = task.items[slot.item]
    return item.weight * (task.prior_weight if item.role == "regularization" else 1.0)


def check_finite(result: Pass, step: int, items: Sequence[Item], *, scaled: bool = False) -> None:
    """Refuse a loss or gradient that is not a finite number, with the step and the pictures, before anything is updated.

    A gradient that only overflowed in fp16 is no such thing: `Pass.overflow`. scaled: whether the base computes in fp16.
    """
    if result.overflow:
        return
    numbers = (
        " Or in wider numbers: --set train.precision=bf16, or fp32 on a card without it." if scaled else ""
    )
    for value, what in ((result.loss, "loss"), (result.grad_norm, "gradient")):
        if not math.isfinite(value):
            pictures = listed(list(dict.fromkeys(items[slot.item].picture for slot in result.slots)))
            raise refuse(
                f"The {what} of step {step + 1} is not a finite number ({value}); nothing was changed by it.",
                where=pictures,
                hint="Look at these pictures, and train again from the last checkpoint with a lower rate: "
                f"safelight train --from RUN --set train.learning_rate=...{numbers}",
            )
