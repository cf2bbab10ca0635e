"""One picture as the measures see it: its bytes once, its header, and its pixels at the working size."""

import hashlib
import io
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from engine.dataset.pictures import open_data, open_header, picture_bytes

WORKING = 1024
"""Long side in pixels at which pictures are measured: larger ones are scaled down, smaller ones stay."""

SMALLEST = 192
"""Short side in pixels below which nothing can be said of seams, flat areas, bars and marks: they are a pixel or two."""

Array = np.ndarray[Any, Any]


class Look:
    """Everything here is made when it is asked for first, and kept."""

    def __init__(self, path: Path, background: str = "#ffffff") -> None:
        """Raises Unopened when the file cannot be read."""
        self.path = path
        self.background = background
        stat = path.stat() if path.is_file() else None
        self.data = picture_bytes(path)
        self.stat = (stat.st_size, stat.st_mtime_ns) if stat else (0, 0)
        """Bytes and time of change (ns) before it was read: what changes it afterwards changes them."""

    @cached_property
    def sha256(self) -> str:
        """Of the file's bytes."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def header(self) -> Image.Image:
        """The file opened and not decoded: size as stored, mode, `info`, `getexif()`. Raises Unopened."""
        return open_header(self.path, self.data)

    @cached_property
    def _opened(self) -> tuple[Image.Image, tuple[int, int]]:
        return open_data(self.path, self.data, self.background, at_least=WORKING)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole picture, upright, whatever size it is measured at. Raises Unopened."""
        return self._opened[1]

    @cached_property
    def rgb(self) -> Array:
        """(H, W, 3), uint8: upright, sRGB, long side at most WORKING. Raises Unopened."""
        picture = self._opened[0]
        pixels = np.asarray(picture)
        scale = WORKING / max(picture.size)
        if scale >= 1:
            return pixels
        size = tuple(max(1, round(side * scale)) for side in picture.size)
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)

    @cached_property
    def grey(self) -> Array:
        """(H, W), uint8: luma of `rgb`."""
        return cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY)

    @cached_property
    def lab(self) -> Array:
        """(H, W, 3), uint8: L* x 255/100, a* + 128, b* + 128 of `rgb`."""
        return cv2.cvtColor(self.rgb, cv2.COLOR_RGB2LAB)

    def read(self) -> io.BytesIO:
        """The bytes as a file."""
        return io.BytesIO(self.data)
