"""Adapter files in: checkpoints of Safelight, and the kohya, diffusers, peft and ComfyUI layouts of whoever made them.

Everything in the file must be understood. A tensor without a place would be an effect that silently does not happen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.nn.functional import pad

from engine.adapter import ENCODER
from engine.export import misfit
from engine.export.names import Slot, find, names_of
from engine.export.scale import Alphas
from engine.families.family import Base, Family
from projects.problems import refuse

_ENDINGS = (
    re.compile(r"\.lora_(?P<which>[AB])(\.[\w-]+)?\.weight$|\.lora_(?P<bare>[AB])$"),
    re.compile(r"(\.lora_|\.lora\.|_lora\.|\.lora_linear_layer\.)(?P<which>down|up)\.weight$"),
    re.compile(r"\.(?P<which>alpha)$"),
)
"""peft's with and without the adapter's name; kohya's and those of diffusers' older files; the scale of all of them."""
_DOWN, _UP = ("A", "down"), ("B", "up")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What an adapter adds to one layer's weight: up x down x alpha / rank."""

    down: Tensor
    """fp32, (rank, in), of a convolution (rank, in, height, width)."""
    up: Tensor
    """fp32, (out, rank), of a convolution (out, rank, 1, 1)."""
    alpha: float

    @property
    def rank(self) -> int:
        """Rows of `down`."""
        return int(self.down.shape[0])


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """An adapter as a file has it. The states of its methods have the names of engine/adapter.py, in fp32."""

    layers: Mapping[str, Layer]
    """By module path."""
    where: Path

    def as_one(self) -> tuple[dict[str, Tensor], int, float]:
        """(state, rank, alpha) that acts like the file, for making pictures.

        Layers of a smaller rank are filled up with zeros, exactly without effect: peft would take a pattern a layer, and
        looks through all of them for each.
        """
        if self._is_even():
            return self._plain()
        rank = max(layer.rank for layer in self.layers.values())
        state = {}
        for path, layer in self.layers.items():
            more = rank - layer.rank
            around = (0, 0) * (layer.down.ndim - 1)
            state[f"{path}.lora_A.weight"] = pad(layer.down * (layer.alpha / layer.rank), (*around, 0, more))
            state[f"{path}.lora_B.weight"] = pad(layer.up, (*around[2:], 0, more))
        return state, rank, float(rank)

    def to_continue(self) -> tuple[dict[str, Tensor], int, float]:
        """(state, rank, alpha) to train on from. Raises Refused where layers differ: a run has one rank and one alpha."""
        if not self._is_even():
            ranks = {layer.rank for layer in self.layers.values()}
            alphas = {layer.alpha for layer in self.layers.values()}
            raise refuse(
                f"Its layers differ in rank ({misfit.listed(ranks)}) or alpha ({misfit.listed(alphas)}), and a run"
                " trains one of each.",
                where=self.where,
                hint="It can make pictures: safelight sample --adapter.",
            )
        return self._plain()

    def _is_even(self) -> bool:
        return len({(layer.rank, layer.alpha) for layer in self.layers.values()}) == 1

    def _plain(self) -> tuple[dict[str, Tensor], int, float]:
        state = {}
        for path, layer in self.layers.items():
            state[f"{path}.lora_A.weight"], state[f"{path}.lora_B.weight"] = layer.down, layer.up
        return state, layer.rank, layer.alpha


@dataclass
class _Found:
    """The tensors of one name in the file."""

    slots: tuple[Slot, ...]
    tensors: dict[str, Tensor] = field(default_factory=dict)
    """By "down", "up" and "alpha"."""


