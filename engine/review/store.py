"""The pictures of a review, named by what made them, and what was measured of them: nothing is made or measured twice.

`pictures/ID.png`, and `measures.jsonl`, one line a number: its key is a digest of the picture, of what was measured and of
everything that this depends on. Both only grow; a review that was stopped finds all of it again.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from engine.draw import Shot
from engine.picture_file import write_picture
from engine.review.shots import adapter_key
from engine.sample import Origin
from projects import atomic

_DIGITS = 16


def digest_of(*what: object) -> str:
    """16 hex digits that name anything JSON can say."""
    text = json.dumps(what, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def picture_id(shot: Shot, origin: Origin) -> str:
    """What names the picture of `shot`: its settings, base and adapters by their bytes, and in what numbers it is
    computed."""
    base = origin.base
    settings = asdict(shot) | {
        "weights": sorted(
            (*origin.adapters[key], origin.scales.get(key, 1.0), weight) for key, weight in shot.weights
        )
    }
    read = [base.clip_skip, base.zero_unconditional, base.objective, dict(base.scheduler)]
    return digest_of("picture 2", settings, base.fingerprint, read, origin.quantize, origin.precision)


class Pictures:
    """The folder `pictures` of a review."""

    def __init__(self, review: Path, origin: Origin) -> None:
        self._folder, self._origin = review / "pictures", origin
        self._folder.mkdir(parents=True, exist_ok=True)

    def adapter_of(self, checkpoint: int | None) -> list[object]:
        """What names the run's adapter at a checkpoint, and in what numbers it is computed; the base's numbers alone
        for None."""
        numbers: list[object] = [self._origin.quantize, self._origin.precision]
        if checkpoint is None:
            return numbers
        key = adapter_key(checkpoint)
        return [*numbers, self._origin.adapters[key][1], self._origin.scales.get(key, 1.0)]

    def id_of(self, shot: Shot) -> str:
        """What names the picture of `shot`."""
        return picture_id(shot, self._origin)

    def file(self, shot: Shot) -> Path:
        """Where the picture of `shot` is, or will be."""
        return self._folder / f"{self.id_of(shot)}.png"

    def has(self, shot: Shot) -> bool:
        """Whether it is there, whole."""
        try:
            self.read(shot)
        except (OSError, ValueError, SyntaxError, UnidentifiedImageError):
            return False
        return True

    def read(self, shot: Shot) -> Image.Image:
        """The picture, RGB. Raises OSError and what Pillow raises for what is no picture."""
        with Image.open(self.file(shot), formats=["PNG"]) as picture:
            return picture.convert("RGB")

    def keep(self, shot: Shot, picture: Image.Image) -> None:
        """Write it with its settings, whole or not at all. Raises Refused where that cannot be."""
        write_picture(self.file(shot), picture, self._origin.settings(shot))


class Measured:
    """Numbers by key, in memory and in `measures.jsonl`."""

    def __init__(self, review: Path) -> None:
        self._file = review / "measures.jsonl"
        self._known = _read(self._file)

    def get(self, key: str) -> Any:
        """What was measured; None where nothing was."""
        return self._known.get(key)

    def keep(self, found: Mapping[str, Any]) -> None:
        """Add numbers by their keys. Raises OSError."""
        if found:
            lines = [json.dumps({"key": key, "value": value}).encode() for key, value in found.items()]
            atomic.append_line(self._file, b"\n".join(lines))
            self._known.update(found)


def _read(file: Path) -> dict[str, Any]:
    """What the file says; a line that is damaged is measured again."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return {}
    known = {}
    for line in lines:
        try:
            told = json.loads(line)
            known[str(told["key"])] = told["value"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return known
