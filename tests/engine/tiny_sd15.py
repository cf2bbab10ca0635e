"""A tiny random SD 1.5 base for tests: four levels as the real one has, a quarter of a million parameters.

Native size 64 px with a VAE factor of 4; the real key layout (input_blocks 0 to 11), so that real key maps apply.
"""

import atexit
import functools
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import PNDMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel

from tests.engine.tiny import make_vae, text_config, write_tokenizer

HIDDEN = 32


@functools.cache
def tiny_sd15() -> Path:
    """One folder for the whole test process, removed when it ends. Read it, never write to it."""
    home = Path(tempfile.mkdtemp(prefix="safelight-tiny-sd15-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return build_folder(home / "base")


def build_folder(folder: Path, *, seed: int = 0, scheduler: Mapping[str, Any] | None = None) -> Path:
    """Write a diffusers folder that `StableDiffusionPipeline.from_pretrained` opens. Returns it."""
    torch.manual_seed(seed)
    ids = write_tokenizer(folder / "tokenizer")
    CLIPTextModel(text_config(HIDDEN, ids)).save_pretrained(folder / "text_encoder")
    make_unet().save_pretrained(folder / "unet")
    make_vae(scaling_factor=0.18215).save_pretrained(folder / "vae")
    settings = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
    PNDMScheduler(**{**settings, "skip_prk_steps": True, **(scheduler or {})}).save_pretrained(
        folder / "scheduler"
    )
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.42.1",
        "feature_extractor": [None, None],
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2), encoding="utf-8")
    return folder


def make_unet() -> UNet2DConditionModel:
    """SD 1.5's four levels, no attention at the last."""
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(8, 16, 16, 16),
        layers_per_block=2,
        cross_attention_dim=HIDDEN,
        attention_head_dim=2,
        norm_num_groups=4,
    )
