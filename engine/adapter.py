"""LoRA on a frozen denoiser, and on its text encoder where that learns too.

peft does the layers; this file chooses where they go and proves that they went there. One adapter is one set of tensors:
the denoiser's are named by their module paths, the text encoder's by theirs behind `text_encoder.`.
"""

import difflib
import fnmatch
import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from engine.families.family import Family, LearningEncoder
from projects.problems import refuse

TRAINED = "default"
"""Name of the adapter that a run trains; others carry names of their own."""
ENCODER = "text_encoder."
"""What the text encoder's names begin with."""
Named = TypeVar("Named")


def target_modules(denoiser: nn.Module, targets: str | Sequence[str], family: Family) -> list[str]:
    """Paths of the denoiser's layers that learn: a named choice of the family, or patterns of module paths.

    A pattern may use * and ?, and matches the whole path or its end behind a dot. One that matches nothing is refused
    with the names nearest to it: a typo must not train less than was asked.
    """
    if isinstance(targets, str):
        if targets not in family.lora_targets:
            known = ", ".join(family.lora_targets)
            raise refuse(
                f"{family.name} has no targets named {targets}.",
                where="adapter.targets",
                hint=f"Known: {known}.",
            )
        targets = family.lora_targets[targets]
    if not targets:
        raise refuse("No pattern names a layer of the denoiser.", where="adapter.targets")
    return _matching(_layers(denoiser), targets)


def encoder_modules(
    model: nn.Module, targets: str | Sequence[str], learning: LearningEncoder, unread: Sequence[str]
) -> list[str]:
    """Paths of the text encoder's layers that learn, without those that `unread` matches: nothing would reach them.

    Of patterns those that begin with `text_encoder.` are meant; where none does, its attention learns.
    """
    if not isinstance(targets, str):
        own = tuple(pattern.removeprefix(ENCODER) for pattern in targets if pattern.startswith(ENCODER))
        patterns = own or learning.lora_targets["attention"]
    else:
        patterns = learning.lora_targets[targets]
    return _matching([name for name in _layers(model) if not _is_any(name, unread)], patterns)


def unread_layers(state: Mapping[str, object], unread: Sequence[str]) -> list[str]:
    """Layers of the text encoder in an adapter's state that match a pattern of `unread`, by the model's own names."""
    _, of_encoder = parted(state)
    return sorted(
        layer for layer in {key.rsplit(".lora_", 1)[0] for key in of_encoder} if _is_any(layer, unread)
    )


def _is_any(layer: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(layer, pattern) for pattern in patterns)


def _layers(model: nn.Module) -> list[str]:
    return [name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]


def _matching(layers: Sequence[str], patterns: Sequence[str]) -> list[str]:
    chosen: set[str] = set()
    for pattern in patterns:
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


def inject(model: nn.Module, modules: Sequence[str], *, rank: int, alpha: float, dropout: float) -> None:
    """Wrap `modules` with a fresh adapter that is trained in fp32; A is Gaussian (std 1/rank), B is zero.

    Seed torch before: A is drawn here.
    """
    _add(model, modules, rank=rank, alpha=alpha, dropout=dropout, name=TRAINED)
    for parameter in trained_parameters(model).values():
        parameter.requires_grad_(True)


def joined(of_denoiser: Mapping[str, Named], of_encoder: Mapping[str, Named]) -> dict[str, Named]:
    """Both models' own names -> the adapter's."""
    return {**of_denoiser, **{ENCODER + name: value for name, value in of_encoder.items()}}


def parted(named: Mapping[str, Named]) -> tuple[dict[str, Named], dict[str, Named]]:
    """The adapter's names -> those of the denoiser and those of the text encoder, each as the model itself has them."""
    of_encoder = {name: value for name, value in named.items() if name.startswith(ENCODER)}
    return (
        {name: value for name, value in named.items() if name not in of_encoder},
        {name.removeprefix(ENCODER): value for name, value in of_encoder.items()},
    )


def trained_parameters(denoiser: nn.Module, text_encoder: nn.Module | None = None) -> dict[str, nn.Parameter]:
    """The trained adapter's parameters by the names they have in files: `<module path>.lora_A.weight`, in fixed order."""
    marker = f".{TRAINED}.weight"

    def of(model: nn.Module) -> dict[str, nn.Parameter]:
        return {
            name.replace(marker, ".weight"): parameter
            for name, parameter in model.named_parameters()
            if name.endswith(marker) and (".lora_A." in name or ".lora_B." in name)
        }

    return joined(of(denoiser), of(text_encoder) if text_encoder is not None else {})


