"""The gate: a written file is loaded by diffusers' own loader, as its users do, and must act like the trained adapter.

Our own reader proves nothing here: a loader that skips a tensor or forgets alpha does so without an error.
"""

import gc
import inspect
import json
import logging
import math
import re
import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from engine.adapter import joined, load_adapter, parted, set_weights
from engine.families.family import Base, Condition, Family, Framing
from engine.quantise import quantise
from projects.extras import missing_for
from projects.problems import refuse
from projects.spec import RunSpec

SHARES = (0.1, 0.5, 0.9)
"""Where the predictions are compared, as shares of the schedule."""
LIMIT = 1e-5
"""Of every relative difference in fp32."""
HALF_LIMIT = 1e-2
"""Of a layer's relative difference in half precision: rounding stays far below, lost values do not."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the denoiser is asked, the same of every file."""

    noisy: Tensor
    """3 x C x H x W."""
    timesteps: Tensor
    condition: Condition
    """With the batch axis in front."""
    framings: Sequence[Framing]
    text: str
    """What the condition says: an adapter that acts on the text encoder is asked for its own."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What the trained adapter does."""

    state: Mapping[str, Tensor]
    scale: float
    """alpha / rank."""
    prediction: Tensor
    """3 x C x H x W, fp32."""
    effect: float
    """How far the adapter moves the base's prediction, relative to it: the largest of the three."""
    quantized_difference: float | None = None
    """Relative difference to the prediction on the base as trained on, where that was quantised and can be here."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the gate found in one file."""

    keys: int
    """Tensors in the file."""
    unmatched: int
    """Warnings of the loader, and tensors of layers that only the file or only the denoiser has."""
    messages: tuple[str, ...]
    difference: float
    """Of the predictions: norm of the difference relative to the norm, the largest of the three timesteps."""
    layer_difference: float
    """Of what the adapter adds to a layer's weight, relative, the largest of all layers."""


def question_for(family: Family, base: Base, text: str) -> Question:
    """Fixed noise at three timesteps with the condition of `text`. The text encoders are loaded and leave again."""
    encoders = family.load_encoders(base, torch.float32)
    told = family.encode_condition(encoders, [text])[0]
    del encoders
    gc.collect()
    side = min(base.native_size, 4 * base.bucket_step)
    latents = side // base.latent_factor
    noise = torch.randn(
        (len(SHARES), family.latent_channels, latents, latents), generator=torch.Generator().manual_seed(0)
    )
    length = int(base.scheduler.get("num_train_timesteps", 1000))
    framing = Framing(original_hw=(side, side), crop_top_left=(0, 0), target_hw=(side, side))
    return Question(
        noisy=noise,
        timesteps=torch.tensor([int(share * length) for share in SHARES]),
        condition=_at_each_share(told),
        framings=[framing] * len(SHARES),
        text=text,
    )


def reference_of(
    family: Family, base: Base, question: Question, state: Mapping[str, Tensor],
    *, rank: int, alpha: float, spec: RunSpec | None = None,
) -> Reference:  # fmt: skip
    """The trained adapter's own prediction, in fp32 on the CPU and on the whole base, whatever it was trained on.

    `spec` of its training: whether that saw a quantised base.
    """
    models = _fresh(family, base, state)
    load_adapter(
        models.denoiser, state, rank=rank, alpha=alpha, name="trained", text_encoder=models.text_encoder
    )
    models.act({"trained": 1.0})
    prediction = _predict(family, models, question)
    models.act({})
    plain = _predict(family, models, question)
    if not torch.isfinite(prediction).all():
        raise refuse("The adapter's prediction is not finite.", hint="Export an earlier checkpoint.")
    del models
    return Reference(
        state=state,
        scale=alpha / rank,
        prediction=prediction,
        effect=relative_difference(prediction, plain),
        quantized_difference=None
        if spec is None
        else _on_quantised(spec, family, base, question, state, prediction, rank=rank, alpha=alpha),
    )


