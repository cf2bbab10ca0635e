"""A tiny random SDXL base for tests: real class layout, real key layout, about a third of a million parameters.

`tiny_base()` gives one shared folder a test process (read it, never write to it); `build_folder` and `build_file` make
others. Native size 64 px, VAE factor 4, so buckets step by 16 px.
"""

import atexit
import functools
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from engine.families.sgm import sgm_path

HIDDEN = (32, 48)
"""Widths of the two text encoders. They differ because loaders tell the encoders of a single file apart by width."""


@functools.cache
def tiny_base() -> Path:
    """One folder for the whole test process, removed when it ends."""
    home = Path(tempfile.mkdtemp(prefix="safelight-tiny-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return build_folder(home / "base")


def build_folder(
    folder: Path,
    *,
    seed: int = 0,
    scheduler: Mapping[str, Any] | None = None,
    force_zeros: bool = True,
    layers_per_block: int = 2,
) -> Path:
    """Write a diffusers folder that `StableDiffusionXLPipeline.from_pretrained` opens. Returns it."""
    torch.manual_seed(seed)
    ids = write_tokenizer(folder / "tokenizer")
    write_tokenizer(folder / "tokenizer_2")
    for part, width, kind in (
        ("text_encoder", HIDDEN[0], CLIPTextModel),
        ("text_encoder_2", HIDDEN[1], CLIPTextModelWithProjection),
    ):
        kind(text_config(width, ids)).save_pretrained(folder / part)
    make_unet(layers_per_block).save_pretrained(folder / "unet")
    make_vae().save_pretrained(folder / "vae")
    _make_scheduler(scheduler or {}).save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "StableDiffusionXLPipeline",
        "_diffusers_version": "0.42.1",
        "force_zeros_for_empty_prompt": force_zeros,
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2), encoding="utf-8")
    return folder


def make_unet(
    layers_per_block: int = 2, transformer_layers: tuple[int, ...] = (1, 2, 3)
) -> UNet2DConditionModel:
    """SDXL's three levels, no attention at the first."""
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(8, 16, 16),
        layers_per_block=layers_per_block,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=list(transformer_layers),
        attention_head_dim=[1, 2, 2],
        cross_attention_dim=sum(HIDDEN),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + HIDDEN[1],
        norm_num_groups=4,
    )


def write_tokenizer(folder: Path) -> Mapping[str, int]:
    """CLIP's tokenizer with every byte, a few merges and no more. Returns the special tokens' numbers."""
    folder.mkdir(parents=True)
    letters = list(_byte_letters().values())
    merges = [("a", "b</w>"), ("t", "h"), ("th", "e</w>"), ("o", "f</w>")]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(a + b for a, b in merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    CLIPTokenizer(
        vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"), model_max_length=77
    ).save_pretrained(folder)
    return {"bos_token_id": vocabulary["<|startoftext|>"], "eos_token_id": vocabulary["<|endoftext|>"]}


def build_file(folder: Path, file: Path, markers: tuple[str, ...] = (), drop: str = "no such prefix") -> Path:
    """The weights of a diffusers `folder` as one SGM-style .safetensors file, without tensors that start with `drop`."""
    config = json.loads((folder / "unet" / "config.json").read_text(encoding="utf-8"))
    tensors = {marker: torch.zeros(1) for marker in markers}
    for name, tensor in _part(folder, "unet").items():
        module, _, kind = name.rpartition(".")
        tensors[f"model.diffusion_model.{sgm_path(config, module)}.{kind}"] = tensor
    for name, tensor in _part(folder, "vae").items():
        tensors[f"first_stage_model.{vae_name(name)}"] = (
            tensor[..., None, None] if is_vae_attention(name) else tensor
        )
    for name, tensor in _part(folder, "text_encoder").items():
        tensors[f"conditioner.embedders.0.transformer.text_model.{name.removeprefix('text_model.')}"] = tensor
    for name, tensor in _open_clip(_part(folder, "text_encoder_2")).items():
        tensors[f"conditioner.embedders.1.model.{name}"] = tensor
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items() if not name.startswith(drop)}, file
    )
    return file


