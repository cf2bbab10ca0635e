"""Primitive solids drawn into a small G-buffer: albedo, normal, gloss, emission and occlusion per pixel.

Coordinates are supersampled pixels, x to the right, y downwards; normals are x right, y up, z to the viewer.
Every primitive touches only its own window of the buffer, which is what makes a picture cost milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.floating[Any]]  # float32 in the buffers, float64 where arithmetic made it so
Colour = tuple[float, float, float]
Pattern = Callable[[Map, Map], NDArray[np.bool_]]
"""Where a pattern covers a turned body: (height 0-1 along the axis, sine of the angle around it) -> mask."""

CREAM: Colour = (0.93, 0.92, 0.90)


class Canvas:
    """The G-buffer of one object; maps are (height, width) or (height, width, 3) float32."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.albedo = np.zeros((height, width, 3), np.float32)
        self.normal = np.zeros((height, width, 3), np.float32)
        self.emission = np.zeros((height, width, 3), np.float32)
        self.gloss = np.zeros((height, width), np.float32)
        self.occlusion = np.ones((height, width), np.float32)
        self.mask = np.zeros((height, width), bool)

    def window(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice, Map, Map]:
        """Rows and columns of a box clipped to the buffer, with the pixel coordinates (y, x) inside it."""
        y0, y1 = max(0, math.floor(top)), min(self.height, math.ceil(bottom) + 1)
        x0, x1 = max(0, math.floor(left)), min(self.width, math.ceil(right) + 1)
        ys = np.arange(y0, max(y0, y1), dtype=np.float32)[:, None]
        xs = np.arange(x0, max(x0, x1), dtype=np.float32)[None, :]
        return slice(y0, max(y0, y1)), slice(x0, max(x0, x1)), ys, xs

    def put(
        self,
        rows: slice,
        columns: slice,
        mask: NDArray[np.bool_],
        albedo: Map | Colour,
        normal: Map | Colour,
        gloss: float,
        emission: Colour = (0, 0, 0),
        occlusion: Map | None = None,
    ) -> None:
        """Paint over what is there wherever `mask` holds, inside the window."""
        if not mask.any():
            return
        paint = np.asarray(albedo, np.float32)
        self.albedo[rows, columns][mask] = paint if paint.ndim == 1 else paint[mask]
        facing = np.asarray(normal, np.float32)
        self.normal[rows, columns][mask] = facing if facing.ndim == 1 else facing[mask]
        self.gloss[rows, columns][mask] = gloss
        self.emission[rows, columns][mask] = np.asarray(emission, np.float32)
        self.occlusion[rows, columns][mask] = 1.0 if occlusion is None else occlusion[mask]
        self.mask[rows, columns] |= mask

    def lathe(
        self,
        x: float,
        base: float,
        height: float,
        levels: Sequence[float],
        radii: Sequence[float],
        albedo: Colour,
        gloss: float = 0.35,
        tilt: float = 0.22,
        pattern: Pattern | None = None,
        pattern_colour: Colour = CREAM,
        emission: Colour = (0, 0, 0),
        grounded: bool = True,
        smooth: int = 2,
    ) -> float:
        """A body turned around a vertical axis, seen from slightly above.

        `levels` run from 0 (bottom, at y = `base`) to 1, `radii` are in units of `height`; `tilt` is the sine of the
        camera's elevation; `grounded` darkens the foot. Returns the radius at the top in pixels.
        """
        profile, slope = _profile(levels, radii, smooth)
        fine = np.linspace(0, 1, len(profile), dtype=np.float32)
        reach = float(profile.max()) * height
        rows, columns, ys, xs = self.window(x - reach, base - height, x + reach, base + tilt * reach)
        u, v = (xs - x) / height, (base - ys) / height
        level: Map = np.broadcast_to(v, (ys.shape[0], xs.shape[1])).astype(np.float32)
        # Fixed point: the level seen at a pixel depends on how far the surface bulges there.
        for _ in range(4):
            radius = np.interp(np.clip(level, 0, 1), fine, profile)
            level = v + tilt * np.sqrt(np.maximum(radius * radius - u * u, 0))
        inside = np.clip(level, 0, 1)
        radius = np.interp(inside, fine, profile)
        mask = (np.abs(u) < radius) & (level >= 0) & (level <= 1)
        nx = u / np.maximum(radius, 1e-4)
        ny = np.clip(-np.interp(inside, fine, slope), -3, 3)
        normal = np.stack([nx, ny, np.sqrt(np.maximum(1 - nx * nx, 0))], -1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-6
        paint: Map | Colour = albedo
        if pattern is not None:
            covered = pattern(level.astype(np.float32), nx.astype(np.float32))[..., None]
            paint = np.where(covered, np.asarray(pattern_colour, np.float32), np.asarray(albedo, np.float32))
        foot = (0.62 + 0.38 * np.clip(level / 0.18, 0, 1)).astype(np.float32) if grounded else None
        self.put(rows, columns, mask, paint, normal.astype(np.float32), gloss, emission, foot)
        return float(profile[-1]) * height

    def disc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        albedo: Colour,
        gloss: float = 0.2,
        emission: Colour = (0, 0, 0),
    ) -> None:
        """A flat round surface that faces up: a rim, a filling, a lid."""
        rows, columns, ys, xs = self.window(x - rx, y - ry, x + rx, y + ry)
        mask = ((xs - x) / rx) ** 2 + ((ys - y) / ry) ** 2 < 1
        self.put(rows, columns, mask, albedo, (0.0, 1.0, 0.25), gloss, emission)

    def ball(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        albedo: Colour,
        gloss: float = 0.35,
        emission: Colour = (0, 0, 0),
        turn: float = 0.0,
    ) -> None:
        """An ellipsoid with half axes `rx`, `ry`, turned by `turn` radians in the picture plane."""
        reach = max(rx, ry)
        rows, columns, ys, xs = self.window(x - reach, y - reach, x + reach, y + reach)
        cos, sin = math.cos(turn), math.sin(turn)
        dx, dy = xs - x, ys - y
        u, v = (dx * cos + dy * sin) / rx, (-dx * sin + dy * cos) / ry
        distance = u * u + v * v
        normal = np.stack([u * cos - v * sin, -(u * sin + v * cos), np.sqrt(np.maximum(1 - distance, 0))], -1)
        self.put(rows, columns, distance < 1, albedo, normal.astype(np.float32), gloss, emission)

    def tube(
        self,
        points: Sequence[tuple[float, float]] | Map,
        width: float | Sequence[float],
        albedo: Colour,
        gloss: float = 0.3,
    ) -> None:
        """A round bar along a polyline; `width` is the radius, one number or one a point."""
        path = np.asarray(points, np.float32)
        radii = np.broadcast_to(np.asarray(width, np.float32), (len(path),))
        reach = float(radii.max())
        low, high = path.min(0) - reach, path.max(0) + reach
        rows, columns, ys, xs = self.window(float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        nearest = np.full((ys.shape[0], xs.shape[1]), 9.0, np.float32)
        nx, ny = np.zeros_like(nearest), np.zeros_like(nearest)
        for (x0, y0), (x1, y1), r0, r1 in zip(path[:-1], path[1:], radii[:-1], radii[1:], strict=True):
            dx, dy = x1 - x0, y1 - y0
            along = np.clip(((xs - x0) * dx + (ys - y0) * dy) / (dx * dx + dy * dy + 1e-6), 0, 1)
            ex, ey = xs - x0 - along * dx, ys - y0 - along * dy
            radius = r0 + along * (r1 - r0)
            distance = np.sqrt(ex * ex + ey * ey) / radius
            closer = distance < nearest
            nearest[closer] = distance[closer]
            nx[closer], ny[closer] = (ex / radius)[closer], (-ey / radius)[closer]
        normal = np.stack([nx, ny, np.sqrt(np.maximum(1 - nearest * nearest, 0))], -1)
        self.put(rows, columns, nearest < 1, albedo, normal, gloss)


def _profile(levels: Sequence[float], radii: Sequence[float], smooth: int) -> tuple[Map, Map]:
    """The profile curve at 128 levels, smoothed by a window of `smooth` on either side, and its slope."""
    fine = np.linspace(0, 1, 128, dtype=np.float32)
    curve = np.interp(fine, np.asarray(levels, np.float32), np.asarray(radii, np.float32))
    weights = np.hanning(2 * smooth + 3)[1:-1]
    curve = np.convolve(np.pad(curve, smooth, mode="edge"), weights / weights.sum(), "valid")
    return curve.astype(np.float32), np.gradient(curve, fine).astype(np.float32)


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float, points: int = 16) -> Map:
    """Points (n, 2) on an ellipse, angles in degrees, counter-clockwise from the right."""
    angle = np.linspace(math.radians(start), math.radians(end), points)
    return np.stack([x + rx * np.cos(angle), y - ry * np.sin(angle)], -1).astype(np.float32)


def stripes(level: Map, around: Map) -> NDArray[np.bool_]:
    """Broad horizontal bands: three light ones on a dark body."""
    return (np.floor(level * 6.5) % 2) == 1
