"""The kohya layout: what A1111, Forge, sd-scripts and ComfyUI read, and diffusers too.

One layer is three tensors: `NAME.lora_down.weight` (rank, in, ...), `NAME.lora_up.weight` (out, rank, ...) and
`NAME.alpha` (no axes). NAME is the layer's name in the original SDXL code, which the family derives from its config.
"""

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from projects.problems import refuse

DOWN, UP, ALPHA = ".lora_down.weight", ".lora_up.weight", ".alpha"
PREFIX = "lora_unet_"


def to_kohya(
    state: Mapping[str, Tensor], *, alpha: float, dtype: torch.dtype, name_of: Callable[[str], str]
) -> dict[str, Tensor]:
    """Tensors by kohya name from tensors by peft name. `name_of` takes a module path.

    alpha stays fp32 in every file: readers divide it by the rank, and half precision would bend the scale.
    """
    tensors: dict[str, Tensor] = {}
    for path in sorted({key.rsplit(".lora_", 1)[0] for key in state}):
        name = name_of(path)
        if name + DOWN in tensors:
            raise refuse(f"Two layers would be written as {name}.", where=path)
        tensors[name + DOWN] = state[f"{path}.lora_A.weight"].to(dtype).contiguous()
        tensors[name + UP] = state[f"{path}.lora_B.weight"].to(dtype).contiguous()
        tensors[name + ALPHA] = torch.tensor(alpha, dtype=torch.float32)
    return tensors


def path_of_name(name: str, layers_per_block: int) -> str | None:
    """Module path in the denoiser of a kohya name with SDXL's own block names; None when it is no such name.

    `layers_per_block` is the denoiser's (2 in SDXL): the original code counts all blocks of a side in one row.
    """
    if not name.startswith(PREFIX):
        return None
    rest = name.removeprefix(PREFIX)
    if rest in _OUTSIDE:
        return _OUTSIDE[rest]
    if block := re.fullmatch(r"middle_block_([012])_(.+)", rest):
        place = int(block[1])
        owner = "mid_block.attentions.0" if place == 1 else f"mid_block.resnets.{place // 2}"
        return _inside(owner, block[2], attention=place == 1)
    if block := re.fullmatch(r"(input|output)_blocks_(\d+)_(\d)_(.+)", rest):
        return _in_row(block[1], int(block[2]), int(block[3]), block[4], layers_per_block)
    return None


_OUTSIDE = {
    "input_blocks_0_0": "conv_in",
    "out_2": "conv_out",
    "time_embed_0": "time_embedding.linear_1",
    "time_embed_2": "time_embedding.linear_2",
    "label_emb_0_0": "add_embedding.linear_1",
    "label_emb_0_2": "add_embedding.linear_2",
}
_RESNET = {
    "in_layers_2": "conv1",
    "out_layers_3": "conv2",
    "emb_layers_1": "time_emb_proj",
    "skip_connection": "conv_shortcut",
}
_TRANSFORMER = {f"attn{n}_to_{part}": f"attn{n}.to_{part}" for n in (1, 2) for part in "qkv"} | {
    "attn1_to_out_0": "attn1.to_out.0",
    "attn2_to_out_0": "attn2.to_out.0",
    "ff_net_0_proj": "ff.net.0.proj",
    "ff_net_2": "ff.net.2",
}
_LEVELS = 3
"""SDXL's: a longer row belongs to another family."""


def _in_row(side: str, place: int, slot: int, rest: str, layers_per_block: int) -> str | None:
    stride = layers_per_block + 1
    row = place - 1 if side == "input" else place  # the first input block is conv_in
    block, layer = divmod(row, stride)
    if row < 0 or block >= _LEVELS:
        return None
    if side == "input" and layer == layers_per_block:
        return f"down_blocks.{block}.downsamplers.0.conv" if (slot, rest) == (0, "op") else None
    owner = f"{'down' if side == 'input' else 'up'}_blocks.{block}"
    if rest == "conv":  # behind the last layer's resnet, and behind its attention where it has one
        return (
            f"{owner}.upsamplers.0.conv"
            if side == "output" and layer == layers_per_block and slot in (1, 2)
            else None
        )
    if slot > 1:
        return None
    kind = "attentions" if slot == 1 else "resnets"
    return _inside(f"{owner}.{kind}.{layer}", rest, attention=slot == 1)


def _inside(owner: str, rest: str, *, attention: bool) -> str | None:
    if not attention:
        return f"{owner}.{_RESNET[rest]}" if rest in _RESNET else None
    if rest in ("proj_in", "proj_out"):
        return f"{owner}.{rest}"
    inner = re.fullmatch(r"transformer_blocks_(\d+)_(.+)", rest)
    if inner is None or inner[2] not in _TRANSFORMER:
        return None
    return f"{owner}.transformer_blocks.{int(inner[1])}.{_TRANSFORMER[inner[2]]}"
