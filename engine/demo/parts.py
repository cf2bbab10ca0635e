"""The parts of the base: sizes of each network, the noise schedule, and how they become one pipeline folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from safetensors.torch import save as safetensors_bytes
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from projects.atomic import write_bytes, write_text

WIDTH_1, WIDTH_2 = 64, 96
"""Hidden sizes of the two text encoders; they differ because single-file readers tell them apart by width."""
TIME_ID_WIDTH = 32
VAE_CHANNELS: tuple[int, ...] = (32, 64, 96)
BETA_START, BETA_END = 0.00085, 0.02
"""Betas of the scaled-linear schedule. 0.02 instead of SDXL's 0.012: the last step is then nearly pure noise, so that
very dark and very bright pictures can be reached."""


def make_vae() -> AutoencoderKL:
    """Autoencoder 3x64x64 -> 4x16x16: little width where pixels are many, no attention."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=VAE_CHANNELS,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=64,
        mid_block_add_attention=False,
        force_upcast=False,
    )


def make_unet() -> UNet2DConditionModel:
    """SDXL's own shape in small: no attention at full resolution, text and time ids in the time embedding."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(64, 80, 96),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 2, 3),
        transformer_layers_per_block=(1, 1, 1),
        use_linear_projection=True,
        cross_attention_dim=WIDTH_1 + WIDTH_2,
        norm_num_groups=16,
        addition_embed_type="text_time",
        addition_time_embed_dim=TIME_ID_WIDTH,
        projection_class_embeddings_input_dim=WIDTH_2 + 6 * TIME_ID_WIDTH,
    )


def _text_config(tokenizer: Any, width: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=3,  # SDXL reads the last but one; two layers would leave only one in use
        num_attention_heads=width // 32,
        projection_dim=width,
        max_position_embeddings=77,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
        hidden_act="gelu",
    )


def make_text_encoders(tokenizer: Any) -> tuple[CLIPTextModel, CLIPTextModelWithProjection]:
    """The two text encoders, randomly initialised."""
    return (
        CLIPTextModel(_text_config(tokenizer, WIDTH_1)),
        CLIPTextModelWithProjection(_text_config(tokenizer, WIDTH_2)),
    )


def make_scheduler() -> EulerDiscreteScheduler:
    """Euler over 1000 training steps, epsilon, trailing spacing."""
    return EulerDiscreteScheduler(
        num_train_timesteps=1000,
        beta_start=BETA_START,
        beta_end=BETA_END,
        beta_schedule="scaled_linear",
        prediction_type="epsilon",
        timestep_spacing="trailing",
        steps_offset=1,
    )


def signal_share() -> torch.Tensor:
    """(1000,) cumulative product of 1 - beta: the share of the picture's variance left at each timestep."""
    betas = torch.linspace(BETA_START**0.5, BETA_END**0.5, 1000, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


def parameter_count(module: nn.Module) -> int:
    """Number of weights."""
    return sum(weight.numel() for weight in module.parameters())


def half_bytes(module: nn.Module) -> bytes:
    """The weights as a half-precision safetensors file."""
    state = {name: tensor.detach().half().contiguous() for name, tensor in module.state_dict().items()}
    return safetensors_bytes(state, metadata={"format": "pt"})


def write_base(
    folder: Path,
    tokenizer: Path,
    vae: AutoencoderKL,
    unet: UNet2DConditionModel,
    encoders: tuple[CLIPTextModel, CLIPTextModelWithProjection],
) -> None:
    """Write the pipeline folder: half-precision weights, file by file, model_index.json last.

    The encoders' configuration says float32: transformers would otherwise load them in the precision of the file,
    diffusers loads the others in float32, and the stock call would fail on the mixture.
    """
    parts: dict[str, Any] = {
        "vae": vae,
        "unet": unet,
        "text_encoder": encoders[0],
        "text_encoder_2": encoders[1],
    }
    for name, module in parts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        diffusers_part = name in ("vae", "unet")
        weights = "diffusion_pytorch_model.safetensors" if diffusers_part else "model.safetensors"
        write_bytes(folder / name / weights, half_bytes(module))
        if diffusers_part:
            config = json.loads(module.to_json_string())
        else:
            config = json.loads(module.config.to_json_string(use_diff=True))
            config |= {"dtype": "float32", "architectures": [type(module).__name__]}
        config.pop("_name_or_path", None)
        write_text(folder / name / "config.json", json.dumps(config, indent=2) + "\n")
    for name in ("tokenizer", "tokenizer_2"):
        (folder / name).mkdir(exist_ok=True)
        for source in sorted(tokenizer.iterdir()):
            write_bytes(folder / name / source.name, source.read_bytes())
    (folder / "scheduler").mkdir(exist_ok=True)
    write_text(folder / "scheduler" / "scheduler_config.json", make_scheduler().to_json_string())
    write_text(folder / "model_index.json", json.dumps(_model_index(), indent=2) + "\n")


def _model_index() -> dict[str, Any]:
    return {
        "_class_name": "StableDiffusionXLPipeline",
        "_diffusers_version": "0.42.1",
        "force_zeros_for_empty_prompt": True,
        "add_watermarker": False,
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }


def load_pipeline(folder: Path) -> StableDiffusionXLPipeline:
    """The base in `folder` in float32, ready for inference, without progress bars."""
    pipeline = StableDiffusionXLPipeline.from_pretrained(str(folder))
    pipeline.set_progress_bar_config(disable=True)
    for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder, pipeline.text_encoder_2):
        part.eval().requires_grad_(False)
    return pipeline
