"""The cache's files: entries named by the content they were made from, what they are for, and what may go. No torch.

An entry's name is the sha256 of its *origin*, a small JSON object with everything that decides its content; the entry
carries that object in its header. So a changed picture, caption, crop or model is another name: nothing goes stale.
"""

import hashlib
import json
import re
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.dataset.captions import read_caption
from engine.dataset.items import Item, Placement, file_sha256, read_items
from engine.dataset.pictures import EXTENSIONS
from projects.job import JobDir
from projects.locks import holder
from projects.problems import refuse
from projects.project import read_job, runs
from projects.worker import state_of

LATENT_VERSION = 1
"""Raised when the same picture and placement would give other latents: opening, scaling, colour, scale of latents."""
TILED_ABOVE = 1536
"""Pictures of more pixels than a square of this side pass the VAE in tiles: whole they would take tens of gigabytes."""
TILE = 1024
"""Side of a tile in pixels, a quarter of it shared with the next one."""
CONDITION_VERSION = 1
"""Raised when the same text would give another condition."""

Origin = dict[str, Any]
_AT_WORK = ("live", "stalled", "queued", "elsewhere")
_BEING_WRITTEN = 3600.0
"""Seconds for which a hidden file may still be somebody's half-written entry."""


@dataclass(frozen=True)
class Cache:
    """The cache of one project; may be deleted at any time."""

    folder: Path

    @property
    def latents(self) -> Path:
        """Mean and deviation of the latents, one entry a picture, placement, background, mirroring and VAE."""
        return self.folder / "latents"

    @property
    def conditions(self) -> Path:
        """What the denoiser is told, one entry a text and set of encoders."""
        return self.folder / "conditions"

    def latent_file(self, origin: Origin) -> Path:
        """Where the entry of that origin is, or will be."""
        return self.latents / f"{name_of(origin)}.safetensors"

    def condition_file(self, origin: Origin) -> Path:
        """Where the entry of that origin is, or will be."""
        return self.conditions / f"{name_of(origin)}.safetensors"


def latent_origin(*, picture: str, placement: Placement, background: str, flip: bool, vae: str) -> Origin:
    """What decides latents. `picture` is the sha256 of the file's bytes, `vae` the VAE's digest."""
    tiles = {"tile": TILE} if in_tiles(*placement.bucket) else {}
    return {
        "version": LATENT_VERSION,
        "picture": picture,
        "bucket": list(placement.bucket),
        "scaled": list(placement.scaled),
        "crop_left_top": list(placement.crop_left_top),
        "background": background.lower(),
        "flip": flip,
        "vae": vae,
        **tiles,
    }


def in_tiles(width: int, height: int) -> bool:
    """Whether a picture of so many pixels passes the VAE in tiles. Its size alone decides, never the memory of a card."""
    return width * height > TILED_ABOVE**2


def condition_origin(
    *, text: str | None, family: str, encoders: Mapping[str, str], clip_skip: int | None, zeros: bool
) -> Origin:
    """What decides a condition. `text` None is the unconditional; `zeros` says whether the base's is zeros.

    `encoders` are the digests of text encoders and tokenizers by part.
    """
    return {
        "version": CONDITION_VERSION,
        "text": text,
        "family": family,
        "encoders": dict(sorted(encoders.items())),
        "clip_skip": clip_skip,
        "zeros": zeros and text is None,
    }


def name_of(origin: Origin) -> str:
    """The name of the entry with that origin: sha256 of its canonical JSON, hex."""
    return hashlib.sha256(written(origin).encode()).hexdigest()


def written(origin: Origin) -> str:
    """Canonical JSON of an origin, as it is hashed and as the entry's header carries it."""
    return json.dumps(origin, sort_keys=True, separators=(",", ":"))


def origin_of(entry: Path) -> Origin | None:
    """The origin of a whole entry; None for a file that is cut short, damaged, or not the entry its name says."""
    try:
        size = entry.stat().st_size
        with entry.open("rb") as stream:
            length = struct.unpack("<Q", stream.read(8))[0]
            header = json.loads(stream.read(length)) if length < size else {}
        ends = [value["data_offsets"][1] for key, value in header.items() if key != "__metadata__"]
        origin = json.loads(header["__metadata__"]["origin"])
    except (OSError, ValueError, KeyError, TypeError, IndexError, struct.error):
        return None
    whole = bool(ends) and size == 8 + length + max(ends) and isinstance(origin, dict)
    return origin if whole and name_of(origin) == entry.stem else None


def why(project: Path, file: Path) -> list[str]:
    """Lines that say which entries exist for a picture or caption file, what names them, and which runs read them.

    Raises Refused for a file that is neither, or cannot be read.
    """
    cache, file = Cache(project / "cache"), file if file.is_absolute() else Path.cwd() / file
    if not file.is_file():
        raise refuse(
            "There is no such file.", where=file, hint="Name a picture or a caption file.", usage=True
        )
    used = [(run, items) for run in runs(project) if (items := _items(run))]
    return (
        _why_picture(cache, used, file)
        if file.suffix.lower() in EXTENSIONS
        else _why_caption(cache, used, file)
    )


