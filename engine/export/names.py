"""Which layers of the denoiser, and of a text encoder that can learn, a name in an adapter file means.

The table is made of the denoiser's own layers and `Family.original`, which the export asks too: what is written and what
is read cannot come apart, and a new family is read as soon as it is written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from engine.adapter import ENCODER
from engine.families.family import Base, Family, Fused
from engine.families.weights import part_config

_PREFIX = re.compile(
    r"(base_model\.model\.)?"
    r"((model\.)?diffusion_model\.|unet\.|transformer\.|lora_unet_|lora_transformer_|lycoris_)?"
)
"""What files put before a layer's name: peft, ComfyUI, diffusers, kohya, OneTrainer, LyCORIS."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A layer that an adapter can act on."""

    path: str
    """Module path in the denoiser, or behind `text_encoder.` in that."""
    shape: tuple[int, ...]
    """Of its weight: (out, in), of a convolution (out, in, height, width)."""
    place: Fused
    """Where it lies in the tensor of the name that it was found by."""


Names = Mapping[str, tuple[Slot, ...]]
"""Name without prefix, with _ for dots -> its layers; several, in their order from above, where they share a tensor."""


def names_of(family: Family, base: Base) -> Names:
    """Every name that a layer of the base's denoiser has in adapter files: the original code's and diffusers'."""
    config = family.config(base)
    own: dict[str, tuple[Slot, ...]] = {}
    original: dict[str, list[Slot]] = {}
    for path, shape in layers_of(family, base).items():
        own[_flat(path)] = (Slot(path=path, shape=shape, place=Fused(name=path)),)
        try:
            place = family.original(config, path)
        except KeyError:
            continue
        original.setdefault(_flat(place.name), []).append(Slot(path=path, shape=shape, place=place))
    shared = {
        name: tuple(sorted(slots, key=lambda slot: slot.place.place)) for name, slots in original.items()
    }
    return own | shared | _encoder_names(family, base)


def _encoder_names(family: Family, base: Base) -> dict[str, tuple[Slot, ...]]:
    """The same of the layers of a text encoder that can learn: kohya's names, diffusers', and those of checkpoints."""
    learning = family.text_encoder
    if learning is None:
        return {}
    part = ENCODER.rstrip(".")
    kind = family.models[part]
    with torch.device("meta"):
        model = kind(kind.config_class.from_dict(dict(part_config(base, part))))
    names: dict[str, tuple[Slot, ...]] = {}
    for path, shape in _shapes(model).items():
        other = learning.original(path)
        slot = Slot(path=ENCODER + path, shape=shape, place=Fused(name=other))
        for name in (learning.kohya + other, ENCODER + other, ENCODER + path):
            names[_flat(name)] = (slot,)
    return names


def layers_of(family: Family, base: Base) -> dict[str, tuple[int, ...]]:
    """Module path of every linear layer and convolution of the denoiser -> shape of its weight. No weights are read."""
    with torch.device("meta"):
        denoiser = family.models[family.denoiser].from_config(family.config(base))
    return _shapes(denoiser)


def _shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {
        path: tuple(module.weight.shape)
        for path, module in model.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    }


def find(names: Names, name: str) -> tuple[Slot, ...]:
    """The layers that a file means by `name` (without the tensor's ending); empty where it means none."""
    match = _PREFIX.match(name)
    bare = _flat(name[match.end() if match else 0 :].replace(".processor.", "."))
    # diffusers' older files have the output projection without its place in a list.
    return names.get(bare) or (names.get(f"{bare}_0", ()) if bare.endswith("to_out") else ())


def _flat(name: str) -> str:
    return name.replace(".", "_")
