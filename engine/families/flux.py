"""FLUX.1: T5 for the words, CLIP for one pooled vector, a transformer over packed latents that predicts a flow.

A condition is {"prompt_embeds": L x D, "pooled_prompt_embeds": P}: T5's last hidden states over the whole window, padding
included (the transformer is told no mask), and CLIP's pooled output. Axes: N tokens of the packed picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from safetensors import safe_open
from torch import Tensor, nn
from transformers import CLIPTextModel, T5EncoderModel, T5TokenizerFast

from engine.families import autoencoder, bfl, weights
from engine.families.clip import encoded, on_cpu, padded_ids
from engine.families.drawing import run_pipeline
from engine.families.family import Base, Condition, Drawing, Family, Framing, Inner, stacked
from projects.problems import refuse
from projects.tensorfile import read_header

PATCH = 2
TRAINED_GUIDANCE = 1.0
"""What a distilled transformer is told in training: the flow itself, not the one that guidance was distilled into."""

_ATTENTION = (
    "*transformer_blocks.*.attn.to_q",
    "*transformer_blocks.*.attn.to_k",
    "*transformer_blocks.*.attn.to_v",
    "transformer_blocks.*.attn.to_out.0",
    "transformer_blocks.*.attn.add_q_proj",
    "transformer_blocks.*.attn.add_k_proj",
    "transformer_blocks.*.attn.add_v_proj",
    "transformer_blocks.*.attn.to_add_out",
)
_MLP = (
    "transformer_blocks.*.ff.net.0.proj",
    "transformer_blocks.*.ff.net.2",
    "transformer_blocks.*.ff_context.net.0.proj",
    "transformer_blocks.*.ff_context.net.2",
    "single_transformer_blocks.*.proj_mlp",
    "single_transformer_blocks.*.proj_out",
)


@dataclass(frozen=True)
class Encoders:
    """CLIP and T5 with their tokenizers."""

    clip_tokenizer: Any
    clip: nn.Module
    t5_tokenizer: Any
    t5: nn.Module

    def to(self, device: torch.device | str) -> "Encoders":
        """Move the models to `device`, as a module's `to` does."""
        self.clip.to(device)
        self.t5.to(device)
        return self


def _load_encoders(base: Base, dtype: torch.dtype) -> Encoders:
    return Encoders(
        clip_tokenizer=weights.load_tokenizer(base, "tokenizer"),
        clip=weights.load_part(base, "text_encoder", CLIPTextModel, dtype),
        t5_tokenizer=_t5_tokenizer(base),
        t5=weights.load_part(base, "text_encoder_2", T5EncoderModel, dtype),
    )


def _t5_tokenizer(base: Base) -> Any:
    return weights.load_tokenizer(base, "tokenizer_2", T5TokenizerFast)


def _reads(base: Base) -> tuple[Any, int]:
    tokenizer = _t5_tokenizer(base)
    return tokenizer, tokenizer.model_max_length - 1  # T5 ends a text with one mark of its own


def _load_denoiser(base: Base, dtype: torch.dtype) -> nn.Module:
    config = _config(base)
    if sum(config.get("axes_dims_rope") or ()) != config.get("attention_head_dim"):
        raise refuse(
            "The transformer's config is wrong: axes_dims_rope does not add up to attention_head_dim.",
            where=base.configs / "transformer" / "config.json",
            hint="Download the base model again, complete.",
        )
    return weights.load_part(base, "transformer", FluxTransformer2DModel, dtype, from_file=_from_file)


@torch.no_grad()
def _encode_condition(encoders: Encoders, texts: Sequence[str]) -> list[Condition]:
    return [_encode_text(encoders, text) for text in texts]


def _encode_text(encoders: Encoders, text: str) -> Condition:
    hidden = encoders.t5(padded_ids(encoders.t5_tokenizer, encoders.t5, text))[0][0]
    pooled = encoded(encoders.clip_tokenizer, encoders.clip, text).pooler_output[0]
    return {"prompt_embeds": on_cpu(hidden), "pooled_prompt_embeds": on_cpu(pooled)}


