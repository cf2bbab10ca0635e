"""Screenshots and graphics: exactly flat areas, and edges along rows and columns."""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from engine.dataset.audit.border import without_bars
from engine.dataset.audit.look import SMALLEST, Array, Look
from engine.dataset.audit.shapes import Check, Collection, Measure, Values
from engine.dataset.findings import Finding

FLAT: Final = 0.55
SECOND: Final = 0.03
STRAIGHT: Final = 0.2
NEARLY_FLAT: Final = 0.35
_EDGE, _RUN = 16, 24


def _take(look: Look) -> Values:
    left, top, right, bottom = without_bars(look.grey)
    grey = look.grey[top:bottom, left:right]
    if min(look.grey.shape) < SMALLEST or min(grey.shape) < 2 * _RUN:
        return {}
    across, down = cv2.absdiff(grey[1:, 1:], grey[1:, :-1]), cv2.absdiff(grey[1:, 1:], grey[:-1, 1:])
    change = cv2.max(across, down)
    flat = cv2.compare(change, 0, cv2.CMP_EQ)
    levels = cv2.calcHist([grey[1:, 1:]], [0], flat, [256], [0, 256]).ravel() / flat.size
    first = int(levels.argmax())
    levels[max(0, first - 2) : first + 3] = 0
    return {
        "flat": _share(flat),
        "nearly": _share(cv2.compare(change, 1, cv2.CMP_LE)),
        "second": round(float(levels.max()), 4),
        "straight": _straight(across, down),
    }


def _share(mask: Array) -> float:
    return round(cv2.countNonZero(mask) / mask.size, 4)


def _straight(across: Array, down: Array) -> float:
    """Share of the edges that run along a row or a column for _RUN pixels."""
    upright, level = cv2.compare(across, _EDGE, cv2.CMP_GT), cv2.compare(down, _EDGE, cv2.CMP_GT)
    runs = cv2.bitwise_or(
        cv2.morphologyEx(upright, cv2.MORPH_OPEN, np.ones((_RUN, 1), np.uint8)),
        cv2.morphologyEx(level, cv2.MORPH_OPEN, np.ones((1, _RUN), np.uint8)),
    )
    return round(cv2.countNonZero(runs) / max(200, cv2.countNonZero(cv2.bitwise_or(upright, level))), 4)


FLATNESS = Measure(name="flatness", version="1", stage="pixels", take=_take)
"""Shares, 0 to 1, without bars: flat, of pixels equal to the one before and the one above; nearly, within one level;
second, of the picture in its second most frequent flat grey; straight, of edges that run along a row or a column. {} below
SMALLEST."""


def _judge(collection: Collection) -> Iterator[Finding]:
    for one in collection.of("subject", "regularization"):
        values = one.values.get("flatness")
        if not values:
            continue
        # A product on white is flat too, but in one colour.
        drawn = values["flat"] > FLAT and values["second"] > SECOND
        if drawn or (values["straight"] > STRAIGHT and values["nearly"] > NEARLY_FLAT):
            yield Finding(
                check="screenshot", severity="warning", pictures=(one.name,), number=values["flat"], threshold=FLAT,
                value=f"{one.name} looks like a screenshot or a drawn graphic: {values['flat']:.0%} of it is exactly flat.",
                confidence="heuristic", method=SCREENSHOT.method,
                remedy="Leave it out, or cut the picture out of it; if the set is of drawings, ignore this check.",
            )  # fmt: skip


SCREENSHOT = Check(
    name="screenshot", title="screenshot or graphic", measures=(FLATNESS,), judge=_judge,
    method=f"share of exactly flat pixels over {FLAT} in two colours, or of edges along rows and columns over {STRAIGHT} "
    f"with {NEARLY_FLAT} nearly flat (version 1)",
    known="Finds about nine screenshots in ten, also as JPEG. Drawings and flat illustrations look the same to it; a few "
    "photographs of walls do. See docs/audit.md.",
)  # fmt: skip
