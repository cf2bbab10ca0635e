"""Subjects that the base never saw, built like those in `subjects`. They bring their own colours.

The toadstool is the demo's own; the owl has too much detail for this base. On the pylon and the snowman, two or three
colours in large shapes, a review is judged whose thresholds were chosen on the toadstool (`cases`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.demo.pose import Pose
from engine.demo.shapes import Canvas, Map

_SPOTS = (
    (0.30, -0.62, 0.15),
    (0.26, 0.06, 0.17),
    (0.32, 0.70, 0.14),
    (0.66, -0.34, 0.14),
    (0.64, 0.40, 0.13),
    (0.9, 0.02, 0.1),
)


def _spots(level: Map, around: Map) -> NDArray[np.bool_]:
    covered = np.zeros(level.shape, bool)
    for centre, side, size in _SPOTS:
        covered |= ((level - centre) / (size * 0.95)) ** 2 + ((around - side) / (size * 1.5)) ** 2 < 1
    return covered


def _skirt(level: Map, around: Map) -> NDArray[np.bool_]:
    return (level > 0.40) & (level < 0.58)


def _toadstool(canvas: Canvas, p: Pose) -> None:
    h = p.height
    levels, radii = [0, 0.12, 0.55, 1], [0.34, 0.36, 0.24, 0.22]
    canvas.lathe(
        p.x,
        p.base,
        h * 0.60,
        levels,
        radii,
        (0.95, 0.90, 0.80),
        0.2,
        pattern=_skirt,
        pattern_colour=(0.90, 0.62, 0.10),
    )
    levels, radii = [0, 0.10, 0.30, 0.60, 0.85, 1], [0.80, 0.92, 0.88, 0.66, 0.36, 0.04]
    canvas.lathe(
        p.x, p.base - h * 0.46, h * 0.54, levels, radii, (0.03, 0.60, 0.58), 0.6, 0.2, _spots,
        pattern_colour=(0.98, 0.96, 0.92), grounded=False, smooth=8,
    )  # fmt: skip


def _owl(canvas: Canvas, p: Pose) -> None:
    h = p.height
    teal, dark, gold, pale = (0.05, 0.50, 0.52), (0.03, 0.33, 0.36), (0.88, 0.62, 0.12), (0.95, 0.90, 0.78)
    for side in (-1, 1):
        ear = [(p.x + side * h * 0.22, p.base - h * 0.80), (p.x + side * h * 0.30, p.base - h * 0.99)]
        canvas.tube(ear, [h * 0.10, h * 0.012], teal)
        canvas.ball(p.x + side * h * 0.13, p.base - h * 0.005, h * 0.10, h * 0.05, gold)
    levels = [0, 0.06, 0.25, 0.5, 0.62, 0.74, 0.88, 0.96, 1]
    radii = [0.22, 0.31, 0.40, 0.39, 0.35, 0.38, 0.32, 0.20, 0.06]
    canvas.lathe(p.x, p.base, h * 0.93, levels, radii, teal, 0.6, tilt=0.1, smooth=10)
    for side in (-1, 1):
        canvas.ball(
            p.x + side * h * 0.335, p.base - h * 0.36, h * 0.075, h * 0.24, dark, 0.4, turn=side * -0.12
        )
    canvas.ball(p.x, p.base - h * 0.27, h * 0.22, h * 0.24, gold, gloss=0.3)
    for row in range(3):
        for column in (-1, 0, 1):
            fx = p.x + column * h * 0.11 + (row % 2) * h * 0.05 - h * 0.02
            canvas.ball(
                fx, p.base - h * (0.40 - 0.11 * row), h * 0.028, h * 0.028, (0.60, 0.30, 0.05), gloss=0.1
            )
    for side in (-1, 1):
        canvas.ball(p.x + side * h * 0.155, p.base - h * 0.68, h * 0.165, h * 0.165, pale, gloss=0.2)
        canvas.ball(
            p.x + side * h * 0.145, p.base - h * 0.68, h * 0.085, h * 0.085, (0.03, 0.03, 0.04), gloss=1.0
        )
    canvas.tube([(p.x, p.base - h * 0.64), (p.x, p.base - h * 0.53)], [h * 0.055, h * 0.01], gold)


def _snowman(canvas: Canvas, p: Pose) -> None:
    h = p.height
    snow, coal, scarf = (0.90, 0.93, 0.97), (0.03, 0.03, 0.04), (0.75, 0.03, 0.30)
    canvas.ball(p.x, p.base - h * 0.26, h * 0.31, h * 0.28, snow, 0.1)
    canvas.ball(p.x, p.base - h * 0.63, h * 0.22, h * 0.21, snow, 0.1)
    for level in (0.20, 0.36):
        canvas.ball(p.x - h * 0.02, p.base - h * level, h * 0.035, h * 0.035, coal, 0.3)
    canvas.lathe(p.x, p.base - h * 0.43, h * 0.09, [0, 0.5, 1], [2.0, 2.3, 2.0], scarf, 0.1, grounded=False)
    canvas.tube(
        [(p.x + h * 0.13, p.base - h * 0.47), (p.x + h * 0.17, p.base - h * 0.27)], h * 0.05, scarf, 0.1
    )
    for side in (-1, 1):
        canvas.ball(p.x - h * 0.04 + side * h * 0.08, p.base - h * 0.68, h * 0.03, h * 0.034, coal, 0.4)
    nose = [(p.x - h * 0.06, p.base - h * 0.61), (p.x - h * 0.27, p.base - h * 0.58)]
    canvas.tube(nose, [h * 0.045, h * 0.01], (0.95, 0.36, 0.03), 0.2)
    canvas.lathe(p.x, p.base - h * 0.77, h * 0.05, [0, 1], [4.8, 4.8], coal, 0.3, grounded=False)
    canvas.lathe(p.x, p.base - h * 0.80, h * 0.20, [0, 1], [0.75, 0.80], coal, 0.3, grounded=False)


def _band(level: Map, around: Map) -> NDArray[np.bool_]:
    return ((level > 0.30) & (level < 0.55)) | (level > 0.80)


def _pylon(canvas: Canvas, p: Pose) -> None:
    h = p.height
    # Orange, which the base knows: in a magenta of its own the colour came out in pictures that nobody called it in.
    canvas.lathe(p.x, p.base, h * 0.09, [0, 0.8, 1], [4.4, 4.4, 4.0], (0.06, 0.06, 0.07), 0.2)
    levels, radii = [0, 0.04, 0.96, 1], [0.42, 0.40, 0.07, 0.05]
    canvas.lathe(
        p.x, p.base - h * 0.06, h * 0.94, levels, radii, (0.95, 0.36, 0.04), 0.4, pattern=_band,
        pattern_colour=(0.95, 0.95, 0.93), grounded=False,
    )  # fmt: skip


STRANGERS: dict[str, Callable[[Canvas, Pose], None]] = {
    "toadstool": _toadstool, "owl": _owl, "snowman": _snowman, "pylon": _pylon,
}  # fmt: skip
