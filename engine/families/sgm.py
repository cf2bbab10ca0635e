"""Names of an SDXL U-Net's modules as the original code (SGM, sd-scripts, A1111) says them. Pure, no torch.

diffusers counts blocks and layers, SGM numbers them through: with n = layers_per_block + 1, down block b and layer l
are `input_blocks.{1 + n*b + l}`, up block b and layer l are `output_blocks.{n*b + l}` (SDXL: n is 3).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_OUTER = {
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}


def sgm_path(config: Mapping[str, Any], module: str) -> str:
    """Path of `module` (as diffusers names it, no `.weight`) in an SGM checkpoint, without `model.diffusion_model.`.

    `config` is the U-Net's. Raises KeyError for a module that SGM has no name for.
    """
    if module in _OUTER:
        return _OUTER[module]
    for pattern, place in _PLACES:
        if match := pattern.fullmatch(module):
            return place(config, *match.groups())
    raise KeyError(module)


def _layers(config: Mapping[str, Any]) -> int:
    """Numbers of SGM that one block takes up: its layers and one more (down: the downsampler, up: the extra layer)."""
    layers = config["layers_per_block"]
    if not isinstance(layers, int):
        raise KeyError("SGM numbers blocks of equal length only")
    return layers + 1


def _has_attention(config: Mapping[str, Any], block: int) -> bool:
    return "CrossAttn" in config["up_block_types"][block]


def _down(config: Mapping[str, Any], block: str, kind: str, layer: str, rest: str) -> str:
    number = 1 + _layers(config) * int(block) + int(layer)
    return (
        f"input_blocks.{number}.0.{_RESNET[rest]}" if kind == "resnets" else f"input_blocks.{number}.1.{rest}"
    )


def _up(config: Mapping[str, Any], block: str, kind: str, layer: str, rest: str) -> str:
    number = _layers(config) * int(block) + int(layer)
    return (
        f"output_blocks.{number}.0.{_RESNET[rest]}"
        if kind == "resnets"
        else f"output_blocks.{number}.1.{rest}"
    )


def _middle(config: Mapping[str, Any], kind: str, layer: str, rest: str) -> str:
    return (
        f"middle_block.{2 * int(layer)}.{_RESNET[rest]}"
        if kind == "resnets"
        else f"middle_block.{2 * int(layer) + 1}.{rest}"
    )


def _downsampler(config: Mapping[str, Any], block: str) -> str:
    return f"input_blocks.{_layers(config) * (int(block) + 1)}.0.op"


def _upsampler(config: Mapping[str, Any], block: str) -> str:
    """The upsampler follows the last layer's resnet, and its attention where it has one."""
    place = 2 if _has_attention(config, int(block)) else 1
    return f"output_blocks.{_layers(config) * (int(block) + 1) - 1}.{place}.conv"


_PLACES: list[tuple[re.Pattern[str], Callable[..., str]]] = [
    (re.compile(r"down_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)"), _down),
    (re.compile(r"up_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)"), _up),
    (re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)"), _middle),
    (re.compile(r"down_blocks\.(\d+)\.downsamplers\.0\.conv"), _downsampler),
    (re.compile(r"up_blocks\.(\d+)\.upsamplers\.0\.conv"), _upsampler),
]
