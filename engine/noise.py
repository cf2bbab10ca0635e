"""Timesteps, noising, target and loss weight: pure functions, and every draw as a formula.

`draw` and `uniform` are those of `engine.dataset.slots`; `step` counts optimizer steps from 0, `slot` is the index of
the sample in the step's whole batch (batch x accumulate x processes). So a draw does not depend on micro-batches,
processes, or on how often the run was interrupted:

    latent noise   randn(C, H, W) of a CPU generator seeded with draw(seed, "latent", step, slot) >> 1, fp32
    noise          randn(C, H, W) of a CPU generator seeded with draw(seed, "noise", step, slot) >> 1, fp32
    share          u = uniform(seed, "timestep", step, slot)
    timestep       epsilon and v: floor(u * T), T = 1000 for SD 1.5 and SDXL
                   flow: 1000 * sigma, sigma = shifted(quantile(u)), see `NoiseSchedule.drawn`

The last bit of a draw goes because torch takes signed 64-bit seeds. Axes: B batch, C channels, H height, W width.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import torch
from diffusers import DDPMScheduler, FlowMatchEulerDiscreteScheduler
from torch import Tensor

from engine.dataset.slots import draw, uniform
from engine.families.family import Objective

Sampling = Literal["uniform", "logit_normal"]
_LEAST = 2.0**-54
"""Half of what separates two draws of `uniform`: where 0 itself was drawn, which has no logit."""


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Where the samples of a batch stand between picture and noise; each (B,), on one device."""

    timesteps_B: Tensor
    """As the denoiser is told: whole numbers in [0, T) for epsilon and v, 1000 * sigma for flow."""
    signal_B: Tensor
    """Factor on the latents, in [0, 1], fp32."""
    noise_B: Tensor
    """Factor on the noise, in [0, 1], fp32."""


@dataclass(frozen=True, kw_only=True)
class NoiseSchedule:
    """How the base was taught to see noise, and how a training draws its timesteps."""

    objective: Objective
    timesteps: int
    """T, the number of timesteps."""
    alphas_cumprod: Tensor | None
    """Share of signal power left at each timestep, (T,), on the device; None for flow."""
    sampling: Sampling = "uniform"
    """Distribution of sigma before the shift; flow only."""
    shift: Callable[[int, int], float] = lambda height, width: 1.0
    """(height, width of the latents) -> factor of `shifted`; flow only."""
    device: torch.device = torch.device("cpu")

    def drawn(self, shares: Sequence[float], shape_HW: tuple[int, int]) -> Levels:
        """What a training does with draws of `uniform`, for latents of this height and width.

        Flow: sigma = quantile(u), the logistic function of a standard normal number for "logit_normal" (arXiv
        2403.03206; other tools call it sigmoid), then shifted towards noise for larger pictures.
        """
        if self.alphas_cumprod is not None:
            return self.at(shares)
        factor = self.shift(*shape_HW)
        return self.at([shifted(quantile(share, self.sampling), factor) for share in shares])

    def at(self, shares: Sequence[float]) -> Levels:
        """Places on the schedule itself, as shares of it in [0, 1): the same for every training."""
        if self.alphas_cumprod is None:
            sigmas_B = torch.tensor(shares, dtype=torch.float64, device=self.device)
            return Levels(
                timesteps_B=(sigmas_B * self.timesteps).float(),
                signal_B=(1 - sigmas_B).float(),
                noise_B=sigmas_B.float(),
            )
        timesteps = [int(share * self.timesteps) for share in shares]
        timesteps_B = torch.tensor(timesteps, device=self.device)
        alpha_bar_B = self.alphas_cumprod[timesteps_B]
        return Levels(timesteps_B=timesteps_B, signal_B=alpha_bar_B.sqrt(), noise_B=(1 - alpha_bar_B).sqrt())


def alphas_cumprod(scheduler: Mapping[str, Any]) -> Tensor:
    """Share of signal power left at each timestep, shape (T,), fp32, from the base's scheduler config."""
    return DDPMScheduler.from_config(dict(scheduler)).alphas_cumprod.float()


def quantile(share: float, sampling: Sampling) -> float:
    """Sigma in (0, 1) below which `share` of a training's draws lie."""
    if sampling == "uniform":
        return share
    return 1 / (1 + math.exp(-NormalDist().inv_cdf(max(share, _LEAST))))


def shifted(sigma: float, factor: float) -> float:
    """factor * sigma / (1 + (factor - 1) * sigma): more of the schedule at its noisy end (arXiv 2403.03206, eq. 23)."""
    return factor * sigma / (1 + (factor - 1) * sigma)


def resolution_shift(scheduler: Mapping[str, Any]) -> Callable[[int], float]:
    """Tokens of a picture -> factor of `shifted`, as the base's scheduler config has it (FLUX: e^0.5 at 256, e^1.15 at 4096
    tokens, the exponent a straight line through both)."""
    whole = FlowMatchEulerDiscreteScheduler.from_config(dict(scheduler)).config
    few, low = whole["base_image_seq_len"], whole["base_shift"]
    slope = (whole["max_shift"] - low) / (whole["max_image_seq_len"] - few)
    return lambda tokens: math.exp(low + slope * (tokens - few))


def gaussian(seed: int, purpose: str, step: int, slot: int, shape_CHW: tuple[int, int, int]) -> Tensor:
    """Standard normal numbers of shape (C, H, W), fp32 on the CPU, for "latent" or "noise" (see the formulas above)."""
    generator = torch.Generator().manual_seed(draw(seed, purpose, step, slot) >> 1)
    return torch.randn(shape_CHW, generator=generator, dtype=torch.float32)


def share(seed: int, step: int, slot: int) -> float:
    """The draw in [0, 1) that a timestep is made of."""
    return uniform(seed, "timestep", step, slot)


def mix(latents_BCHW: Tensor, noise_BCHW: Tensor, levels: Levels) -> Tensor:
    """The noisy latents: signal * latents + noise level * noise."""
    return _over_CHW(levels.signal_B) * latents_BCHW + _over_CHW(levels.noise_B) * noise_BCHW


def target(objective: Objective, latents_BCHW: Tensor, noise_BCHW: Tensor, levels: Levels) -> Tensor:
    """What the denoiser is to predict: the noise; the velocity v (arXiv 2202.00512); or, for flow, noise - latents, the
    velocity of the straight way from picture to noise (arXiv 2209.03003)."""
    if objective == "epsilon":
        return noise_BCHW
    if objective == "flow":
        return noise_BCHW - latents_BCHW
    return _over_CHW(levels.signal_B) * noise_BCHW - _over_CHW(levels.noise_B) * latents_BCHW


def min_snr_weight(objective: Objective, levels: Levels, gamma: float) -> Tensor:
    """Loss weight a sample, shape (B,): min(SNR, gamma) / SNR for epsilon, / (SNR + 1) for v (arXiv 2303.09556).

    With SNR = signal^2 / noise^2 = a / b these are min(1, gamma * b / a) and min(a, gamma * b), since a + b = 1; they stay
    finite where either is 0 (a base with zero terminal SNR). gamma 0 means no weighting; flow has none.
    """
    if gamma == 0:
        return torch.ones_like(levels.signal_B)
    a_B, b_B = levels.signal_B.square(), levels.noise_B.square()
    if objective == "epsilon":
        return torch.where(a_B <= gamma * b_B, torch.ones_like(a_B), gamma * b_B / a_B)
    return torch.minimum(a_B, gamma * b_B)


def _over_CHW(values_B: Tensor) -> Tensor:
    return values_B.view(-1, 1, 1, 1)
