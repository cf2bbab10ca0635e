"""Adapter files back in: the kohya and diffusers layouts, as `sample --adapter` and `train --from` take them.

Everything in the file must be understood. A tensor without a place would be an effect that silently does not happen.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.adapter import ENCODER
from engine.export.kohya import ALPHA, DOWN, PREFIX, UP, path_of_name
from engine.export.peft_keys import CONFIG_KEY
from projects.problems import refuse

LAYERS_KEY = "safelight.layers_per_block"
"""In our kohya files: layers_per_block of the base's denoiser. Files that do not say it are read as SDXL's, 2."""
_COMPONENT = "unet."
_A, _B = ".lora_A.weight", ".lora_B.weight"
_ENCODER_LAYER = re.compile(
    r"(?:lora_te_text_model_encoder_layers_|text_encoder\.(?:text_model\.)?encoder\.layers\.)(\d+)"
    r"[._](?:(self_attn)[._]([qkv]|out)_proj|(mlp)[._](fc[12]))"
)
"""A layer of SD 1.x's CLIP, as kohya files name it, and as diffusers' do, with and without transformers' old text_model."""


def read_exported(path: Path) -> tuple[dict[str, Tensor], int, float]:
    """(state, rank, alpha) of a .safetensors adapter file in kohya or diffusers layout.

    The state is fp32 with peft's names on the denoiser, `<module path>.lora_A.weight` / `.lora_B.weight`. Raises
    Refused for pickles, files that cannot be read, other kinds of adapters, tensors that have no place (with their
    number and examples) and layers that differ in rank or alpha.
    """
    tensors, metadata = _open(path)
    names = sorted(tensors)
    if any(name.startswith(PREFIX) for name in names):
        layers, alphas, unmatched = _from_kohya(tensors, metadata)
    elif any(name.startswith(_COMPONENT) for name in names):
        layers, alphas, unmatched = _from_diffusers(tensors, metadata, path)
    else:
        raise refuse(
            f"This is no adapter that Safelight reads{_examples(names)}.",
            where=path,
            hint="It takes LoRA files for SDXL in kohya or diffusers layout.",
        )
    if unmatched:
        raise refuse(
            f"{len(unmatched)} of {len(names)} tensors have no place in an adapter for SDXL's U-Net{_examples(unmatched)}.",
            where=path,
            hint="It was made for another family, trains a text encoder, or is no plain LoRA.",
        )
    return _checked(layers, alphas, path)


