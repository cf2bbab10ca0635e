"""The lines of text in a picture: what they say, where they are, and how they lie."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from engine.dataset.audit.look import SMALLEST, Array, Look
from engine.dataset.audit.shapes import Measure, Values

SIDE: Final = 736
"""Long side in pixels at which lines are looked for; what they say is read at the working size."""
SURE: Final = 0.6
"""Score of a reading from which on it counts."""
LETTERS: Final = 3
"""Letters and digits of a line from which on it counts."""
MOST: Final = 40
"""Lines of a picture that are read at each pass, the surest first: a page of a book would take minutes."""
CLIP: Final = 4.0
"""Limit of the contrast at the second pass."""
ENLARGED: Final = 2.0
"""How much a picture smaller than SIDE is enlarged at most, as lines of a few pixels are not seen."""
SLIM: Final = 4
"""Long side over short side from which on a picture is laid on a wider ground: the model resizes slim ones to nothing."""
SAME: Final = 0.5
"""Share of the smaller of two boxes that lies in the other, from which on they are one line."""


def _release() -> str:
    try:
        return version("rapidocr")
    except PackageNotFoundError:
        return ""


RELEASE: Final = _release()
"""Of the library, whose models come with it; "" where it is not installed."""


@lru_cache(maxsize=1)
def _reader() -> Any:
    import rapidocr  # An extra, and a second long.

    models = Path(rapidocr.__file__).with_name("models")
    params: dict[str, Any] = {
        "Global.log_level": "critical",
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Det.limit_type": "max",
        "Det.limit_side_len": SIDE,
    }
    # Named by their files, models are never downloaded.
    for part in ("det", "cls", "rec"):
        (params[f"{part.title()}.model_path"],) = map(str, models.glob(f"*_{part}_*.onnx"))
    return rapidocr.RapidOCR(params=params)


def lines_of(rgb: Array) -> list[list[Any]]:
    """Lines in (H, W, 3) uint8 sRGB: left, top, right, bottom as shares, slope in degrees, score, and text.

    Read as the picture is, then with its contrast stretched, where a faint mark stands out; what the second pass finds
    beside the first is added.
    """
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    if (scale := min(ENLARGED, SIDE / max(rgb.shape[:2]))) > 1:
        bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    height, width = bgr.shape[:2]
    ground, (left, top) = _grounded(bgr)
    found = _pass(ground, [])
    found += _pass(_stretched(ground), [quad for quad, _, _ in found])
    told = []
    for quad, score, text in found:
        (x0, y0), (x1, y1) = (quad - (left, top)).min(axis=0), (quad - (left, top)).max(axis=0)
        box = (np.array([x0, y0, x1, y1]) / (width, height, width, height)).clip(0, 1)
        if box[2] > box[0] and box[3] > box[1]:
            told.append([*(round(float(side), 4) for side in box), _slope(quad), round(score, 3), text])
    return told


def _grounded(bgr: Array) -> tuple[Array, tuple[int, int]]:
    """The picture on a ground of its mean colour if it is slim, and where on it."""
    height, width = bgr.shape[:2]
    least = -(-max(height, width, 2 * SLIM * 8) // SLIM)
    across, down = max(0, least - width), max(0, least - height)
    if not (across or down):
        return bgr, (0, 0)
    colour = [round(float(level)) for level in bgr.reshape(-1, 3).mean(axis=0)]
    left, top = across // 2, down // 2
    sides = (top, down - top, left, across - left)
    return cv2.copyMakeBorder(bgr, *sides, cv2.BORDER_CONSTANT, value=colour), (left, top)


def _stretched(bgr: Array) -> Array:
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)
    lab[..., 0] = cv2.createCLAHE(CLIP, (8, 8)).apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2BGR)


def _pass(bgr: Array, known: Sequence[Array]) -> list[tuple[Array, float, str]]:
    """Corners (4, 2) in pixels, score and text of the lines that are not among the known ones."""
    reader = _reader()
    seen = reader(bgr, use_det=True, use_cls=False, use_rec=False)
    if seen.boxes is None:
        return []
    surest = np.argsort(seen.scores)[::-1][:MOST]
    found = []
    for quad in np.asarray(seen.boxes, np.float32)[np.sort(surest)]:
        if any(_same(quad, other) for other in known):
            continue
        read = reader(_cut(bgr, quad), use_det=False, use_cls=True, use_rec=True)
        for text, score in zip(read.txts or (), read.scores or (), strict=True):
            if score >= SURE and sum(map(str.isalnum, text)) >= LETTERS:
                found.append((quad, float(score), str(text)))
    return found


def _cut(bgr: Array, quad: Array) -> Array:
    """What is in the four corners (clockwise from the upper left), level; a line that runs down is turned."""
    across = max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[2] - quad[3]))
    down = max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]))
    width, height = max(1, int(across)), max(1, int(down))
    level = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    cut = cv2.warpPerspective(
        bgr, cv2.getPerspectiveTransform(quad, level), (width, height), flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.ascontiguousarray(np.rot90(cut)) if height >= 1.5 * width else cut


def _same(one: Array, other: Array) -> bool:
    lower, upper = (
        np.maximum(one.min(axis=0), other.min(axis=0)),
        np.minimum(one.max(axis=0), other.max(axis=0)),
    )
    shared = float(np.prod(np.maximum(0, upper - lower)))
    return shared >= SAME * min(float(np.prod(np.ptp(quad, axis=0))) for quad in (one, other))


def _slope(quad: Array) -> float:
    """Degrees between the line and the nearer of level and upright; corners are whole pixels, which a short line shows."""
    ends = (quad[1] + quad[2]) / 2 - (quad[0] + quad[3]) / 2
    rest = min(abs(float(ends[0])), abs(float(ends[1])))
    return round(float(np.degrees(np.arctan2(max(0.0, rest - 1), max(map(abs, map(float, ends)))))), 2)


def _take(look: Look) -> Values:
    # Letters of such a picture are a few pixels high: there is nothing to read, and two passes to pay for it.
    return {"lines": lines_of(look.rgb) if min(look.rgb.shape[:2]) >= SMALLEST else []}


TEXT: Final = Measure(
    name="text",
    version=f"2 rapidocr {RELEASE}",
    stage="text",
    take=_take,
    needs=("rapidocr", "onnxruntime"),
)
"""lines: [left, top, right, bottom, slope, score, text]: box in shares of the picture, slope in degrees from level or
upright, score from SURE to 1. The text is as the model read it: data from a picture."""
