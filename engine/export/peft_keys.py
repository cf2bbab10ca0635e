"""The diffusers layout: peft's names behind the component's, `unet.<path>.lora_A.weight` (rank, in) and `.lora_B.weight`.

A text encoder's layers stand behind `text_encoder.text_model.`, which every version of diffusers reads and ComfyUI needs.

The format has no tensor for alpha, and diffusers reads the scale from the file's metadata only where it is given the
file, not its tensors: there alpha/rank would be lost. So the scale is multiplied into lora_A, and the metadata says
alpha = rank: every reader arrives at scale 1 and at the same adapter.
"""

import json
from collections.abc import Mapping

import torch
from torch import Tensor

CONFIG_KEY = "lora_adapter_metadata"
"""Where diffusers looks for the adapter's peft configuration."""


def to_peft_keys(
    state: Mapping[str, Tensor], *, rank: int, alpha: float, dtype: torch.dtype, component: str
) -> dict[str, Tensor]:
    """Tensors by diffusers name with alpha / rank multiplied into lora_A.

    Into A, not B: a trained B is hundreds of times smaller, and in fp16 a scale below 1 would push it under the
    smallest number there is.
    """
    scale = alpha / rank
    return {
        f"{component}.{key}": (tensor.float() * scale if ".lora_A." in key else tensor).to(dtype).contiguous()
        for key, tensor in sorted(state.items())
    }


def adapter_config(states: Mapping[str, Mapping[str, Tensor]], *, rank: int) -> str:
    """JSON of the peft configuration that belongs to the tensors of `to_peft_keys`, keys behind each component's name.

    `states`: component -> its tensors by the names that its model has today: peft looks the modules up in that.
    """
    config = {
        f"{component}.{key}": value
        for component, state in states.items()
        for key, value in {
            "r": rank,
            "lora_alpha": rank,
            "lora_dropout": 0.0,
            "bias": "none",
            "target_modules": sorted({key.rsplit(".lora_", 1)[0] for key in state}),
        }.items()
    }
    return json.dumps(config, sort_keys=True)
