"""Which numbers a card computes in, and the scale that keeps fp16's gradients above its smallest number."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from diffusers.utils.constants import DIFFUSERS_ATTN_BACKEND
from torch import nn

from projects.problems import refuse

Precision = Literal["fp32", "bf16", "fp16"]

BF16_CAPABILITY = (8, 0)
"""Compute capability from which cards have bf16 (Ampere). Older ones imitate it, slower than fp32."""
LEAST_SCALE = 1.0
"""A gradient that is infinite even at this loss scale did not overflow on the way: it is not a number."""
SCALE, TRACKER = "scale", "_growth_tracker"
"""What of a GradScaler's state changes, by the names in its state_dict."""


def precision_on(asked: Precision, capability: tuple[int, int] | None) -> tuple[Precision, str]:
    """The numbers of the base on a card of that compute capability (None: a CPU), and a warning or "".

    A CPU computes in fp32, which holds more than what was asked. Raises Refused for bf16 on a card without it: fp16 holds
    less, and a run must not overflow because nobody was asked.
    """
    if capability is None:
        if asked == "fp32":
            return "fp32", ""
        return "fp32", f"This machine has no GPU: the run computes in fp32, not {asked}."
    if asked == "bf16" and capability < BF16_CAPABILITY:
        raise refuse(
            f"This card (compute capability {capability[0]}.{capability[1]}) has no bf16, which needs 8.0.",
            where="train.precision",
            hint='Start it with --set train.precision=fp16: the loss is scaled, the adapter stays fp32. Or "fp32".',
        )
    return asked, ""


def dtype_of(mixed_precision: str) -> torch.dtype:
    """The frozen base's dtype for accelerate's word for it."""
    return {"bf16": torch.bfloat16, "fp16": torch.float16}.get(mixed_precision, torch.float32)


def unscale(parameters: Iterable[nn.Parameter], scaler: Any) -> None:
    """Divide the gradients by the loss scale. By hand, as the scaler allows it once a step and the probe comes between."""
    inverse = 1.0 / scaler.get_scale()
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.mul_(inverse)


def overflowed(scaler: Any, norm: float) -> bool:
    """Whether a gradient norm that is not finite is fp16's overflow, which a smaller scale mends."""
    return scaler is not None and not math.isfinite(norm) and scaler.get_scale() > LEAST_SCALE


def after_step(state: Mapping[str, Any], overflow: bool) -> dict[str, Any]:
    """A GradScaler's state behind a step: the scale backs off at once, and grows after `growth_interval` good steps."""
    if overflow:
        return {**state, SCALE: state[SCALE] * state["backoff_factor"], TRACKER: 0}
    good = state[TRACKER] + 1
    if good < state["growth_interval"]:
        return {**state, TRACKER: good}
    return {**state, SCALE: state[SCALE] * state["growth_factor"], TRACKER: 0}


def advance(scaler: Any, overflow: bool) -> None:
    """Take a step of the loss scale; nothing without one."""
    if scaler is not None:
        scaler.load_state_dict(after_step(scaler.state_dict(), overflow))


def saved_scale(scaler: Any) -> dict[str, str | int]:
    """What a manifest keeps of the loss scale: `scale` as hexadecimal float, `good_steps` since it last changed."""
    if scaler is None:
        return {}
    state = scaler.state_dict()
    return {"scale": float(state[SCALE]).hex(), "good_steps": int(state[TRACKER])}


def restore_scale(scaler: Any, saved: Mapping[str, str | int]) -> None:
    """Put `saved_scale` back; nothing where either side has none."""
    if scaler is not None and saved:
        state = {SCALE: float.fromhex(str(saved["scale"])), TRACKER: int(saved["good_steps"])}
        scaler.load_state_dict({**scaler.state_dict(), **state})


def tf32() -> bool:
    """Whether products in fp32 may be rounded to TF32's 10 bits, in matrices or convolutions."""
    return bool(torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32)


def attention_of(denoiser: nn.Module) -> str:
    """What computes the attention: "sdpa" (torch's own, which chooses its kernel), or diffusers' names for others.

    Torch's has the kernels of flash-attention and xformers inside. Others are never chosen here because they happen to be
    installed: the same run would come to other bits. Where a person has set DIFFUSERS_ATTN_BACKEND, it is named.
    """
    used = set()
    for module in denoiser.modules():
        processor = getattr(module, "processor", None)
        if processor is None:
            continue
        # A processor without the attribute does not read diffusers' switch.
        own = getattr(processor, "_attention_backend", "native")
        used.add(str(getattr(own, "value", own) or DIFFUSERS_ATTN_BACKEND))
    return ", ".join(sorted("sdpa" if name == "native" else name for name in used)) or "sdpa"
