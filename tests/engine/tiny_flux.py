"""A tiny random FLUX base for tests: two double and two single blocks of width 64, all parts in place.

Native size 64 px with a VAE factor of 4, so buckets step by 8 px.
"""

import atexit
import functools
import json
import shutil
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import CLIPTextModel, T5Config, T5EncoderModel, T5TokenizerFast

from tests.engine.tiny import text_config, write_tokenizer

POOLED, JOINT, WINDOW = 32, 32, 64


@functools.cache
def tiny_flux() -> Path:
    """One folder for the whole test process, removed when it ends. Read it, never write to it."""
    home = Path(tempfile.mkdtemp(prefix="safelight-tiny-flux-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return build_folder(home / "base")


def build_folder(folder: Path, *, seed: int = 0) -> Path:
    """Write a diffusers folder that `FluxPipeline.from_pretrained` opens. Returns it."""
    torch.manual_seed(seed)
    ids = write_tokenizer(folder / "tokenizer")
    CLIPTextModel(text_config(POOLED, ids)).save_pretrained(folder / "text_encoder")
    words = write_t5_tokenizer(folder / "tokenizer_2")
    config = T5Config(vocab_size=words, d_model=JOINT, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
    T5EncoderModel(config).save_pretrained(folder / "text_encoder_2")
    make_transformer().save_pretrained(folder / "transformer")
    AutoencoderKL(
        block_out_channels=(8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=16,
        norm_num_groups=4,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
        sample_size=64,
    ).save_pretrained(folder / "vae")
    FlowMatchEulerDiscreteScheduler(
        shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15, base_image_seq_len=256,
        max_image_seq_len=4096,
    ).save_pretrained(folder / "scheduler")  # fmt: skip
    index = {
        "_class_name": "FluxPipeline",
        "_diffusers_version": "0.42.1",
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "T5EncoderModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "T5TokenizerFast"],
        "transformer": ["diffusers", "FluxTransformer2DModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2), encoding="utf-8")
    return folder


def make_transformer(
    *, heads: int = 2, head_dim: int = 32, layers: tuple[int, int] = (2, 2), guidance: bool = True
) -> FluxTransformer2DModel:
    """`layers`: double and single blocks. The rotary axes share a head as FLUX's do."""
    return FluxTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=layers[0],
        num_single_layers=layers[1],
        attention_head_dim=head_dim,
        num_attention_heads=heads,
        joint_attention_dim=JOINT,
        pooled_projection_dim=POOLED,
        guidance_embeds=guidance,
        axes_dims_rope=(head_dim // 8, head_dim * 7 // 16, head_dim * 7 // 16),
    )


def write_t5_tokenizer(folder: Path) -> int:
    """T5's kind of tokenizer with single letters for pieces. Returns the size of its vocabulary."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(chr(code), -3.0) for code in range(33, 127)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "plain.json"))
    fast = T5TokenizerFast(tokenizer_file=str(folder / "plain.json"), model_max_length=WINDOW, extra_ids=0)
    (folder / "plain.json").unlink()
    fast.save_pretrained(folder)
    return len(fast)
