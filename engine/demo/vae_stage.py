"""Stage 1: the autoencoder. Small crops first, for variety at the same cost, whole pictures later."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from engine.demo.data import load_pictures, load_rows
from engine.demo.parts import make_vae
from engine.demo.pretrain import Losses, Plan, Stage
from engine.demo.world import Picture

BATCH = 8  # whole pictures; four times as many crops of half the side cost the same
CROP = 32
CROP_SHARE = 0.45  # of the steps
ARBITRARY_SHARE = 1 / 12  # of the batch
EDGE_WEIGHT, SQUARE_WEIGHT, KL_WEIGHT = 0.5, 6.0, 5e-5


def vae_plan(steps: int, rate: float = 2e-3, seed: int = 1) -> Plan:
    """The plan of the autoencoder stage."""
    return Plan("vae", steps, seed, rate, warmup=100, flat=0.3, average=0.998, weight_decay=1e-4)


def to_tensor(pictures: Picture) -> Tensor:
    """(n, height, width, 3) uint8 -> (n, 3, height, width) float, -1 to 1."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def to_pictures(tensor: Tensor) -> Picture:
    """(n, 3, height, width) float, -1 to 1 -> (n, height, width, 3) uint8."""
    scaled = ((tensor.permute(0, 2, 3, 1).clamp(-1, 1) + 1) * 127.5).round()
    pictures: Picture = scaled.to(torch.uint8).numpy()
    return pictures


def _pick(generator: torch.Generator, below: int, count: int) -> NDArray[np.int64]:
    picked: NDArray[np.int64] = torch.randint(0, below, (count,), generator=generator).numpy()
    return picked


def draw_batch(world: Picture, arbitrary: Picture, whole: bool, generator: torch.Generator) -> Tensor:
    """(n, 3, size, size), -1 to 1: pictures of the world and some of arbitrary shapes, flipped half the time."""
    count = BATCH if whole else BATCH * 4
    strange = max(1, round(count * ARBITRARY_SHARE))
    rows = world[_pick(generator, len(world), count - strange)]
    # Channels in any order: colours that the world does not have.
    order = torch.randperm(3, generator=generator).numpy()
    pictures = np.concatenate([rows, arbitrary[_pick(generator, len(arbitrary), strange)][..., order]])
    if not whole:
        corners = _pick(generator, pictures.shape[1] - CROP + 1, 2 * count).reshape(count, 2)
        pictures = np.stack(
            [p[y : y + CROP, x : x + CROP] for p, (y, x) in zip(pictures, corners, strict=True)]
        )
    if torch.rand((), generator=generator) < 0.5:
        pictures = pictures[:, :, ::-1]
    return to_tensor(pictures)


def _edges(pictures: Tensor) -> tuple[Tensor, Tensor]:
    return pictures[..., 1:, :] - pictures[..., :-1, :], pictures[..., 1:] - pictures[..., :-1]


def vae_losses(vae: AutoencoderKL, pictures: Tensor, generator: torch.Generator) -> Losses:
    """L1, L1 of the edges, square error, and a light pull of the latents towards a unit normal."""
    with torch.autocast("cpu", torch.bfloat16):
        posterior = vae.encode(pictures).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=generator)
        rebuilt = vae.decode(posterior.mean + posterior.std * noise).sample
    rebuilt, mean, log_variance = rebuilt.float(), posterior.mean.float(), posterior.logvar.float()
    absolute = (rebuilt - pictures).abs().mean()
    edges = torch.stack(
        [(a - b).abs().mean() for a, b in zip(_edges(rebuilt), _edges(pictures), strict=True)]
    ).sum()
    square = F.mse_loss(rebuilt, pictures)
    kl = 0.5 * (mean * mean + log_variance.exp() - 1 - log_variance).mean()
    loss = absolute + EDGE_WEIGHT * edges + SQUARE_WEIGHT * square + KL_WEIGHT * kl
    db = -10 * math.log10(max(square.item() / 4, 1e-9))
    return loss, {"l1": absolute.item(), "db": db, "kl": kl.item()}


def train_vae(data: Path, work: Path, plan: Plan, until: int = -1) -> Stage:
    """Run or resume the stage in `work`/vae on the pictures in `data`."""
    rows = load_rows(data, "picture")
    # Noise cannot be packed into a latent: it would only blunt the loss for everything else.
    kept = [index for index, row in enumerate(rows) if row["fault"] != "noisy"]
    world, arbitrary = load_pictures(data, "picture")[kept], load_pictures(data, "arbitrary")
    torch.manual_seed(plan.seed)
    vae = make_vae()

    def losses(step: int, generator: torch.Generator) -> Losses:
        whole = step >= plan.steps * CROP_SHARE
        return vae_losses(vae, draw_batch(world, arbitrary, whole, generator), generator)

    stage = Stage(plan, {"vae": vae}, work / "vae")
    stage.run(losses, until=until)
    return stage


@torch.no_grad()
def latents_of(vae: AutoencoderKL, pictures: Picture, batch: int = 64, fast: bool = False) -> Tensor:
    """(n, 4, height/4, width/4) means of the posterior, NOT scaled; `fast` computes in bfloat16."""
    parts = []
    for start in range(0, len(pictures), batch):
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            block = to_tensor(pictures[start : start + batch])
            parts.append(vae.encode(block).latent_dist.mean.float().contiguous())
    return torch.cat(parts)


@torch.no_grad()
def rebuild(vae: AutoencoderKL, pictures: Picture, batch: int = 32) -> Picture:
    """The pictures after a trip through the latents."""
    latents = latents_of(vae, pictures, batch)
    blocks = [vae.decode(latents[start : start + batch]).sample for start in range(0, len(latents), batch)]
    return to_pictures(torch.cat(blocks))


def psnr(pictures: Picture, rebuilt: Picture) -> float:
    """Mean over pictures of the peak signal-to-noise ratio in dB."""
    square = ((pictures.astype(np.float64) - rebuilt) ** 2).mean((1, 2, 3))
    return float(np.mean(10 * np.log10(255**2 / np.maximum(square, 1e-3))))


def clean_held_out(data: Path) -> Picture:
    """The held-out pictures without a deliberate fault."""
    rows = load_rows(data, "held_out")
    kept = [index for index, row in enumerate(rows) if row["fault"] is None]
    return load_pictures(data, "held_out")[kept]


def latent_scale(vae: AutoencoderKL, pictures: Picture) -> float:
    """The factor that brings latents to unit deviation (`scaling_factor`)."""
    return float(1 / latents_of(vae, pictures).std())
