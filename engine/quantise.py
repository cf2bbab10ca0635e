"""A frozen denoiser in fewer bits: bitsandbytes stores the weights, and what is computed stays in the run's own numbers.

Storage only: memory is saved, not time. nf4 keeps four bits a weight and multiplies in the run's precision; int8 keeps
eight, and on a card multiplies in int8 too (LLM.int8, large values apart).
"""

import logging
from typing import Any

import torch
from torch import nn

from projects.extras import missing_for
from projects.problems import Refused
from projects.spec import RunSpec

OUTLIERS = 6.0
"""Inputs beyond it are multiplied in half precision, as in the paper (arXiv 2208.07339); a card's int8 only."""


def quantise(denoiser: nn.Module, spec: RunSpec, dtype: torch.dtype) -> None:
    """Replace the linear layers of the denoiser's blocks as train.quantize says; nothing happens for "none".

    `dtype`: what is computed in. Weights are quantised when the denoiser is moved to its device, which must follow, so
    that a card never holds them whole. Put adapters on afterwards: peft looks at the layers it wraps. Raises Refused
    where bitsandbytes is not installed.
    """
    kind = spec.train.quantize
    if kind == "none":
        return
    if problems := missing_for(spec):
        raise Refused(problems)
    make = _in_four_bits if kind == "nf4" else _in_eight_bits
    for path, layer in list(denoiser.named_modules()):
        # What stands before and after the blocks is small, and an error in it reaches everything.
        if type(layer) is nn.Linear and "block" in path.partition(".")[0]:
            parent, _, name = path.rpartition(".")
            setattr(denoiser.get_submodule(parent), name, make(layer, dtype))
    # By these peft knows which of its own layers to wrap with.
    denoiser.is_loaded_in_4bit = kind == "nf4"
    denoiser.is_loaded_in_8bit = kind == "int8"


def _in_four_bits(layer: nn.Linear, dtype: torch.dtype) -> nn.Module:
    import bitsandbytes

    made: Any = bitsandbytes.nn.Linear4bit(
        layer.in_features, layer.out_features, bias=layer.bias is not None, device="meta",
        # Left out, the first input that comes along decides, and that is not the same in a resumed run.
        compute_dtype=dtype, quant_type="nf4", compress_statistics=True,
    )  # fmt: skip
    made.weight = bitsandbytes.nn.Params4bit(
        layer.weight.data, requires_grad=False, quant_type="nf4", compress_statistics=True
    )
    made.bias = layer.bias
    # On such CPUs a picture drawn between two steps would repack the weights for a kernel that gives no gradient.
    made.support_avx512bf16_for_cpu = False
    return _like(made, layer)


def _in_eight_bits(layer: nn.Linear, _dtype: torch.dtype) -> nn.Module:
    import bitsandbytes

    # It says at every layer of every step that inputs are rounded to fp16 on their way to int8.
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    made: Any = bitsandbytes.nn.Linear8bitLt(
        layer.in_features, layer.out_features, bias=layer.bias is not None, has_fp16_weights=False,
        threshold=OUTLIERS, device="meta",
    )  # fmt: skip
    made.weight = bitsandbytes.nn.Int8Params(layer.weight.data, requires_grad=False, has_fp16_weights=False)
    made.bias = layer.bias
    return _like(made, layer)


def _like(made: nn.Module, layer: nn.Linear) -> nn.Module:
    return made.requires_grad_(False).train(layer.training)
