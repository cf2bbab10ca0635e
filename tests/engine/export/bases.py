"""A tiny base of every family, and adapters for it in the forms in which other programs write them."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from engine.container import pack
from engine.families.family import Base, Family
from engine.families.opening import open_base
from projects import spec
from tests.engine.tiny import tiny_base
from tests.engine.tiny_flux import tiny_flux
from tests.engine.tiny_sd15 import tiny_sd15

TINY: dict[str, Callable[[], Path]] = {"sdxl": tiny_base, "sd15": tiny_sd15, "flux": tiny_flux}


@functools.cache
def tiny(name: str) -> tuple[Family, Base]:
    """The opened tiny base of a family."""
    return open_base(spec.Base(source=str(TINY[name]())), Path("/"))


def lora(
    name: str, *, out: int, into: int, rank: int = 4, alpha: float | None = None, style: str = "kohya"
) -> dict[str, Tensor]:
    """One layer's tensors, random, as `style` ends their names."""
    down, up = ENDINGS[style]
    tensors = {name + down: torch.randn(rank, into), name + up: torch.randn(out, rank)}
    return tensors if alpha is None else {**tensors, f"{name}.alpha": torch.tensor(alpha)}


ENDINGS = {
    "kohya": (".lora_down.weight", ".lora_up.weight"),
    "peft": (".lora_A.weight", ".lora_B.weight"),
    "peft, named": (".lora_A.default.weight", ".lora_B.default.weight"),
    "bare": (".lora_A", ".lora_B"),
    "dotted": (".lora.down.weight", ".lora.up.weight"),
    "processor": ("_lora.down.weight", "_lora.up.weight"),
    "linear layer": (".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"),
}


def save(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> Path:
    """A .safetensors file."""
    path.write_bytes(pack({key: tensor.contiguous() for key, tensor in tensors.items()}, metadata or {}))
    return path


def added(state: Mapping[str, Tensor], path: str, rank: int, alpha: float) -> Tensor:
    """What an adapter adds to the weight of the layer at `path`."""
    down, up = (state[f"{path}.lora_{letter}.weight"].flatten(1) for letter in "AB")
    return up @ down * (alpha / rank)
