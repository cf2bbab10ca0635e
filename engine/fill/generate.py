"""What models that write have in common: loaded out of a folder by transformers, asked, and their answer read.

safetensors only, nothing of the network, and no code that comes with a model.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoImageProcessor, AutoProcessor
from transformers.utils import logging

from engine.fill.method import OutOfMemory
from engine.fill.texts import sentence
from projects.problems import Refused, refuse
from projects.spec import FillJob

# Bars that are drawn over belong on a screen, not into out.log.
logging.disable_progress_bar()

_AGAIN: Final = "Download the model again, complete, or name another one."
_DTYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
LESS_MEMORY: Final = "Say --precision bf16, name a smaller model, or draft on the processor: --device cpu."


def device_of(job: FillJob) -> torch.device:
    """Where the job computes."""
    return torch.device("cuda" if job.device == "auto" and torch.cuda.is_available() else "cpu")


def load_model(folder: Path, kind: Any, job: FillJob) -> Any:
    """The model as `kind`, an Auto class or a class of transformers, in evaluation mode on the job's device.

    Raises Refused for tensors that are missing or of another shape, and when it does not fit into memory.
    """
    device = device_of(job)
    dtype = torch.float32 if device.type == "cpu" else _DTYPES[job.precision]
    try:
        model, report = kind.from_pretrained(
            str(folder), dtype=dtype, use_safetensors=True, local_files_only=True, trust_remote_code=False,
            output_loading_info=True,
        )  # fmt: skip
        absent = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
        if absent:
            error = f"{len(absent)} tensors are missing or of another shape than the config says, {absent[0]} among them."
            raise refuse(error, where=folder, hint=_AGAIN)
        return model.eval().requires_grad_(False).to(device)
    except Refused:
        raise
    except torch.cuda.OutOfMemoryError as error:
        raise refuse(
            "The model does not fit into the device's memory.", where=folder, hint=LESS_MEMORY
        ) from error
    except Exception as error:  # whatever a lying config or damaged tensors make transformers raise
        raise refuse(
            f"The model cannot be loaded: {_first_line(error)}.", where=folder, hint=_AGAIN
        ) from error


def load_processor(folder: Path) -> Any:
    """What makes tensors of pictures and prompts, with Pillow's filters on every machine."""
    try:
        processor = _processor(str(folder))
        if not hasattr(processor, "image_processor") or not hasattr(processor, "tokenizer"):
            raise ValueError("it has no preparation of pictures, or no tokenizer")
    except Exception as error:
        if isinstance(error, ImportError) and importlib.util.find_spec("torchvision") is None:
            hint = "Install the torchvision that belongs to the installed torch: pip install torchvision."
            raise refuse("This model's preparation needs torchvision.", where=folder, hint=hint) from error
        error_words = f"The preparation of pictures and prompts cannot be loaded: {_first_line(error)}."
        raise refuse(error_words, where=folder, hint=_AGAIN) from error
    # A batch that is to be continued has its gaps in front.
    processor.tokenizer.padding_side = "left"
    return processor


def _processor(folder: str) -> Any:
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        return AutoProcessor.from_pretrained(folder, backend="pil", **local)
    except ImportError:
        # What also takes videos (Qwen-VL) prepares those by torchvision alone; the pictures are Pillow's still.
        processor = AutoProcessor.from_pretrained(folder, **local)
        processor.image_processor = AutoImageProcessor.from_pretrained(folder, backend="pil", **local)
        return processor


def generate(model: Any, processor: Any, inputs: Mapping[str, Any], job: FillJob, seed: int) -> list[str]:
    """What the model writes behind each of `inputs`, cleaned. The likeliest words, or drawn from `seed`.

    Raises OutOfMemory.
    """
    device = next(model.parameters()).device
    drawn: dict[str, Any] = {"do_sample": False}
    if job.temperature > 0:
        drawn = {"do_sample": True, "temperature": job.temperature, "top_p": job.top_p, "top_k": 0}
    try:
        with torch.inference_mode(), torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(seed % 2**63)
            placed = {
                name: value.to(device, model.dtype) if value.is_floating_point() else value.to(device)
                for name, value in inputs.items()
                if isinstance(value, torch.Tensor)
            }
            tokens = model.generate(**placed, max_new_tokens=job.max_new_tokens, **drawn)
    except torch.cuda.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise OutOfMemory from error
    told = processor.tokenizer.batch_decode(_new(tokens, placed.get("input_ids")), skip_special_tokens=True)
    return [sentence(text, job.blacklist) for text in told]


def _new(tokens: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
    """Without what was given in, which models that go on from it repeat and those with an encoder do not."""
    if given is None or tokens.shape[1] < given.shape[1]:
        return tokens
    repeated = bool((tokens[:, : given.shape[1]] == given).all())
    return tokens[:, given.shape[1] :] if repeated else tokens


def _first_line(error: Exception) -> str:
    lines: Sequence[str] = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200].rstrip(".") if lines else type(error).__name__
