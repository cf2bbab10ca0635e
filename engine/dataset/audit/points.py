"""What a picture looks like around some hundred of its points, so that a part of it is found in another picture."""

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np

from engine.dataset.audit.look import SMALLEST, Array, Look
from engine.dataset.audit.shapes import Measure, Values

SIDE: Final = 512
"""Long side in pixels at which points are looked for."""
MOST: Final = 300
"""Points of a picture."""
SHADES: Final = 32
"""Grey levels a side of the whole picture."""
VERSION: Final = "1"
NOTHING: Final = np.zeros(0, np.uint64)
"""Codes of a picture without points."""
_LEVELS, _STEP = 6, 1.26
"""Scales, and from one to the next: a part of half the width is found two times as large."""
_PATCH, _APART = 16, 1.4
"""Samples a side of what is described around a point, and pixels between them."""
_WAVES: Final = 8
_MARGIN, _CELLS = 12, 8
_FINE: Final = 64.0
"""Places are kept in these parts of a pixel."""
_COSINES: Final = np.cos(
    np.pi * (2 * np.arange(_PATCH) + 1) * np.arange(_WAVES)[:, None] / (2 * _PATCH)
).astype(np.float32)


def _take(look: Look) -> Values:
    grey = look.grey
    if min(grey.shape) < SMALLEST:
        return {}
    scale = min(1.0, SIDE / max(grey.shape))
    if scale < 1:
        size = (round(grey.shape[1] * scale), round(grey.shape[0] * scale))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    codes, places = [], []
    shares = _STEP ** -np.arange(_LEVELS)
    for level, share in enumerate(shares / shares.sum()):
        size = tuple(round(side / _STEP**level) for side in reversed(grey.shape))
        if min(size) < 4 * _MARGIN:
            break
        # Smoothed a little: JPEG blocks and noise are corners too.
        smooth = cv2.GaussianBlur(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
        columns, rows = _corners(smooth, round(MOST * share))
        codes.append(_described(smooth, columns, rows))
        across, down = grey.shape[1] / size[0], grey.shape[0] / size[1]
        places.append(np.stack([(columns + 0.5) * across, (rows + 0.5) * down], axis=1))
    kept = np.rint(np.concatenate(places) * _FINE).astype(np.uint16)
    shades = cv2.resize(grey, (SHADES, SHADES), interpolation=cv2.INTER_AREA)
    told = np.concatenate(codes).tobytes() + kept.tobytes() + shades.tobytes()
    return {"points": base64.b64encode(told).decode(), "size": [grey.shape[1], grey.shape[0]]}


def _corners(grey: Array, count: int) -> tuple[Array, Array]:
    """Columns and rows of the strongest corners: in each cell of the picture three, then three more, and so on."""
    strength = cv2.cornerMinEigenVal(grey, 5)
    best = (strength == cv2.dilate(strength, np.ones((7, 7), np.uint8))) & (strength > 1e-5)
    inner = np.zeros_like(best)
    inner[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] = best[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    rows, columns = np.nonzero(inner)
    strong = -strength[rows, columns]
    cell = rows * _CELLS // grey.shape[0] * _CELLS + columns * _CELLS // grey.shape[1]
    order = np.lexsort((strong, cell))
    rows, columns, strong, cell = rows[order], columns[order], strong[order], cell[order]
    rank = np.arange(len(cell)) - np.searchsorted(cell, cell)
    chosen = np.lexsort((strong, rank // 3))[:count]
    return columns[chosen], rows[chosen]


def _described(grey: Array, columns: Array, rows: Array) -> Array:
    """(n,) uint64: the signs of the 8 x 8 longest waves around each point, as it stands and not turned."""
    if not len(columns):
        return NOTHING
    around = ((np.arange(_PATCH) - (_PATCH - 1) / 2) * _APART).astype(np.float32)
    shape = (len(columns), _PATCH, _PATCH)
    across = np.broadcast_to(columns.astype(np.float32)[:, None, None] + around[None, None, :], shape)
    down = np.broadcast_to(rows.astype(np.float32)[:, None, None] + around[None, :, None], shape)
    flat = (-1, _PATCH)
    patches = cv2.remap(
        grey, across.reshape(flat), down.reshape(flat), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    waves = _COSINES @ patches.reshape(shape).astype(np.float32) @ _COSINES.T
    return np.packbits((waves > 0).reshape(-1, _WAVES * _WAVES), axis=1).view(np.uint64).ravel()


POINTS = Measure(name="points", version=VERSION, stage="pixels", take=_take, apart=True)
"""points: base64 of 8 bytes a point (signs of 8 x 8 waves around it), 4 bytes a point (its column and row in 1/64 px) and
32 x 32 grey levels of the whole; size: width and height that columns and rows are of. About 6 kB. {} below SMALLEST."""


def bit(row: int, column: int) -> np.uint64:
    """The place of a wave in the code of a point."""
    alone = np.zeros((_WAVES, _WAVES), np.uint8)
    alone[row, column] = 1
    return np.uint64(np.packbits(alone.reshape(1, -1), axis=1).view(np.uint64)[0, 0])


MIRRORED: Final = np.bitwise_or.reduce([bit(row, at) for row in range(_WAVES) for at in range(1, _WAVES, 2)])
"""What changes in the code of a point when the picture is mirrored left to right."""


@dataclass(frozen=True)
class Points:
    """The points of one picture, as they were kept."""

    told: Values

    @cached_property
    def _bytes(self) -> bytes:
        return base64.b64decode(self.told["points"])

    @property
    def size(self) -> Array:
        """Width and height in pixels that places are of."""
        return np.array(self.told["size"], np.float32)

    @cached_property
    def codes(self) -> Array:
        """(n,) uint64."""
        return np.frombuffer(self._bytes, np.uint64, self._count)

    @cached_property
    def places(self) -> Array:
        """(n, 2) float32: column and row in pixels."""
        kept = np.frombuffer(self._bytes, np.uint16, 2 * self._count, offset=8 * self._count)
        return kept.reshape(-1, 2).astype(np.float32) / np.float32(_FINE)

    @cached_property
    def shades(self) -> Array:
        """(32, 32) uint8."""
        return np.frombuffer(self._bytes, np.uint8, offset=12 * self._count).reshape(SHADES, SHADES)

    @property
    def _count(self) -> int:
        return (len(self._bytes) - SHADES * SHADES) // 12

    def mirrored(self) -> "Mirrored":
        """The same picture left to right."""
        return Mirrored(self.told)


class Mirrored(Points):
    """What the points of a picture would be if it were mirrored left to right."""

    @cached_property
    def codes(self) -> Array:
        """As of the mirrored picture."""
        return super().codes ^ MIRRORED

    @cached_property
    def places(self) -> Array:
        """As of the mirrored picture."""
        return np.stack([self.size[0] - super().places[:, 0], super().places[:, 1]], axis=1)

    @cached_property
    def shades(self) -> Array:
        """As of the mirrored picture."""
        return np.ascontiguousarray(super().shades[:, ::-1])


def read(told: Values | dict[str, Any]) -> Points | None:
    """What POINTS says of a picture, None where it says nothing."""
    return Points(told) if told.get("points") else None
