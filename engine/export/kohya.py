"""The kohya layout: what A1111, Forge, sd-scripts and ComfyUI read, and diffusers too.

One layer is three tensors: `NAME.lora_down.weight` (rank, in, ...), `NAME.lora_up.weight` (out, rank, ...) and
`NAME.alpha` (no axes). NAME is the layer's name in the code that the family's adapters go by, which `Family.original` says.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from engine.families.family import Fused
from projects.problems import refuse

DOWN, UP, ALPHA = ".lora_down.weight", ".lora_up.weight", ".alpha"
PREFIX = "lora_unet_"


def kohya_name(place: Fused) -> str:
    """Name of a layer in a kohya file, without suffix: lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q."""
    return PREFIX + place.name.replace(".", "_")


def to_kohya(
    state: Mapping[str, Tensor], *, alpha: float, dtype: torch.dtype, place_of: Callable[[str], Fused]
) -> dict[str, Tensor]:
    """Tensors by kohya name from tensors by peft name. `place_of` takes a module path.

    alpha stays fp32 in every file: readers divide it by the rank, and half precision would bend the scale. Layers that
    share a tensor in the original code are fused: their downs one below the other, their ups each in its own rows and
    columns, and alpha times their number, as the rank is that many times as large.
    """
    groups: dict[str, dict[int, tuple[Fused, str]]] = {}
    for path in sorted({key.rsplit(".lora_", 1)[0] for key in state}):
        place = place_of(path)
        members = groups.setdefault(kohya_name(place), {})
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
        if place.swapped:
            up = torch.cat(up.chunk(2)[::-1])
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
