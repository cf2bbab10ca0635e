"""Timesteps, noising, target and loss weight: pure functions, and every draw as a formula.

`draw` and `uniform` are those of `engine.dataset.slots`; `step` counts optimizer steps from 0, `slot` is the index of
the sample in the step's whole batch (batch x accumulate x processes). So a draw does not depend on micro-batches,
processes, or on how often the run was interrupted:

    latent noise   randn(C, H, W) of a CPU generator seeded with draw(seed, "latent", step, slot) >> 1, fp32
    noise          randn(C, H, W) of a CPU generator seeded with draw(seed, "noise", step, slot) >> 1, fp32
    timestep       floor(uniform(seed, "timestep", step, slot) * T), T = 1000 for SDXL

The last bit of a draw goes because torch takes signed 64-bit seeds. Axes: B batch, C channels, H height, W width.
"""

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import DDPMScheduler
from torch import Tensor

from engine.dataset.slots import draw, uniform
from engine.families.family import Objective


def alphas_cumprod(scheduler: Mapping[str, Any]) -> Tensor:
    """Share of signal power left at each timestep, shape (T,), fp32, from the base's scheduler config."""
    return DDPMScheduler.from_config(dict(scheduler)).alphas_cumprod.float()


def gaussian(seed: int, purpose: str, step: int, slot: int, shape_CHW: tuple[int, int, int]) -> Tensor:
    """Standard normal numbers of shape (C, H, W), fp32 on the CPU, for "latent" or "noise" (see the formulas above)."""
    generator = torch.Generator().manual_seed(draw(seed, purpose, step, slot) >> 1)
    return torch.randn(shape_CHW, generator=generator, dtype=torch.float32)


def timestep(seed: int, step: int, slot: int, timesteps: int) -> int:
    """A timestep in [0, timesteps), uniform."""
    return int(uniform(seed, "timestep", step, slot) * timesteps)


def mix(latents_BCHW: Tensor, noise_BCHW: Tensor, alpha_bar_B: Tensor) -> Tensor:
    """The noisy latents: sqrt(alpha_bar) * latents + sqrt(1 - alpha_bar) * noise."""
    alpha_bar_B111 = alpha_bar_B.view(-1, 1, 1, 1)
    return alpha_bar_B111.sqrt() * latents_BCHW + (1 - alpha_bar_B111).sqrt() * noise_BCHW


def target(objective: Objective, latents_BCHW: Tensor, noise_BCHW: Tensor, alpha_bar_B: Tensor) -> Tensor:
    """What the denoiser is to predict: the noise, or the velocity v (arXiv 2202.00512)."""
    if objective == "epsilon":
        return noise_BCHW
    alpha_bar_B111 = alpha_bar_B.view(-1, 1, 1, 1)
    return alpha_bar_B111.sqrt() * noise_BCHW - (1 - alpha_bar_B111).sqrt() * latents_BCHW


def min_snr_weight(objective: Objective, alpha_bar_B: Tensor, gamma: float) -> Tensor:
    """Loss weight a sample, shape (B,): min(SNR, gamma) / SNR for epsilon, / (SNR + 1) for v (arXiv 2303.09556).

    With SNR = a / (1 - a) these are min(1, gamma * (1 - a) / a) and min(a, gamma * (1 - a)), which stay finite where a
    is 0 or 1 (a base with zero terminal SNR). gamma 0 means no weighting.
    """
    if gamma == 0:
        return torch.ones_like(alpha_bar_B)
    rest_B = gamma * (1 - alpha_bar_B)
    if objective == "epsilon":
        return torch.where(alpha_bar_B <= rest_B, torch.ones_like(alpha_bar_B), rest_B / alpha_bar_B)
    return torch.minimum(alpha_bar_B, rest_B)
