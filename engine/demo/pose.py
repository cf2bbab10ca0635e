"""Where and how an object stands in a picture."""

from __future__ import annotations

import random
from dataclasses import dataclass

from engine.demo.shapes import Colour, Pattern


@dataclass(frozen=True)
class Pose:
    """Where and how an object stands: contact point (`x`, `base`) and `height` in supersampled pixels."""

    x: float
    base: float
    height: float
    colour: Colour
    pattern: Pattern | None
    rng: random.Random
