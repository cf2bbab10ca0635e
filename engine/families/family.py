"""What a family must say of itself, and what an opened base is. A family is a value of `Family`, never a subclass.

Axes in names and comments: B batch, C channels, H height, W width (latents or pixels as said), L tokens, D features.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
    """Folder with model_index.json, the parts' configs and the tokenizers: `path` itself, or for a single file the
    family's own or its companion."""
    companion: Path | None = None
    """diffusers folder with the parts that a single file has not."""
    inside: Mapping[str, str] = field(default_factory=dict)
    """Parts that are in a single file -> what their tensors' names begin with there. Empty for a folder."""
    clip_skip: int | None = None
    """Layer of CLIP that is read, in A1111's counting; None where the family reads none."""
    objective: Objective
    native_size: int
    """Side in pixels of the square the base was made for."""
    bucket_step: int
    """Bucket sides, and sides of what is drawn, are multiples of so many pixels."""
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


def stacked(
    conditions: Sequence[Condition], device: torch.device | str, dtype: torch.dtype | None = None
) -> Condition:
    """Conditions of single texts with a batch axis in front, on the device; dtype None: as they are."""
    return {key: torch.stack([one[key] for one in conditions]).to(device, dtype) for key in conditions[0]}


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What a family's `draw` is asked: one condition, unconditional and generator a picture, the rest the same for all."""

    sampler: str
    conditions: Sequence[Condition]
    unconditionals: Sequence[Condition]
    guidance: float
    true_guidance: float
    """Classifier-free guidance of a base whose own is distilled; 1 is off. Other families have `guidance` only."""
    steps: int
    size_wh: tuple[int, int]
    """Pixels."""
    generators: Sequence[torch.Generator]
    """On the CPU."""
    on_step: Callable[[int, int], object] = lambda done, steps: None
    """Called with (done, steps) after each step; what it raises ends the drawing and reaches the caller."""


@dataclass(frozen=True, kw_only=True)
class Fused:
    """Where a layer lies in files of the original code: a tensor that several layers may share, one below the other."""

    name: str
    """Module of the original code, without suffix."""
    place: int = 0
    """Which of the layers in it, from above."""
    rows: tuple[int, ...] = ()
    """Outputs of each layer in it; empty where it is alone."""
    swapped: bool = False
    """Whether the two halves of its outputs lie the other way round there."""


@dataclass(frozen=True, kw_only=True)
class LearningEncoder:
    """The text encoder of a family that an adapter can be trained on. The empty text is such a family's unconditional."""

    model: Callable[[Any], nn.Module]
    """What the family's `load_encoders` gives -> the model of transformers in it that carries the adapter."""
    lora_targets: Mapping[str, tuple[str, ...]]
    """The family's named choices -> patterns of module paths in that model."""
    unread: Callable[[Any], tuple[str, ...]]
    """Encoders -> patterns of layers behind the one that is read, which cannot receive a gradient."""
    encode: Callable[[Any, Sequence[str]], Condition]
    """(encoders, texts) -> conditions with batch axis in front, fp32, on the model's device, with gradient. With one text
    the numbers are those of `encode_condition`."""
    checkpoint_layers: Callable[[nn.Module], None]
    """Turn gradient checkpointing on."""
    original: Callable[[str], str]
    """Module path -> the layer's path in files of other tools."""
    kohya: str
    """What names in kohya files begin with, lora_te_ for example."""


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A place inside a denoiser whose output describes a picture."""

    module: nn.Module
    output: Callable[[Any], Tensor] = lambda output: output
    """What the module gives -> (B, C, H, W) or (B, L, D)."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """One family: facts and functions. Differences are values here, never `if family == ...` at a place of use.

    What can be known without torch (recognition, sizes, what it cannot do) is in projects/families.py.
    """

    name: str
    denoiser: Literal["unet", "transformer"]
    """The denoiser's part in a diffusers folder; what is exported in diffusers' layout is named after it."""
    models: Mapping[str, Any]
    """Part with weights -> the class of diffusers or transformers that loads it."""
    tokenizers: tuple[str, ...]
    """Parts with a vocabulary."""
    inside: Mapping[str, str]
    """Parts that one file of the original code holds -> what their tensors' names begin with; the others come from the
    base's companion."""
    objectives: tuple[Objective, ...]
    patch: int
    """Latents on a side that make one token of the denoiser; 1 for U-Nets."""
    latent_channels: int
    lora_targets: Mapping[str, tuple[str, ...]]
    """Named choice (attention, attention+mlp) -> patterns of module paths, as adapter.targets has them."""
    dead_targets: tuple[str, ...]
    """Patterns of targets that cannot receive a gradient in this family (none for SDXL)."""
    samplers: Mapping[str, Callable[[Mapping[str, Any]], Any]]
    """Sampler by the name people know -> scheduler built from the base's scheduler config."""

    config: Callable[[Base], Mapping[str, Any]]
    """The denoiser's config, without its weights."""
    load_denoiser: Callable[[Base, torch.dtype], nn.Module]
    load_vae: Callable[[Base, torch.dtype], nn.Module]
    load_encoders: Callable[[Base, torch.dtype], Any]
    """Tokenizers and text encoders together, as the family's own `encode_condition` takes them."""

    reads: Callable[[Base], tuple[Any, int]]
    """The tokenizer that decides how much of a text is read, and how many tokens of it are, marks not counted."""
    encode_images: Callable[[nn.Module, Tensor], tuple[Tensor, Tensor]]
    """(vae, pixels_BCHW in [-1, 1]) -> mean_BCHW and std_BCHW of the latents, scaled as the denoiser reads them, fp32."""
    encode_condition: Callable[[Any, Sequence[str]], list[Condition]]
    """(encoders, texts) -> one condition a text, fp32. One text at a time inside: bits do not depend on the company."""
    unconditional: Callable[[Base, Any], Condition]
    """(base, encoders) -> what sampling with an empty negative prompt uses; caption dropout trains the same."""
    inner: Callable[[nn.Module], Sequence["Inner"]]
    """The denoiser's places that say what a picture shows rather than how it is rendered: its features."""
    predict: Callable[[nn.Module, Tensor, Tensor, Condition, Sequence[Framing]], Tensor]
    """(denoiser, noisy_BCHW, timesteps_B, conditions with batch axis in front, framings) -> prediction_BCHW."""
    decode: Callable[[nn.Module, Tensor], Tensor]
    """(vae, latents_BCHW) -> pixels_BCHW in [0, 1], fp32."""
    draw: Callable[[nn.Module, nn.Module, Base, Drawing], Tensor]
    """(denoiser, vae, base, what is asked) -> pixels_BCHW in [0, 1]. The family's pipeline of diffusers with conditions
    given; encoders are not needed."""
    original: Callable[[Mapping[str, Any], str], Fused]
    """(denoiser's config, module path) -> where the layer lies in kohya's files, whose names are the original code's with
    _ for dots. Raises KeyError for a module that has no name there."""
    text_encoder: LearningEncoder | None = None
    """None where it stays frozen."""
    model_spec: Mapping[str, str]
    """Constants of exported metadata: modelspec.architecture, modelspec.implementation, ss_base_model_version ..."""
