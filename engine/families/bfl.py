"""Names of a FLUX transformer's modules in the original code (Black Forest Labs'), which ComfyUI and sd-scripts use too.

The original holds q, k and v of an attention in one tensor, one below the other; in single blocks the first half of the
MLP lies under them. Pure, no torch.
"""

import re
from collections.abc import Mapping
from typing import Any

from engine.families.family import Fused

_OUTER = {
    "x_embedder": "img_in",
    "context_embedder": "txt_in",
    "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
    "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
    "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
    "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
    "proj_out": "final_layer.linear",
}
_DOUBLE = {
    "norm1.linear": "img_mod.lin",
    "norm1_context.linear": "txt_mod.lin",
    "attn.to_out.0": "img_attn.proj",
    "attn.to_add_out": "txt_attn.proj",
    "attn.norm_q": "img_attn.norm.query_norm",
    "attn.norm_k": "img_attn.norm.key_norm",
    "attn.norm_added_q": "txt_attn.norm.query_norm",
    "attn.norm_added_k": "txt_attn.norm.key_norm",
    "ff.net.0.proj": "img_mlp.0",
    "ff.net.2": "img_mlp.2",
    "ff_context.net.0.proj": "txt_mlp.0",
    "ff_context.net.2": "txt_mlp.2",
}
_SINGLE = {
    "norm.linear": "modulation.lin",
    "proj_out": "linear2",
    "attn.norm_q": "norm.query_norm",
    "attn.norm_k": "norm.key_norm",
}
SWAPPED = ("norm_out.linear",)
"""Modules whose two halves lie the other way round: the original has the shift above the scale."""


def original(config: Mapping[str, Any], module: str) -> Fused:
    """Where `module` (as diffusers names it, no `.weight`) lies in the original code. `config` is the transformer's.

    Raises KeyError for a module that it has no name for.
    """
    if module in _OUTER:
        return Fused(name=_OUTER[module], swapped=module in SWAPPED)
    match = re.fullmatch(r"(single_)?transformer_blocks\.(\d+)\.(.+)", module)
    if match is None:
        raise KeyError(module)
    kind, number, rest = match.groups()
    return (_in_single if kind else _in_double)(
        config, f"{'single' if kind else 'double'}_blocks.{number}", rest
    )


def _width(config: Mapping[str, Any]) -> int:
    return int(config["num_attention_heads"]) * int(config["attention_head_dim"])


def _in_double(config: Mapping[str, Any], block: str, rest: str) -> Fused:
    match = re.fullmatch(r"attn\.(?:to_([qkv])|add_([qkv])_proj)", rest)
    if match is None:
        return Fused(name=f"{block}.{_DOUBLE[rest]}")
    side = "img" if match[1] else "txt"
    return Fused(
        name=f"{block}.{side}_attn.qkv",
        place="qkv".index(match[1] or match[2]),
        rows=(_width(config),) * 3,
    )


def _in_single(config: Mapping[str, Any], block: str, rest: str) -> Fused:
    if rest in _SINGLE:
        return Fused(name=f"{block}.{_SINGLE[rest]}")
    place = {"attn.to_q": 0, "attn.to_k": 1, "attn.to_v": 2, "proj_mlp": 3}[rest]
    width = _width(config)
    # diffusers fixes the MLP at four times the width.
    return Fused(name=f"{block}.linear1", place=place, rows=(width, width, width, 4 * width))


def config_of(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """The transformer's config as the shapes of its tensors tell it (names without prefix).

    The axes of the rotary embedding, which no tensor tells, share a head as FLUX's do: 16, 56 and 56 of 128. Raises
    KeyError for tensors that are missing.
    """
    width, channels = shapes["img_in.weight"]
    head = shapes["double_blocks.0.img_attn.norm.query_norm.scale"][0]

    def blocks(kind: str) -> int:
        numbers = [int(m[1]) for name in shapes if (m := re.match(rf"{kind}_blocks\.(\d+)\.", name))]
        return max(numbers, default=-1) + 1

    return {
        "patch_size": 1,
        "in_channels": channels,
        "num_layers": blocks("double"),
        "num_single_layers": blocks("single"),
        "attention_head_dim": head,
        "num_attention_heads": width // head,
        "joint_attention_dim": shapes["txt_in.weight"][1],
        "pooled_projection_dim": shapes["vector_in.in_layer.weight"][1],
        "guidance_embeds": "guidance_in.in_layer.weight" in shapes,
        "axes_dims_rope": (head // 8, head * 7 // 16, head * 7 // 16),
    }


NORMS = re.compile(r"norm_(added_)?[qk]$")
"""Modules whose weight the original calls `scale`."""


def rows(place: Fused) -> tuple[int, int] | None:
    """First row and one past the last of a layer inside its tensor; None where it is alone there."""
    if not place.rows:
        return None
    start = sum(place.rows[: place.place])
    return start, start + place.rows[place.place]
