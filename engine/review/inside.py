"""What the base itself sees in a picture: features of its denoiser, and how well a text explains the picture to it.

Both are there wherever there is a base, and need no download. The adapter is off: the base judges, not what was trained.
Axes: N pictures, C channels, H height, W width of latents, F features.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine import noise
from engine.adapter import set_weights
from engine.dataset.slots import draw
from engine.draw import at_once
from engine.families.family import Condition, Framing, stacked
from engine.noise import NoiseSchedule
from engine.review.eyes import Sight
from engine.sample import Easel

VERSION = "1"
FEATURE_SHARE = 0.12
"""Of the schedule: so little noise that shapes and colours stand, and enough that the denoiser has to know them."""
TEXT_SHARES = (0.35, 0.5, 0.65, 0.8)
"""Where a text decides what a picture becomes: above them only its brightness is left, below them nothing is open."""
DRAWS = 2
"""Noises that features are a mean of."""
Progress = Callable[[int, int], object]


@dataclass(frozen=True, kw_only=True)
class Inside:
    """A base that looks at pictures."""

    easel: Easel
    schedule: NoiseSchedule

    @property
    def name(self) -> str:
        """Measure and version: what was measured by another is measured again."""
        return f"inside {VERSION} {self.easel.base.fingerprint}"

    @property
    def limits(self) -> str:
        """What it does not see."""
        return "It sees shapes and colours, not whose face it is."

    @property
    def label(self) -> str:
        """What people are told of it."""
        return "features and denoising loss of the base itself"

    @torch.no_grad()
    def latents(self, picture: Image.Image) -> Tensor:
        """(C, H, W): the picture as the denoiser reads it, fp32, on the CPU."""
        pixels_CHW = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1
        mean_BCHW, _ = self.easel.family.encode_images(self.easel.vae, pixels_CHW[None])
        return mean_BCHW[0].cpu()

    @torch.no_grad()
    def through(self, picture: Image.Image) -> Sight:
        """A photograph as it comes out of the VAE, which every made picture came out of: else the softness of the VAE would
        be what tells them apart."""
        latents_CHW = self.latents(picture)
        pixels_BCHW = self.easel.family.decode(self.easel.vae, latents_CHW[None])
        levels = (pixels_BCHW[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
        decoded = Image.fromarray(levels.cpu().numpy(), "RGB")
        return Sight(latents_CHW=self.latents(decoded), picture=lambda: decoded)

    @torch.no_grad()
    def features(self, sights: Sequence[Sight]) -> Tensor:
        """(N, F): means and deviations over space of the denoiser's inner places, without text, averaged over DRAWS noises.

        All pictures of one shape see the same noise: then a difference between two is none of noise.
        """
        latents = [sight.latents_CHW for sight in sights]
        rows: dict[int, Tensor] = {}
        self._base_alone()
        for indices in _by_shape(latents):
            for part in _parts(indices, self._many(latents[indices[0]])):
                block = torch.stack([latents[index] for index in part])
                for index, row in zip(part, self._features(block), strict=True):
                    rows[index] = row
        return torch.stack([rows[index] for index in range(len(latents))])

    @torch.no_grad()
    def explained(self, sight: Sight, texts: Sequence[str]) -> list[float]:
        """Denoising loss of one picture under each of `texts`: the less, the better it explains the picture.

        Mean squared error over TEXT_SHARES, each with a noise of its own that is the same for all texts and pictures.
        """
        self._base_alone()
        cells = [(share, text) for share in TEXT_SHARES for text in texts]
        parts = _parts(cells, self._many(sight.latents_CHW))
        errors_B = torch.cat([self._errors(sight.latents_CHW, part).cpu() for part in parts])
        return [float(mean) for mean in errors_B.reshape(len(TEXT_SHARES), len(texts)).mean(dim=0)]

    def _errors(self, latents_CHW: Tensor, cells: Sequence[tuple[float, str]]) -> Tensor:
        """(B,): for each share of the schedule and text."""
        schedule, shape = self.schedule, tuple(latents_CHW.shape)
        noises = {share: _noise("text", shape, round(1000 * share)) for share, _ in cells}
        noise_BCHW = torch.stack([noises[share] for share, _ in cells]).to(schedule.device)
        latents_BCHW = latents_CHW.expand(len(cells), -1, -1, -1).to(schedule.device)
        levels = schedule.at([share for share, _ in cells])
        told = [self.easel.conditions.get(text) for _, text in cells]
        prediction_BCHW = self._predict(noise.mix(latents_BCHW, noise_BCHW, levels), levels.timesteps_B, told)
        target_BCHW = noise.target(schedule.objective, latents_BCHW, noise_BCHW, levels)
        return (prediction_BCHW - target_BCHW).pow(2).mean(dim=(1, 2, 3))

    def _features(self, latents_BCHW: Tensor) -> Tensor:
        count, schedule = len(latents_BCHW), self.schedule
        told = [self.easel.conditions.unconditional()] * count
        levels = schedule.at([FEATURE_SHARE] * count)
        rows = []
        for number in range(DRAWS):
            noise_CHW = _noise("features", tuple(latents_BCHW.shape[1:]), number)
            noise_BCHW = noise_CHW.expand(count, -1, -1, -1).to(schedule.device)
            noisy_BCHW = noise.mix(latents_BCHW.to(schedule.device), noise_BCHW, levels)
            with _watched(self.easel) as seen:
                self._predict(noisy_BCHW, levels.timesteps_B, told)
            rows.append(torch.cat([_summary(each) for each in seen], dim=1))
        return torch.stack(rows).mean(dim=0).float().cpu()

    def _predict(self, noisy_BCHW: Tensor, timesteps_B: Tensor, told: Sequence[Condition]) -> Tensor:
        height, width = (side * self.easel.base.latent_factor for side in noisy_BCHW.shape[-2:])
        whole = Framing(original_hw=(height, width), crop_top_left=(0, 0), target_hw=(height, width))
        conditions = stacked(told, self.schedule.device)
        return self.easel.family.predict(
            self.easel.denoiser, noisy_BCHW, timesteps_B, conditions, [whole] * len(told)
        ).float()

    def _many(self, latents_CHW: Tensor) -> int:
        """Twice as many as are drawn at once: nothing is guided here, which drawing does with two passes in one."""
        height, width = (side * self.easel.base.latent_factor for side in latents_CHW.shape[-2:])
        return 2 * at_once((width, height), self.schedule.device.type)

    def _base_alone(self) -> None:
        """Switch the adapter off: whoever draws next sets the weights of every shot again."""
        for model in self.easel.models:
            model.eval()
            set_weights(model, {})


@contextmanager
def _watched(easel: Easel) -> Iterator[list[Tensor]]:
    """What the inner places put out in the passes meanwhile, in their order."""
    seen: list[Tensor] = []
    handles = [
        inner.module.register_forward_hook(
            lambda _module, _inputs, output, inner=inner: seen.append(inner.output(output))
        )
        for inner in easel.family.inner(easel.denoiser)
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _summary(output: Tensor) -> Tensor:
    """(B, C, H, W) or (B, L, D) -> (B, 2 C) or (B, 2 D): mean and deviation over space."""
    flat_BCL = output.float().flatten(2) if output.dim() == 4 else output.float().transpose(1, 2)
    return torch.cat([flat_BCL.mean(dim=2), flat_BCL.std(dim=2)], dim=1)


def _noise(purpose: str, shape_CHW: tuple[int, ...], number: int) -> Tensor:
    generator = torch.Generator().manual_seed(draw(0, "review", purpose, number) >> 1)
    return torch.randn(shape_CHW, generator=generator)


def _by_shape(latents: Sequence[Tensor]) -> list[list[int]]:
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, each in enumerate(latents):
        alike[tuple(each.shape)].append(index)
    return list(alike.values())


def _parts(some: Sequence[Any], many: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(some), many):
        yield some[start : start + many]
