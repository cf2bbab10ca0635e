"""Bars and frames around a picture: they would be learned as part of it."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from engine.dataset.audit.look import SMALLEST, Array, Look
from engine.dataset.audit.shapes import Audited, Check, Collection, Measure, Values
from engine.dataset.findings import Box, Finding

THINNEST: Final = 0.01
"""Of the side: thinner ones are a scan's or a crop's rest, and the crop to a bucket takes them."""
_UNIFORM, _STEP, _RINGING = 3.0, 10, 9
_MOST: Final = 0.45


def _take(look: Look) -> Values:
    grey = look.grey
    height, width = grey.shape
    if min(height, width) < SMALLEST:
        return {}
    left, top, right, bottom = without_bars(grey)
    rim = np.concatenate(
        [grey[:top].ravel(), grey[bottom:].ravel(), grey[:, :left].ravel(), grey[:, right:].ravel()]
    )
    ends = (left / width, top / height, right / width, bottom / height)
    return {"trim": [round(end, 4) for end in ends], "level": int(np.median(rim)) if rim.size else None}


def without_bars(grey: Array) -> tuple[int, int, int, int]:
    """Left, top, right and bottom in pixels of what is left of (H, W) without bars: the whole where there are none."""
    height, width = grey.shape
    top, bottom = _bar(grey), height - _bar(grey[::-1])
    across = grey[top:bottom].T
    return _bar(across), top, width - _bar(across[::-1]), bottom


def _bar(rows: Array) -> int:
    """Rows of one colour from the first on, as far as they end along the whole row at once."""
    most = int(len(rows) * _MOST)
    level = float(rows[0].mean())
    count = 0
    while count < most and float(rows[count].std()) < _UNIFORM and abs(float(rows[count].mean()) - level) < 4:
        count += 1
    # JPEG leaves ringing before the picture begins. Where half of that row is still the bar's colour it is a backdrop.
    for end in range(count, min(count + _RINGING, len(rows))) if 0 < count < most else ():
        if np.mean(np.abs(rows[end].astype(np.float32) - level) > _STEP) >= 0.5:
            return end
    return 0


BORDER = Measure(name="border", version="1", stage="pixels", take=_take)
"""trim: left, top, right and bottom of what is left without bars, as shares of width and height;
level: grey of the bars, 0 to 255, None without. {} below SMALLEST."""


def bars(one: Audited) -> tuple[str, Box] | None:
    """Where a picture has bars on two opposite sides or all around, in words, and the box of what is between them."""
    trim = one.value("border", "trim")
    if not trim:
        return None
    left, top, right, bottom = trim
    beside = left >= THINNEST and 1 - right >= THINNEST
    above = top >= THINNEST and 1 - bottom >= THINNEST
    if not beside and not above:
        return None
    where = "all around" if beside and above else "left and right" if beside else "above and below"
    return where, Box(left=left, top=top, right=right, bottom=bottom, label="without bars")


def _judge(collection: Collection) -> Iterator[Finding]:
    for one in collection.of("subject", "regularization"):
        if (found := bars(one)) is None:
            continue
        where, box = found
        share = 1 - (box.right - box.left) * (box.bottom - box.top)
        yield Finding(
            check="border", severity="warning", pictures=(one.name,), number=share, confidence="measured",
            value=f"{one.name} has bars {where}: {share:.0%} of it is one colour.", method=BARS.method,
            remedy="Crop the bars away in a copy: the box shows what is left.", boxes={one.name: (box,)},
        )  # fmt: skip


BARS = Check(
    name="border", title="bars or a frame", measures=(BORDER,), judge=_judge,
    method=f"rows and columns of one colour from {THINNEST:.0%} of the side on, on opposite sides, that end along half "
    "their length at once (version 1)",
    known="Found every planted bar and frame of one colour, also after JPEG; frames with a pattern or a shadow pass. "
    "See docs/audit.md.",
)  # fmt: skip