def read_adapter(path: Path, family: Family, base: Base) -> Adapter:
    """The adapter in a .safetensors file, for the denoiser of `base`.

    Raises Refused for pickles, files that cannot be read, other kinds of adapters and adapters of other families (named),
    tensors that have no place (with their number and examples), wrong sizes, and numbers that are not finite.
    """
    tensors, metadata = _open(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    found, unmatched, twice = _sorted_in(tensors, family, base)
    if unmatched or not found:
        is_lora = any(_parted(name)[1] in ("down", "up") for name in tensors)
        raise misfit.unmatched(path, family, shapes, unmatched, is_lora=is_lora)
    misfit.refuse_some(twice, "tensors are in the file under two names", path)
    misfit.refuse_some(
        [name for name, one in found.items() if not one.tensors.keys() >= {"down", "up"}],
        "layers have one of their two tensors only",
        path,
    )
    misfit.refuse_some(
        [name for name, one in found.items() if not _belong_together(one.tensors)],
        "layers have tensors that do not belong together",
        path,
    )
    misfit.refuse_some(
        [name for name, one in found.items() if not all(map(_is_finite, one.tensors.values()))],
        "layers hold numbers that are not finite",
        path,
    )
    if wrong := [_sizes(name, one) for name, one in found.items() if not _fits(one)]:
        raise misfit.wrong_sizes(path, family, shapes, wrong, layers=len(found))
    said = {
        part: Alphas.of(metadata, path, part, list(tensors)) for part in (family.denoiser, "text_encoder")
    }
    layers: dict[str, Layer] = {}
    for one in found.values():
        of_encoder = one.slots[0].path.startswith(ENCODER)
        layers |= _layers(one, said["text_encoder" if of_encoder else family.denoiser])
    if not layers:
        raise refuse("All numbers of the adapter are zero.", where=path)
    return Adapter(layers=dict(sorted(layers.items())), where=path)


def _open(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if path.suffix.lower() != ".safetensors":
        raise refuse(
            "Only .safetensors files are loaded: other checkpoints are pickles, which run code when they are opened.",
            where=path,
            hint="Convert the file where you trust it, or export it again.",
        )
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in sorted(file.keys())}, dict(file.metadata() or {})
    except FileNotFoundError:
        raise refuse("There is no such file.", where=path) from None
    except (SafetensorError, OSError, ValueError) as error:
        raise refuse(
            f"The file is cut short or is no .safetensors file: {error}.",
            where=path,
            hint="Copy or export it again.",
        ) from None


def _sorted_in(
    tensors: Mapping[str, Tensor], family: Family, base: Base
) -> tuple[dict[str, _Found], list[str], list[str]]:
    """What belongs together by the file's own names, what has no place, and what is there twice."""
    names = names_of(family, base)
    found: dict[str, _Found] = {}
    unmatched, twice = [], []
    taken: set[tuple[str, str]] = set()
    for key, tensor in tensors.items():
        name, which = _parted(key)
        slots = find(names, name) if which else ()
        if not slots:
            unmatched.append(key)
            continue
        of = {(slot.path, which) for slot in slots}
        if of & taken:
            twice.append(key)
        taken |= of
        found.setdefault(name, _Found(slots)).tensors[which] = tensor
    return found, unmatched, twice


def _parted(key: str) -> tuple[str, str]:
    """Name of the layer, and "down", "up" or "alpha"; "" for what is no tensor of a LoRA."""
    for ending in _ENDINGS:
        if match := ending.search(key):
            which = match["which"] or match["bare"]
            return key[: match.start()], "down" if which in _DOWN else "up" if which in _UP else which
    return key, ""


def _belong_together(tensors: Mapping[str, Tensor]) -> bool:
    down, up, alpha = tensors["down"], tensors["up"], tensors.get("alpha")
    return (
        down.ndim in (2, 4)
        and up.ndim in (2, 4)
        and down.numel() > 0
        and up.shape[1] == down.shape[0]
        and all(side == 1 for side in up.shape[2:])
        and down.is_floating_point()
        and up.is_floating_point()
        and (alpha is None or (alpha.numel() == 1 and not alpha.is_complex() and float(alpha) != 0))
    )


def _is_finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor.to(torch.float32)).all())


def _sizes(name: str, one: _Found) -> misfit.Sizes:
    layer, down, up = one.slots[0], one.tensors["down"], one.tensors["up"]
    out = sum(layer.place.rows) or layer.shape[0]
    return misfit.Sizes(
        name=name, takes=down.shape[1], gives=up.shape[0], base_takes=layer.shape[1], base_gives=out
    )


def _fits(one: _Found) -> bool:
    """Whether the tensors have the sizes of their layers."""
    layer, down, up = one.slots[0].shape, one.tensors["down"], one.tensors["up"]
    out = sum(one.slots[0].place.rows) or layer[0]
    # A convolution of 1 x 1 and a linear layer are the same, and files have either for both.
    kernel = layer[2:] or (1, 1)
    return up.shape[0] == out and down.shape[1] == layer[1] and tuple(down.shape[2:] or (1, 1)) == kernel


def _layers(one: _Found, alphas: Alphas) -> dict[str, Layer]:
    """The layers of one name, taken apart where they share a tensor."""
    first = one.slots[0]
    down, up = (one.tensors[which].to(torch.float32) for which in ("down", "up"))
    rank, kernel = down.shape[0], first.shape[2:]
    down = down.reshape(rank, first.shape[1], *kernel)
    up = up.reshape(up.shape[0], rank, *(1 for _ in kernel))
    said = one.tensors.get("alpha")
    alpha = float(said) if said is not None else alphas.alpha_of((first.path, first.place.name), rank)
    if first.place.swapped:
        up = torch.cat(up.chunk(2)[::-1])
    if not first.place.rows:
        return {first.path: Layer(down=down, up=up, alpha=alpha)}
    return _parts(one.slots, down, up, alpha)


def _parts(slots: tuple[Slot, ...], down: Tensor, up: Tensor, alpha: float) -> dict[str, Layer]:
    """The layers of a shared tensor. Where each has rows of `down` of its own, as an export writes them, it gets those
    back; else all share `down`. Layers that were not trained, zero in both, are none."""
    rows = slots[0].place.rows
    ups = up.split(rows)
    own, rest = divmod(down.shape[0], len(rows))
    apart = own > 0 and not rest
    if apart:
        apart = not any(
            part[:, other * own : (other + 1) * own].any()
            for at, part in enumerate(ups)
            for other in range(len(rows))
            if other != at
        )
    layers = {}
    for slot in slots:
        at = slot.place.place
        its = slice(at * own, (at + 1) * own) if apart else slice(None)
        layer = Layer(
            down=down[its].contiguous(),
            up=ups[at][:, its].contiguous(),
            alpha=alpha / len(rows) if apart else alpha,
        )
        if layer.down.any() or layer.up.any():
            layers[slot.path] = layer
    return layers
