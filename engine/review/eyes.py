"""What looks at pictures: one interface, whatever stands behind it. The base itself is always there (inside.py)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Sight:
    """A picture, in the two forms in which it may be looked at."""

    latents_CHW: Tensor
    """As the denoiser reads it, fp32, on the CPU."""
    picture: Callable[[], Image.Image]
    """RGB; raises Refused or OSError where the file is not there any more."""


class Eye(Protocol):
    """Features of pictures, and how well texts explain them."""

    @property
    def name(self) -> str:
        """Names measure, version and weights: what was seen by another is looked at again."""

    @property
    def label(self) -> str:
        """What people are told of it."""

    @property
    def limits(self) -> str:
        """What it does not see, in a sentence."""

    def features(self, sights: Sequence[Sight]) -> Tensor:
        """(N, F), fp32, on the CPU."""

    def explained(self, sight: Sight, texts: Sequence[str]) -> list[float]:
        """A number a text: the less, the better it explains the picture."""
