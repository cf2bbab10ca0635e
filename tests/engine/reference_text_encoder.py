"""A training of SD 1.5 with its text encoder, with plain torch, diffusers, transformers and peft: no engine here.

As reference.py, whose draws it shares; what the text encoder adds is its adapter, its rate, and a condition that is encoded
in every step, dropped captions included.
"""

import json
import math
import tomllib

import torch
from diffusers import DDPMScheduler, StableDiffusionPipeline
from peft import LoraConfig, inject_adapter_in_model

from tests.engine.reference import draw, normal, picture, slots

UNET = ["to_q", "to_k", "to_v", "to_out.0"]
UNET_MLP = ["ff.net.0.proj", "ff.net.2"]
CLIP = r"encoder\.layers\.[01]\..*(q_proj|k_proj|v_proj|out_proj|fc1|fc2)"
"""Of three layers the two that are read with clip skip 2."""


def injected(model, seed, targets, adapter):
    """The model with a fresh adapter; gives what learns of it."""
    torch.manual_seed(seed >> 1)
    config = LoraConfig(
        r=adapter["rank"], lora_alpha=adapter["alpha"], init_lora_weights="gaussian", target_modules=targets
    )
    inject_adapter_in_model(config, model.requires_grad_(False))
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def reference_losses(job, base, steps):
    """Losses of the first steps of a run with targets attention+mlp, clip skip 2 and a cosine schedule."""
    spec = tomllib.loads((job / "spec.toml").read_text())
    train, seed = spec["train"], spec["train"]["seed"]
    items = [json.loads(line) for line in (job / "items.jsonl").read_text().splitlines()]
    pipe = StableDiffusionPipeline.from_pretrained(base, safety_checker=None)
    unet, text, scale = pipe.unet, pipe.text_encoder, pipe.vae.config.scaling_factor
    with torch.no_grad():
        posteriors = [pipe.vae.encode(picture(item, flip=False)[None]).latent_dist for item in items]
    moments = [(one.mean[0] * scale, one.std[0] * scale) for one in posteriors]
    of_unet = injected(unet, draw(seed, "adapter"), [*UNET, *UNET_MLP], spec["adapter"])
    of_text = injected(text, draw(seed, "adapter", "text_encoder"), CLIP, spec["adapter"])
    rates = (train["learning_rate"], train["text_encoder_learning_rate"])
    optimizer = torch.optim.AdamW(
        [{"params": of_unet}, {"params": of_text}], weight_decay=train["weight_decay"]
    )
    abar = DDPMScheduler.from_config(pipe.scheduler.config).alphas_cumprod
    count, warmup = train["batch"] * train["accumulate"], round(train["warmup"] * train["steps"])
    losses = []
    for step in range(steps):
        loss = 0.0
        for slot, index, words in slots(items, seed, step, count, train["caption_dropout"]):
            item, (mean, deviation) = items[index], moments[index]
            latents = mean + deviation * normal(mean.shape, seed, "latent", step, slot)
            noise = normal(mean.shape, seed, "noise", step, slot)
            t = int(draw(seed, "timestep", step, slot) / 2**64 * 1000)
            a = abar[t]
            tokens = pipe.tokenizer(
                words, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
            )
            hidden = text(tokens.input_ids, output_hidden_states=True).hidden_states[-2]
            noisy = (a.sqrt() * latents + (1 - a).sqrt() * noise)[None]
            predicted = unet(noisy, t, text.final_layer_norm(hidden)).sample[0]
            snr = (a / (1 - a)).item()
            weight = min(snr, train["min_snr_gamma"]) / snr * item["weight"]
            weight *= train["prior_weight"] if item["role"] == "regularization" else 1.0
            loss = loss + weight * (predicted - noise).pow(2).mean() / count
        loss.backward()
        torch.nn.utils.clip_grad_norm_(of_unet + of_text, train["max_grad_norm"])
        share = (step - warmup) / (train["steps"] - warmup)
        factor = (step + 1) / warmup if step < warmup else 0.5 * (1 + math.cos(math.pi * share))
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses
