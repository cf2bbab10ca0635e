"""What a way of asking a model is: a function that loads it, and the function that asks it. Values and functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from projects.spec import FillJob

Ask = Callable[[Sequence[Image.Image], int], list[str]]
"""(pictures, seed) -> what the model says of each, cleaned; "" for nothing. Pictures as `open_picture` gives them.

Raises OutOfMemory where so many at once do not fit, and anything else that a model can raise."""


class OutOfMemory(Exception):
    """So many pictures at once do not fit into the device's memory."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A model that is ready to be asked."""

    ask: Ask
    device: str
    """Where it computes, in words for facts.json: cpu, cuda."""
    most: int
    """Pictures that it takes at once, whatever the job says."""


Load = Callable[[Path, str, FillJob], Opened]
"""(folder, model_type of its config, job) -> the model, loaded. Raises Refused with what is wrong with it."""
