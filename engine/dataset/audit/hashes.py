"""What a picture looks like in 256 bits, so that the same picture is found in another form."""

import cv2
import numpy as np

from engine.dataset.audit.look import Array, Look
from engine.dataset.audit.pairs import BITS
from engine.dataset.audit.shapes import Measure, Values

SIDE = 64
"""Pixels of the square that the transform is taken of."""
PLAIN = 2.0
"""Standard deviation in grey levels below which there is nothing to compare."""
_UNIFORM = 3.0
"""The same, of a row or column that is border."""


def trimmed(grey: Array) -> Array:
    """A grey picture without its uniform borders, as frames and letterboxes have them. (H, W), uint8, as a view."""
    rows, columns = grey.std(axis=1) > _UNIFORM, grey.std(axis=0) > _UNIFORM
    if not rows.any() or not columns.any():
        return grey
    top, bottom = int(rows.argmax()), len(rows) - int(rows[::-1].argmax())
    left, right = int(columns.argmax()), len(columns) - int(columns[::-1].argmax())
    return grey[top:bottom, left:right]


def _take(look: Look) -> Values:
    detail = cv2.meanStdDev(cv2.Laplacian(look.grey, cv2.CV_16S))[1][0, 0] ** 2
    scale = min(1.0, 256 / max(look.grey.shape))
    size = tuple(max(1, round(side * scale)) for side in reversed(look.grey.shape))
    part = trimmed(cv2.resize(look.grey, size, interpolation=cv2.INTER_AREA))
    small = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    if small.std() < PLAIN:
        return {"bits": "", "shades": "", "detail": round(float(detail), 1)}
    # Signs, not a median: a flip or a quarter turn then changes signs and order of what is kept, and nothing else.
    bits = cv2.dct(small)[:BITS, :BITS] > 0
    shades = cv2.resize(small, (BITS, BITS), interpolation=cv2.INTER_AREA).round().astype(np.uint8)
    return {
        "bits": np.packbits(bits).tobytes().hex(),
        "shades": shades.tobytes().hex(),
        "detail": round(float(detail), 1),
    }


HASH = Measure(name="hash", version="1", stage="pixels", take=_take)
"""bits: signs of the 16 × 16 longest waves of the trimmed grey picture, hex; "" where it is plain. shades: the same picture
in 16 × 16 grey levels, hex. detail: variance of the Laplacian at the working size."""
