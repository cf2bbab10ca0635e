"""SDXL: two CLIP encoders, a U-Net told of sizes and crops, a VAE of four channels. The demo's base is one too.

A condition is {"prompt_embeds": L x D, "pooled_prompt_embeds": P}: last but one hidden states of both encoders side by
side, and the projected text embedding of the second.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    StableDiffusionXLPipeline,
    UniPCMultistepScheduler,
)
from torch import Tensor, nn

from engine.families import weights
from engine.families.family import Base, Condition, Family, Framing
from engine.families.sgm import kohya_name


@dataclass(frozen=True)
class Encoders:
    """Both tokenizers and both text encoders, in SDXL's order."""

    tokenizers: tuple[Any, Any]
    models: tuple[nn.Module, nn.Module]

    def to(self, device: torch.device | str) -> "Encoders":
        """Move the models to `device`, as a module's `to` does."""
        for model in self.models:
            model.to(device)
        return self


def _load_encoders(base: Base, dtype: torch.dtype) -> Encoders:
    return Encoders(
        tokenizers=(weights.load_tokenizer(base, "tokenizer"), weights.load_tokenizer(base, "tokenizer_2")),
        models=(
            weights.load_part(base, "text_encoder", dtype),
            weights.load_part(base, "text_encoder_2", dtype),
        ),
    )


def _load_vae(base: Base, dtype: torch.dtype) -> nn.Module:
    """Always fp32 whatever `dtype` says: SDXL's VAE overflows in fp16 and shows grain in bf16."""
    return weights.load_part(base, "vae", torch.float32)


def _latent_moments(vae: Any) -> tuple[Tensor, Tensor]:
    """Shift and deviation of raw latents over the channels, each 1 x C x 1 x 1 (0 and 1 / scaling_factor for SDXL)."""
    config, channels = vae.config, vae.config.latent_channels
    mean, deviation = config.get("latents_mean"), config.get("latents_std")
    if mean is None or deviation is None:
        mean, deviation = [0.0] * channels, [1.0] * channels
    shape = (1, channels, 1, 1)
    return torch.tensor(mean).view(shape), torch.tensor(deviation).view(shape) / config.scaling_factor


@torch.no_grad()
def _encode_images(vae: Any, pixels: Tensor) -> tuple[Tensor, Tensor]:
    device = next(vae.parameters()).device
    distribution = vae.encode(pixels.to(device, torch.float32)).latent_dist
    shift, deviation = (moment.to(device) for moment in _latent_moments(vae))
    return (distribution.mean - shift) / deviation, distribution.std / deviation


@torch.no_grad()
def _decode(vae: Any, latents: Tensor) -> Tensor:
    """One picture at a time: a 1024 px picture takes gigabytes on the way, and its bits do not depend on the company."""
    device = next(vae.parameters()).device
    shift, deviation = (moment.to(device) for moment in _latent_moments(vae))
    raw = latents.to(device, torch.float32) * deviation + shift
    pixels = torch.cat([vae.decode(one[None], return_dict=False)[0] for one in raw])
    return (pixels / 2 + 0.5).clamp(0, 1)


@torch.no_grad()
def _encode_condition(encoders: Encoders, texts: Sequence[str]) -> list[Condition]:
    return [_encode_text(encoders, text) for text in texts]


