"""Is the subject there? A score from the base's own features, and the sign test over pairs of pictures.

The score of a picture is its place on the axis from pictures of the base (0) to training pictures (1), in the
feature space of the base's denoiser: the mean over space of the middle block, and mean and deviation over space
of the second down block, at timestep 120, without text. The adapter must be off while scoring.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TIMESTEP = 120
NOISE_SEED = 20
NOISE_DRAWS = 2


@dataclass(frozen=True)
class PipeParts:
    """What scoring needs of a base: denoiser and autoencoder (float32, eval), and the scheduler's (1000,) alphas."""

    unet: Any
    vae: Any
    alphas_cumprod: Tensor


@dataclass(frozen=True)
class ConceptAxis:
    """The axis in standardised feature space: `origin` and `direction` are (features,), 1 is the training mean.

    `mean` and `deviation` (features,) standardise raw features.
    """

    mean: Tensor
    deviation: Tensor
    origin: Tensor
    direction: Tensor


def parts_of(pipeline: Any) -> PipeParts:
    """The parts of a loaded SDXL pipeline. Its scheduler may be any with `alphas_cumprod`."""
    return PipeParts(pipeline.unet, pipeline.vae, pipeline.scheduler.alphas_cumprod)


@torch.no_grad()
def latents_of_pictures(parts: PipeParts, pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Pictures, each (height, width, 3) uint8 and all of one size, to scaled latents (n, 4, height/4, width/4)."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    blocks = [
        parts.vae.encode(stacked[start : start + 16]).latent_dist.mean for start in range(0, len(stacked), 16)
    ]
    return torch.cat(blocks) * parts.vae.config.scaling_factor


@contextmanager
def _captured(unet: Any) -> Iterator[dict[str, Tensor]]:
    """What the two blocks put out, filled by each forward pass: `mid` and `down`, (n, channels, height, width)."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(_module: Any, _inputs: Any, output: Any) -> None:
            seen[name] = output[0] if isinstance(output, tuple) else output

        return hook

    handles = [
        unet.mid_block.register_forward_hook(keep("mid")),
        unet.down_blocks[1].register_forward_hook(keep("down")),
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def features(parts: PipeParts, latents: Tensor) -> Tensor:
    """Scaled latents (n, 4, h, w) to features (n, mid channels + 2 x down channels), averaged over fixed noises."""
    height, width = latents.shape[-2:]
    config = parts.unet.config
    pooled_width = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    share = parts.alphas_cumprod[TIMESTEP].float()
    pixels = [height * 4.0, width * 4.0]
    total: Tensor | None = None
    for draw in range(NOISE_DRAWS):
        # One noise for all pictures of a draw: differences between pictures are then not differences of noise.
        noise = torch.randn(
            (1, *latents.shape[1:]), generator=torch.Generator().manual_seed(NOISE_SEED + draw)
        )
        noised = share.sqrt() * latents + (1 - share).sqrt() * noise
        rows = []
        for start in range(0, len(latents), 16):
            block = noised[start : start + 16]
            count = len(block)
            added = {
                "text_embeds": torch.zeros(count, pooled_width),
                "time_ids": torch.tensor([[*pixels, 0.0, 0.0, *pixels]]).expand(count, 6),
            }
            with _captured(parts.unet) as seen:
                text = torch.zeros(count, 77, config.cross_attention_dim)
                parts.unet(block, torch.full((count,), TIMESTEP), text, added_cond_kwargs=added)
            down = seen["down"]
            rows.append(torch.cat([seen["mid"].mean((2, 3)), down.mean((2, 3)), down.std((2, 3))], 1))
        total = torch.cat(rows) if total is None else total + torch.cat(rows)
    assert total is not None  # NOISE_DRAWS is at least 1
    return total / NOISE_DRAWS


def concept_axis(
    parts: PipeParts,
    base_pictures: Sequence[NDArray[np.uint8]],
    training_pictures: Sequence[NDArray[np.uint8]],
) -> ConceptAxis:
    """The axis from pictures that the base makes (or its own world) to training pictures; a dozen of each suffices."""
    base = features(parts, latents_of_pictures(parts, base_pictures))
    training = features(parts, latents_of_pictures(parts, training_pictures))
    mean, deviation = base.mean(0), base.std(0).clamp(min=1e-4)
    origin = torch.zeros_like(mean)  # the mean of the base pictures, once standardised
    direction = ((training - mean) / deviation).mean(0)
    return ConceptAxis(mean, deviation, origin, direction)


def concept_score(parts: PipeParts, pictures: Sequence[NDArray[np.uint8]], axis: ConceptAxis) -> Tensor:
    """(n,) places on the axis: 0 like the base's pictures on average, 1 like the training pictures on average."""
    return concept_score_of_latents(parts, latents_of_pictures(parts, pictures), axis)


def concept_score_of_latents(parts: PipeParts, latents: Tensor, axis: ConceptAxis) -> Tensor:
    """`concept_score` for scaled latents (n, 4, h, w)."""
    standard = (features(parts, latents) - axis.mean) / axis.deviation
    length = (axis.direction @ axis.direction).clamp(min=1e-8)
    return ((standard - axis.origin) @ axis.direction) / length


def sign_test(differences: Sequence[float]) -> tuple[int, int, float]:
    """One-sided exact sign test: (pairs, positives, p). Ties say nothing and are left out of the pairs.

    p is the chance of at least that many positive differences if either sign were equally likely.
    """
    decided = [value for value in differences if value != 0]
    pairs, positives = len(decided), sum(value > 0 for value in decided)
    p = sum(comb(pairs, k) for k in range(positives, pairs + 1)) / 2**pairs
    return pairs, positives, p
