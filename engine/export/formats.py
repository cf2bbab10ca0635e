"""Which formats there are and what each puts into a file.

comfyui is the kohya layout under another name: ComfyUI's key maps for SD 1.x, SDXL and FLUX take kohya names with none left
over, and for U-Nets do not know the attention names of the diffusers layout. So asking for both writes one file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine.export.kohya import to_kohya
from engine.export.peft_keys import CONFIG_KEY, adapter_config, to_peft_keys
from engine.families.family import Fused

Format = Literal["kohya", "diffusers", "comfyui"]
Layout = Literal["kohya", "diffusers"]
LAYOUT_OF: Mapping[Format, Layout] = {"kohya": "kohya", "comfyui": "kohya", "diffusers": "diffusers"}
SUFFIX: Mapping[Layout, str] = {"kohya": ".safetensors", "diffusers": ".diffusers.safetensors"}
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True, kw_only=True)
class Content:
    """What one file holds, before the facts of the run are written beside it."""

    tensors: Mapping[str, Tensor]
    alpha: float
    """As the tensors have it: equal to the rank where the scale was multiplied in."""
    metadata: Mapping[str, str]
    """What the layout itself needs."""


def stem_of(stem: str, dtype: str) -> str:
    """File name without endings for numbers of `dtype`: another precision is another file, beside the full one."""
    return stem if dtype == "fp32" else f"{stem}-{dtype}"


def files_of(formats: Sequence[Format]) -> dict[Layout, list[Format]]:
    """The files that serve the asked formats, each with the formats it serves, in the order asked."""
    files: dict[Layout, list[Format]] = {}
    for name in dict.fromkeys(formats):
        files.setdefault(LAYOUT_OF[name], []).append(name)
    return files


def content(
    layout: Layout,
    state: Mapping[str, Tensor],
    *,
    rank: int,
    alpha: float,
    dtype: torch.dtype,
    component: str,
    place_of: Callable[[str], Fused],
) -> Content:
    """The file of one layout from the adapter's tensors by peft name."""
    if layout == "kohya":
        tensors = to_kohya(state, alpha=alpha, dtype=dtype, place_of=place_of)
        return Content(tensors=tensors, alpha=alpha, metadata={})
    tensors = to_peft_keys(state, rank=rank, alpha=alpha, dtype=dtype, component=component)
    config = adapter_config(state, rank=rank, component=component)
    return Content(tensors=tensors, alpha=float(rank), metadata={CONFIG_KEY: config})
