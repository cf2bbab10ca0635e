"""What a base model is, read from the base itself and without torch: from configs and tensor names, never from its name."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

from projects.families import FAMILIES, FamilyFacts, present
from projects.problems import refuse
from projects.recognition import NOT_THERE, family_of, no_base
from projects.tensorfile import Header, read_header

PICKLES = (".ckpt", ".bin", ".pt", ".pth", ".pkl")
DEMO = "demo"
"""How the embedded base is named."""
DEMO_FOLDER = Path(__file__).resolve().parents[1] / "engine" / "demo" / "base"
CONFIGS_FOLDER = Path(__file__).resolve().parents[1] / "engine" / "families" / "configs"
"""One diffusers folder a family, with configs and vocabularies and without weights, where a file is complete."""


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
    clip_skips: tuple[int, ...] | None = None
    """Values of base.clip_skip that are possible, in A1111's counting: none where CLIP's layers are not read. None when
    unknown."""
    widths: Mapping[str, int] = field(default_factory=dict)
    """Inputs plus outputs of all layers by adapter.targets: an adapter of rank r on them has r times as many parameters."""
    encoder_widths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The same of the text encoder, layer by layer; empty where it stays frozen."""
    hint: str = ""
    """What somebody who chooses it for new work should know."""
    companion: str = ""
    """Hub id that text encoders and VAE come from, where the base is a file without them."""
    companion_size: str = ""
    """What is downloaded then, in words."""


UNKNOWN = BaseFacts(kind="")


def describe(source: str, project_path: Path, *, revision: str = "") -> BaseFacts:
    """Facts of the base named in `base.source`; relative paths are relative to the project.

    A hub id that was not downloaded yet has facts without family. Raises Refused (usage) for what is not there, pickles,
    families that are not there yet, and files that are no base (adapter, VAE, refiner, inpainting), named as what they are.
    """
    if not source:
        return UNKNOWN
    if source == DEMO:
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
    if is_hub_id(source):
        snapshot = hub_snapshot(source, revision)
        return _of_folder(snapshot, "hub", "") if snapshot else BaseFacts(kind="hub")
    hint = 'Name a folder or a .safetensors file (from the project on), a hub id (owner/name) or "demo".'
    raise refuse(f'There is no base "{source}": nothing is at {path}.', hint=hint, usage=True)


def is_somewhere(source: str, project_path: Path) -> bool:
    """Whether `source` can name a base at all: the demo's, something on this machine, or a hub id. Opens nothing."""
    return source == DEMO or _placed(source, project_path).exists() or is_hub_id(source)


def to_be_fetched(source: str, project_path: Path, *, revision: str = "") -> bool:
    """Whether `source` is a hub id that is not on this machine yet, of which nothing here knows the family."""
    there = _placed(source, project_path).exists()
    return is_hub_id(source) and not there and hub_snapshot(source, revision) is None


def _placed(source: str, project_path: Path) -> Path:
    return project_path / Path(source).expanduser()


def is_hub_id(source: str) -> bool:
    """Whether `source` can be owner/name on the hub."""
    named = re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", source)
    return named is not None and Path(source).suffix.lower() not in (".safetensors", *PICKLES)


def bucket_step(native: int, least: int) -> int:
    """Step of bucket sides: a sixteenth of the native side (64 px at 1024), and a multiple of what the model needs."""
    return max(least, native // 16 // least * least)


def hub_snapshot(repository: str, revision: str = "", *, holding: str = "model_index.json") -> Path | None:
    """The snapshot folder of a hub id in the cache of huggingface_hub, or None when it is not there.

    holding: the file by which it is known.
    """
    home = os.environ.get("HF_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    cache = Path(os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")).expanduser()
    folder = cache / f"models--{repository.replace('/', '--')}"
    reference = folder / "refs" / (revision or "main")
    commit = reference.read_text("utf-8").strip() if reference.is_file() else revision
    snapshot = folder / "snapshots" / commit
    return snapshot if commit and (snapshot / holding).is_file() else None


def adapter_parameters(
    facts: BaseFacts, rank: int, targets: str | tuple[str, ...], *, encoder_clip_skip: int = 0
) -> int | None:
    """Parameters of an adapter; None where the base is not here, or patterns choose its layers.

    `encoder_clip_skip`: base.clip_skip where the text encoder learns too: layers behind the one that is read do not.
    """
    if not isinstance(targets, str) or not facts.widths.get(targets):
        return None
    width, layers = facts.widths[targets], facts.encoder_widths.get(targets, ())
    if encoder_clip_skip:
        width += sum(layers[: len(layers) - encoder_clip_skip + 1])
    return rank * width


def of_family(name: str) -> BaseFacts:
    """What is known of a hub id that is not on this machine, from the family that the project says."""
    family = FAMILIES[name]
    return BaseFacts(
        kind="hub",
        preset=family.presets[0],
        clip_skips=family.clip_skips,
        widths=family.usual_widths,
        encoder_widths=family.usual_encoder_widths,
        hint=family.hint,
    )


