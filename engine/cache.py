"""Encode once: moments of latents and conditions of texts, in files named by content, read back slot by slot.

One picture and one text at a time, in fp32: an entry's bits do not depend on what was encoded beside it.
"""

import errno
import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from engine.dataset.cachefiles import Cache, Origin, condition_origin, latent_origin, origin_of, written
from engine.dataset.items import Item, Placement, verify_unchanged
from engine.dataset.pictures import prepared
from engine.families.family import Base, Condition, Family
from projects.atomic import write_bytes
from projects.problems import Refused, refuse

__all__ = ["Cache", "ConditionReader", "LatentReader", "encode_latents", "encode_texts"]

Progress = Callable[[int, int], object]
"""(done, total) in entries; what was there already counts as done."""

_REMEMBERED = 512 * 1024 * 1024
"""Bytes of entries that a reader keeps in memory."""


class _Entries:
    """Entries by path, the first half gigabyte of them kept in memory."""

    def __init__(self) -> None:
        self._kept: dict[Path, Mapping[str, Tensor]] = {}
        self._bytes = 0

    def read(self, file: Path) -> Mapping[str, Tensor]:
        """The tensors of an entry. Raises Refused when it is not there or damaged."""
        if file in self._kept:
            return self._kept[file]
        hint = "Resume the run: what is missing is encoded again."
        if origin_of(file) is None:
            raise refuse("An entry of the cache is missing or damaged.", where=file, hint=hint)
        try:
            tensors = load_file(file)
        except (OSError, SafetensorError) as error:
            raise refuse("An entry of the cache cannot be read.", where=file, hint=hint) from error
        size = sum(tensor.nbytes for tensor in tensors.values())
        if self._bytes + size <= _REMEMBERED:
            self._kept[file] = tensors
            self._bytes += size
        return tensors


class LatentReader:
    """Latents of a run's items."""

    def __init__(self, cache: Cache, base: Base, *, background: str) -> None:
        self._cache, self._vae, self._background = cache, base.parts["vae"], background
        self._entries = _Entries()
        # A name is a digest of JSON: made once an entry, since a step asks for as many as it has slots.
        self._files: dict[tuple[str, Placement, bool], Path] = {}

    def get(self, item: Item, resolution: int, flip: bool) -> tuple[Tensor, Tensor]:
        """(mean_CHW, std_CHW), fp32, at that index of the item's placements. Raises Refused when the entry is gone."""
        placement = item.placements[resolution]
        asked = (item.sha256, placement, flip)
        if asked not in self._files:
            origin = _latent_origin(item, placement, flip, self._background, self._vae)
            self._files[asked] = self._cache.latent_file(origin)
        entry = self._entries.read(self._files[asked])
        return entry["mean"], entry["std"]


class ConditionReader:
    """Conditions of the texts that were encoded for a run."""

    def __init__(self, cache: Cache, family: Family, base: Base) -> None:
        self._cache, self._family, self._base = cache, family, base
        self._entries = _Entries()
        self._files: dict[str | None, Path] = {}

    def get(self, text: str) -> Condition:
        """The condition of `text`, fp32, without a batch axis. Raises Refused when the entry is gone."""
        return self._read(text)

    def unconditional(self) -> Condition:
        """What sampling with an empty negative prompt uses, and caption dropout trains."""
        return self._read(None)

    def batch(self, texts: Sequence[str | None]) -> Condition:
        """Conditions of several texts (None: the unconditional) with the batch axis in front."""
        each = [self._read(text) for text in texts]
        return {key: torch.stack([one[key] for one in each]) for key in each[0]}

    def _read(self, text: str | None) -> Condition:
        if text not in self._files:
            origin = _condition_origin(text, self._family, self._base)
            self._files[text] = self._cache.condition_file(origin)
        return self._entries.read(self._files[text])


