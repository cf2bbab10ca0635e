"""SDXL: two CLIP encoders, a U-Net told of sizes and crops, a VAE of four channels. The demo's base is one too.

A condition is {"prompt_embeds": L x D, "pooled_prompt_embeds": P}: last but one hidden states of both encoders side by
side, and the projected text embedding of the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import StableDiffusionXLPipeline
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from engine.families import autoencoder, unet, weights
from engine.families.clip import encoded, on_cpu
from engine.families.drawing import NOISE_SAMPLERS, run_pipeline
from engine.families.family import Base, Condition, Drawing, Family, Framing, Fused, stacked
from engine.families.sgm import sgm_path
from engine.families.window import CLIP_WINDOW


@dataclass(frozen=True)
class Encoders:
    """Both tokenizers and both text encoders, in SDXL's order."""

    tokenizers: tuple[Any, ...]
    models: tuple[nn.Module, ...]

    def to(self, device: torch.device | str) -> "Encoders":
        """Move the models to `device`, as a module's `to` does."""
        for model in self.models:
            model.to(device)
        return self


def _load_encoders(base: Base, dtype: torch.dtype) -> Encoders:
    return Encoders(
        tokenizers=tuple(weights.load_tokenizer(base, name) for name in SDXL.tokenizers),
        models=tuple(
            weights.load_part(base, part, SDXL.models[part], dtype)
            for part in ("text_encoder", "text_encoder_2")
        ),
    )


@torch.no_grad()
def _encode_condition(encoders: Encoders, texts: Sequence[str]) -> list[Condition]:
    return [_encode_text(encoders, text) for text in texts]


def _encode_text(encoders: Encoders, text: str) -> Condition:
    hidden, pooled = [], None
    for tokenizer, model in zip(encoders.tokenizers, encoders.models, strict=True):
        output = encoded(tokenizer, model, text)
        hidden.append(output.hidden_states[-2][0])  # without the final layer norm, unlike SD 1.5
        pooled = output[0][0]
    assert pooled is not None
    return {
        "prompt_embeds": on_cpu(torch.cat(hidden, dim=-1)),
        "pooled_prompt_embeds": on_cpu(pooled),
    }


def _unconditional(base: Base, encoders: Encoders) -> Condition:
    empty = _encode_condition(encoders, [""])[0]
    return (
        {key: torch.zeros_like(value) for key, value in empty.items()} if base.zero_unconditional else empty
    )


def time_ids(framings: Sequence[Framing]) -> Tensor:
    """B x 6: original height, width, crop top, left, target height, width. fp32, because bf16 cannot count to 4032."""
    return torch.tensor(
        [[*f.original_hw, *f.crop_top_left, *f.target_hw] for f in framings], dtype=torch.float32
    )


def _predict(
    denoiser: Any, noisy: Tensor, timesteps: Tensor, conditions: Condition, framings: Sequence[Framing]
) -> Tensor:
    weight = denoiser.conv_in.weight
    prompt, pooled = (
        conditions[key].to(weight.device, weight.dtype) for key in ("prompt_embeds", "pooled_prompt_embeds")
    )
    prediction: Tensor = denoiser(
        noisy.to(weight.device, weight.dtype),
        timesteps.to(weight.device),
        encoder_hidden_states=prompt,
        added_cond_kwargs={"text_embeds": pooled, "time_ids": time_ids(framings).to(weight.device)},
        return_dict=False,
    )[0]
    return prediction.float()


def _draw(denoiser: Any, vae: Any, base: Base, asked: Drawing) -> Tensor:
    pipeline = StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=None,
        text_encoder_2=None,
        tokenizer=None,
        tokenizer_2=None,
        unet=denoiser,
        scheduler=SDXL.samplers[asked.sampler](base.scheduler),
        force_zeros_for_empty_prompt=base.zero_unconditional,
        add_watermarker=False,
    )
    weight = denoiser.conv_in.weight
    told, untold = (
        stacked(of, weight.device, weight.dtype) for of in (asked.conditions, asked.unconditionals)
    )
    latents = run_pipeline(
        pipeline,
        asked,
        prompt_embeds=told["prompt_embeds"],
        pooled_prompt_embeds=told["pooled_prompt_embeds"],
        negative_prompt_embeds=untold["prompt_embeds"],
        negative_pooled_prompt_embeds=untold["pooled_prompt_embeds"],
        guidance_scale=asked.guidance,
    )
    return autoencoder.decode(vae, latents)


SDXL = Family(
    name="sdxl",
    denoiser="unet",
    models={
        "unet": unet.KIND,
        "vae": autoencoder.KIND,
        "text_encoder": CLIPTextModel,
        "text_encoder_2": CLIPTextModelWithProjection,
    },
    tokenizers=("tokenizer", "tokenizer_2"),
    inside={
        "unet": "model.diffusion_model.",
        "vae": "first_stage_model.",
        "text_encoder": "conditioner.embedders.0.",
        "text_encoder_2": "conditioner.embedders.1.",
    },
    objectives=("epsilon", "v"),
    patch=1,
    latent_channels=4,
    lora_targets=unet.TARGETS,
    dead_targets=(),
    samplers=NOISE_SAMPLERS,
    config=lambda base: weights.part_config(base, "unet"),
    load_denoiser=unet.load,
    load_vae=autoencoder.load_vae,
    load_encoders=_load_encoders,
    reads=lambda base: (weights.load_tokenizer(base, "tokenizer"), CLIP_WINDOW),
    encode_images=autoencoder.encode_images,
    encode_condition=_encode_condition,
    unconditional=_unconditional,
    inner=unet.inner,
    predict=_predict,
    decode=autoencoder.decode,
    draw=_draw,
    original=lambda config, module: Fused(name=sgm_path(config, module)),
    model_spec={
        "modelspec.architecture": "stable-diffusion-xl-v1-base/lora",
        "modelspec.implementation": "https://github.com/Stability-AI/generative-models",
        "ss_base_model_version": "sdxl_base_v1-0",
    },
)
