"""What a base model is, read from the base itself and without torch: from configs and tensor names, never from its name."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from projects.problems import refuse
from projects.recognition import NOT_YET, family_of, no_base
from projects.tensorfile import Header, read_header

FAMILY_PRESETS = {"sdxl": "sdxl"}
"""Families that are there, and the preset each starts from."""

FAMILY_WIDTHS = {"sdxl": {"attention": 1_451_520, "attention+mlp": 2_616_320}}
"""`BaseFacts.widths` of families whose bases all have the same layers: for a base that is not on this machine yet."""

PICKLES = (".ckpt", ".bin", ".pt", ".pth", ".pkl")
DEMO_FOLDER = Path(__file__).resolve().parents[1] / "engine" / "demo" / "base"

_LAYERS = {
    "attention": re.compile(r"attn[12]\.to_(q|k|v|out\.0)\.weight$"),
    "attention+mlp": re.compile(r"(attn[12]\.to_(q|k|v|out\.0)|ff\.net\.(0\.proj|2))\.weight$"),
}
"""Weights that an adapter with these targets acts on; the names are the same in folders and single files."""


@dataclass(frozen=True, kw_only=True)
class BaseFacts:
    """What a project needs to know of its base before anything is loaded."""

    kind: Literal["demo", "folder", "file", "hub", ""]
    """How it is named; "" for none."""
    family: str = ""
    """Read from its files; "" where they are not on this machine."""
    native_size: int = 0
    """Side in pixels of the square it was made for; 0 when unknown."""
    floors: tuple[int, int] = (0, 0)
    """Short side in pixels: below the first a picture is too small, from the second on it is good."""
    bucket_step: int = 0
    """Bucket sides are multiples of this many pixels."""
    preset: str = ""
    """Preset that stands where the project says nothing."""
    path: Path | None = None
    """Its folder or file, where it is on this machine."""
    clip_skips: tuple[int, ...] = ()
    """Values of base.clip_skip that are possible, in A1111's counting; empty when unknown."""
    freezes_text_encoder: bool = False
    """Whether adapters on its text encoders are refused."""
    widths: Mapping[str, int] = field(default_factory=dict)
    """Inputs plus outputs of all layers by adapter.targets: an adapter of rank r on them has r times as many parameters."""


UNKNOWN = BaseFacts(kind="")


def describe(source: str, project_path: Path, *, revision: str = "") -> BaseFacts:
    """Facts of the base named in `base.source`; relative paths are relative to the project.

    A hub id that was not downloaded yet has facts without family. Raises Refused (usage) for what is not there, pickles,
    families that are not there yet, and files that are no base (adapter, VAE, refiner, inpainting), named as what they are.
    """
    if not source:
        return UNKNOWN
    if source == "demo":
        return _of_folder(DEMO_FOLDER, "demo", "demo")
    path = _placed(source, project_path)
    if path.suffix.lower() in PICKLES:
        hint = "Use the .safetensors version of the model, or convert it on a machine you can afford to lose."
        raise refuse(
            f"{path.suffix} files are pickles, and opening one runs whatever code is in it.",
            hint=hint,
            usage=True,
        )
    if path.is_dir():
        return _of_folder(path.resolve(), "folder", "")
    if path.is_file():
        return _of_file(path.resolve())
    if _is_hub_id(source):
        snapshot = hub_snapshot(source, revision)
        return _of_folder(snapshot, "hub", "") if snapshot else BaseFacts(kind="hub")
    hint = 'Name a folder or a .safetensors file (from the project on), a hub id (owner/name) or "demo".'
    raise refuse(f'There is no base "{source}": nothing is at {path}.', hint=hint, usage=True)


def is_somewhere(source: str, project_path: Path) -> bool:
    """Whether `source` can name a base at all: the demo's, something on this machine, or a hub id. Opens nothing."""
    return source == "demo" or _placed(source, project_path).exists() or _is_hub_id(source)


def to_be_fetched(source: str, project_path: Path, *, revision: str = "") -> bool:
    """Whether `source` is a hub id that is not on this machine yet, of which nothing here knows the family."""
    there = _placed(source, project_path).exists()
    return _is_hub_id(source) and not there and hub_snapshot(source, revision) is None


def _placed(source: str, project_path: Path) -> Path:
    return project_path / Path(source).expanduser()


def _is_hub_id(source: str) -> bool:
    named = re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", source)
    return named is not None and Path(source).suffix.lower() not in (".safetensors", *PICKLES)


def hub_snapshot(repository: str, revision: str = "") -> Path | None:
    """The snapshot folder of a hub id in the cache of huggingface_hub, or None when it is not there."""
    home = os.environ.get("HF_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    cache = Path(os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")).expanduser()
    folder = cache / f"models--{repository.replace('/', '--')}"
    reference = folder / "refs" / (revision or "main")
    commit = reference.read_text("utf-8").strip() if reference.is_file() else revision
    snapshot = folder / "snapshots" / commit
    return snapshot if commit and (snapshot / "model_index.json").is_file() else None


def adapter_parameters(facts: BaseFacts, rank: int, targets: str | tuple[str, ...]) -> int | None:
    """Parameters of an adapter; None where the base is not here, or patterns choose its layers."""
    width = facts.widths.get(targets, 0) if isinstance(targets, str) else 0
    return rank * width or None