def prune(project: Path) -> tuple[int, int]:
    """Delete entries that no live or resumable run needs, and rests of writers that died. Gives (files, bytes).

    While a training is still looking at its pictures nothing is deleted; while another job is at work no condition is.
    """
    cache, needs = Cache(project / "cache"), _needs(project)
    if needs is None:
        return 0, 0
    files = freed = 0
    for folder in (cache.latents, cache.conditions):
        for entry in sorted(folder.glob("*")) if folder.is_dir() else []:
            if entry.name.startswith(".") and time.time() - entry.stat().st_mtime < _BEING_WRITTEN:
                continue
            origin = origin_of(entry)
            if entry.is_file() and not (origin and needs.has(origin)):
                files, freed = files + 1, freed + entry.stat().st_size
                entry.unlink()
    return files, freed


@dataclass
class _Needs:
    """What must stay. Whatever the digests: a base may come back under another name."""

    pictures: set[str] = field(default_factory=set)
    texts: set[str | None] = field(default_factory=set)
    every_text: bool = False

    def has(self, origin: Origin) -> bool:
        """Whether the entry of that origin is needed."""
        if "picture" in origin:
            return _cut(origin["picture"], origin) in self.pictures
        return self.every_text or origin.get("text") in self.texts


def _needs(project: Path) -> _Needs | None:
    needs = _Needs()
    for run in runs(project):
        state = state_of(run)
        if state == "done":
            continue
        items = _items(run)
        if not items and state in _AT_WORK and not _never_began(run):
            return None
        for item in items:
            needs.pictures |= {_cut(item.sha256, _cut_of(placement)) for placement in item.placements}
            needs.texts |= set(item.captions)
        sample = read_job(run).spec.sample
        needs.texts |= {None, sample.negative, *sample.prompts}
    for job in _other_jobs(project):
        needs.every_text = needs.every_text or state_of(job) in _AT_WORK
    return needs


def _never_began(run: JobDir) -> bool:
    """A run that was written long ago and whose worker never held its lock: nobody waits for what it would need."""
    return (
        not run.events.exists()
        and holder(run.lock) is None
        and time.time() - run.spec.stat().st_mtime > _BEING_WRITTEN
    )


def _other_jobs(project: Path) -> Iterator[JobDir]:
    for folder in (project / "jobs", *(run.jobs for run in runs(project))):
        yield from (JobDir(path) for path in sorted(folder.glob("*")) if (path / "spec.toml").is_file())


def _items(run: JobDir) -> list[Item]:
    return read_items(run.items) if run.items.is_file() else []


def _cut_of(placement: Placement) -> Origin:
    return {"bucket": placement.bucket, "scaled": placement.scaled, "crop_left_top": placement.crop_left_top}


def _cut(picture: str, origin: Origin) -> str:
    return f"{picture} {list(origin['bucket'])} {list(origin['scaled'])} {list(origin['crop_left_top'])}"


def _entries(folder: Path) -> list[tuple[Path, Origin]]:
    """Whole entries, each with its origin. A rest of a dead writer has another suffix and is none."""
    return [(entry, origin) for entry in sorted(folder.glob("*.safetensors")) if (origin := origin_of(entry))]


def _why_picture(cache: Cache, used: list[tuple[JobDir, list[Item]]], file: Path) -> list[str]:
    digest = file_sha256(file)
    lines = [f"{file.name} is {digest[:12]} (sha256 of its bytes)."]
    found = [(entry, origin) for entry, origin in _entries(cache.latents) if origin["picture"] == digest]
    for entry, origin in found:
        cut = _cut(digest, origin)
        readers = [
            run.path.name
            for run, items in used
            if any(cut == _cut(item.sha256, _cut_of(one)) for item in items for one in item.placements)
        ]
        (width, height), (wide, high), (left, top) = (
            origin["bucket"],
            origin["scaled"],
            origin["crop_left_top"],
        )
        lines.append(
            f"latents/{entry.name[:12]}: {width} x {height} from column {left}, row {top} of {wide} x {high}"
            f"{', mirrored' if origin['flip'] else ''}, on {origin['background']}, VAE {origin['vae'][:12]}; "
            f"{_read_by(readers)}."
        )
    if not found:
        lines.append("No entry: it is encoded when a run needs it.")
    for run, items in used:
        old = [item.sha256[:12] for item in items if _same(item.path, file) and item.sha256 != digest]
        lines += [
            f"{run.path.name} was started when it was {sha256}; the file has changed since." for sha256 in old
        ]
    return lines


def _why_caption(cache: Cache, used: list[tuple[JobDir, list[Item]]], file: Path) -> list[str]:
    text = read_caption(file)
    lines = [f"{file.name} says {json.dumps(text, ensure_ascii=False)}."]
    found = [(entry, origin) for entry, origin in _entries(cache.conditions) if origin["text"] == text]
    readers = [run.path.name for run, items in used if any(text in item.captions for item in items)]
    for entry, origin in found:
        encoders = ", ".join(f"{part} {digest[:12]}" for part, digest in origin["encoders"].items())
        lines.append(
            f"conditions/{entry.name[:12]}: {encoders}, clip skip {origin['clip_skip']}; {_read_by(readers)}."
        )
    if not found:
        lines.append("No entry: it is encoded when a run needs it.")
    stems = {file.stem, re.sub(r"\.\d+$", "", file.stem)}
    for run, items in used:
        own = [item for item in items if item.path.stem in stems and _same(item.path.parent, file.parent)]
        if any(text not in item.captions for item in own):
            lines.append(f"{run.path.name} was started with another text; the caption has changed since.")
    return lines


def _same(one: Path, other: Path) -> bool:
    return one.name == other.name and one.resolve() == other.resolve()


def _read_by(readers: list[str]) -> str:
    return f"read by {', '.join(readers)}" if readers else "read by no run"
