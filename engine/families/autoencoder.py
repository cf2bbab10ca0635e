"""The VAE that the families share: AutoencoderKL, whatever its channels, shift and scale. Pixels to latents and back.

Axes: B batch, C channels, H height, W width.
"""

from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn

from engine.dataset import cachefiles
from engine.dataset.cachefiles import in_tiles
from engine.families import weights
from engine.families.family import Base

KIND = AutoencoderKL


def load_vae(base: Base, dtype: torch.dtype) -> nn.Module:
    """Always fp32 whatever `dtype` says: SDXL's VAE overflows in fp16, and all of them show grain in bf16."""
    return weights.load_part(base, "vae", KIND, torch.float32)


@torch.no_grad()
def encode_images(vae: Any, pixels_BCHW: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels in [-1, 1] -> mean and deviation of the latents as the denoiser reads them, fp32."""
    device = next(vae.parameters()).device
    _set_tiles(vae, pixels_BCHW.shape[-1], pixels_BCHW.shape[-2])
    distribution = vae.encode(pixels_BCHW.to(device, torch.float32)).latent_dist
    shift, deviation = (moment.to(device) for moment in _moments(vae))
    return (distribution.mean - shift) / deviation, distribution.std / deviation


@torch.no_grad()
def decode(vae: Any, latents_BCHW: Tensor) -> Tensor:
    """Latents -> pixels in [0, 1], fp32. One picture at a time: a 1024 px picture takes gigabytes on the way, and its
    bits do not depend on the company."""
    device = next(vae.parameters()).device
    shift, deviation = (moment.to(device) for moment in _moments(vae))
    raw = latents_BCHW.to(device, torch.float32) * deviation + shift
    factor = _factor(vae)
    _set_tiles(vae, raw.shape[-1] * factor, raw.shape[-2] * factor)
    pixels = torch.cat([vae.decode(one[None], return_dict=False)[0] for one in raw])
    return (pixels / 2 + 0.5).clamp(0, 1)


def _set_tiles(vae: Any, width: int, height: int) -> None:
    """Have what comes next, of so many pixels, done in tiles where it is large. Others keep the bits they always had."""
    vae.use_tiling = in_tiles(width, height)
    # diffusers takes the side that the VAE's config names, 512 for some: seams that 1024 does not have.
    vae.tile_sample_min_size, vae.tile_latent_min_size = cachefiles.TILE, cachefiles.TILE // _factor(vae)


def _factor(vae: Any) -> int:
    """Pixels a latent."""
    return int(2 ** (len(vae.config.block_out_channels) - 1))


def _moments(vae: Any) -> tuple[Tensor, Tensor]:
    """Shift and deviation of raw latents over the channels, each 1 x C x 1 x 1 (0 and 1 / scaling_factor for SDXL)."""
    config, channels = vae.config, vae.config.latent_channels
    mean, deviation = config.get("latents_mean"), config.get("latents_std")
    if mean is None or deviation is None:
        mean, deviation = [config.get("shift_factor") or 0.0] * channels, [1.0] * channels
    shape = (1, channels, 1, 1)
    return torch.tensor(mean).view(shape), torch.tensor(deviation).view(shape) / config.scaling_factor
