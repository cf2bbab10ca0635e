"""The objects that the base was trained on, built of the primitives in `shapes`; `strangers` has those it never saw.

Each builder gets the canvas and a `Pose` and draws back to front. Lengths are fractions of the object's height.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.demo.pose import Pose
from engine.demo.shapes import Canvas, Colour, Map, Pattern, arc, stripes
from engine.demo.strangers import STRANGERS

BRASS: Colour = (0.66, 0.48, 0.18)
CACTUS_GREEN: Colour = (0.20, 0.48, 0.20)


def _shade(colour: Colour, factor: float, lift: float = 0.0) -> Colour:
    r, g, b = (min(1.0, channel * factor + lift) for channel in colour)
    return r, g, b


def _mug(canvas: Canvas, p: Pose) -> None:
    body, radius = p.height * 0.92, 0.36
    # The ring of the handle stands well clear of the body, so that the hole survives at 64 pixels.
    handle = arc(p.x + body * (radius - 0.03), p.base - body * 0.50, body * 0.33, body * 0.29, -88, 88)
    canvas.tube(handle, body * 0.075, p.colour)
    levels, radii = [0, 0.05, 0.12, 1], [radius * 0.86, radius * 0.95, radius, radius]
    top = canvas.lathe(p.x, p.base, body, levels, radii, p.colour, pattern=p.pattern)
    canvas.disc(p.x, p.base - body, top, top * 0.24, _shade(p.colour, 1.15, 0.05))
    canvas.disc(p.x, p.base - body + 1, top * 0.86, top * 0.19, (0.13, 0.065, 0.03), gloss=0.5)


def _label(level: Map, around: Map) -> NDArray[np.bool_]:
    return (level > 0.18) & (level < 0.44)


def _bottle(canvas: Canvas, p: Pose) -> None:
    body = p.height * 0.93
    canvas.lathe(
        p.x,
        p.base - body * 0.97,
        p.height * 0.09,
        [0, 1],
        [0.72, 0.76],
        (0.72, 0.52, 0.30),
        0.05,
        grounded=False,
    )
    levels = [0, 0.03, 0.52, 0.64, 0.72, 0.93, 0.94, 1]
    radii = [0.205, 0.23, 0.23, 0.18, 0.088, 0.078, 0.10, 0.10]
    pattern = p.pattern if p.pattern is not None else _label
    canvas.lathe(
        p.x, p.base, body, levels, radii, p.colour, 0.8, pattern=pattern, pattern_colour=(0.9, 0.86, 0.74)
    )


def _vase(canvas: Canvas, p: Pose) -> None:
    body = p.height * 0.60
    top = p.base - body
    bloom = p.rng.choice([(0.95, 0.45, 0.60), (0.97, 0.93, 0.88), (0.97, 0.78, 0.20)])
    for k in range(3):  # three large flowers; more and smaller ones melt into a cloud
        lean = -0.55 + 0.55 * k + p.rng.uniform(-0.05, 0.05)
        length = p.height * (0.31 if k == 1 else 0.27)
        ex, ey = p.x + math.sin(lean) * length, top - math.cos(lean) * length
        canvas.tube([(p.x, top + 3), (ex, ey)], p.height * 0.016, (0.16, 0.42, 0.14))
        for q in range(5):
            angle = q * 1.257 + 0.3
            px, py = ex + p.height * 0.058 * math.cos(angle), ey + p.height * 0.058 * math.sin(angle)
            canvas.ball(px, py, p.height * 0.056, p.height * 0.056, bloom, gloss=0.05)
        canvas.ball(ex, ey, p.height * 0.042, p.height * 0.042, (0.78, 0.48, 0.08), gloss=0.05)
    levels = [0, 0.04, 0.2, 0.42, 0.62, 0.8, 0.9, 1]
    radii = [0.20, 0.22, 0.36, 0.45, 0.40, 0.24, 0.19, 0.25]
    neck = canvas.lathe(p.x, p.base, body, levels, radii, p.colour, 0.6, pattern=p.pattern, smooth=13)
    canvas.disc(p.x, top, neck, neck * 0.2, _shade(p.colour, 0.25))


def _apple(canvas: Canvas, p: Pose) -> None:
    body = p.height * 0.84
    levels = [0, 0.04, 0.15, 0.3, 0.5, 0.66, 0.8, 0.9, 0.97, 1]
    radii = [0.16, 0.27, 0.40, 0.49, 0.55, 0.56, 0.51, 0.41, 0.26, 0.12]
    canvas.lathe(p.x, p.base, body, levels, radii, p.colour, 0.55, tilt=0.12, pattern=p.pattern, smooth=12)
    canvas.disc(p.x, p.base - body * 0.99, body * 0.15, body * 0.045, _shade(p.colour, 0.25))
    stem = [
        (p.x, p.base - body * 0.97),
        (p.x + p.height * 0.015, p.base - body * 1.06),
        (p.x + p.height * 0.05, p.base - p.height),
    ]
    canvas.tube(stem, p.height * 0.026, (0.28, 0.17, 0.08))
    leaf_x, leaf_y = p.x + p.height * 0.17, p.base - p.height * 0.945
    canvas.ball(leaf_x, leaf_y, p.height * 0.14, p.height * 0.058, (0.20, 0.55, 0.13), turn=-0.35)


def _teapot(canvas: Canvas, p: Pose) -> None:
    body = p.height * 0.74
    # One handle (a ring, right) and one spout (a rising cone, left), far apart in shape as well as in side.
    handle = arc(p.x + body * 0.50, p.base - body * 0.52, body * 0.36, body * 0.31, -90, 90)
    canvas.tube(handle, body * 0.07, p.colour)
    spout = [
        (p.x - body * 0.40, p.base - body * 0.30),
        (p.x - body * 0.70, p.base - body * 0.48),
        (p.x - body * 0.84, p.base - body * 0.84),
        (p.x - body * 0.98, p.base - body * 0.92),
    ]
    canvas.tube(spout, [body * 0.17, body * 0.12, body * 0.075, body * 0.065], p.colour)
    levels = [0, 0.04, 0.2, 0.45, 0.7, 0.88, 1]
    radii = [0.32, 0.38, 0.54, 0.60, 0.54, 0.40, 0.30]
    canvas.lathe(p.x, p.base, body, levels, radii, p.colour, 0.6, pattern=p.pattern, smooth=14)
    lid = p.base - body * 0.97
    levels, radii = [0, 0.12, 0.5, 0.9, 1], [1.25, 1.2, 0.92, 0.36, 0.08]
    canvas.lathe(p.x, lid, p.height * 0.17, levels, radii, p.colour, 0.6, grounded=False, smooth=10)
    canvas.ball(
        p.x, p.base - p.height * 0.945, p.height * 0.058, p.height * 0.055, _shade(p.colour, 0.8, 0.08), 0.7
    )


def _lamp(canvas: Canvas, p: Pose) -> None:
    h = p.height
    canvas.lathe(p.x, p.base, h * 0.10, [0, 0.35, 0.6, 1], [1.75, 1.7, 1.1, 0.5], BRASS, 0.7)
    levels, radii = [0, 0.2, 0.3, 0.45, 1], [0.075, 0.065, 0.115, 0.065, 0.06]
    canvas.lathe(p.x, p.base - h * 0.08, h * 0.5, levels, radii, BRASS, 0.8, grounded=False)
    glow = _shade(p.colour, 0.55, 0.06)
    canvas.disc(p.x, p.base - h * 0.54, h * 0.33, h * 0.06, (1.0, 0.9, 0.6), emission=(1.1, 0.95, 0.65))
    canvas.lathe(
        p.x, p.base - h * 0.54, h * 0.44, [0, 1], [0.76, 0.43], p.colour, 0.05, 0.16, p.pattern,
        emission=glow, grounded=False,
    )  # fmt: skip
    canvas.disc(
        p.x,
        p.base - h * 0.98,
        h * 0.19,
        h * 0.03,
        _shade(p.colour, 0.7),
        emission=_shade(p.colour, 0.6, 0.15),
    )


def _candle(canvas: Canvas, p: Pose) -> None:
    h, wax = p.height, p.height * 0.70
    canvas.lathe(p.x, p.base, h * 0.09, [0, 0.3, 1], [2.4, 3.0, 3.3], (0.60, 0.45, 0.20), 0.7)
    top = canvas.lathe(
        p.x, p.base - h * 0.05, wax, [0, 1], [0.215, 0.205], p.colour, 0.25, pattern=p.pattern, grounded=False
    )
    rim = p.base - h * 0.05 - wax
    canvas.disc(p.x, rim, top, top * 0.24, _shade(p.colour, 0.8, 0.25), emission=(0.25, 0.17, 0.06))
    canvas.tube([(p.x, rim + 1), (p.x, rim - h * 0.05)], h * 0.012, (0.1, 0.08, 0.06))
    canvas.ball(p.x, rim - h * 0.125, h * 0.058, h * 0.11, (1, 0.7, 0.2), emission=(1.2, 0.72, 0.18))
    canvas.ball(p.x, rim - h * 0.095, h * 0.03, h * 0.055, (1, 0.95, 0.7), emission=(1.4, 1.25, 0.85))


def _ribs(level: Map, around: Map) -> NDArray[np.bool_]:
    return (np.floor((np.arcsin(np.clip(around, -1, 1)) + 9) * 3.2) % 2) == 1


def _cactus(canvas: Canvas, p: Pose) -> None:
    h, pot = p.height, p.height * 0.38
    right = [
        (p.x + h * 0.08, p.base - h * 0.60),
        (p.x + h * 0.27, p.base - h * 0.61),
        (p.x + h * 0.28, p.base - h * 0.82),
    ]
    left = [
        (p.x - h * 0.08, p.base - h * 0.50),
        (p.x - h * 0.26, p.base - h * 0.51),
        (p.x - h * 0.265, p.base - h * 0.68),
    ]
    canvas.tube(right, h * 0.07, CACTUS_GREEN, gloss=0.08)
    canvas.tube(left, h * 0.065, CACTUS_GREEN, gloss=0.08)
    levels, radii = [0, 0.3, 0.75, 0.9, 0.97, 1], [0.19, 0.20, 0.19, 0.14, 0.07, 0.02]
    canvas.lathe(
        p.x, p.base - pot * 0.9, h * 0.63, levels, radii, CACTUS_GREEN, 0.08, pattern=_ribs,
        pattern_colour=(0.13, 0.37, 0.15), grounded=False,
    )  # fmt: skip
    canvas.ball(p.x, p.base - h * 0.965, h * 0.06, h * 0.045, (0.95, 0.42, 0.58), gloss=0.1)
    levels, radii = [0, 0.05, 0.74, 0.76, 1], [0.52, 0.56, 0.70, 0.84, 0.86]
    canvas.lathe(p.x, p.base, pot, levels, radii, p.colour, pattern=p.pattern)


def _duck(canvas: Canvas, p: Pose) -> None:
    h = p.height
    pale = sum(p.colour) > 0.5
    canvas.ball(p.x + h * 0.44, p.base - h * 0.46, h * 0.19, h * 0.11, p.colour, turn=-0.8)
    canvas.ball(p.x + h * 0.05, p.base - h * 0.275, h * 0.47, h * 0.285, p.colour, gloss=0.5)
    canvas.ball(p.x + h * 0.13, p.base - h * 0.30, h * 0.21, h * 0.13, _shade(p.colour, 0.78), turn=-0.3)
    # A large beak in its own colour, clear of the head, and one large eye: what makes a duck of two balls.
    canvas.ball(
        p.x - h * 0.50, p.base - h * 0.655, h * 0.175, h * 0.075, (0.95, 0.36, 0.03), gloss=0.4, turn=-0.08
    )
    canvas.ball(p.x - h * 0.20, p.base - h * 0.71, h * 0.255, h * 0.275, p.colour, gloss=0.5)
    eye: Colour = (0.02, 0.02, 0.03) if pale else (0.95, 0.95, 0.95)
    canvas.ball(p.x - h * 0.29, p.base - h * 0.77, h * 0.06, h * 0.075, eye, gloss=0.2)


BUILDERS: dict[str, Callable[[Canvas, Pose], None]] = {
    "mug": _mug, "bottle": _bottle, "vase": _vase, "apple": _apple, "teapot": _teapot, "lamp": _lamp,
    "candle": _candle, "cactus": _cactus, "duck": _duck, **STRANGERS,
}  # fmt: skip


def build(subject: str, canvas: Canvas, pose: Pose) -> None:
    """Draw `subject` into the canvas."""
    BUILDERS[subject](canvas, pose)


def pattern_of(striped: bool) -> Pattern | None:
    """The pattern of a striped object, or None."""
    return stripes if striped else None
