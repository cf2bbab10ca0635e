"""LoRA on a frozen denoiser. peft does the layers; this file chooses where they go and proves that they went there."""

import difflib
import fnmatch
import json
from collections.abc import Mapping, Sequence

from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from engine.families.family import Family
from projects.problems import refuse

TRAINED = "default"
"""Name of the adapter that a run trains; others carry names of their own."""


def target_modules(denoiser: nn.Module, targets: str | Sequence[str], family: Family) -> list[str]:
    """Paths of the layers that learn: a named choice of the family, or patterns of module paths.

    A pattern may use * and ?, and matches the whole path or its end behind a dot. One that matches nothing is refused
    with the names nearest to it: a typo must not train less than was asked.
    """
    layers = [name for name, module in denoiser.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    if isinstance(targets, str):
        if targets not in family.lora_targets:
            known = ", ".join(family.lora_targets)
            raise refuse(
                f"{family.name} has no targets named {targets}.",
                where="adapter.targets",
                hint=f"Known: {known}.",
            )
        targets = family.lora_targets[targets]
    chosen: set[str] = set()
    for pattern in targets:
        hits = [
            name
            for name in layers
            if fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, f"*.{pattern}")
        ]
        if not hits:
            raise refuse(
                f"The pattern {pattern} matches no layer.",
                where="adapter.targets",
                hint=f"Near names: {', '.join(near_names(pattern, layers))}.",
            )
        chosen.update(hits)
    return [name for name in layers if name in chosen]


def near_names(pattern: str, layers: Sequence[str]) -> list[str]:
    """Three ends of layer paths, as long as the pattern's own, that look most like it."""
    wanted = pattern.replace("*", "").replace("?", "").strip(".")
    parts = wanted.count(".") + 1
    ends = {".".join(layer.split(".")[-parts:]) for layer in layers}
    return difflib.get_close_matches(wanted, sorted(ends), n=3, cutoff=0.0)


def inject(denoiser: nn.Module, modules: Sequence[str], *, rank: int, alpha: float, dropout: float) -> None:
    """Wrap `modules` with a fresh adapter that is trained in fp32; A is Gaussian (std 1/rank), B is zero.

    Seed torch before: A is drawn here.
    """
    _add(denoiser, modules, rank=rank, alpha=alpha, dropout=dropout, name=TRAINED)
    for parameter in trained_parameters(denoiser).values():
        parameter.requires_grad_(True)


def trained_parameters(denoiser: nn.Module) -> dict[str, nn.Parameter]:
    """The trained adapter's parameters by the names they have in files: `<module path>.lora_A.weight`, in fixed order."""
    marker = f".{TRAINED}.weight"
    return {
        name.replace(marker, ".weight"): parameter
        for name, parameter in denoiser.named_parameters()
        if name.endswith(marker) and (".lora_A." in name or ".lora_B." in name)
    }


def adapter_state(denoiser: nn.Module, name: str = TRAINED) -> dict[str, Tensor]:
    """The adapter's tensors by file name, detached copies on the CPU."""
    state = get_peft_model_state_dict(denoiser, adapter_name=name)
    return {key: tensor.detach().cpu().clone().contiguous() for key, tensor in state.items()}


def load_state(
    denoiser: nn.Module, state: Mapping[str, Tensor], *, name: str = TRAINED, where: object = ""
) -> None:
    """Fill an adapter that is already in place. Every tensor must find its place and every place its tensor."""
    expected = set(get_peft_model_state_dict(denoiser, adapter_name=name))
    _compare_names(expected, set(state), where)
    result = set_peft_model_state_dict(denoiser, dict(state), adapter_name=name)
    unexpected = list(getattr(result, "unexpected_keys", []))
    if unexpected:
        raise refuse(f"{len(unexpected)} tensors found no place, e.g. {unexpected[0]}.", where=where)


def load_adapter(
    denoiser: nn.Module, state: Mapping[str, Tensor], *, rank: int, alpha: float, name: str
) -> None:
    """Wrap the layers that `state` names and fill them, under a name of its own. For making pictures, not for training."""
    modules = sorted({key.rsplit(".lora_", 1)[0] for key in state})
    known = {
        path
        for path, module in denoiser.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d | LoraLayer)
    }
    _compare_names(known & set(modules), set(modules), name)
    _add(denoiser, modules, rank=rank, alpha=alpha, dropout=0.0, name=name)
    load_state(denoiser, state, name=name, where=name)


def set_weights(denoiser: nn.Module, weights: Mapping[str, float]) -> None:
    """Factor on each adapter's effect; adapters that are not named act with 0. An empty mapping gives the base.

    All stay active and only the scale changes: which parameters are trained is not touched.
    """
    for module in denoiser.modules():
        if isinstance(module, LoraLayer):
            for name in module.lora_A:
                module.set_scale(name, weights.get(name, 0.0))


def remove(denoiser: nn.Module, name: str) -> None:
    """Take an adapter out again."""
    denoiser.delete_adapters(name)


def _add(
    denoiser: nn.Module, modules: Sequence[str], *, rank: int, alpha: float, dropout: float, name: str
) -> None:
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        init_lora_weights="gaussian",
        target_modules=list(modules),
    )
    denoiser.add_adapter(config, adapter_name=name)
    denoiser.set_adapter(list(denoiser.peft_config))  # add_adapter alone would switch the others off
    wrapped = {
        path
        for path, module in denoiser.named_modules()
        if isinstance(module, LoraLayer) and name in module.lora_A
    }
    if wrapped != set(modules):
        example = json.dumps(sorted(wrapped ^ set(modules))[:3])
        raise refuse(
            f"{len(wrapped)} layers were wrapped, {len(modules)} were meant, e.g. {example}.",
            where="adapter.targets",
        )
    for path, parameter in denoiser.named_parameters():
        if path.endswith(f".{name}.weight"):
            parameter.data = (
                parameter.data.float()
            )  # peft takes the base's numbers; a small B needs more digits


def _compare_names(expected: set[str], found: set[str], where: object) -> None:
    foreign, absent = sorted(found - expected), sorted(expected - found)
    if foreign or absent:
        parts = [
            f"{len(names)} {word}, e.g. {names[0]}"
            for names, word in ((foreign, "unmatched"), (absent, "missing"))
            if names
        ]
        raise refuse(
            f"The adapter does not fit this base or these targets: {'; '.join(parts)}.",
            where=where,
            hint="Use the base it was trained on and the same adapter.targets.",
        )
