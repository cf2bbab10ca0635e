"""Loading one part of an opened base, from a folder or out of one file. Never a pickle, never the network."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm
from safetensors import safe_open
from torch import Tensor, nn
from transformers import CLIPTokenizer

from engine.families.family import Base
from projects.problems import Refused, refuse
from projects.tensorfile import read_header

FromFile = Callable[[Base, str, Any, torch.dtype], nn.Module]
"""(base, part, class, dtype) -> the part out of the base's one file."""

# fp32 is to mean fp32: by default convolutions on newer cards round their inputs to 10 bits of mantissa.
torch.backends.cudnn.allow_tf32 = False


def load_part(
    base: Base, part: str, kind: Any, dtype: torch.dtype, *, from_file: FromFile | None = None
) -> nn.Module:
    """The part as an instance of `kind` in `dtype` on the CPU, frozen, in evaluation mode. Only its own tensors are read.

    `from_file`: how it comes out of one file; left out: as diffusers does it. Raises Refused when tensors are missing: a
    part that is half there draws noise and says nothing.
    """
    try:
        if part in base.inside:
            module = (from_file or _from_file)(base, part, kind, dtype)
        else:
            module = _from_folder((base.companion or base.path) / part, part, kind, dtype)
    except Refused:
        raise
    except (
        Exception
    ) as error:  # whatever missing, damaged and ill-shaped tensors or a lying config make the libraries raise
        raise refuse(
            f"The {part} of the base model is incomplete, damaged or of another architecture: {_first_line(error)}.",
            where=base.path,
            hint="Download the base model again, or name another one in base.source.",
        ) from error
    absent = sorted(name for name, tensor in _tensors(module) if tensor.is_meta)
    if absent:
        raise refuse(
            f"The {part} lacks {len(absent)} tensors, {absent[0]} among them.",
            where=base.path,
            hint="The file is incomplete or of another architecture; name another base in base.source.",
        )
    spoilt = sorted(name for name, tensor in _tensors(module) if not _is_finite(tensor))
    if spoilt:
        raise refuse(
            f"{len(spoilt)} tensors of the {part} hold numbers that are not finite, {spoilt[0]} among them.",
            where=base.path,
            hint="The base model is damaged; download it again, or name another one in base.source.",
        )
    return module.eval().requires_grad_(False)


def read_config(file: Path) -> dict[str, Any]:
    """A config of the base. Raises Refused when it is missing or damaged."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise refuse(
            "A config of the base model is missing or damaged.",
            where=file,
            hint="Download the base model again, complete.",
        )
    return found


def part_config(base: Base, part: str) -> Mapping[str, Any]:
    """config.json of a part of the base."""
    return read_config(base.configs / part / "config.json")


def load_tokenizer(base: Base, name: str, kind: Any = CLIPTokenizer) -> Any:
    """A tokenizer of the base, cut and padded at what its own config says (77 tokens with CLIP).

    Raises Refused when its files are damaged.
    """
    try:
        return kind.from_pretrained(str(base.configs / name), local_files_only=True)
    except Exception as error:  # tokenizers and transformers raise what they like at a damaged file
        raise refuse(
            f"The {name} of the base model is damaged: {_first_line(error)}.",
            where=base.configs / name,
            hint="Download the base model again, complete.",
        ) from error


def weight_files(folder: Path) -> list[Path]:
    """The .safetensors files of one part's folder: the plain ones, sharded or not, else a half-precision variant.

    Empty when there are none.
    """
    for stem in ("diffusion_pytorch_model", "model"):
        for variant in ("", ".fp16", ".bf16"):
            index = folder / f"{stem}.safetensors.index{variant}.json"
            if index.is_file():
                shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
                return [folder / shard for shard in sorted(shards)]
            whole = folder / f"{stem}{variant}.safetensors"
            if whole.is_file():
                return [whole]
    return []


def _from_folder(folder: Path, part: str, kind: Any, dtype: torch.dtype) -> nn.Module:
    files = weight_files(folder)
    _check_size(folder, files, part, kind)
    names = [file.name for file in files]
    variant = next((known for known in ("fp16", "bf16") if names and f".{known}" in names[0]), None)
    module, report = kind.from_pretrained(
        str(folder),
        torch_dtype=dtype,
        variant=variant,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
    )
    missing = sorted(str(name) for name in report["missing_keys"] if not str(name).endswith("position_ids"))
    if missing:
        raise refuse(
            f"The {part} lacks {len(missing)} tensors, {missing[0]} among them.",
            where=folder,
            hint="The folder is incomplete; download the base model again.",
        )
    found: nn.Module = module
    return found


def _check_size(folder: Path, files: Sequence[Path], part: str, kind: Any) -> None:
    """Refuse a config that describes far more than the files hold, before memory is taken for it; where it is little more,
    the loader tells which tensors are missing."""
    with torch.device("meta"):
        if hasattr(kind, "load_config"):  # diffusers
            described = kind.from_config(kind.load_config(str(folder)))
        else:
            described = kind(kind.config_class.from_pretrained(str(folder), local_files_only=True))
    wanted = sum(parameter.numel() for parameter in described.parameters())
    held = sum(math.prod(shape) for file in files for shape in read_header(file).shapes.values())
    if wanted > 2 * held:
        raise refuse(
            f"The config of the {part} describes {wanted:,} numbers, its files hold {held:,}.",
            where=folder,
            hint="Config and weights belong to different models, or files are missing; download the base model again.",
        )


def _from_file(base: Base, part: str, kind: Any, dtype: torch.dtype) -> nn.Module:
    tensors = read_prefix(base.path, base.inside[part])
    if part.startswith("text_encoder"):
        return create_diffusers_clip_model_from_ldm(
            kind,
            checkpoint=tensors,
            subfolder=part,
            config=str(base.configs),
            torch_dtype=dtype,
            local_files_only=True,
        )
    module: nn.Module = kind.from_single_file(
        tensors, config=str(base.configs), subfolder=part, torch_dtype=dtype, local_files_only=True
    )
    return module


def read_prefix(file: Path, prefix: str) -> dict[str, Tensor]:
    """The tensors of a file whose names begin with `prefix`, with their whole names."""
    with safe_open(str(file), framework="pt") as opened:
        return {name: opened.get_tensor(name) for name in opened.keys() if name.startswith(prefix)}  # noqa: SIM118


def _tensors(module: nn.Module) -> list[tuple[str, Tensor]]:
    return [*module.named_parameters(), *module.named_buffers()]


def _is_finite(tensor: Tensor) -> bool:
    """By its sum, which is one reading and no copy; nothing that a model holds is so large that a sum overflows."""
    if not tensor.is_floating_point() or tensor.is_meta:
        return True
    return bool(tensor.sum(dtype=torch.float32).isfinite())


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
