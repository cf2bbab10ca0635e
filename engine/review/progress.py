"""How like the subject a run's previews are while it trains: the review's own measure, from the base's first previews.

The previews of step 0 were drawn before the adapter had learned anything: they are the base's (0). The training pictures
are 1. The measure is made anew each time out of files, so that a resumed run measures what an uninterrupted one does.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from PIL import Image
from torch import Tensor

from engine.adapter import set_weights
from engine.draw import left_as_they_were
from engine.families.family import Base
from engine.picture_file import read_settings
from engine.review.eyes import Sight
from engine.review.inside import Inside
from engine.review.likeness import Axis
from engine.review.prompts import says_any, spread
from engine.review.trained import MOST
from engine.sample import Easel
from engine.step import Task

LEAST: Final = 4
"""Pictures of the base, and of the subject, below which there is no axis between them."""


def likeness_of_previews(
    task: Task, base: Base, folder: Path, step: int, triggers: Sequence[str]
) -> float | None:
    """Mean likeness of the previews of `step` whose prompts say a trigger; None where there is nothing to compare.

    folder: the run's previews. Modes and adapter weights are afterwards what they were.
    """
    first, now = (_called(folder, each, triggers) for each in (0, step))
    own = [item for item in task.items if item.role == "subject"]
    if step == 0 or len(first) < LEAST or not now or len(own) < LEAST:
        return None
    chosen = set(spread([item.picture for item in own], MOST))
    device = task.accelerator.device
    easel = Easel(
        family=task.family, base=base, denoiser=task.denoiser, vae=task.family.load_vae(base, torch.float32).to(device),
        conditions=task.conditions, text_encoder=task.text_encoder,
    )  # fmt: skip
    inside = Inside(easel=easel, schedule=task.schedule)
    with torch.no_grad(), left_as_they_were(task.models):
        for model in task.models:
            set_weights(model, {})
        base_NF, made_NF = (_features(inside, files) for files in (first, now))
        own_NF = inside.features(
            [_sight(task.latents.get(item, 0, False)[0]) for item in own if item.picture in chosen]
        )
    places = Axis.between(base_NF, own_NF, base_NF).places(made_NF)
    return round(sum(places) / len(places), 4)


def _called(folder: Path, step: int, triggers: Sequence[str]) -> list[Path]:
    """The previews of a step that say a trigger; all of them where the project has none."""
    files = sorted(folder.glob(f"step-{step:06d}-*.png"))
    return [
        file
        for file in files
        if not triggers or says_any(str(read_settings(file).get("prompt", "")), triggers)
    ]


def _features(inside: Inside, files: Sequence[Path]) -> Tensor:
    sights = []
    for file in files:
        with Image.open(file, formats=["PNG"]) as picture:
            sights.append(_sight(inside.latents(picture.convert("RGB"))))
    return inside.features(sights)


def _sight(latents_CHW: Tensor) -> Sight:
    def nothing() -> Image.Image:
        raise FileNotFoundError("only its latents are looked at")

    return Sight(latents_CHW=latents_CHW, picture=nothing)