def packed(latents_BCHW: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, N, 4 C): squares of 2 x 2 latents become tokens, row by row."""
    batch, channels, height, width = latents_BCHW.shape
    squares = latents_BCHW.view(batch, channels, height // 2, 2, width // 2, 2)
    return squares.permute(0, 2, 4, 1, 3, 5).reshape(batch, height * width // 4, channels * 4)


def unpacked(tokens_BND: Tensor, height: int, width: int) -> Tensor:
    """(B, N, 4 C) -> (B, C, height, width), the other way."""
    batch, _, features = tokens_BND.shape
    squares = tokens_BND.view(batch, height // 2, width // 2, features // 4, 2, 2)
    return squares.permute(0, 3, 1, 4, 2, 5).reshape(batch, features // 4, height, width)


def places(height: int, width: int) -> Tensor:
    """(N, 3), fp32: nothing, row and column of each token, as the rotary embedding reads them."""
    rows, columns = torch.meshgrid(torch.arange(height // 2.0), torch.arange(width // 2.0), indexing="ij")
    return torch.stack([torch.zeros_like(rows), rows, columns], dim=-1).view(-1, 3)


def _dtype(denoiser: Any) -> torch.dtype:
    """Of its arithmetic: norms keep it where weights are quantised or an adapter is fp32."""
    dtype: torch.dtype = denoiser.transformer_blocks[0].attn.norm_q.weight.dtype
    return dtype


def _predict(
    denoiser: Any, noisy: Tensor, timesteps: Tensor, conditions: Condition, _framings: Sequence[Framing]
) -> Tensor:
    device, dtype = next(denoiser.parameters()).device, _dtype(denoiser)
    batch, _, height, width = noisy.shape
    prompt, pooled = (conditions[key].to(device, dtype) for key in ("prompt_embeds", "pooled_prompt_embeds"))
    guidance = (
        torch.full((batch,), TRAINED_GUIDANCE, device=device) if denoiser.config.guidance_embeds else None
    )
    prediction_BND: Tensor = denoiser(
        hidden_states=packed(noisy.to(device, dtype)),
        timestep=timesteps.to(device, torch.float32) / 1000,
        guidance=guidance,
        pooled_projections=pooled,
        encoder_hidden_states=prompt,
        txt_ids=torch.zeros(prompt.shape[1], 3, device=device),
        img_ids=places(height, width).to(device),
        return_dict=False,
    )[0]
    return unpacked(prediction_BND.float(), height, width)


def _inner(denoiser: Any) -> list[Inner]:
    """The picture's tokens half way through either kind of block."""
    kinds = (denoiser.transformer_blocks, denoiser.single_transformer_blocks)
    return [
        Inner(module=blocks[len(blocks) // 2], output=lambda output: output[1])
        for blocks in kinds
        if len(blocks)
    ]


def _draw(denoiser: Any, vae: Any, base: Base, asked: Drawing) -> Tensor:
    pipeline = FluxPipeline(
        vae=vae,
        text_encoder=None,
        text_encoder_2=None,
        tokenizer=None,
        tokenizer_2=None,
        transformer=denoiser,
        scheduler=FLUX.samplers[asked.sampler](base.scheduler),
    )
    device, dtype = next(denoiser.parameters()).device, _dtype(denoiser)
    told, untold = (stacked(of, device, dtype) for of in (asked.conditions, asked.unconditionals))
    negative: Mapping[str, Any] = {}
    if asked.true_guidance > 1:
        negative = {
            "negative_prompt_embeds": untold["prompt_embeds"],
            "negative_pooled_prompt_embeds": untold["pooled_prompt_embeds"],
            "true_cfg_scale": asked.true_guidance,
        }
    tokens_BND = run_pipeline(
        pipeline,
        asked,
        prompt_embeds=told["prompt_embeds"],
        pooled_prompt_embeds=told["pooled_prompt_embeds"],
        guidance_scale=asked.guidance,
        **negative,
    )
    width, height = (side // base.latent_factor for side in asked.size_wh)
    return autoencoder.decode(vae, unpacked(tokens_BND.float(), height, width))


def _config(base: Base) -> Mapping[str, Any]:
    """As the folder says, or as the shapes in the file tell."""
    prefix = base.inside.get("transformer")
    if prefix is None:
        return weights.part_config(base, "transformer")
    shapes = read_header(base.path).shapes
    return bfl.config_of(
        {name.removeprefix(prefix): shapes[name] for name in shapes if name.startswith(prefix)}
    )


def _from_file(base: Base, part: str, kind: Any, dtype: torch.dtype) -> nn.Module:
    """The transformer out of a file with the original code's names."""
    prefix = base.inside[part]
    with torch.device("meta"):
        model: Any = kind.from_config(_config(base))
    state = {}
    # Row by row out of the file: the whole of it beside the model would be twice 24 GB.
    with safe_open(str(base.path), framework="pt") as file:
        for name in model.state_dict():
            module, _, end = name.rpartition(".")
            place = bfl.original(model.config, module)
            stored = file.get_slice(f"{prefix}{place.name}.{'scale' if bfl.NORMS.search(module) else end}")
            start, stop = bfl.rows(place) or (0, stored.get_shape()[0])
            tensor = stored[start:stop]
            if place.swapped:
                shift, scale = tensor.chunk(2, dim=0)
                tensor = torch.cat([scale, shift])
            state[name] = tensor.to(dtype).contiguous()
    model.load_state_dict(state, assign=True, strict=True)
    loaded: nn.Module = model
    return loaded


FLUX = Family(
    name="flux",
    denoiser="transformer",
    models={
        "transformer": FluxTransformer2DModel,
        "vae": AutoencoderKL,
        "text_encoder": CLIPTextModel,
        "text_encoder_2": T5EncoderModel,
    },
    tokenizers=("tokenizer", "tokenizer_2"),
    inside={"transformer": "model.diffusion_model."},
    objectives=("flow",),
    patch=PATCH,
    latent_channels=16,
    lora_targets={"attention": _ATTENTION, "attention+mlp": (*_ATTENTION, *_MLP)},
    dead_targets=(),
    samplers={"euler": lambda config: FlowMatchEulerDiscreteScheduler.from_config(dict(config))},
    config=_config,
    load_denoiser=_load_denoiser,
    load_vae=autoencoder.load_vae,
    load_encoders=_load_encoders,
    reads=_reads,
    encode_images=autoencoder.encode_images,
    encode_condition=_encode_condition,
    unconditional=lambda _base, encoders: _encode_condition(encoders, [""])[0],
    inner=_inner,
    predict=_predict,
    decode=autoencoder.decode,
    draw=_draw,
    original=bfl.original,
    model_spec={
        "modelspec.architecture": "flux-1-dev/lora",
        "modelspec.implementation": "https://github.com/black-forest-labs/flux",
        "ss_base_model_version": "flux1",
        "ss_network_module": "networks.lora_flux",
    },
)