def encode_latents(
    cache: Cache,
    family: Family,
    base: Base,
    items: Sequence[Item],
    *,
    flip: bool,
    background: str,
    on_progress: Progress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> LatentReader:
    """Encode what the cache lacks: every placement of every item, mirrored too with `flip`. The VAE is in memory only here.

    Returns early, with entries missing, when `should_stop()`; what was encoded stays. Raises Refused when a picture that
    must be encoded is not the one its item names, or cannot be opened, and when the cache cannot be written.
    """
    reader = LatentReader(cache, base, background=background)
    wanted: dict[Path, tuple[Item, Placement, Origin]] = {}
    for item in items:
        for placement in item.placements:
            for mirrored in (False, True) if flip else (False,):
                origin = _latent_origin(item, placement, mirrored, background, base.parts["vae"])
                wanted[cache.latent_file(origin)] = (item, placement, origin)
    missing = _missing(cache.latents, wanted, on_progress)
    if not missing:
        return reader
    changed = verify_unchanged(list({id(wanted[file][0]): wanted[file][0] for file in missing}.values()))
    if changed:
        raise Refused(changed)
    vae = family.load_vae(base, torch.float32).to(_device())
    for number, file in enumerate(missing):
        if should_stop():
            break
        item, placement, origin = wanted[file]
        picture = np.array(prepared(item.path, placement, background, origin["flip"]))
        pixels_CHW = torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5 - 1
        mean_BCHW, std_BCHW = family.encode_images(vae, pixels_CHW[None])
        _write(file, {"mean": mean_BCHW[0], "std": std_BCHW[0]}, origin)
        on_progress(len(wanted) - len(missing) + number + 1, len(wanted))
    del vae
    _release()
    return reader


def encode_texts(
    cache: Cache,
    family: Family,
    base: Base,
    texts: Iterable[str],
    *,
    on_progress: Progress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> ConditionReader:
    """Encode what the cache lacks of `texts`, and the unconditional. The encoders are in memory only here.

    Returns early, with entries missing, when `should_stop()`. Raises Refused when the cache cannot be written.
    """
    reader = ConditionReader(cache, family, base)
    wanted: dict[Path, Origin] = {}
    for text in (None, *texts):
        origin = _condition_origin(text, family, base)
        wanted[cache.condition_file(origin)] = origin
    missing = _missing(cache.conditions, wanted, on_progress)
    if not missing:
        return reader
    encoders = _moved(family.load_encoders(base, torch.float32))
    for number, file in enumerate(missing):
        if should_stop():
            break
        text = wanted[file]["text"]
        told = (
            family.unconditional(base, encoders)
            if text is None
            else family.encode_condition(encoders, [text])[0]
        )
        _write(file, told, wanted[file])
        on_progress(len(wanted) - len(missing) + number + 1, len(wanted))
    del encoders
    _release()
    return reader


def _missing(folder: Path, wanted: Iterable[Path], on_progress: Progress) -> list[Path]:
    """Those of `wanted` that are not there as whole entries. Makes the folder."""
    files = list(wanted)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    missing = [file for file in files if origin_of(file) is None]
    on_progress(len(files) - len(missing), len(files))
    return missing


def _write(file: Path, tensors: Mapping[str, Tensor], origin: Origin) -> None:
    data = save(
        {key: tensor.detach().to("cpu", torch.float32).contiguous() for key, tensor in tensors.items()},
        # One word only: safetensors writes several in an order that changes from process to process.
        metadata={"origin": written(origin)},
    )
    try:
        write_bytes(file, data)
    except OSError as error:
        raise _cannot_write(file.parent, error) from error


def _cannot_write(folder: Path, error: OSError) -> Refused:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return refuse(
            "There is no space left for the cache.",
            where=folder,
            hint="Free some space, with `safelight cache DIR prune` for example, then resume: what was encoded stays.",
        )
    return refuse(
        f"The cache cannot be written: {error.strerror or error}.",
        where=folder,
        hint="Make the folder writable, then resume.",
    )


def _latent_origin(item: Item, placement: Placement, flip: bool, background: str, vae: str) -> Origin:
    return latent_origin(picture=item.sha256, placement=placement, background=background, flip=flip, vae=vae)


def _condition_origin(text: str | None, family: Family, base: Base) -> Origin:
    encoders = {
        part: digest for part, digest in base.parts.items() if part.startswith(("text_encoder", "tokenizer"))
    }
    return condition_origin(
        text=text,
        family=family.name,
        encoders=encoders,
        clip_skip=base.clip_skip,
        zeros=base.zero_unconditional,
    )


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _moved(encoders: Any) -> Any:
    """On the device; on the CPU where that has no room for them: T5 in fp32 takes 19 GB, which not every card has that
    trains FLUX, and minutes once are better than no run."""
    try:
        return encoders.to(_device())
    except torch.OutOfMemoryError:
        encoders.to("cpu")
        _release()
        print("The text encoders do not fit on the device: they work on the CPU.", flush=True)
        return encoders


def _release() -> None:
    """Give the memory of a model that was just dropped back, before the next one needs it."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
