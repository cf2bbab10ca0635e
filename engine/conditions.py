"""Conditions out of a text encoder that carries adapters: encoded when they are asked for, since the adapters decide them.

They stand where a ConditionReader of cache.py stands otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from engine.families.family import Condition, LearningEncoder


@dataclass(frozen=True)
class LiveConditions:
    """What a text encoder says at the moment, with the adapters in it at the weights that are set."""

    learning: LearningEncoder
    encoders: Any
    """As the family's `load_encoders` gave them."""

    @property
    def model(self) -> nn.Module:
        """The model that carries the adapters."""
        return self.learning.model(self.encoders)

    def get(self, text: str) -> Condition:
        """The condition of `text`, fp32, without a batch axis, with gradient where that is on."""
        return {key: value[0] for key, value in self.batch([text]).items()}

    def unconditional(self) -> Condition:
        """The encoded empty text: what sampling with an empty negative prompt uses, and caption dropout trains."""
        return self.get("")

    def batch(self, texts: Sequence[str | None]) -> Condition:
        """Conditions of several texts (None: the unconditional) with the batch axis in front."""
        return self.learning.encode(self.encoders, [text or "" for text in texts])
