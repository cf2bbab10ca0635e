"""What a single .safetensors file is, told by the names and shapes of its tensors."""

import re
from collections.abc import Callable, Mapping

Shapes = Mapping[str, tuple[int, ...]]
UNET = "model.diffusion_model."


def _any(shapes: Shapes, prefix: str) -> bool:
    return any(name.startswith(prefix) for name in shapes)


def _channels_in(shapes: Shapes) -> int:
    shape = shapes.get(UNET + "input_blocks.0.0.weight", ())
    return shape[1] if len(shape) == 4 else 0


def _only(shapes: Shapes, *prefixes: str) -> bool:
    return bool(shapes) and all(name.startswith(prefixes) for name in shapes)


NO_BASE: tuple[tuple[str, str, Callable[[Shapes], bool]], ...] = (
    (
        "an adapter (LoRA)",
        "its tensors are low-rank pairs",
        lambda shapes: any(re.search(r"lora_(up|down|A|B|te)|hada_w|lokr_", name) for name in shapes),
    ),
    (
        "a ControlNet",
        "it has control blocks",
        lambda shapes: any(
            re.match(r"control_model\.|controlnet_|input_hint_block|zero_convs", n) for n in shapes
        ),
    ),
    (
        "a VAE",
        "it has an encoder and a decoder only",
        lambda shapes: _only(
            shapes, "first_stage_model.", "encoder.", "decoder.", "quant_conv.", "post_quant_conv."
        ),
    ),
    ("an inpainting model", "its U-Net takes 9 channels", lambda shapes: _channels_in(shapes) == 9),
    (
        "an SDXL refiner",
        "it has the second text encoder only",
        lambda shapes: (
            _any(shapes, "conditioner.embedders.0.model.") and not _any(shapes, "conditioner.embedders.1.")
        ),
    ),
    (
        "a text encoder",
        "it has no U-Net",
        lambda shapes: _only(
            shapes, "text_model.", "text_projection", "cond_stage_model.", "conditioner.", "logit_scale"
        ),
    ),
    (
        "an SDXL base without its VAE",
        "it has no first_stage_model tensors",
        lambda shapes: _any(shapes, "conditioner.embedders.1.") and not _any(shapes, "first_stage_model."),
    ),
    (
        "a U-Net alone",
        "it has no text encoders and no VAE",
        lambda shapes: (
            _only(shapes, UNET, "down_blocks.", "mid_block.", "up_blocks.", "conv_", "time_", "add_")
            and any(re.search(r"input_blocks\.|down_blocks\.", name) for name in shapes)
        ),
    ),
)
"""What it is, how that shows, and the test; in this order."""

FAMILIES: tuple[tuple[str, Callable[[Shapes], bool]], ...] = (
    ("sdxl", lambda shapes: _any(shapes, "conditioner.embedders.1.") and _any(shapes, UNET + "label_emb.")),
    ("flux", lambda shapes: any(re.search(r"(^|\.)double_blocks\.0\.img_attn", name) for name in shapes)),
    ("sd3", lambda shapes: any(re.search(r"(^|\.)joint_blocks\.0\.", name) for name in shapes)),
    ("sd15", lambda shapes: _any(shapes, "cond_stage_model.transformer.")),
    ("sd2", lambda shapes: _any(shapes, "cond_stage_model.model.")),
)


NOT_YET = {
    "sd15": "a Stable Diffusion 1.x base",
    "sd2": "a Stable Diffusion 2.x base",
    "sd3": "a Stable Diffusion 3 base",
    "flux": "a FLUX base",
    "qwen_edit": "a Qwen-Image base",
}
"""Families that are recognised and refused."""


def no_base(shapes: Shapes) -> tuple[str, str] | None:
    """What the file is and how that shows, where it is no complete base with 4 input channels; else None."""
    return next(((what, why) for what, why, test in NO_BASE if test(shapes)), None)


def family_of(shapes: Shapes) -> str:
    """Family of a complete base; "" when it is none that is known."""
    return next((family for family, test in FAMILIES if test(shapes)), "")
