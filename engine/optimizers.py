"""The optimizers: how each is built, which weights count while it trains and afterwards, and what a checkpoint keeps."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from projects.optimizers import missing_library
from projects.problems import Refused
from projects.spec import Train

Parameters = Mapping[str, nn.Parameter]
"""The trained adapter's, by file name."""
Number = str | int | bool
"""A number of the optimizer's own as a manifest holds it: a hexadecimal float, a whole number, or a truth."""

TRAINING_WEIGHT = "y"
"""Key under which the weight that a step moves is saved, where the adapter's file holds an average of it."""


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What makes an optimizer go on as if it had never ended."""

    tensors: Mapping[str, Tensor]
    """`parameter/key`, on the CPU. A number of Python's is a tensor without axes, int64 or float64."""
    numbers: Mapping[str, Number] = field(default_factory=dict)
    """What it counts and estimates for all parameters together, as far as it has moved from what it began with."""


def require(name: str) -> None:
    """Raise Refused, naming the extra, when the library of the optimizer `name` is not installed."""
    if problem := missing_library(name):
        raise Refused(problem)


def build(train: Train, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """A new optimizer of `parameters`, ready for a step. The loop sets its rate before each one."""
    require(train.optimizer)
    optimizer = BUILD[train.optimizer](list(parameters), train)
    if has_modes(optimizer):
        optimizer.train()
    return optimizer


def _adamw(parameters: list[nn.Parameter], train: Train) -> Optimizer:
    return torch.optim.AdamW(parameters, lr=train.learning_rate, weight_decay=train.weight_decay, fused=True)


def _adamw_8bit(parameters: list[nn.Parameter], train: Train) -> Optimizer:
    from bitsandbytes.optim import AdamW8bit  # an extra, and seconds of import

    return AdamW8bit(parameters, lr=train.learning_rate, weight_decay=train.weight_decay)


def _prodigy(parameters: list[nn.Parameter], train: Train) -> Optimizer:
    from prodigyopt import Prodigy  # an extra

    # safeguard_warmup: without it a small rate of the warm-up is taken for a small distance, and the estimate runs away.
    return Prodigy(
        parameters,
        lr=train.learning_rate,
        weight_decay=train.weight_decay,
        use_bias_correction=True,
        safeguard_warmup=True,
    )


def _adafactor(parameters: list[nn.Parameter], train: Train) -> Optimizer:
    from transformers.optimization import Adafactor

    # Not torch's, which always scales the rate by the size of the weight: B, which begins at zero, would hardly move.
    return Adafactor(
        parameters,
        lr=train.learning_rate,
        weight_decay=train.weight_decay,
        relative_step=False,
        scale_parameter=False,
        warmup_init=False,
    )


def _adamw_schedulefree(parameters: list[nn.Parameter], train: Train) -> Optimizer:
    from schedulefree import AdamWScheduleFree  # an extra

    # Its own warm-up stays off: the loop's gives the same rates, and so the same weights of the average.
    return AdamWScheduleFree(parameters, lr=train.learning_rate, weight_decay=train.weight_decay)


BUILD: Mapping[str, Callable[[list[nn.Parameter], Train], Optimizer]] = {
    "adamw": _adamw,
    "adamw_8bit": _adamw_8bit,
    "prodigy": _prodigy,
    "adafactor": _adafactor,
    "adamw_schedulefree": _adamw_schedulefree,
}


def has_modes(optimizer: Optimizer) -> bool:
    """Whether the weights that a step moves are not those that are used afterwards (schedule-free)."""
    return hasattr(optimizer, "eval") and hasattr(optimizer, "train")


@contextmanager
def weights_to_use(optimizer: Optimizer) -> Iterator[None]:
    """Inside, the parameters are what the adapter is used with: to save, measure and draw. Behind it they are as before.

    To the last bit: turning an average on and off again rounds, and a run would depend on how often it was looked at.
    """
    if not has_modes(optimizer):
        yield
        return
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    moved = [parameter.detach().clone() for parameter in parameters]
    optimizer.eval()
    try:
        yield
    finally:
        optimizer.train()
        with torch.no_grad():
            for parameter, value in zip(parameters, moved, strict=True):
                parameter.copy_(value)


def effective_rate(optimizer: Optimizer) -> float:
    """The rate of the coming step: what the loop has set, times what the optimizer itself has found (Prodigy's d)."""
    group = optimizer.param_groups[0]
    return float(group["lr"] * group.get("d", 1.0))


def state_of(optimizer: Optimizer, parameters: Parameters) -> Saved:
    """What a checkpoint keeps of `optimizer`. Raises TypeError for state that is neither tensor nor number."""
    tensors = {
        f"{name}/{key}": _as_tensor(value)
        for name, parameter in parameters.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }
    if has_modes(optimizer):
        tensors |= {f"{name}/{TRAINING_WEIGHT}": _as_tensor(one.data) for name, one in parameters.items()}
    (group,) = optimizer.param_groups
    numbers = {
        key: _as_number(value)
        for key, value in group.items()
        if key not in ("params", "lr") and (key not in optimizer.defaults or value != optimizer.defaults[key])
    }
    return Saved(tensors=tensors, numbers=numbers)


def restore(optimizer: Optimizer, parameters: Parameters, saved: Saved) -> None:
    """Put `state_of` back into a new optimizer, behind the adapter: where that is an average, the weights are set here."""
    for path, tensor in saved.tensors.items():
        name, key = path.rsplit("/", 1)
        parameter = parameters[name]
        if key == TRAINING_WEIGHT and has_modes(optimizer):
            parameter.data.copy_(tensor)
        elif tensor.ndim == 0 and tensor.dtype in (torch.int64, torch.float64):
            optimizer.state[parameter][key] = tensor.item()
        else:
            # All on the parameter's device, where the fused AdamW keeps them.
            optimizer.state[parameter][key] = tensor.to(parameter.device, copy=True)
    (group,) = optimizer.param_groups
    for key, number in saved.numbers.items():
        group[key] = float.fromhex(number) if isinstance(number, str) else number


def _as_tensor(value: object) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().cpu().clone().contiguous()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return torch.tensor(value, dtype=torch.int64 if isinstance(value, int) else torch.float64)
    raise TypeError(f"an optimizer keeps {type(value).__name__}, which a checkpoint cannot hold")


def _as_number(value: object) -> Number:
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value.hex()
    raise TypeError(
        f"an optimizer keeps {type(value).__name__} for all parameters, which a checkpoint cannot hold"
    )
