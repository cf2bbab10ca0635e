"""Where the edges of many pictures agree: the measure, and the marks that come out of a folder of them."""

import base64
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import cv2
import numpy as np

from engine.dataset.audit.look import SMALLEST, Array, Look
from engine.dataset.audit.shapes import Audited, Measure, Values

AGREE: Final = 2.55
"""Mean of the strongest hundredth of z from which there is a mark."""
CLUSTER: Final = 1.75
"""The same of the smoothed z: a mark is in one piece."""
CARRIES: Final = (0.5, 0.4)
"""Cosine of a picture's edges to the others' at the mark from which it carries it: in a corner, and in the whole frame."""
ALIKE: Final = 1.3
"""Median of z over the whole frame from which pictures agree everywhere, as those of one burst do."""
MOST: Final = 400
"""Pictures of a folder beyond which no more are looked at."""
SHARE: Final = 0.3
"""Side of a corner, of the short side."""
_CORNER, _FRAME = 64, 96
_PLACES: Final = ("upper left", "upper right", "lower left", "lower right", "whole")
VERSION: Final = "1"
"""Of the measure and of what is computed from it."""


def _take(look: Look) -> Values:
    grey = look.grey
    height, width = grey.shape
    if min(height, width) < SMALLEST:
        return {}
    side = round(SHARE * min(height, width))
    parts = [grey[top:, left:][:side, :side] for top in (0, height - side) for left in (0, width - side)]
    cells = b"".join([*(_edges(part, _CORNER) for part in parts), _edges(grey, _FRAME)])
    return {"edges": base64.b64encode(zlib.compress(cells, 1)).decode(), "size": [width, height]}


def _edges(part: Array, side: int) -> bytes:
    small = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    across, down = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    # A strong edge counts no more than one of 30: the picture's own must not drown the mark's. Four bits each.
    weight = 7 / np.maximum(np.hypot(across, down), 30)
    high, low = ((np.rint(weight * one) + 8).astype(np.uint8) for one in (across, down))
    return (high << 4 | low).tobytes()


EDGES = Measure(name="edges", version=VERSION, stage="pixels", take=_take, most=MOST)
"""edges: base64 of a compressed byte a cell, the gradient's direction and strength, of four corners (64 x 64 cells) and the
whole (96 x 96); size at which it was taken. {} below SMALLEST."""


def _fields(pictures: Sequence[Audited]) -> Iterator[Array]:
    """Edges of all of them at each place: (n, side, side, 2), -1 to 1."""
    packed = [
        np.frombuffer(zlib.decompress(base64.b64decode(one.value("edges", "edges"))), np.uint8)
        for one in pictures
    ]
    cells, start = np.stack(packed), 0
    for place in _PLACES:
        side = _FRAME if place == "whole" else _CORNER
        part = cells[:, start : (start := start + side * side)].reshape(-1, side, side)
        yield (np.stack([part >> 4, part & 15], axis=-1).astype(np.float32) - 8) / 7


def shared(pictures: Sequence[Audited]) -> Values:
    """marks: for each place with one [place, strength, box in shares of the place, contents that carry it]."""
    marks = []
    fields = list(_fields(pictures))
    for place, field in zip(_PLACES, fields, strict=True):
        total = field.sum(axis=0)
        # Lines from side to side are frames and horizons, and what changes slowly is light: marks are neither.
        total -= np.median(total, axis=1, keepdims=True) + np.median(total, axis=0, keepdims=True)
        total -= cv2.blur(total, (9, 9), borderType=cv2.BORDER_REFLECT)
        z = np.hypot(*np.moveaxis(total, 2, 0)) / np.sqrt(
            np.square(field).sum(axis=(0, 3)) + 0.05 * len(field) ** 0.5
        )
        smooth = cv2.blur(z, (5, 5), borderType=cv2.BORDER_REFLECT)
        strength = _strongest(z)
        if strength < AGREE or _strongest(smooth) < CLUSTER:
            continue
        at = (smooth >= np.quantile(smooth, 0.985)) & ((total * field.sum(axis=0)).sum(axis=2) > 0)
        own = field[:, at]
        others = total[at] - own
        length = np.sqrt(np.square(own).sum(axis=(1, 2)) * np.square(others).sum(axis=(1, 2)))
        cosine = (own * others).sum(axis=(1, 2)) / (length + 0.3)
        carry = cosine >= CARRIES[place == "whole"]
        if carry.sum() < max(4, 0.15 * len(pictures)) or (place != "whole" and _alike(fields[-1][carry])):
            continue
        contents = [one.sha256 for one, carries in zip(pictures, carry, strict=True) if carries]
        marks.append([place, round(strength, 2), _around(smooth), contents])
    return {"marks": marks}


def _alike(field: Array) -> bool:
    energy = np.square(field).sum(axis=(0, 3))
    busy = energy > np.median(energy)
    z = np.hypot(*np.moveaxis(field.sum(axis=0), 2, 0))[busy] / np.sqrt(energy[busy])
    return bool(z.size and np.median(z) > ALIKE)


def _strongest(z: Array) -> float:
    return float(np.sort(z, axis=None)[-(z.size // 100) :].mean())


def _around(smooth: Array) -> list[float]:
    """The box around what is about as strong as the strongest, and near it: left, top, right, bottom as shares."""
    strong = cv2.dilate((smooth >= 0.5 * smooth.max()).astype(np.uint8), np.ones((7, 7), np.uint8))
    _, numbers = cv2.connectedComponents(strong)
    rows, columns = np.nonzero(numbers == numbers.flat[int(smooth.argmax())])
    side = len(smooth)
    ends: list[Any] = [
        columns.min() / side,
        rows.min() / side,
        (columns.max() + 1) / side,
        (rows.max() + 1) / side,
    ]
    return [round(float(end), 3) for end in ends]
