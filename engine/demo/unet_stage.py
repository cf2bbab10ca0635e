"""Stage 2: the denoiser and both text encoders, trained together on latents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from engine.demo.captions import caption
from engine.demo.data import array_bytes, load_pictures, load_rows, scene_of
from engine.demo.parts import make_text_encoders, make_unet, signal_share
from engine.demo.pretrain import Losses, Plan, Stage
from engine.demo.tokenizer import load_tokenizer, token_ids
from engine.demo.vae_stage import latents_of
from engine.demo.world import generator
from projects.atomic import write_bytes

BATCH = 32
WORDINGS = 4  # captions a picture
ZERO_SHARE, EMPTY_SHARE = 0.08, 0.03
SNR_GAMMA = 5.0


def unet_plan(steps: int, rate: float = 1.2e-3, seed: int = 2) -> Plan:
    """The plan of the denoiser stage."""
    return Plan("unet", steps, seed, rate, warmup=150, flat=0.35, average=0.9985)


def write_latents(data: Path, work: Path) -> None:
    """Write latents.npy (n, 4, 16, 16) float16, scaled, and captions' token numbers, unless they are there."""
    from engine.demo.assemble import trained_vae

    if not (work / "latents.npy").exists():
        vae = trained_vae(data, work)
        scaled = latents_of(vae, load_pictures(data, "picture"), fast=True) * vae.config.scaling_factor
        write_bytes(work / "latents.npy", array_bytes(scaled.half().numpy()))
    if not (work / "tokens.npy").exists():
        tokenizer = load_tokenizer(work / "tokenizer")
        rows = load_rows(data, "picture")
        texts = [
            caption(scene_of(row), generator(0, "caption", index, wording), row["fault"])
            for index, row in enumerate(rows)
            for wording in range(WORDINGS)
        ]
        numbers = np.asarray(token_ids(tokenizer, texts), np.int16).reshape(len(rows), WORDINGS, 77)
        write_bytes(work / "tokens.npy", array_bytes(numbers))


class Denoiser:
    """The three networks, and what one batch costs and teaches."""

    def __init__(self, tokenizer: Any, latents: Tensor, tokens: Tensor, time_ids: Tensor) -> None:
        self.latents = latents  # (n, 4, 16, 16), scaled
        self.tokens = tokens  # (n, wordings, 77)
        self.time_ids = time_ids  # (n, 6)
        self.empty = torch.tensor(token_ids(tokenizer, [""])[0])  # (77,)
        self.unet: UNet2DConditionModel = make_unet()
        encoders: tuple[CLIPTextModel, CLIPTextModelWithProjection] = make_text_encoders(tokenizer)
        self.first, self.second = encoders
        self.share = signal_share()  # (1000,)

    def modules(self) -> dict[str, torch.nn.Module]:
        """The networks under the names that the checkpoint uses."""
        return {"unet": self.unet, "first": self.first, "second": self.second}

    def losses(self, step: int, random: torch.Generator) -> Losses:
        """Epsilon objective with min-SNR weights on the batch that belongs to `step`."""
        rows = self._rows(step, random)
        noise = torch.randn((BATCH, *self.latents.shape[1:]), generator=random)
        timesteps = torch.randint(0, 1000, (BATCH,), generator=random)
        tokens = self.tokens[rows, torch.randint(0, self.tokens.shape[1], (BATCH,), generator=random)].long()
        chance = torch.rand(BATCH, generator=random)
        tokens[chance > 1 - EMPTY_SHARE] = self.empty
        # Classifier-free guidance goes without text by zeros, not by an empty prompt: the pipeline does the same.
        kept = (chance > ZERO_SHARE).float()
        share = self.share[timesteps].view(-1, 1, 1, 1)
        noised = share.sqrt() * self.latents[rows] + (1 - share).sqrt() * noise
        with torch.autocast("cpu", torch.bfloat16):
            one = self.first(tokens, output_hidden_states=True)
            two = self.second(tokens, output_hidden_states=True)
            text = torch.cat([one.hidden_states[-2], two.hidden_states[-2]], -1) * kept.view(-1, 1, 1)
            added = {"text_embeds": two[0] * kept.view(-1, 1), "time_ids": self.time_ids[rows]}
            predicted = self.unet(noised, timesteps, text, added_cond_kwargs=added).sample
        each = (predicted.float() - noise).pow(2).mean((1, 2, 3))
        snr = self.share[timesteps] / (1 - self.share[timesteps])
        loss = (each * snr.clamp(max=SNR_GAMMA) / snr).mean()
        return loss, {"mse": each.mean().item()}

    def _rows(self, step: int, random: torch.Generator) -> Tensor:
        """(32,) pictures of this step: one shuffled pass over all of them after the other."""
        count = len(self.latents)
        per_pass = max(1, count // BATCH)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(step // per_pass))
        if count < BATCH:
            return torch.randint(0, count, (BATCH,), generator=random)
        place = (step % per_pass) * BATCH
        return order[place : place + BATCH]


def train_unet(data: Path, work: Path, plan: Plan, until: int = -1) -> Stage:
    """Run or resume the stage in `work`/unet; latents and tokens are made first where they are missing."""
    write_latents(data, work)
    tokenizer = load_tokenizer(work / "tokenizer")
    latents = torch.from_numpy(np.load(work / "latents.npy")).float()
    tokens = torch.from_numpy(np.load(work / "tokens.npy"))
    time_ids = torch.tensor([row["time_ids"] for row in load_rows(data, "picture")], dtype=torch.float32)
    torch.manual_seed(plan.seed)
    denoiser = Denoiser(tokenizer, latents, tokens, time_ids)
    stage = Stage(plan, denoiser.modules(), work / "unet")
    stage.run(denoiser.losses, until=until)
    return stage
