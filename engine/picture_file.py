"""A made picture as a PNG file: its settings for A1111, all of them as JSON, and the mark that it was made.

Three chunks stand in front of the pixels:

- `parameters`: what A1111 and its relatives show and take over. Prompt, then `Negative prompt: ...`, then one
  line of `Key: value` pairs. A value with a comma, a colon or a line break is quoted as JSON, for their reader.
- `safelight`: JSON with every setting. Exact for any text; the other one is only as exact as its format.
- `XML:com.adobe.xmp`: XMP with IPTC's DigitalSourceType, which says that a trained model made the picture.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from projects.atomic import write_bytes
from projects.problems import refuse
from projects.spec import Sampler

FORMAT = 1
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
SAMPLER_NAMES: Mapping[Sampler, str] = {
    "dpm++ 2m karras": "DPM++ 2M Karras",
    "euler a": "Euler a",
    "euler": "Euler",
    "ddim": "DDIM",
    "unipc": "UniPC",
}
"""Samplers as A1111 spells them."""

_SETTINGS_CHUNK, _A1111_CHUNK, _XMP_CHUNK = "safelight", "parameters", "XML:com.adobe.xmp"
_PACKAGES = ("safelight", "torch", "diffusers", "transformers", "peft")


@dataclass(frozen=True, kw_only=True)
class UsedAdapter:
    """An adapter that acted on a picture."""

    name: str
    """As a prompt calls it: the name of its file without the ending."""
    weight: float
    """Factor on its effect."""
    hash: str = ""
    """`tensors_hash` of its file; empty while it is not a file yet."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a picture follows from. No absolute paths: pictures are passed on."""

    prompt: str
    negative: str
    seed: int
    guidance: float
    true_guidance: float | None = None
    """Classifier-free guidance of a base whose `guidance` is distilled into it, 1 where there is none; None for other
    bases."""
    steps: int
    sampler: Sampler
    size: tuple[int, int]
    """Width and height in pixels."""
    base: str
    """The base's name, without its folder."""
    base_fingerprint: str
    """sha256 that names the base's weights."""
    quantize: str = "none"
    """How the base was quantised when the picture was drawn."""
    adapters: tuple[UsedAdapter, ...] = ()
    """Empty: the base alone."""
    run: str = ""
    """Name of the run whose adapter acted."""
    step: int | None = None
    """Its training step."""


def write_picture(path: Path, picture: Image.Image, settings: Settings) -> None:
    """Write a picture with its settings, whole or not at all. Raises Refused when it cannot be written."""
    write_png(path, encode_png(picture, asdict(settings), parameters=parameters(settings)))


def write_png(path: Path, data: bytes) -> None:
    """Write an encoded picture, whole or not at all. Raises Refused when it cannot be written."""
    try:
        write_bytes(path, data)
    except OSError as error:
        raise refuse(
            f"The picture could not be written: {error.strerror or error}.",
            where=path,
            hint="Make room or mend the permission, then start again.",
        ) from error


def encode_png(picture: Image.Image, facts: Mapping[str, Any], *, parameters: str = "") -> bytes:
    """The PNG file: `facts` (format and versions are added) in the `safelight` chunk, `parameters`, XMP."""
    chunks = PngImagePlugin.PngInfo()
    if parameters:
        chunks.add_text(_A1111_CHUNK, parameters.encode("utf-8", "replace").decode("utf-8"))
    # ASCII with escapes: any text survives, even halves of surrogate pairs from a terminal's arguments.
    chunks.add_text(_SETTINGS_CHUNK, json.dumps({"format": FORMAT, **facts, "versions": dict(versions())}))
    chunks.add_itxt(_XMP_CHUNK, made_mark())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


def read_settings(path: Path) -> dict[str, Any]:
    """The `safelight` chunk of a picture or sheet. Refused where the file is no PNG of ours."""
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            text = picture.info.get(_SETTINGS_CHUNK)
        settings = json.loads(text) if isinstance(text, str) else None
    except FileNotFoundError:
        raise refuse("There is no such file.", where=path) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise refuse(
            "The file cannot be read as a PNG picture.", where=path, hint="Make it again."
        ) from error
    if not isinstance(settings, dict):
        raise refuse(
            "The picture carries no settings of Safelight.", where=path, hint="Give one that Safelight made."
        )
    return settings


def parameters(settings: Settings) -> str:
    """The text of the `parameters` chunk.

    Adapters stand behind the prompt as `<lora:NAME:WEIGHT>`: so A1111 applies them when it takes the text.
    """
    tags = [f"<lora:{_plain(adapter.name)}:{adapter.weight:g}>" for adapter in settings.adapters]
    hashes = ", ".join(
        f"{_plain(adapter.name)}: {adapter.hash}" for adapter in settings.adapters if adapter.hash
    )
    width, height = settings.size
    # Forge calls the number that a distilled base is told by a name of its own, and what is left the usual one.
    distilled = settings.true_guidance is not None
    values = {
        "Steps": settings.steps,
        "Sampler": SAMPLER_NAMES[settings.sampler],
        "CFG scale": f"{settings.true_guidance if distilled else settings.guidance:g}",
        "Distilled CFG Scale": f"{settings.guidance:g}" if distilled else "",
        "Seed": settings.seed,
        "Size": f"{width}x{height}",
        "Model hash": settings.base_fingerprint[:10],
        "Model": settings.base,
        "Lora hashes": hashes,
        "Version": f"Safelight {versions()['safelight']}",
    }
    lines = [" ".join((settings.prompt, *tags))]
    if settings.negative:
        lines.append(f"Negative prompt: {settings.negative}")
    lines.append(", ".join(f"{key}: {_quoted(str(value))}" for key, value in values.items() if value != ""))
    return "\n".join(lines)


def tensors_hash(path: Path) -> str:
    """First 12 digits of the sha256 over a .safetensors file behind its header: how A1111 knows a LoRA.

    Edited metadata does not change it.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(int.from_bytes(file.read(8), "little"), io.SEEK_CUR)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:12]


@cache
def versions() -> Mapping[str, str]:
    """What the picture was made with: package -> version, "" where it is not installed."""
    return {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _quoted(value: str) -> str:
    if any(mark in value for mark in ",\n:"):
        return json.dumps(value, ensure_ascii=False)
    return value


def _plain(name: str) -> str:
    """A name that cannot end its tag, or its pair in the list of hashes, early."""
    return "".join("_" if mark in "<>:," or not mark.isprintable() else mark for mark in name)


def made_mark() -> str:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about=""\n'
        '    xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
        '    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"\n'
        '    xmp:CreatorTool="Safelight"\n'
        f'    Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/>\n'
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    )
