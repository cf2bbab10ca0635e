"""What a file declares of its origin: maker, rights, whether a program made it, and whether it may be trained on."""

import html
import re
from contextlib import suppress
from typing import Any, Final

from engine.dataset.audit.look import Look
from engine.dataset.audit.shapes import Measure, Values

_ARTIST, _COPYRIGHT, _SOFTWARE, _EXPOSURE_IFD, _COMMENT = 0x013B, 0x8298, 0x0131, 0x8769, 0x9286
LONGEST: Final = 200
"""Letters that are kept of what a file says."""
_PACKET = 1 << 18
"""Bytes of an XMP packet that are read."""
_PROPERTIES: Final = (
    ("rights", "dc:rights"),
    ("rights", "xmpRights:UsageTerms"),
    ("creator", "dc:creator"),
    ("licence", "cc:license"),
    ("licence", "xmpRights:WebStatement"),
    ("mining", "plus:DataMining"),
    ("reserved", "tdm:reservation"),
    ("source", "Iptc4xmpExt:DigitalSourceType"),
)
_ATTRIBUTE = re.compile(r"\s*=\s*([\"'])(.*?)\1", re.DOTALL)
_RESOURCE = re.compile(r"rdf:resource\s*=\s*[\"']([^\"']+)")
_TAG = re.compile(r"<[^<>]*>")
_GENERATORS: Final = {
    "parameters": "Stable Diffusion web UI",
    "prompt": "ComfyUI",
    "workflow": "ComfyUI",
    "invokeai_metadata": "InvokeAI",
    "sd-metadata": "InvokeAI",
}
"""Text chunk of a PNG -> the program that writes it."""
_MAKERS = re.compile(
    r"NovelAI|Midjourney|DALL|Stable Diffusion|Firefly|InvokeAI|ComfyUI|Imagen", re.IGNORECASE
)


def _take(look: Look) -> Values:
    told: dict[str, Any] = {}
    exif: dict[int, Any] = {}
    comment: object = b""
    with suppress(Exception):  # EXIF holds whatever a camera or a program has put there.
        exif = dict(look.header.getexif())
        comment = look.header.getexif().get_ifd(_EXPOSURE_IFD).get(_COMMENT, b"")
    for name, tag in (("creator", _ARTIST), ("rights", _COPYRIGHT), ("software", _SOFTWARE)):
        _keep(told, name, exif.get(tag))
    if isinstance(comment, bytes) and b"Sampler: " in comment.replace(b"\0", b""):
        told["generator"] = "Stable Diffusion web UI"
    info = look.header.info
    _keep(told, "software", info.get("Software"))
    for chunk, program in _GENERATORS.items():
        if isinstance(info.get(chunk), str):
            told.setdefault("generator", program)
    if found := _MAKERS.search(told.get("software", "")):
        told.setdefault("generator", found.group())
    text = _packet(look)
    for name, wanted in _PROPERTIES:
        _keep(told, name, _property(text, wanted))
    # A manifest lies in a JUMBF box of this label; its signature is for others to check.
    if b"jumb" in look.data and b"c2pa" in look.data:
        told["c2pa"] = True
    return told


def _packet(look: Look) -> str:
    info = look.header.info
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        return packet[:_PACKET]
    data = packet if isinstance(packet, bytes) else look.data
    start = max(data.find(b"<x:xmpmeta"), 0) or max(data.find(b"<rdf:RDF"), 0)
    return data[start : start + _PACKET].decode("utf-8", "replace") if start or packet else ""


def _property(text: str, name: str) -> str:
    """By pattern, not by a parser of XML: that would open what a stranger wrote, entities and all."""
    at = text.find(name)
    if at < 0:
        return ""
    rest = text[at + len(name) : at + len(name) + 4000]
    if attribute := _ATTRIBUTE.match(rest):
        return html.unescape(attribute.group(2))
    inside = rest[:end] if (end := rest.find(f"</{name}")) >= 0 else rest.partition(">")[0]
    if resource := _RESOURCE.search(inside):
        return html.unescape(resource.group(1))
    return html.unescape(_TAG.sub(" ", inside.partition(">")[2]))


def _keep(told: dict[str, Any], name: str, value: object) -> None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str) and (words := " ".join(value.replace("\0", " ").split())):
        told.setdefault(name, words[:LONGEST])


ORIGIN = Measure(name="origin", version="1", stage="header", take=_take)
"""As far as declared: creator, rights, licence, software, generator (a program that makes pictures), mining (PLUS),
reserved (TDM), source (its end says trainedAlgorithmicMedia or the like), c2pa (True)."""