def adapter_state(
    denoiser: nn.Module, name: str = TRAINED, text_encoder: nn.Module | None = None
) -> dict[str, Tensor]:
    """The adapter's tensors by file name, detached copies on the CPU."""
    state = _state(denoiser, name, text_encoder)
    return {key: tensor.detach().cpu().clone().contiguous() for key, tensor in state.items()}


def load_state(
    denoiser: nn.Module,
    state: Mapping[str, Tensor],
    *,
    name: str = TRAINED,
    where: object = "",
    text_encoder: nn.Module | None = None,
) -> None:
    """Fill an adapter that is already in place. Every tensor must find its place and every place its tensor."""
    _compare_names(set(_state(denoiser, name, text_encoder)), set(state), where)
    of_denoiser, of_encoder = parted(state)
    _fill(denoiser, of_denoiser, name, where)
    if text_encoder is not None:
        _fill(text_encoder, of_encoder, name, where)


def load_adapter(
    denoiser: nn.Module,
    state: Mapping[str, Tensor],
    *,
    rank: int,
    alpha: float,
    name: str,
    text_encoder: nn.Module | None = None,
) -> None:
    """Wrap the layers that `state` names and fill them, under a name of its own. For making pictures, not for training."""
    of_denoiser, of_encoder = parted(state)
    known = joined(_wrappable(denoiser), _wrappable(text_encoder) if text_encoder is not None else {})
    modules = {key.rsplit(".lora_", 1)[0] for key in state}
    _compare_names(known.keys() & modules, modules, name)
    for model, own in ((denoiser, of_denoiser), (text_encoder, of_encoder)):
        if model is not None and own:
            paths = sorted({key.rsplit(".lora_", 1)[0] for key in own})
            _add(model, paths, rank=rank, alpha=alpha, dropout=0.0, name=name)
            _fill(model, own, name, name)


def set_weights(model: nn.Module, weights: Mapping[str, float]) -> None:
    """Factor on each adapter's effect; adapters that are not named act with 0. An empty mapping gives the base.

    All stay active and only the scale changes: which parameters are trained is not touched.
    """
    for module in model.modules():
        if isinstance(module, LoraLayer):
            for name in module.lora_A:
                module.set_scale(name, weights.get(name, 0.0))


def remove(denoiser: nn.Module, name: str) -> None:
    """Take an adapter out again."""
    denoiser.delete_adapters(name)


def _wrappable(model: nn.Module) -> dict[str, nn.Module]:
    return {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d | LoraLayer)
    }


def _state(denoiser: nn.Module, name: str, text_encoder: nn.Module | None) -> dict[str, Tensor]:
    def of(model: nn.Module | None) -> dict[str, Tensor]:
        if model is None:
            return {}
        # Left to itself peft would look for the base's config on the hub, to see whether words were added.
        own: dict[str, Tensor] = get_peft_model_state_dict(
            model, adapter_name=name, save_embedding_layers=False
        )
        return own

    return joined(of(denoiser), of(text_encoder))


def _fill(model: nn.Module, state: Mapping[str, Tensor], name: str, where: object) -> None:
    result = set_peft_model_state_dict(model, dict(state), adapter_name=name)
    unexpected = list(getattr(result, "unexpected_keys", []))
    if unexpected:
        raise refuse(f"{len(unexpected)} tensors found no place, e.g. {unexpected[0]}.", where=where)


def _add(
    model: nn.Module, modules: Sequence[str], *, rank: int, alpha: float, dropout: float, name: str
) -> None:
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        init_lora_weights="gaussian",
        target_modules=list(modules),
    )
    model.add_adapter(config, adapter_name=name)
    model.set_adapter(list(model.peft_config))  # add_adapter alone would switch the others off
    wrapped = {
        path
        for path, module in model.named_modules()
        if isinstance(module, LoraLayer) and name in module.lora_A
    }
    if wrapped != set(modules):
        example = json.dumps(sorted(wrapped ^ set(modules))[:3])
        raise refuse(
            f"{len(wrapped)} layers were wrapped, {len(modules)} were meant, e.g. {example}.",
            where="adapter.targets",
        )
    for path, parameter in model.named_parameters():
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
            hint="Use the base it was trained on, and the same adapter.targets and adapter.text_encoder.",
        )