def _encode_text(encoders: Encoders, text: str) -> Condition:
    hidden, pooled = [], None
    for tokenizer, model in zip(encoders.tokenizers, encoders.models, strict=True):
        tokens = tokenizer(
            text,
            padding="max_length",
            max_length=tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        output = model(tokens.input_ids.to(next(model.parameters()).device), output_hidden_states=True)
        hidden.append(output.hidden_states[-2][0])
        pooled = output[0][0]
    assert pooled is not None
    return {
        "prompt_embeds": torch.cat(hidden, dim=-1).float().cpu(),
        "pooled_prompt_embeds": pooled.float().cpu(),
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


def _draw(
    denoiser: Any,
    vae: Any,
    base: Base,
    sampler: str,
    conditions: Sequence[Condition],
    unconditionals: Sequence[Condition],
    guidance: float,
    steps: int,
    size_wh: tuple[int, int],
    generators: Sequence[torch.Generator],
    on_step: Callable[[int, int], object] | None = None,
) -> Tensor:
    """One condition, one unconditional and one CPU generator a picture; `size_wh` in pixels, the same for all.

    `on_step(done, steps)` is called after each step; what it raises ends the drawing and reaches the caller.
    """
    pipeline = StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=None,
        text_encoder_2=None,
        tokenizer=None,
        tokenizer_2=None,
        unet=denoiser,
        scheduler=SDXL.samplers[sampler](base.scheduler),
        force_zeros_for_empty_prompt=base.zero_unconditional,
        add_watermarker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    weight = denoiser.conv_in.weight

    def after(
        _pipeline: object, step: int, _timestep: object, tensors: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        if on_step is not None:
            on_step(step + 1, steps)
        return tensors

    def stacked(key: str, of: Sequence[Condition]) -> Tensor:
        return torch.stack([condition[key] for condition in of]).to(weight.device, weight.dtype)

    latents = pipeline(
        prompt_embeds=stacked("prompt_embeds", conditions),
        pooled_prompt_embeds=stacked("pooled_prompt_embeds", conditions),
        negative_prompt_embeds=stacked("prompt_embeds", unconditionals),
        negative_pooled_prompt_embeds=stacked("pooled_prompt_embeds", unconditionals),
        guidance_scale=guidance,
        num_inference_steps=steps,
        width=size_wh[0],
        height=size_wh[1],
        generator=list(generators),
        output_type="latent",
        return_dict=False,
        callback_on_step_end=after,
        callback_on_step_end_tensor_inputs=["latents"],
    )[0]
    return _decode(vae, latents)


def _sampler(scheduler: Any, config: Mapping[str, Any], **settings: Any) -> Any:
    """`scheduler` with the base's noise schedule, objective and spacing; the shape of the sigmas is the sampler's own."""
    own = {key: value for key, value in config.items() if key not in _SIGMA_SHAPES}
    return scheduler.from_config(own, **settings)


def _multiple_of(base: Base) -> int:
    """A sixteenth of the native side (64 px at 1024), and a multiple of what the U-Net's two halvings can take."""
    least = base.latent_factor * 4
    return max(least, base.native_size // 16 // least * least)


_SIGMA_SHAPES = (
    "use_karras_sigmas",
    "use_exponential_sigmas",
    "use_beta_sigmas",
    "use_lu_lambdas",
    "use_flow_sigmas",
)
_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")

SDXL = Family(
    name="sdxl",
    multiple_of=_multiple_of,
    latent_channels=4,
    lora_targets={"attention": _ATTENTION, "attention+mlp": (*_ATTENTION, "ff.net.0.proj", "ff.net.2")},
    dead_targets=(),
    freezes_text_encoder=True,
    clip_skips=(2,),
    samplers={
        "dpm++ 2m karras": partial(
            _sampler,
            DPMSolverMultistepScheduler,
            algorithm_type="dpmsolver++",
            solver_order=2,
            solver_type="midpoint",
            use_karras_sigmas=True,
        ),
        "euler a": partial(_sampler, EulerAncestralDiscreteScheduler),
        "euler": partial(_sampler, EulerDiscreteScheduler),
        # DDIM would clip x0 to [-1, 1], which is right for pixels and wrong for latents.
        "ddim": partial(_sampler, DDIMScheduler, clip_sample=False),
        "unipc": partial(_sampler, UniPCMultistepScheduler),
    },
    load_denoiser=lambda base, dtype: weights.load_part(base, "unet", dtype),
    load_vae=_load_vae,
    load_encoders=_load_encoders,
    encode_images=_encode_images,
    encode_condition=_encode_condition,
    unconditional=_unconditional,
    predict=_predict,
    decode=_decode,
    draw=_draw,
    kohya_name=kohya_name,
    model_spec={
        "modelspec.architecture": "stable-diffusion-xl-v1-base/lora",
        "modelspec.implementation": "https://github.com/Stability-AI/generative-models",
        "ss_base_model_version": "sdxl_base_v1-0",
    },
)