def _on_quantised(
    spec: RunSpec, family: Family, base: Base, question: Question, state: Mapping[str, Tensor], whole: Tensor,
    *, rank: int, alpha: float,
) -> float | None:  # fmt: skip
    """How far the prediction on the base as it was trained on, quantised, is from the one on the whole base, relative.

    None for a base that was whole in training too, and where bitsandbytes is not installed here.
    """
    if spec.train.quantize == "none" or missing_for(spec):
        return None
    models = _fresh(family, base, state)
    quantise(models.denoiser, spec, torch.float32)
    load_adapter(
        models.denoiser, state, rank=rank, alpha=alpha, name="trained", text_encoder=models.text_encoder
    )
    models.denoiser.to("cpu")  # where it becomes what it is to be
    models.act({"trained": 1.0})
    return relative_difference(whole, _predict(family, models, question))


def check(path: Path, family: Family, base: Base, question: Question, reference: Reference) -> Verdict:
    """Load the file at `path` into fresh models and compare. Raises Refused when the file cannot be loaded at all."""
    keys = _keys(path)
    models = _fresh(family, base, reference.state)
    pipeline = pipeline_around(models.denoiser, family, base, text_encoder=models.text_encoder)
    with _listening() as heard:
        try:
            pipeline.load_lora_weights(str(path))
        except Exception as error:  # whatever stops the loader stops our users too
            raise refuse(
                f"diffusers cannot load the file ({type(error).__name__}{f': {error}' if str(error) else ''})".split(
                    "\n"
                )[0],
                where=path.name,
                hint="Nothing was exported. Another layout may do: --format diffusers, or --format kohya.",
            ) from error
    filled = {family.denoiser} | ({"text_encoder"} if models.text_encoder else set())
    messages = [line for line in heard if not _about_absent_parts(line, filled)]
    wrapped = joined(_adapted_layers(models.denoiser), _adapted_layers(models.text_encoder))
    meant = {key.rsplit(".lora_", 1)[0] for key in reference.state}
    strays = [name for name in set(wrapped) ^ meant if name not in wrapped or _acts(wrapped[name])]
    layers = [_layer_difference(wrapped[name], name, reference) for name in sorted(set(wrapped) & meant)]
    return Verdict(
        keys=keys,
        unmatched=len(messages) + 2 * len(strays),
        messages=(*messages, *(f"layer {name}" for name in sorted(strays)[:3])),
        difference=relative_difference(reference.prediction, _predict(family, models, question)),
        layer_difference=max(layers, default=0.0),
    )


def objection(verdict: Verdict, *, half: bool) -> str:
    """Why a file may not go out, as a sentence; empty when it may. In half precision the prediction's difference is
    stated and not judged."""
    if verdict.unmatched:
        return f"{verdict.unmatched} keys or warnings are unmatched, e.g. {'; '.join(verdict.messages[:3])}."
    if not math.isfinite(verdict.difference) or not math.isfinite(verdict.layer_difference):
        return "It holds values that are not finite" + (
            ": they are too large for half precision." if half else "."
        )
    if verdict.layer_difference > (HALF_LIMIT if half else LIMIT):
        return f"A layer differs from the trained one by {verdict.layer_difference:.1e}" + (
            ": half precision loses its values." if half else "."
        )
    if not half and verdict.difference > LIMIT:
        return f"Its prediction differs from the trained adapter's by {verdict.difference:.1e}, more than {LIMIT:.0e}."
    return ""


def relative_difference(expected: Tensor, found: Tensor) -> float:
    """Norm of the difference relative to the norm of `expected`, the largest over the first axis."""
    rows = zip(expected.double(), found.double(), strict=True)
    return max(float((one - other).norm() / one.norm().clamp_min(1e-30)) for one, other in rows)


@dataclass(frozen=True)
class _Models:
    """A denoiser, and the encoders beside it where the adapter acts on them too."""

    denoiser: nn.Module
    encoders: Any
    text_encoder: nn.Module | None

    def act(self, weights: Mapping[str, float]) -> None:
        """`set_weights` on both."""
        for model in (self.denoiser, self.text_encoder):
            if model is not None:
                set_weights(model, weights)


def _fresh(family: Family, base: Base, state: Mapping[str, Tensor]) -> _Models:
    """Newly loaded in fp32 on the CPU, what an adapter with these tensors acts on."""
    denoiser = family.load_denoiser(base, torch.float32).eval()
    if not parted(state)[1] or family.text_encoder is None:
        return _Models(denoiser, None, None)
    encoders = family.load_encoders(base, torch.float32)
    return _Models(denoiser, encoders, family.text_encoder.model(encoders))