def _part(folder: Path, part: str) -> dict[str, Tensor]:
    return load_file(next((folder / part).glob("*.safetensors")))


def is_vae_attention(name: str) -> bool:
    """Whether single files hold the weight as a convolution of 1 x 1."""
    return re.search(r"attentions\.0\.to_(q|k|v|out\.0)\.weight", name) is not None


def vae_name(name: str) -> str:
    """The original code's name of a tensor of the VAE."""
    for old, new in (
        (r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}"),
        (r"mid_block\.attentions\.0\.group_norm", "mid.attn_1.norm"),
        (r"mid_block\.attentions\.0\.to_out\.0", "mid.attn_1.proj_out"),
        (r"mid_block\.attentions\.0\.to_(q|k|v)", r"mid.attn_1.\1"),
        (r"encoder\.down_blocks\.(\d)\.downsamplers\.0", r"encoder.down.\1.downsample"),
        (r"encoder\.down_blocks\.(\d)\.resnets", r"encoder.down.\1.block"),
        (r"decoder\.up_blocks\.(\d)\.upsamplers\.0", lambda m: f"decoder.up.{2 - int(m[1])}.upsample"),
        (r"decoder\.up_blocks\.(\d)\.resnets", lambda m: f"decoder.up.{2 - int(m[1])}.block"),
        ("conv_norm_out", "norm_out"),
        ("conv_shortcut", "nin_shortcut"),
    ):
        name = re.sub(old, new, name)
    return name


def _open_clip(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The second encoder as open_clip names it: q, k, v in one tensor, the projection transposed."""
    outer = {
        "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
        "text_model.embeddings.position_embedding.weight": "positional_embedding",
        "text_model.final_layer_norm.weight": "ln_final.weight",
        "text_model.final_layer_norm.bias": "ln_final.bias",
    }
    found = {new: tensors[old] for old, new in outer.items()}
    found["text_projection"] = tensors["text_projection.weight"].T
    for name, tensor in tensors.items():
        match = re.fullmatch(r"text_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)", name)
        if match is None or "self_attn" in match[2]:
            continue
        inner = {
            "layer_norm1": "ln_1",
            "layer_norm2": "ln_2",
            "mlp.fc1": "mlp.c_fc",
            "mlp.fc2": "mlp.c_proj",
        }[match[2]]
        found[f"transformer.resblocks.{match[1]}.{inner}.{match[3]}"] = tensor
    for layer in range(sum(name.endswith("mlp.fc1.bias") for name in tensors)):
        start, new = f"text_model.encoder.layers.{layer}.self_attn.", f"transformer.resblocks.{layer}.attn."
        for kind in ("weight", "bias"):
            found[f"{new}in_proj_{kind}"] = torch.cat(
                [tensors[f"{start}{part}_proj.{kind}"] for part in "qkv"]
            )
            found[f"{new}out_proj.{kind}"] = tensors[f"{start}out_proj.{kind}"]
    return found


def text_config(width: int, ids: Mapping[str, int]) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=ids["eos_token_id"] + 1,
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=77,
        pad_token_id=ids["eos_token_id"],
        **ids,
    )


def make_vae(scaling_factor: float = 0.13025) -> AutoencoderKL:
    """Four channels, a factor of 4."""
    return AutoencoderKL(
        block_out_channels=(8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=scaling_factor,
        sample_size=64,
    )


def _make_scheduler(settings: Mapping[str, Any]) -> EulerDiscreteScheduler:
    usual = {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "timestep_spacing": "leading",
        "steps_offset": 1,
    }
    return EulerDiscreteScheduler(**{**usual, **settings})


def _byte_letters() -> dict[int, str]:
    """The printable letter of each byte in byte-level BPE."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}
