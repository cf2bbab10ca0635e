"""Twenty steps of a training with plain torch, diffusers and peft: nothing of the engine is imported here.

It reads a run's spec.toml and items.jsonl and derives every draw again from the formulas written at the top of
engine/noise.py and engine/dataset/slots.py. If its losses equal the run's, those formulas are what the run did.

    python tests/engine/reference.py JOB_DIR BASE_DIR [STEPS]       prints one loss a line
"""

import json
import math
import sys
import tomllib
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from diffusers import DDPMScheduler, StableDiffusionXLPipeline
from peft import LoraConfig
from PIL import Image


def draw(*words):
    return int.from_bytes(blake2b(":".join(map(str, words)).encode(), digest_size=8).digest(), "big")


def normal(shape, *words):
    return torch.randn(shape, generator=torch.Generator().manual_seed(draw(*words) >> 1))


def picture(item, flip):
    """The cut that the item names, as (3, H, W) in [-1, 1]; the demo's pictures are plain RGB PNGs."""
    place = item["placements"][0]
    image = Image.open(item["path"]).convert("RGB").resize(place["scaled"], Image.Resampling.LANCZOS)
    (left, top), (width, height) = place["crop_left_top"], place["bucket"]
    image = image.crop((left, top, left + width, top + height))
    array = np.asarray(image, np.float32)[:, ::-1] if flip else np.asarray(image, np.float32)
    return torch.from_numpy(array / 127.5 - 1).permute(2, 0, 1)


@torch.no_grad()
def encoded(pipe, items):
    """(mean, deviation) of each item's latents, and (embeds, pooled) of each caption; "" maps to zeros."""
    scale = pipe.vae.config.scaling_factor
    moments = []
    for item in items:
        posterior = pipe.vae.encode(picture(item, flip=False)[None]).latent_dist
        moments.append((posterior.mean[0] * scale, posterior.std[0] * scale))
    texts = {text for item in items for text in item["captions"]}
    conditions = {}
    for text in texts:
        embeds, _, pooled, _ = pipe.encode_prompt(text, device="cpu", do_classifier_free_guidance=False)
        conditions[text] = (embeds[0], pooled[0])
    conditions[""] = tuple(torch.zeros_like(part) for part in next(iter(conditions.values())))
    return moments, conditions


def slots(items, seed, step, count, dropout):
    listed = [i for i, item in enumerate(items) if item["role"] != "holdout" for _ in range(item["repeats"])]
    for slot in range(count):
        epoch, place = divmod(step * count + slot, len(listed))
        order = sorted(range(len(listed)), key=lambda i: (draw(seed, "order", epoch, i), i))
        item = items[listed[order[place]]]
        captions = item["captions"]
        text = captions[draw(seed, "caption", step, slot) % len(captions)]
        yield slot, listed[order[place]], "" if draw(seed, "drop", step, slot) / 2**64 < dropout else text


def reference_losses(job, base, steps):
    spec = tomllib.loads((job / "spec.toml").read_text())
    train, seed = spec["train"], spec["train"]["seed"]
    items = [json.loads(line) for line in (job / "items.jsonl").read_text().splitlines()]
    pipe = StableDiffusionXLPipeline.from_pretrained(base)
    moments, conditions = encoded(pipe, items)
    torch.manual_seed(draw(seed, "adapter") >> 1)
    rank, alpha = spec["adapter"]["rank"], spec["adapter"]["alpha"]
    targets = ["to_q", "to_k", "to_v", "to_out.0"]
    if spec["adapter"]["targets"] == "attention+mlp":
        targets += ["ff.net.0.proj", "ff.net.2"]
    unet = pipe.unet.requires_grad_(False)
    unet.add_adapter(
        LoraConfig(r=rank, lora_alpha=alpha, init_lora_weights="gaussian", target_modules=targets)
    )
    parameters = [parameter for parameter in unet.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, weight_decay=train["weight_decay"])
    abar = DDPMScheduler.from_config(pipe.scheduler.config).alphas_cumprod
    count, warmup = train["batch"] * train["accumulate"], round(train["warmup"] * train["steps"])
    losses = []
    for step in range(steps):
        loss = 0.0
        for slot, index, text in slots(items, seed, step, count, train["caption_dropout"]):
            item, (mean, deviation), (embeds, pooled) = items[index], moments[index], conditions[text]
            latents = mean + deviation * normal(mean.shape, seed, "latent", step, slot)
            noise = normal(mean.shape, seed, "noise", step, slot)
            t = int(draw(seed, "timestep", step, slot) / 2**64 * 1000)
            a, place = abar[t], item["placements"][0]
            (width, height), (left, top) = place["bucket"], place["crop_left_top"]
            ids = torch.tensor([[*item["original"][::-1], top, left, height, width]], dtype=torch.float32)
            predicted = unet(
                (a.sqrt() * latents + (1 - a).sqrt() * noise)[None],
                t,
                embeds[None],
                added_cond_kwargs={"text_embeds": pooled[None], "time_ids": ids},
            ).sample[0]
            snr = (a / (1 - a)).item()
            weight = min(snr, train["min_snr_gamma"]) / snr * item["weight"]
            weight *= train["prior_weight"] if item["role"] == "regularization" else 1.0
            loss = loss + weight * (predicted - noise).pow(2).mean() / count
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, train["max_grad_norm"])
        share = (step - warmup) / (train["steps"] - warmup)
        rate = (step + 1) / warmup if step < warmup else 0.5 * (1 + math.cos(math.pi * share))
        optimizer.param_groups[0]["lr"] = train["learning_rate"] * rate
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


if __name__ == "__main__":
    wanted = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    print(*reference_losses(Path(sys.argv[1]), Path(sys.argv[2]), wanted), sep="\n")
