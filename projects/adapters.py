"""What an adapter file is, told by the names and shapes of its tensors: its kind, and the family that it was made for.

It is asked where a file does not fit the base, to say what it is instead. No torch: a header is enough.
"""

import re
from collections.abc import Callable, Iterable

from projects.families import Shapes

TEXT_ENCODERS = re.compile(r"(lora_te\d?_|text_encoder(_\d)?\.|te\d?\.)")
"""What the names of tensors for a text encoder begin with."""

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("DoRA", r"\.(dora_scale|lora_magnitude_vector(\.[\w.-]+)?)$"),
        ("LoHa", r"\.hada_[wt][12](_[ab])?$"),
        ("LoKr", r"\.lokr_[wt][12](_[ab])?$"),
        ("OFT or BOFT", r"\.b?oft_\w+$"),
        ("GLoRA", r"\.[ab][12]\.weight$"),
        ("(IA)3", r"\.on_input$"),
        ("LoCon with Tucker decomposition", r"\.lora_mid\.weight$"),
        ("LoRA that trains biases", r"[._]lora_(B|up)(\.[\w-]+)?\.bias$"),
        ("whole-weight difference", r"\.(diff|diff_b|w_norm|b_norm|set_weight)$"),
    )
)


def kinds_of(names: Iterable[str]) -> dict[str, list[str]]:
    """Kinds of adapters beside plain LoRA -> the tensors that show them; empty where there are none."""
    found: dict[str, list[str]] = {}
    for name in names:
        kind = next((kind for kind, pattern in _KINDS if pattern.search(name)), None)
        if kind is not None:
            found.setdefault(kind, []).append(name)
    return found


def _any(shapes: Shapes, pattern: str) -> bool:
    found = re.compile(pattern)
    return any(found.search(name) for name in shapes)


def _text_width(shapes: Shapes) -> int:
    """Features of a text as the U-Net reads it: 768 in SD 1.x, 1024 in SD 2, 2048 in SDXL. 0 where no tensor tells."""
    told = re.compile(r"attn2.*to[._][kv].*(lora_down|lora_A|lora\.down)")
    return next((shape[1] for name, shape in shapes.items() if len(shape) > 1 and told.search(name)), 0)


def _attention_width(shapes: Shapes) -> int:
    """Features of the tokens in a transformer's first blocks, where the adapter is on their attention; else 0."""
    told = re.compile(r"(^|[._])transformer_blocks[._]\d+[._]attn[._](to|add)_.*(lora_down|lora_A)")
    return next((shape[1] for name, shape in shapes.items() if len(shape) > 1 and told.search(name)), 0)


_NARROW = r"down_blocks[._]0[._]attentions|up_blocks[._]3[._]|input_blocks[._][12][._]1[._]|output_blocks[._](9|1[01])[._]"
"""Attention at the finest level, which SDXL has not, and a fourth level."""
_WIDE = (
    r"attentions[._]\d[._]transformer_blocks[._][1-9]|(input|output)_blocks[._]|middle_block[._]"
    r"|add_embedding|label_emb"
)
"""Deeper transformers, and the original code's block names, by which adapters of SD 1.x do not go."""

_MADE_FOR: tuple[tuple[str, str, Callable[[Shapes], bool]], ...] = (
    (
        "qwen_edit",
        "a Qwen-Image adapter",
        lambda shapes: _any(
            shapes,
            r"(^|[^e][._])transformer_blocks[._](\d+[._](img|txt)_(mlp|mod)|(19|[2-5]\d)[._]attn[._](to|add)_)",
        ),
    ),
    (
        "flux",
        "a FLUX adapter",
        lambda shapes: (
            _any(
                shapes,
                r"double_blocks[._]\d+[._](img|txt)_|single_blocks[._]\d+[._](linear|modulation)"
                r"|single_transformer_blocks[._]\d+[._]",
            )
            or _attention_width(shapes) == 3072
        ),
    ),
    ("sd3", "a Stable Diffusion 3 adapter", lambda shapes: _any(shapes, r"joint_blocks[._]\d+[._]")),
    (
        "z_image",
        "a Z-Image adapter",
        lambda shapes: _any(shapes, r"(layers|refiner)[._]\d+[._](attention[._](to_|qkv|out)|feed_forward)"),
    ),
    (
        "wan",
        "a Wan adapter",
        lambda shapes: _any(shapes, r"(^|[._])blocks[._]\d+[._](self_attn|cross_attn)[._][qkvo]"),
    ),
    (
        "sd2",
        "a Stable Diffusion 2.x adapter",
        lambda shapes: _any(shapes, _NARROW) and _text_width(shapes) == 1024,
    ),
    (
        "sd15",
        "a Stable Diffusion 1.x adapter",
        lambda shapes: _any(shapes, _NARROW) or _text_width(shapes) == 768,
    ),
    ("sdxl", "an SDXL adapter", lambda shapes: _any(shapes, _WIDE) or _text_width(shapes) == 2048),
    (
        "unet",
        "an adapter for Stable Diffusion's U-Nets",
        lambda shapes: _any(shapes, r"(down|up)_blocks[._]\d|mid_block[._]"),
    ),
)
"""Family (or denoiser, where no more is known), what its adapters are called, and the test; in this order."""


def made_for(shapes: Shapes) -> tuple[str, str]:
    """Family that an adapter was made for, and what such an adapter is called; two empty words where nothing tells.

    "unet" stands for a family where only that much can be told.
    """
    return next(((family, called) for family, called, test in _MADE_FOR if test(shapes)), ("", ""))
