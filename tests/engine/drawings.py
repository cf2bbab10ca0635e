"""One small picture, drawn by a family as the tests compare it with the stock pipeline of diffusers."""

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.families.family import Base, Condition, Drawing, Family

SEED, STEPS, GUIDANCE = 7, 4, 5.0


def drawn_picture(
    family: Family,
    base: Base,
    text: str,
    *,
    size_wh: tuple[int, int],
    guidance: float = GUIDANCE,
    true_guidance: float = 1.0,
    negative: str | None = None,
) -> Tensor:
    """(1, 3, height, width) in [0, 1]: `text` with the sampler "euler". negative None: the base's unconditional."""
    encoders = family.load_encoders(base, torch.float32)
    unconditionals: Sequence[Condition] = (
        [family.unconditional(base, encoders)]
        if negative is None
        else family.encode_condition(encoders, [negative])
    )
    asked = Drawing(
        sampler="euler",
        conditions=family.encode_condition(encoders, [text]),
        unconditionals=unconditionals,
        guidance=guidance,
        true_guidance=true_guidance,
        steps=STEPS,
        size_wh=size_wh,
        generators=[torch.Generator().manual_seed(SEED)],
    )
    return family.draw(
        family.load_denoiser(base, torch.float32), family.load_vae(base, torch.float32), base, asked
    )
