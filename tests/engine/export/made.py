"""Adapters on the tiny base that look trained: B is not zero."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine import adapter
from engine.export.formats import DTYPES, Layout, content
from engine.export.gate import Question, Reference, question_for, reference_of
from engine.families.family import Base, Family


@dataclass(frozen=True)
class Trained:
    """An adapter, the base it belongs to, and what the gate needs of both."""

    family: Family
    base: Base
    config: Mapping[str, Any]
    state: dict[str, Tensor]
    rank: int
    alpha: float
    question: Question
    reference: Reference

    def content(self, layout: Layout, dtype: str = "fp32") -> Any:
        return content(
            layout,
            self.state,
            rank=self.rank,
            alpha=self.alpha,
            dtype=DTYPES[dtype],
            component=self.family.denoiser,
            place_of=lambda path: self.family.original(self.config, path),
        )


def make_adapter(family: Family, base: Base, targets: Any, *, rank: int, alpha: float) -> dict[str, Tensor]:
    """An adapter's tensors with B drawn, as if it had been trained."""
    torch.manual_seed(1)
    denoiser = family.load_denoiser(base, torch.float32)
    modules = adapter.target_modules(denoiser, targets, family)
    adapter.inject(denoiser, modules, rank=rank, alpha=alpha, dropout=0.0)
    for name, parameter in adapter.trained_parameters(denoiser).items():
        if ".lora_B." in name:
            torch.nn.init.normal_(parameter, std=0.02)
    return adapter.adapter_state(denoiser)


def make_trained(opened: tuple[Family, Base], rank: int, alpha: float) -> Trained:
    family, base = opened
    state = make_adapter(family, base, "attention+mlp", rank=rank, alpha=alpha)
    question = question_for(family, base, "the cat")
    reference = reference_of(family, base, question, state, rank=rank, alpha=alpha)
    config = family.config(base)
    return Trained(family, base, config, state, rank, alpha, question, reference)
