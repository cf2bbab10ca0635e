"""What a family must say of itself, and what an opened base is. A family is a value of `Family`, never a subclass.

Axes in names and comments: B batch, C channels, H height, W width (latents or pixels as said), L tokens, D features.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

Objective = Literal["epsilon", "v", "flow"]
"""What the denoiser predicts: the noise, v, or the velocity from picture to noise."""
Condition = Mapping[str, Tensor]
"""What the denoiser is told of one text, without a batch axis; the keys are the family's own."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """An opened base model: where its files are, and what they say. Nothing of its weights is in memory."""

    source: str
    """As the project says it: may be a path on somebody's disk, so nothing that is passed on carries it."""
    name: str
    """What it is called in files that are passed on: hub id, "demo", or the name of its file or folder."""
    layout: Literal["folder", "file"]
    """diffusers folder (a hub snapshot is one), or one .safetensors file."""
    path: Path
    """That folder or file."""
    configs: Path
    """Folder with model_index.json and the parts' configs: `path` itself, or the family's own for a single file."""
    objective: Objective
    native_size: int
    """Side in pixels of the square the base was made for."""
    latent_factor: int
    """Pixels per latent, 8 for SDXL."""
    zero_unconditional: bool
    """True where sampling with an empty negative prompt uses zeros instead of the encoded empty text."""
    scheduler: Mapping[str, Any]
    """The base's scheduler config."""
    fingerprint: str
    """sha256 over the weights files' digests: names what the adapter was trained on."""
    parts: Mapping[str, str]
    """sha256 a part (vae, text_encoder, ..., unet): what the cache names its entries by."""


@dataclass(frozen=True, kw_only=True)
class Framing:
    """What the model is told of how a picture was cut, in pixels."""

    original_hw: tuple[int, int]
    """Height and width of the picture as it lies on disk, turned upright."""
    crop_top_left: tuple[int, int]
    """First row and column of the bucket inside the picture, after scaling (as SDXL counts it)."""
    target_hw: tuple[int, int]
    """Height and width of the bucket."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """One family: facts and functions. Differences are values here, never `if family == ...` at a place of use."""

    name: str
    multiple_of: Callable[[Base], int]
    """Step of bucket sides in pixels."""
    latent_channels: int
    lora_targets: Mapping[str, tuple[str, ...]]
    """Named choice (attention, attention+mlp) -> module-name suffixes that peft matches."""
    dead_targets: tuple[str, ...]
    """Patterns of targets that cannot receive a gradient in this family (none for SDXL)."""
    freezes_text_encoder: bool
    clip_skips: tuple[int, ...]
    """Values of base.clip_skip that are taken, in A1111's counting."""
    samplers: Mapping[str, Callable[[Mapping[str, Any]], Any]]
    """Sampler by the name people know -> scheduler built from the base's scheduler config."""

    load_denoiser: Callable[[Base, torch.dtype], nn.Module]
    load_vae: Callable[[Base, torch.dtype], nn.Module]
    load_encoders: Callable[[Base, torch.dtype], Any]
    """Tokenizers and text encoders together, as the family's own `encode_condition` takes them."""

    encode_images: Callable[[nn.Module, Tensor], tuple[Tensor, Tensor]]
    """(vae, pixels_BCHW in [-1, 1]) -> mean_BCHW and std_BCHW of the latents, scaled as the denoiser reads them, fp32."""
    encode_condition: Callable[[Any, Sequence[str]], list[Condition]]
    """(encoders, texts) -> one condition a text, fp32. One text at a time inside: bits do not depend on the company."""
    unconditional: Callable[[Base, Any], Condition]
    """(base, encoders) -> what sampling with an empty negative prompt uses; caption dropout trains the same."""
    predict: Callable[[nn.Module, Tensor, Tensor, Condition, Sequence[Framing]], Tensor]
    """(denoiser, noisy_BCHW, timesteps_B, conditions with batch axis in front, framings) -> prediction_BCHW."""
    decode: Callable[[nn.Module, Tensor], Tensor]
    """(vae, latents_BCHW) -> pixels_BCHW in [0, 1], fp32."""
    draw: Callable[..., Tensor]
    """(denoiser, vae, base, sampler, conditions, unconditionals, guidance, steps, size_wh, generators, on_step) ->
    pixels_BCHW in [0, 1]. The family's pipeline of diffusers with conditions given; encoders are not needed."""
    kohya_name: Callable[[Mapping[str, Any], str], str]
    """(denoiser config, module path) -> name in kohya files without the suffix (lora_unet_input_blocks_4_1_...)."""
    model_spec: Mapping[str, str]
    """Constants of exported metadata: modelspec.architecture, modelspec.implementation, ss_base_model_version ..."""
