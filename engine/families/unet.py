"""The U-Net of Stable Diffusion 1.x and SDXL: how it is loaded, and which of its layers learn."""

from collections.abc import Mapping

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from engine.families import weights
from engine.families.family import Base

KIND = UNet2DConditionModel
_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
TARGETS: Mapping[str, tuple[str, ...]] = {
    "attention": _ATTENTION,
    "attention+mlp": (*_ATTENTION, "ff.net.0.proj", "ff.net.2"),
}


def load(base: Base, dtype: torch.dtype) -> nn.Module:
    """The frozen U-Net on the CPU."""
    return weights.load_part(base, "unet", KIND, dtype)