def _facts(
    kind: Literal["demo", "folder", "file", "hub"],
    family: FamilyFacts,
    size: tuple[int, int],
    preset: str,
    path: Path,
    headers: Sequence[Header],
) -> BaseFacts:
    """`size`: native side, and pixels that sides must be a multiple of; buckets take a sixteenth of the native side."""
    native, least = size
    shapes = {name: shape for header in headers for name, shape in header.shapes.items()}
    return BaseFacts(
        kind=kind,
        family=family.name,
        native_size=native,
        floors=family.floors(native),
        bucket_step=bucket_step(native, least),
        preset=preset or family.presets[0],
        path=path,
        clip_skips=family.clip_skips,
        widths=family.widths(shapes),
        encoder_widths=family.encoder_widths(shapes),
        hint=family.hint,
        companion=family.companion if kind == "file" else "",
        companion_size=family.companion_size if kind == "file" else "",
    )


def _of_folder(folder: Path, kind: Literal["demo", "folder", "hub"], preset: str) -> BaseFacts:
    """A folder in diffusers layout."""
    index = _config(folder / "model_index.json", "This folder is not a base model in diffusers layout")
    part = "transformer" if present(index, "transformer") else "unet"
    denoiser = _config(folder / part / "config.json", f"This base has no config of its {part}")
    family = next(
        (each for each in FAMILIES.values() if each.denoiser == part and each.in_folder(index, denoiser)),
        None,
    )
    _check_inputs(index, denoiser)
    if family is None:
        _refuse_family(_not_there(index, denoiser), str(index.get("_class_name")))
    vae = _config(folder / "vae" / "config.json", "This base has no VAE config")
    if not list((folder / part).glob("*.safetensors")) and list((folder / part).glob("*.bin")):
        raise refuse(
            "The weights in this folder are pickles (.bin), and opening one runs whatever code is in it.",
            hint="Use a version of the model with .safetensors files.",
            usage=True,
        )
    headers = _headers(folder / part)
    if not family.freezes_text_encoder:
        headers += _headers(folder / "text_encoder")
    return _facts(kind, family, family.size(denoiser, vae), preset, folder, headers)


def _headers(part: Path) -> list[Header]:
    weights = sorted(part.glob("*.safetensors"))
    return [read_header(file) for file in weights if ".fp16" not in file.name or len(weights) == 1]


def _check_inputs(index: Mapping[str, Any], denoiser: Mapping[str, Any]) -> None:
    """Refuse a folder whose denoiser is not that of a base: it takes more than noisy latents, or only refines them."""
    if denoiser.get("in_channels") == 9:
        raise _not_a_base("an inpainting model", "its U-Net takes 9 channels")
    if denoiser.get("addition_embed_type") == "text_time" and not present(index, "text_encoder"):
        raise _not_a_base("an SDXL refiner", "it has the second text encoder only")
    inputs = denoiser.get("in_channels")
    if denoiser.get("_class_name") == "FluxTransformer2DModel" and isinstance(inputs, int) and inputs > 64:
        raise _not_a_base(
            "a FLUX model that fills or is led by a picture", f"its transformer takes {inputs} channels"
        )


def _not_there(index: Mapping[str, Any], denoiser: Mapping[str, Any]) -> str:
    """A family that is recognised by its folder and not there; "" for none."""
    if "unet" in index:
        return "sd2" if denoiser.get("cross_attention_dim") == 1024 else ""
    name = str(index.get("_class_name", "")).lower()
    known = {"qwen": "qwen_edit", "stablediffusion3": "sd3"}
    return next((family for word, family in known.items() if word in name), "")


def _of_file(path: Path) -> BaseFacts:
    """One .safetensors file, judged by its tensors."""
    if path.suffix.lower() != ".safetensors":
        hint = "Name a folder in diffusers layout or a .safetensors file."
        raise refuse(f"{path.name} is not a .safetensors file.", hint=hint, usage=True)
    header = read_header(path)
    other = no_base(header.shapes)
    if other:
        raise _not_a_base(*other)
    found = family_of(header.shapes)
    if found not in FAMILIES:
        _refuse_family(found, "")
    return _facts("file", FAMILIES[found], FAMILIES[found].file_size, "", path, [header])


def _refuse_family(family: str, said: str) -> NoReturn:
    """Raise Refused for a base whose family is not there."""
    named = (
        f"This is {NOT_THERE[family][0]} ({family})"
        if family
        else f"The family of this base is not known{said and f' ({said})'}"
    )
    raise refuse(f"{named}.", hint=f"Families that can be trained: {', '.join(FAMILIES)}.", usage=True)


def _not_a_base(what: str, why: str) -> Exception:
    hint = "base.source must name a complete base: text encoders, VAE, and a denoiser that takes noisy latents only."
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
