"""What a single .safetensors file is, told by the names and shapes of its tensors."""

import re
from collections.abc import Callable

from projects.families import FAMILIES, UNET, Shapes


def _any(shapes: Shapes, prefix: str) -> bool:
    return any(name.startswith(prefix) for name in shapes)


def _channels_in(shapes: Shapes) -> int:
    shape = shapes.get(UNET + "input_blocks.0.0.weight", ())
    return shape[1] if len(shape) == 4 else 0


def _flux_inputs(shapes: Shapes) -> int:
    """Channels of a FLUX transformer's input; 64 in a base."""
    shape = next((shape for name, shape in shapes.items() if name.endswith("img_in.weight")), ())
    return shape[1] if len(shape) == 2 else 0


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
        "a T5 text encoder",
        "it has T5's blocks only",
        lambda shapes: _only(
            shapes, "encoder.block.", "encoder.final_layer_norm.", "shared.", "decoder.block."
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
        "a base without its VAE",
        "it has no first_stage_model tensors",
        lambda shapes: (
            _any(shapes, UNET)
            and (_any(shapes, "conditioner.embedders.1.") or _any(shapes, "cond_stage_model."))
            and not _any(shapes, "first_stage_model.")
        ),
    ),
    (
        "a FLUX model that fills or is led by a picture",
        "its transformer takes more than 64 channels",
        lambda shapes: FAMILIES["flux"].in_file(shapes) and _flux_inputs(shapes) > 64,
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

NOT_THERE: dict[str, tuple[str, Callable[[Shapes], bool]]] = {
    "sd2": ("a Stable Diffusion 2.x base", lambda shapes: _any(shapes, "cond_stage_model.model.")),
    "sd3": (
        "a Stable Diffusion 3 base",
        lambda shapes: any(re.search(r"(^|\.)joint_blocks\.0\.", name) for name in shapes),
    ),
    "qwen_edit": (
        "a Qwen-Image base",
        lambda shapes: any(re.search(r"transformer_blocks\.0\.txt_mod\.1", name) for name in shapes),
    ),
}
"""Families that are recognised and refused: what they are, and the test."""


def no_base(shapes: Shapes) -> tuple[str, str] | None:
    """What the file is and how that shows, where it is no complete base with 4 input channels; else None."""
    return next(((what, why) for what, why, test in NO_BASE if test(shapes)), None)


def family_of(shapes: Shapes) -> str:
    """Family of a base, one that is not there yet included; "" when it is none that is known."""
    there = (name for name, facts in FAMILIES.items() if facts.in_file(shapes))
    return next(there, next((name for name, (_, test) in NOT_THERE.items() if test(shapes)), ""))
