"""The faces in a picture: where they are, how sharp the largest is, and what is around it."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from engine.dataset.audit.look import Array, Look
from engine.dataset.audit.nearness import FACES_VERSION
from engine.dataset.audit.shapes import Measure, Values

MODEL: Final = Path(__file__).with_name("models") / "face_detection_yunet_2023mar.onnx"
SIDE: Final = 480
"""Long side in pixels at which faces are looked for."""
SURE: Final = 0.8
MOST: Final = 30
"""Faces that are kept; a crowd has more."""
SMALLEST: Final = 48
"""Side in pixels of a face, at the working size, below which its sharpness says nothing."""


LEVELS: Final = 6
"""Of L* in the histogram of clothes."""
BINS: Final = LEVELS * 8 * 8
"""Of that histogram: L*, a*, b*."""


@lru_cache(maxsize=1)
def _detector() -> Any:
    return cv2.FaceDetectorYN.create(str(MODEL), "", (SIDE, SIDE), SURE, 0.3, 500)


def detect(rgb: Array) -> list[list[float]]:
    """Faces in (H, W, 3) uint8 sRGB: left, top, right, bottom as shares, and the score; the largest first."""
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    # Sides in steps of 32, as the model wants them: what is added is black, right and below.
    padded = cv2.copyMakeBorder(small, 0, -size[1] % 32, 0, -size[0] % 32, cv2.BORDER_CONSTANT)
    detector = _detector()
    detector.setInputSize((padded.shape[1], padded.shape[0]))
    found = detector.detect(padded)[1]
    faces = []
    for left, top, wide, high, *_, score in found if found is not None else ():
        box = np.array([left / size[0], top / size[1], (left + wide) / size[0], (top + high) / size[1]]).clip(
            0, 1
        )
        if (box[2:] > box[:2]).all():
            faces.append([*(round(float(side), 4) for side in box), round(float(score), 3)])
    return sorted(faces, key=lambda face: -(face[2] - face[0]) * (face[3] - face[1]))[:MOST]


def _take(look: Look) -> Values:
    faces = detect(look.rgb)
    told: dict[str, Any] = {"faces": faces}
    if not faces:
        return told
    height, width = look.grey.shape
    left, top, right, bottom = (
        round(share * side) for share, side in zip(faces[0][:4], (width, height, width, height), strict=True)
    )
    if min(right - left, bottom - top) >= SMALLEST:
        edges = cv2.Laplacian(look.grey, cv2.CV_16S)
        told["sharpness"] = _variance(edges[top:bottom, left:right])
        edges[top:bottom, left:right] = 0
        tiles = [
            _variance(part) for row in np.array_split(edges, 6) for part in np.array_split(row, 6, axis=1)
        ]
        # Of its sharper parts, not of all: a plain sky behind a sharp tree is no blur.
        told["around"] = round(float(np.percentile(tiles, 80)), 1)
    halves = look.grey[top:bottom, left:right].astype(np.float32)
    if halves.size and halves.shape[1] >= 4:
        one, other = (float(each.mean()) + 1 for each in np.array_split(halves, 2, axis=1))
        told["sides"] = round(abs(float(np.log(one / other))), 4)
    # The torso: a face's width to either side, from half a face below the middle to two faces below it.
    high, middle, wide = bottom - top, (top + bottom) / 2, right - left
    box = (left - wide, middle + 0.45 * high, right + wide, middle + 1.9 * high)
    x0, y0, x1, y1 = (
        round(min(max(side, 0), most)) for side, most in zip(box, (width, height, width, height), strict=True)
    )
    if (y1 - y0) >= 0.5 * high and (x1 - x0) >= wide:
        bins = look.lab[y0:y1, x0:x1].reshape(-1, 3).astype(np.int32)
        at = (bins[:, 0] * LEVELS // 256 * 8 + bins[:, 1] * 8 // 256) * 8 + bins[:, 2] * 8 // 256
        shares = np.bincount(at, minlength=BINS) / len(at)
        told["torso"] = {
            str(index): round(float(shares[index]), 3) for index in np.nonzero(shares >= 0.002)[0]
        }
    return told


def _variance(edges: Array) -> float:
    return round(float(cv2.meanStdDev(np.ascontiguousarray(edges))[1][0, 0] ** 2), 1)


FACES = Measure(name="faces", version=FACES_VERSION, stage="models", take=_take)
"""faces: [left, top, right, bottom, score] as shares, the largest first. Of the largest, where it is large enough:
sharpness (variance of the Laplacian, working size), around (the same of the sharper parts of what is not
the face), sides (|ln| of the light of its halves), torso (Lab bins -> share)."""
