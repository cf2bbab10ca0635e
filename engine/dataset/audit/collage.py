"""Several pictures in one: seams from edge to edge."""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from engine.dataset.audit.border import without_bars
from engine.dataset.audit.look import SMALLEST, Array, Look
from engine.dataset.audit.shapes import Check, Collection, Measure, Values
from engine.dataset.findings import Box, Finding

SEAM: Final = 0.9
"""Of a row or column: of what its neighbours leave without a step, the share that steps."""
_SIZE, _STEP, _AROUND, _MARGIN = 768, 10, 8, 0.04


def _take(look: Look) -> Values:
    if min(look.grey.shape) < SMALLEST:
        return {}
    lab = look.lab
    scale = _SIZE / max(lab.shape[:2])
    if scale < 1:
        size = (max(1, round(lab.shape[1] * scale)), max(1, round(lab.shape[0] * scale)))
        lab = cv2.resize(lab, size, interpolation=cv2.INTER_AREA)
    # The ends of bars are no seams.
    left, top, right, bottom = (
        end / side for end, side in zip(without_bars(look.grey), look.grey.shape[::-1] * 2, strict=True)
    )
    height, width = lab.shape[:2]
    inside = lab[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]
    rows = _seams(cv2.absdiff(inside[2:], inside[:-2]), axis=1)
    columns = _seams(cv2.absdiff(inside[:, 2:], inside[:, :-2]), axis=0)
    return {
        "rows": [[round(top + at * (bottom - top), 4), score] for at, score in rows],
        "columns": [[round(left + at * (right - left), 4), score] for at, score in columns],
    }


def _seams(steps: Array, axis: int) -> list[tuple[float, float]]:
    """Where across, 0 to 1, and how much of it: the best one of each neighbourhood from half a seam on."""
    if min(steps.shape[:2]) < 8 * _AROUND:
        return []
    strong = cv2.compare(cv2.max(cv2.max(steps[..., 0], steps[..., 1]), steps[..., 2]), _STEP, cv2.CMP_GT)
    share = strong.mean(axis=axis) / 255
    around = np.ones(2 * _AROUND + 1)
    around[_AROUND - 2 : _AROUND + 3] = 0
    usual = np.convolve(np.pad(share, _AROUND, mode="reflect"), around / around.sum(), "valid")
    score = (share - usual) / np.maximum(1 - usual, 0.5)
    margin = max(4, int(_MARGIN * len(score)))
    score[:margin] = score[-margin:] = 0
    found: list[tuple[float, float]] = []
    while len(found) < 8 and (best := float(score.max())) >= 0.5:
        at = int(score.argmax())
        found.append(((at + 1.5) / (len(score) + 2), round(best, 3)))
        score[max(0, at - _AROUND) : at + _AROUND + 1] = 0
    return found


SEAMS = Measure(name="seams", version="1", stage="pixels", take=_take)
"""rows and columns: [where from 0 to 1, score from 0.5 to 1] of each line that steps all along. {} below SMALLEST."""


def _judge(collection: Collection) -> Iterator[Finding]:
    for one in collection.of("subject", "regularization"):
        rows = [seam for seam in one.value("seams", "rows") or () if seam[1] >= SEAM]
        columns = [seam for seam in one.value("seams", "columns") or () if seam[1] >= SEAM]
        if not rows and not columns:
            continue
        boxes = [Box(left=0, right=1, top=at - 0.004, bottom=at + 0.004, label="seam") for at, _ in rows]
        boxes += [Box(left=at - 0.004, right=at + 0.004, top=0, bottom=1, label="seam") for at, _ in columns]
        yield Finding(
            check="collage", severity="warning", pictures=(one.name,), number=max(seam[1] for seam in rows + columns),
            threshold=SEAM, value=f"{one.name} has a seam from edge to edge: it looks like several pictures in one.",
            confidence="heuristic", method=COLLAGE.method, boxes={one.name: tuple(boxes)},
            remedy="If it is a collage, cut it into its pictures or leave it out; a door frame or a horizon is none.",
        )  # fmt: skip


COLLAGE = Check(
    name="collage", title="collage", measures=(SEAMS,), judge=_judge,
    method=f"share of a row or column at {_SIZE} px with a step over {_STEP} of 255 in Lab, of what lines around leave, "
    f"from {SEAM} (version 1)",
    known="Finds nearly all collages, with and without gutters. Straight edges across a whole picture, as of a wall "
    "or the sea, can look the same. See docs/audit.md.",
)  # fmt: skip