def _facts(
    kind: Literal["demo", "folder", "file", "hub"],
    family: str,
    native: int,
    least: int,
    preset: str,
    path: Path | None,
    widths: Mapping[str, int],
) -> BaseFacts:
    """`least`: pixels that the model needs sides to be a multiple of; buckets take a sixteenth of the native side."""
    step = max(least, native // 16 // least * least)
    floors = (native * 3 // 4, native)
    chosen = preset or FAMILY_PRESETS.get(family, "")
    return BaseFacts(
        kind=kind,
        family=family,
        native_size=native,
        floors=floors,
        bucket_step=step,
        preset=chosen,
        path=path,
        clip_skips=(2,),
        freezes_text_encoder=True,
        widths=widths,
    )


def _of_folder(folder: Path, kind: Literal["demo", "folder", "hub"], preset: str) -> BaseFacts:
    """A folder in diffusers layout."""
    index = _config(folder / "model_index.json", "This folder is not a base model in diffusers layout")
    if "transformer" in index and "unet" not in index:
        name = str(index.get("_class_name", "")).lower()
        families = {"flux": "flux", "qwen": "qwen_edit", "stablediffusion3": "sd3"}
        _refuse_family(
            next((family for word, family in families.items() if word in name), ""),
            str(index.get("_class_name")),
        )
    unet = _config(folder / "unet" / "config.json", "This base has no U-Net config")
    vae = _config(folder / "vae" / "config.json", "This base has no VAE config")
    crossed = unet.get("cross_attention_dim")
    if unet.get("in_channels") == 9:
        raise _not_a_base("an inpainting model", "its U-Net takes 9 channels")
    if unet.get("addition_embed_type") != "text_time":
        _refuse_family({768: "sd15", 1024: "sd2"}.get(crossed, "") if isinstance(crossed, int) else "", "")
    if not _present(index, "text_encoder"):
        raise _not_a_base("an SDXL refiner", "it has the second text encoder only")
    if not _present(index, "text_encoder_2"):
        _refuse_family("", str(index.get("_class_name")))
    weights = sorted((folder / "unet").glob("*.safetensors"))
    if not weights and list((folder / "unet").glob("*.bin")):
        raise refuse(
            "The weights in this folder are pickles (.bin), and opening one runs whatever code is in it.",
            hint="Use a version of the model with .safetensors files.",
            usage=True,
        )
    factor = 2 ** (len(_list(vae, "block_out_channels")) - 1)
    least = factor * 2 ** (len(_list(unet, "block_out_channels")) - 1)
    sample = unet.get("sample_size")
    native = (sample if isinstance(sample, int) and sample > 0 else 128) * factor
    headers = [read_header(file) for file in weights if ".fp16" not in file.name or len(weights) == 1]
    return _facts(kind, "sdxl", native, least, preset, folder, _widths(headers))


def _of_file(path: Path) -> BaseFacts:
    """One .safetensors file, judged by its tensors."""
    if path.suffix.lower() != ".safetensors":
        hint = "Name a folder in diffusers layout or a .safetensors file."
        raise refuse(f"{path.name} is not a .safetensors file.", hint=hint, usage=True)
    header = read_header(path)
    other = no_base(header.shapes)
    if other:
        raise _not_a_base(*other)
    family = family_of(header.shapes)
    if family not in FAMILY_PRESETS:
        _refuse_family(family, "")
    return _facts("file", "sdxl", 1024, 32, "", path, _widths([header]))


def _widths(headers: Sequence[Header]) -> dict[str, int]:
    shapes = [item for header in headers for item in header.shapes.items() if len(item[1]) == 2]
    return {
        targets: sum(sum(shape) for name, shape in shapes if layers.search(name))
        for targets, layers in _LAYERS.items()
    }


def _refuse_family(family: str, said: str) -> None:
    """Raise Refused for a base whose family is not there."""
    known = ", ".join(FAMILY_PRESETS)
    named = (
        f"This is {NOT_YET[family]} ({family})"
        if family
        else f"The family of this base is not known{said and f' ({said})'}"
    )
    raise refuse(f"{named}.", hint=f"Families that can be trained: {known}.", usage=True)


def _not_a_base(what: str, why: str) -> Exception:
    hint = "base.source must name a complete SDXL base: text encoders, U-Net with 4 input channels, VAE."
    return refuse(f"This is {what}, not a base that can be trained: {why}.", hint=hint, usage=True)


def _config(file: Path, missing: str) -> dict[str, Any]:
    try:
        table = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise refuse(
            f"{missing}: there is no {file}.", hint="Download or copy it again, complete.", usage=True
        ) from None
    except (OSError, ValueError, RecursionError):
        raise refuse(
            f"{file} cannot be read as JSON.", hint="Download or copy it again.", usage=True
        ) from None
    if not isinstance(table, dict):
        raise refuse(f"{file} is not a table.", hint="Download or copy it again.", usage=True)
    return table


def _list(config: Mapping[str, Any], name: str) -> list[Any]:
    value = config.get(name)
    return (
        value
        if isinstance(value, list) and 0 < len(value) < 12
        else [0] * 4
        if name == "block_out_channels"
        else []
    )


def _present(index: Mapping[str, Any], part: str) -> bool:
    value = index.get(part)
    return isinstance(value, list) and len(value) == 2 and None not in value