def _open(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if path.suffix.lower() != ".safetensors":
        raise refuse(
            "Only .safetensors files are loaded: other checkpoints are pickles, which run code when they are opened.",
            where=path,
            hint="Convert the file where you trust it, or export it again.",
        )
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except FileNotFoundError:
        raise refuse("There is no such file.", where=path) from None
    except (SafetensorError, OSError, ValueError) as error:
        raise refuse(
            f"The file is cut short or is no .safetensors file: {error}.",
            where=path,
            hint="Copy or export it again.",
        ) from None


Layers = dict[str, dict[str, Tensor]]
"""Module path -> {".lora_A.weight": ..., ".lora_B.weight": ...}."""


def _from_kohya(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> tuple[Layers, dict[str, float], list[str]]:
    said = metadata.get(LAYERS_KEY, "2")
    layers_per_block = int(said) if said.isdecimal() else 2
    layers: Layers = {}
    alphas: dict[str, float] = {}
    unmatched = []
    for key, tensor in sorted(tensors.items()):
        suffix = next((end for end in (DOWN, UP, ALPHA) if key.endswith(end)), None)
        name = key.removesuffix(suffix) if suffix else ""
        path = path_of_name(name, layers_per_block) or text_encoder_layer(name)
        if path is None:
            unmatched.append(key)
        elif suffix == ALPHA:
            alphas[path] = float(tensor)
        else:
            layers.setdefault(path, {})[_A if suffix == DOWN else _B] = tensor
    unmatched += [f"{path} (alpha only)" for path in alphas if path not in layers]
    return layers, alphas, unmatched


def _from_diffusers(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str], path: Path
) -> tuple[Layers, dict[str, float], list[str]]:
    layers: Layers = {}
    unmatched = []
    for key, tensor in sorted(tensors.items()):
        suffix = next((end for end in (_A, _B) if key.endswith(end)), None)
        name = key.removesuffix(suffix or "")
        place = name.removeprefix(_COMPONENT) if name.startswith(_COMPONENT) else text_encoder_layer(name)
        if suffix is None or place is None:
            unmatched.append(key)
        else:
            layers.setdefault(place, {})[suffix] = tensor
    said = {prefix: _config_alpha(metadata, path, prefix) for prefix in (_COMPONENT, ENCODER)}
    alphas = {place: said[ENCODER if place.startswith(ENCODER) else _COMPONENT] for place in layers}
    return layers, {place: alpha for place, alpha in alphas.items() if alpha is not None}, unmatched


def text_encoder_layer(name: str) -> str | None:
    """Path in an adapter, `text_encoder.encoder.layers.0.mlp.fc1`, of a layer that a kohya or diffusers file names so.

    `name` is without suffix. None when it is no layer of SD 1.x's text encoder.
    """
    found = _ENCODER_LAYER.fullmatch(name)
    if found is None:
        return None
    number, attention, part, mlp, half = found.groups()
    return f"{ENCODER}encoder.layers.{int(number)}." + (
        f"{attention}.{part}_proj" if attention else f"{mlp}.{half}"
    )


def _config_alpha(metadata: Mapping[str, str], path: Path, component: str) -> float | None:
    """alpha of the peft configuration beside the tensors; None where there is none, which means scale 1."""
    try:
        config = json.loads(metadata.get(CONFIG_KEY, "{}"))
        alpha = config.get(f"{component}lora_alpha")
        special = [
            word
            for word in ("rank_pattern", "alpha_pattern", "use_dora", "use_rslora", "lora_bias")
            if config.get(f"{component}{word}")
        ]
        alpha = None if alpha is None else float(alpha)
    except (ValueError, TypeError, AttributeError):
        raise refuse(
            "The adapter's configuration in the file cannot be read.", where=f"{path}: {CONFIG_KEY}"
        ) from None
    if special:
        raise refuse(f"The adapter uses {', '.join(special)}, which is not read here.", where=path)
    return alpha


def _checked(layers: Layers, alphas: Mapping[str, float], path: Path) -> tuple[dict[str, Tensor], int, float]:
    halves = sorted(name for name, pair in layers.items() if len(pair) != 2)
    if halves:
        raise refuse(
            f"{len(halves)} layers have one of their two tensors only{_examples(halves)}.", where=path
        )
    odd = sorted(
        name
        for name, pair in layers.items()
        if pair[_A].ndim not in (2, 4) or pair[_B].shape[1:2] != pair[_A].shape[:1]
    )
    if odd:
        raise refuse(
            f"{len(odd)} layers have tensors that do not belong together{_examples(odd)}.", where=path
        )
    ranks = {pair[_A].shape[0] for pair in layers.values()}
    rank = next(iter(ranks))
    scales = {alphas.get(name, float(rank)) for name in layers}
    if len(ranks) > 1 or len(scales) > 1:
        raise refuse(
            f"Its layers differ in rank ({_listed(ranks)}) or alpha ({_listed(scales)}); one of each is read here.",
            where=path,
        )
    state = {
        name + end: pair[end].to(torch.float32) for name, pair in sorted(layers.items()) for end in (_A, _B)
    }
    broken = sorted(key for key, tensor in state.items() if not torch.isfinite(tensor).all())
    if broken:
        raise refuse(
            f"{len(broken)} tensors hold numbers that are not finite{_examples(broken)}.", where=path
        )
    return state, rank, next(iter(scales))


def _examples(names: Iterable[str]) -> str:
    few = [name if len(name) <= 100 else name[:99] + "…" for name in list(names)[:3]]
    return f", e.g. {', '.join(few)}" if few else ""


def _listed(numbers: Iterable[float]) -> str:
    return ", ".join(f"{number:g}" for number in sorted(numbers)[:4])
