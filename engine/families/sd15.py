"""Stable Diffusion 1.x: one CLIP encoder, a U-Net of four levels, a VAE of four channels.

A condition is {"prompt_embeds": L x D}: the hidden states of the layer that base.clip_skip names, through CLIP's final
layer norm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from torch import Tensor, nn
from transformers import CLIPImageProcessorPil, CLIPTextModel

from engine.families import autoencoder, unet, weights
from engine.families.clip import checkpoint_layers, encoded, layer, on_cpu, unread
from engine.families.drawing import NOISE_SAMPLERS, run_pipeline
from engine.families.family import Base, Condition, Drawing, Family, Framing, Fused, LearningEncoder, stacked
from engine.families.window import CLIP_WINDOW

CLIP_ATTENTION = ("q_proj", "k_proj", "v_proj", "out_proj")


@dataclass(frozen=True)
class Encoder:
    """The tokenizer, the text encoder and which of its layers is read."""

    tokenizer: Any
    model: nn.Module
    clip_skip: int

    def to(self, device: torch.device | str) -> "Encoder":
        """Move the model to `device`, as a module's `to` does."""
        self.model.to(device)
        return self


def _load_encoder(base: Base, dtype: torch.dtype) -> Encoder:
    assert base.clip_skip is not None  # the family has layers to choose from
    return Encoder(
        tokenizer=weights.load_tokenizer(base, "tokenizer"),
        model=weights.load_part(base, "text_encoder", CLIPTextModel, dtype),
        clip_skip=base.clip_skip,
    )


def _hidden(encoder: Encoder, texts: Sequence[str]) -> Tensor:
    """(B, L, D)."""
    return layer(encoder.model, encoded(encoder.tokenizer, encoder.model, texts), encoder.clip_skip)


@torch.no_grad()
def _encode_condition(encoder: Encoder, texts: Sequence[str]) -> list[Condition]:
    return [{"prompt_embeds": on_cpu(_hidden(encoder, [text])[0])} for text in texts]


def _encode_learning(encoder: Encoder, texts: Sequence[str]) -> Condition:
    return {"prompt_embeds": _hidden(encoder, texts).float()}


def _unconditional(_base: Base, encoder: Encoder) -> Condition:
    """The encoded empty text: what SD 1.x was trained on where a caption was left out."""
    return _encode_condition(encoder, [""])[0]


def _predict(
    denoiser: Any, noisy: Tensor, timesteps: Tensor, conditions: Condition, _framings: Sequence[Framing]
) -> Tensor:
    weight = denoiser.conv_in.weight
    prediction: Tensor = denoiser(
        noisy.to(weight.device, weight.dtype),
        timesteps.to(weight.device),
        encoder_hidden_states=conditions["prompt_embeds"].to(weight.device, weight.dtype),
        return_dict=False,
    )[0]
    return prediction.float()


def _draw(denoiser: Any, vae: Any, base: Base, asked: Drawing) -> Tensor:
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=None,
        tokenizer=None,
        unet=denoiser,
        scheduler=SD15.samplers[asked.sampler](base.scheduler),
        safety_checker=None,  # the base's own looks at the pixels, below: the pipeline is asked for latents
        feature_extractor=None,
        requires_safety_checker=False,
    )
    weight = denoiser.conv_in.weight
    told, untold = (
        stacked(of, weight.device, weight.dtype) for of in (asked.conditions, asked.unconditionals)
    )
    latents = run_pipeline(
        pipeline,
        asked,
        prompt_embeds=told["prompt_embeds"],
        negative_prompt_embeds=untold["prompt_embeds"],
        guidance_scale=asked.guidance,
    )
    return _looked_at(base, autoencoder.decode(vae, latents))


def _looked_at(base: Base, pixels_BCHW: Tensor) -> Tensor:
    """Through the safety checker that the base ships, where it ships one: what it flags comes out black, as shipped."""
    folder = base.path / "safety_checker"
    if not weights.weight_files(folder):
        return pixels_BCHW
    checker, reader = _checker(folder, base.path / "feature_extractor")
    pictures = list((pixels_BCHW * 255).round().to(torch.uint8).cpu())
    seen = reader(pictures, return_tensors="pt").pixel_values
    checked, _ = checker(images=pixels_BCHW.permute(0, 2, 3, 1).cpu().numpy().copy(), clip_input=seen)
    return torch.from_numpy(checked).permute(0, 3, 1, 2).to(pixels_BCHW.device)


@lru_cache(maxsize=1)
def _checker(folder: Path, reader: Path) -> tuple[Any, Any]:
    """The checker on the CPU, in memory from the first picture on, and what makes its inputs."""
    checker = StableDiffusionSafetyChecker.from_pretrained(
        str(folder), use_safetensors=True, local_files_only=True
    )
    return checker.eval(), CLIPImageProcessorPil.from_pretrained(str(reader), local_files_only=True)


SD15 = Family(
    name="sd15",
    denoiser="unet",
    models={"unet": unet.KIND, "vae": autoencoder.KIND, "text_encoder": CLIPTextModel},
    tokenizers=("tokenizer",),
    inside={
        "unet": "model.diffusion_model.",
        "vae": "first_stage_model.",
        "text_encoder": "cond_stage_model.",
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
    load_encoders=_load_encoder,
    reads=lambda base: (weights.load_tokenizer(base, "tokenizer"), CLIP_WINDOW),
    encode_images=autoencoder.encode_images,
    encode_condition=_encode_condition,
    unconditional=_unconditional,
    inner=unet.inner,
    predict=_predict,
    decode=autoencoder.decode,
    draw=_draw,
    # kohya, A1111 and ComfyUI all know SD 1.x's layers by diffusers' names.
    original=lambda _config, module: Fused(name=module),
    text_encoder=LearningEncoder(
        model=lambda encoder: encoder.model,
        lora_targets={"attention": CLIP_ATTENTION, "attention+mlp": (*CLIP_ATTENTION, "fc1", "fc2")},
        unread=lambda encoder: unread(encoder.model, encoder.clip_skip),
        encode=_encode_learning,
        checkpoint_layers=checkpoint_layers,
        # transformers had all of it inside `text_model` before 5.6, and every other tool still has.
        original=lambda module: f"text_model.{module}",
        kohya="lora_te_",
    ),
    model_spec={
        "modelspec.architecture": "stable-diffusion-v1/lora",
        "modelspec.implementation": "diffusers",
        "ss_base_model_version": "sd_v1",
    },
)