def pipeline_around(
    denoiser: nn.Module, family: Family, base: Base, text_encoder: nn.Module | None = None
) -> Any:
    """The base's own diffusers pipeline with nothing in it but what an adapter acts on: loading one needs no more."""
    index = json.loads((base.configs / "model_index.json").read_text("utf-8"))
    kind = getattr(diffusers, str(index["_class_name"]), None)
    if not (
        isinstance(kind, type)
        and issubclass(kind, diffusers.DiffusionPipeline)
        and hasattr(kind, "load_lora_weights")
    ):
        raise refuse(
            f"diffusers has no pipeline {index['_class_name']} that loads adapters.",
            where=base.configs / "model_index.json",
        )
    known = inspect.signature(kind).parameters
    needed = [name for name, told in known.items() if told.default is told.empty]
    # Without this SD 1.x's says that something is missing, which here is nothing against the file.
    checker = {"requires_safety_checker": False} if "requires_safety_checker" in known else {}
    given = {family.denoiser: denoiser, "text_encoder": text_encoder}
    return kind(**{name: given.get(name) for name in needed}, **checker)


def _keys(path: Path) -> int:
    try:
        with safe_open(path, framework="pt") as file:
            return len(file.keys())
    except (SafetensorError, OSError) as error:
        raise refuse(f"The written file cannot be read back: {error}.", where=path.name) from error


@torch.no_grad()
def _predict(family: Family, models: _Models, question: Question) -> Tensor:
    condition = question.condition
    if models.encoders is not None:
        condition = _at_each_share(family.encode_condition(models.encoders, [question.text])[0])
    return family.predict(
        models.denoiser, question.noisy, question.timesteps, condition, question.framings
    ).float()


def _at_each_share(told: Condition) -> Condition:
    return {key: value[None].expand(len(SHARES), *value.shape).contiguous() for key, value in told.items()}


def _adapted_layers(model: nn.Module | None) -> dict[str, Any]:
    modules = [] if model is None else model.named_modules()
    return {name: module for name, module in modules if isinstance(module, LoraLayer)}


@torch.no_grad()
def _layer_difference(layer: Any, name: str, reference: Reference) -> float:
    """The weight that is added: B times A times scale, wherever the scale was put."""
    down, up = (
        reference.state[f"{name}.lora_A.weight"].double(),
        reference.state[f"{name}.lora_B.weight"].double(),
    )
    meant = up.flatten(1) @ down.flatten(1) * reference.scale
    (adapter,) = layer.lora_A
    found = layer.lora_B[adapter].weight.double().flatten(1) @ layer.lora_A[adapter].weight.double().flatten(
        1
    )
    distance = (found * layer.scaling[adapter] - meant).norm()
    return float(distance / meant.norm()) if meant.norm() > 0 else float(distance)


def _acts(layer: Any) -> bool:
    """Whether an adapter changes its layer: of a fused tensor, the parts that were not trained are written as zeros."""
    (adapter,) = layer.lora_A
    return bool(layer.lora_A[adapter].weight.any()) and bool(layer.lora_B[adapter].weight.any())


def _about_absent_parts(message: str, filled: Container[str]) -> bool:
    """diffusers says of every part that the file has nothing for it, the text encoders of each adapter without them too."""
    told = re.match(r"No LoRA keys associated to \w+ found with the prefix='(\w+)'", message)
    return told is not None and told[1] not in filled


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Everything the loader complains of while it works. Notes to programmers (deprecations) are not about the file."""
    messages: list[str] = []
    ear = logging.Handler(logging.WARNING)
    ear.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in ("diffusers", "peft", "transformers")]
    before = [(logger, logger.level, logger.handlers) for logger in loggers]
    for logger in loggers:
        logger.handlers = [ear]  # the log need not repeat what the verdict says
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield messages
        notes = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
        messages += [str(warning.message) for warning in caught if not issubclass(warning.category, notes)]
    finally:
        for logger, level, handlers in before:
            logger.handlers = handlers
            logger.setLevel(level)
