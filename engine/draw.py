"""Shots in, pictures out: the one place where pictures are drawn, for previews, `safelight sample` and the review."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from peft.tuners.lora import LoraLayer
from PIL import Image
from torch import Tensor, nn

from engine.adapter import set_weights
from engine.desk import StopAsked
from engine.families.family import Base, Condition, Drawing, Family
from projects.problems import Problem, Refused
from projects.spec import Sample, Sampler

PIXELS_AT_ONCE = {"cpu": 8 * 128 * 128, "cuda": 1024 * 1024}
"""A batch holds as many pictures as make up so many pixels, 8 at most and 1 at least."""
PICTURES_AT_ONCE = 8


class Conditions(Protocol):
    """Where the encoded texts are, or what encodes them."""

    def get(self, text: str) -> Condition: ...

    def unconditional(self) -> Condition: ...


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One picture to draw: equal shots give equal pictures."""

    prompt: str
    negative: str
    seed: int
    guidance: float
    steps: int
    sampler: Sampler
    size: tuple[int, int]
    """Width and height in pixels."""
    true_guidance: float = 1.0
    """Classifier-free guidance of a base whose own is distilled; 1 is off."""
    weights: tuple[tuple[str, float], ...] = ()
    """Adapters by their name in the denoiser, each with the factor on its effect. Empty: the base."""


def shots_of(
    sample: Sample, base: Base, prompts: Sequence[str], weights: Sequence[tuple[str, float]] = ()
) -> list[Shot]:
    """Each prompt with each seed of `sample`, prompts outermost; the base's native size where none is given."""
    return [
        Shot(
            prompt=prompt,
            negative=sample.negative,
            seed=seed,
            guidance=sample.guidance,
            true_guidance=sample.true_guidance,
            steps=sample.steps,
            sampler=sample.sampler,
            size=sample.size or (base.native_size, base.native_size),
            weights=tuple(weights),
        )
        for prompt in prompts
        for seed in sample.seeds
    ]


def check_shots(family: Family, base: Base, shots: Sequence[Shot]) -> None:
    """Refuse, all at once, what the family cannot draw: a sampler it lacks, sides that are not a multiple of its step."""
    problems = []
    for sampler in dict.fromkeys(shot.sampler for shot in shots):
        if sampler not in family.samplers:
            hint = f"There are: {', '.join(family.samplers)}."
            problems.append(
                Problem(error=f"{family.name} has no sampler {sampler}.", where="sample.sampler", hint=hint)
            )
    step = base.bucket_step
    for width, height in dict.fromkeys(shot.size for shot in shots):
        if width % step or height % step:
            near = " x ".join(str(max(step, round(side / step) * step)) for side in (width, height))
            problems.append(
                Problem(
                    error=f"This base draws sides that are multiples of {step}, not {width} x {height}.",
                    where="sample.size",
                    hint=f"The nearest is {near}.",
                )
            )
    if problems:
        raise Refused(problems, usage=True)


def at_once(size: tuple[int, int], device: str) -> int:
    """How many pictures of `size` (width, height) pass through the denoiser together."""
    return max(1, min(PICTURES_AT_ONCE, PIXELS_AT_ONCE[device] // (size[0] * size[1])))


def draw_pictures(
    *,
    family: Family,
    base: Base,
    denoiser: nn.Module,
    vae: nn.Module,
    conditions: Conditions,
    shots: Sequence[Shot],
    text_encoder: nn.Module | None = None,
    on_picture: Callable[[int, Image.Image], object] = lambda index, picture: None,
    on_step: Callable[[int, int], object] = lambda drawn, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Image.Image]:
    """One RGB picture a shot, in the order of `shots`.

    `text_encoder` is given where adapters act on it too and `conditions` come out of it: the shots' weights hold for both.
    `on_picture(index, picture)` gets each as soon as it is finished, `on_step(drawn, total)` is called after each
    denoising step with the number of finished pictures. Every picture's noise comes from a CPU generator of its own,
    seeded with the shot's seed, so a picture does not depend on its company beyond rounding. Modes and adapter weights
    of the models are afterwards what they were. Raises StopAsked when `should_stop` says so between two steps.
    """
    pictures: dict[int, Image.Image] = {}

    def after_step(_done: int, _steps: int) -> None:
        if should_stop():
            raise StopAsked
        on_step(len(pictures), len(shots))

    models = [denoiser] if text_encoder is None else [denoiser, text_encoder]
    _check_adapters(models, shots)
    with torch.no_grad(), left_as_they_were(models):
        for model in models:
            model.eval()
        for indices in _batches(shots, _device_of(denoiser).type):
            first, batch = shots[indices[0]], [shots[index] for index in indices]
            for model in models:
                set_weights(model, dict(first.weights))
            asked = Drawing(
                sampler=first.sampler,
                conditions=[conditions.get(shot.prompt) for shot in batch],
                unconditionals=[
                    conditions.get(shot.negative) if shot.negative else conditions.unconditional()
                    for shot in batch
                ],
                guidance=first.guidance,
                true_guidance=first.true_guidance,
                steps=first.steps,
                size_wh=first.size,
                generators=[torch.Generator("cpu").manual_seed(shot.seed) for shot in batch],
                on_step=after_step,
            )
            pixels_BCHW = family.draw(denoiser, vae, base, asked)
            for index, pixels_CHW in zip(indices, pixels_BCHW, strict=True):
                pictures[index] = _picture(pixels_CHW)
                on_picture(index, pictures[index])
            on_step(len(pictures), len(shots))
    return [pictures[index] for index in range(len(shots))]


def _batches(shots: Sequence[Shot], device: str) -> Iterator[list[int]]:
    """Indices of shots that can pass through the denoiser together, as many at once as PIXELS_AT_ONCE allows."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for index, shot in enumerate(shots):
        key = (shot.weights, shot.size, shot.sampler, shot.steps, shot.guidance, shot.true_guidance)
        alike.setdefault(key, []).append(index)
    for indices in alike.values():
        many = at_once(shots[indices[0]].size, device)
        for start in range(0, len(indices), many):
            yield indices[start : start + many]


@contextmanager
def left_as_they_were(models: Sequence[nn.Module]) -> Iterator[None]:
    """Put every module's mode and every adapter's scale back, whatever happens in between."""
    modules = [module for model in models for module in model.modules()]
    modes = [(module, module.training) for module in modules]
    scales = [(module, dict(module.scaling)) for module in modules if isinstance(module, LoraLayer)]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
        for layer, scaling in scales:
            layer.scaling.update(scaling)


def _check_adapters(models: Sequence[nn.Module], shots: Sequence[Shot]) -> None:
    """A name that is not loaded would silently draw the base."""
    loaded = {name for model in models for name in getattr(model, "peft_config", {})}
    asked = {name for shot in shots for name, _ in shot.weights}
    if asked - loaded:
        raise ValueError(f"adapters {sorted(asked - loaded)} are not loaded, only {sorted(loaded)}")


def _device_of(denoiser: nn.Module) -> torch.device:
    return next(denoiser.parameters()).device


def _picture(pixels_CHW: Tensor) -> Image.Image:
    """Pixels in [0, 1] as an RGB picture; what is not a number comes out black."""
    levels = (pixels_CHW.nan_to_num(0.0).clamp(0, 1) * 255).round().to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).cpu().numpy(), "RGB")
