"""The kohya layout: what A1111, Forge, sd-scripts and ComfyUI read, and diffusers too.

One layer is three tensors: `NAME.lora_down.weight` (rank, in, ...), `NAME.lora_up.weight` (out, rank, ...) and
`NAME.alpha` (no axes). NAME is the layer's name in the original SDXL code, which the family derives from its config.
"""

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from engine.families.family import Fused
from projects.problems import refuse

DOWN, UP, ALPHA = ".lora_down.weight", ".lora_up.weight", ".alpha"
PREFIX = "lora_unet_"


def kohya_name(place: Fused, prefix: str = PREFIX) -> str:
    """Name of a layer in a kohya file, without suffix: lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q."""
    return prefix + place.name.replace(".", "_")


def to_kohya(
    state: Mapping[str, Tensor],
    *,
    alpha: float,
    dtype: torch.dtype,
    place_of: Callable[[str], Fused],
    prefix: str = PREFIX,
) -> dict[str, Tensor]:
    """Tensors by kohya name from tensors by peft name, of one model. `place_of` takes a module path.

    alpha stays fp32 in every file: readers divide it by the rank, and half precision would bend the scale. Layers that
    share a tensor in the original code are fused: their downs one below the other, their ups each in its own rows and
    columns, and alpha times their number, as the rank is that many times as large.
    """
    groups: dict[str, dict[int, tuple[Fused, str]]] = {}
    for path in sorted({key.rsplit(".lora_", 1)[0] for key in state}):
        place = place_of(path)
        members = groups.setdefault(kohya_name(place, prefix), {})
        if place.place in members:
            raise refuse(f"Two layers would be written as {place.name}.", where=path)
        members[place.place] = (place, path)
    tensors: dict[str, Tensor] = {}
    for name, members in groups.items():
        downs = {at: state[f"{path}.lora_A.weight"] for at, (_, path) in members.items()}
        ups = {at: state[f"{path}.lora_B.weight"] for at, (_, path) in members.items()}
        place, _ = next(iter(members.values()))
        if place.rows:
            down, up = _fused(downs, ups, place.rows)
        else:
            down, up = downs[0], ups[0]
        tensors[name + DOWN] = down.to(dtype).contiguous()
        tensors[name + UP] = up.to(dtype).contiguous()
        tensors[name + ALPHA] = torch.tensor(alpha * (len(place.rows) or 1), dtype=torch.float32)
    return tensors


def _fused(
    downs: Mapping[int, Tensor], ups: Mapping[int, Tensor], rows: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """One down (parts x rank, in) and one up (sum of rows, parts x rank); a layer that was not trained is zero in both.

    Its zeros are written too: readers split the tensor into as many equal parts as the original has layers.
    """
    (rank, inputs), example = next(iter(downs.values())).shape, next(iter(ups.values()))
    nothing = example.new_zeros(rank, inputs)
    down = torch.cat([downs.get(at, nothing) for at in range(len(rows))])
    up = torch.block_diag(*(ups.get(at, example.new_zeros(out, rank)) for at, out in enumerate(rows)))
    return down, up


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
