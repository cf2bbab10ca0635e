"""The learning rate as a pure function of the step, so that a resume has nothing to restore."""

import math
from typing import Literal

Schedule = Literal["constant", "linear", "cosine", "cosine_restarts"]


def rate(step: int, *, schedule: Schedule, steps: int, warmup: float, restarts: int) -> float:
    """Factor on the learning rate at `step` (from 0), in [0, 1].

    The warm-up takes round(warmup * steps) steps and rises to 1 in its last one; what follows spans the rest: constant
    1, linear to 0, half a cosine to 0, or `restarts` half cosines that each begin at 1.
    """
    warmup_steps = round(warmup * steps)
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if schedule == "constant":
        return 1.0
    share = (step - warmup_steps) / max(1, steps - warmup_steps)
    if schedule == "linear":
        return 1.0 - share
    if schedule == "cosine_restarts":
        share = (share * restarts) % 1.0
    return 0.5 * (1.0 + math.cos(math.pi * share))
