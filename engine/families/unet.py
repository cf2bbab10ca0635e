"""The U-Net of Stable Diffusion 1.x and SDXL: how it is loaded, and which of its layers learn."""

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from engine.families import weights
from engine.families.family import Base, Inner

KIND = UNet2DConditionModel
_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
TARGETS: Mapping[str, tuple[str, ...]] = {
    "attention": _ATTENTION,
    "attention+mlp": (*_ATTENTION, "ff.net.0.proj", "ff.net.2"),
}


def inner(denoiser: Any) -> list[Inner]:
    """The middle block, and the first level below the top: shape and colour of what is there, without the grain."""
    return [
        Inner(module=denoiser.mid_block),
        Inner(module=denoiser.down_blocks[1], output=lambda output: output[0]),
    ]


def load(base: Base, dtype: torch.dtype) -> nn.Module:
    """The frozen U-Net on the CPU."""
    return weights.load_part(base, "unet", KIND, dtype)
