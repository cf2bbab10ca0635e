"""Lighting, backdrop and camera: turns a `Scene` into a picture.

Everything is computed at `SUPERSAMPLING` times the size in linear light and box-filtered after the tone curve.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from engine.demo.pose import Pose
from engine.demo.shapes import Canvas, Colour, Map
from engine.demo.subjects import build, pattern_of
from engine.demo.world import COLOURS, Picture, Scene

SUPERSAMPLING = 3


@dataclass(frozen=True)
class Framing:
    """A shot: object height, horizon and contact line as shares of the unit square; texture scale; sideways play."""

    height: float
    horizon: float
    contact: float
    texture: float
    play: float


FRAMINGS = {
    "close": Framing(0.84, 0.74, 0.93, 1.45, 0.03),
    "medium": Framing(0.60, 0.68, 0.84, 1.0, 0.08),
    "full": Framing(0.42, 0.60, 0.76, 0.72, 0.14),
}
# Wide objects shrink to stay inside a close-up; slender ones grow in the distance, or they become blobs.
WIDTHS = {"teapot": 0.74, "duck": 0.82, "mug": 0.88, "owl": 0.98}
DISTANT_GROWTH = {"teapot": 1.15, "bottle": 1.25, "candle": 1.22, "lamp": 1.12, "vase": 1.18, "cactus": 1.12}


@dataclass(frozen=True)
class Lighting:
    """One light: direction to it (x positive = its own side), its colour, ambient colour, wrap, shadow on the table."""

    direction: Colour
    key: Colour
    ambient: Colour
    wrap: float
    shadow_length: float
    shadow_blur: float
    shadow_depth: float


_WINDOW = Lighting((0.85, 0.42, 0.45), (1.12, 1.08, 1.0), (0.20, 0.21, 0.24), 0.15, 0.95, 4, 0.62)
LIGHTINGS = {
    "left": _WINDOW,
    "right": _WINDOW,
    "softbox": Lighting((0.12, 0.60, 0.75), (0.86, 0.86, 0.86), (0.42, 0.42, 0.42), 0.55, 0.12, 8, 0.40),
    "low": Lighting((0.80, 0.55, 0.16), (0.84, 0.81, 0.78), (0.075, 0.075, 0.088), 0.10, 0.8, 5, 0.75),
    "golden": Lighting((0.80, 0.26, 0.50), (1.35, 0.78, 0.30), (0.30, 0.19, 0.13), 0.25, 1.5, 4, 0.62),
    "cool": Lighting((0.45, 0.65, 0.55), (0.44, 0.66, 1.12), (0.10, 0.17, 0.32), 0.30, 0.5, 6, 0.5),
}
# Wall and table albedo, linear.
SURFACES: dict[str, tuple[Colour, Colour]] = {
    "grey": ((0.50, 0.50, 0.51), (0.51, 0.51, 0.52)),
    "cream": ((0.84, 0.75, 0.58), (0.50, 0.31, 0.17)),
    "teal": ((0.10, 0.42, 0.45), (0.72, 0.66, 0.58)),
    "brick": ((0.60, 0.22, 0.13), (0.30, 0.19, 0.12)),
    "wood": ((0.62, 0.40, 0.20), (0.86, 0.85, 0.82)),
    "curtain": ((0.30, 0.05, 0.10), (0.16, 0.12, 0.11)),
}


@dataclass(frozen=True)
class Stage:
    """The place of one picture: pixel grids, unit length (shorter side), horizon, object pose and light side."""

    y: Map  # (height, 1), supersampled pixels
    x: Map  # (1, width)
    u: Map  # (1, width), -0.5 to 0.5 of the unit square, beyond it outside
    v: Map  # (height, 1)
    unit: float
    horizon: float
    pose: Pose
    side: int
    framing: Framing


def photograph(scene: Scene, rng: random.Random, width: int, height: int) -> Picture:
    """(height, width, 3) uint8; the unit square of the shot is centred, a longer side shows more of the room."""
    stage = _set_up(scene, rng, width, height)
    lighting = LIGHTINGS[scene.light]
    key = np.asarray(lighting.key, np.float32) * rng.uniform(0.95, 1.05)
    ambient = np.asarray(lighting.ambient, np.float32)
    room, table = _room(scene.backdrop, stage, rng)
    field = _light_on_room(scene.light, stage, rng)
    picture = room * (ambient + key * field[..., None])
    _darken_edge(picture, scene.backdrop, table, stage)
    canvas = Canvas(*field.shape)
    build(scene.subject, canvas, stage.pose)
    picture *= (1 - _shadow(canvas, stage, lighting, table))[..., None]
    if scene.subject in ("candle", "lamp"):
        picture += room * _glow(scene, stage)
    solid = _shade_object(canvas, stage, scene.light, key, ambient, room)
    picture = np.where(canvas.mask[..., None], solid, picture)
    return _develop(picture, scene.light, stage, width, height)


def _set_up(scene: Scene, rng: random.Random, width: int, height: int) -> Stage:
    framing = FRAMINGS[scene.shot]
    rows, columns = height * SUPERSAMPLING, width * SUPERSAMPLING
    unit = float(min(rows, columns))
    left, top = (columns - unit) / 2, (rows - unit) / 2
    base_colour = COLOURS.get(scene.colour, (0.5, 0.5, 0.5))
    r, g, b = (
        float(np.clip(c * rng.uniform(0.92, 1.08) + rng.uniform(-0.015, 0.015), 0.02, 0.97))
        for c in base_colour
    )
    size = framing.height * WIDTHS.get(scene.subject, 1.0)
    if scene.shot == "full":
        size *= DISTANT_GROWTH.get(scene.subject, 1.0)
    size *= unit * rng.uniform(0.95, 1.05)
    off_centre = -0.13 * size if scene.subject == "mug" else 0.0  # the handle counts for the composition
    x = left + unit * (0.5 + rng.uniform(-framing.play, framing.play)) + off_centre
    base = top + unit * (framing.contact + rng.uniform(-0.015, 0.015))
    horizon = top + unit * (framing.horizon + rng.uniform(-0.02, 0.02))
    ys = np.arange(rows, dtype=np.float32)[:, None]
    xs = np.arange(columns, dtype=np.float32)[None, :]
    side = {"left": -1, "right": 1}.get(scene.light) or rng.choice([-1, 1])
    pose = Pose(x, base, size, (r, g, b), pattern_of(scene.striped), rng)
    return Stage(
        ys, xs, (xs - left) / unit - 0.5, (ys - top) / unit - 0.5, unit, horizon, pose, side, framing
    )


def _room(backdrop: str, stage: Stage, rng: random.Random) -> tuple[Map, NDArray[np.bool_]]:
    """Albedo (height, width, 3) of wall and table, and the table's mask (height, width)."""
    wall, top = SURFACES[backdrop]
    shape = (stage.y.shape[0], stage.x.shape[1])
    albedo = np.empty((*shape, 3), np.float32)
    albedo[:] = np.asarray(wall, np.float32) * (1 + rng.uniform(-0.06, 0.06))
    scale = stage.framing.texture * stage.unit / 192
    shift = rng.uniform(0, 200)
    if backdrop == "brick":
        _lay_bricks(albedo, stage, scale, shift)
    elif backdrop == "wood":
        plank = 40 * scale
        index = np.floor((stage.x + shift) / plank)
        tone = 0.14 * _noise(index) + 0.035 * np.sin((stage.x + shift) * 0.5 / scale)
        albedo *= (1 + tone)[..., None]
        albedo[:, ((stage.x[0] + shift) % plank) < 3.2 * scale] *= 0.45
    elif backdrop == "curtain":
        fold = 0.5 + 0.5 * np.sin((stage.x + shift) * 2 * math.pi / (36 * scale))
        albedo *= (0.35 + 1.0 * fold)[..., None]
    table = np.broadcast_to(stage.y > stage.horizon, shape)
    albedo[table] = np.asarray(top, np.float32)
    return albedo, table


def _noise(index: Map) -> Map:
    """A hash of whole numbers, -1 to 1: the tone of a brick or plank."""
    tone: Map = np.modf(np.sin(index * 78.233 + 1.7) * 43758.547)[0].astype(np.float32)
    return tone


def _lay_bricks(albedo: Map, stage: Stage, scale: float, shift: float) -> None:
    """Running bond that starts at the table: thick light joints and bricks of clearly different tone."""
    tall, long, joint = 25 * scale, 52 * scale, 4.2 * scale
    up = stage.horizon - stage.y
    row = np.floor(up / tall)
    along = stage.x + shift + (row % 2) * long / 2
    column = np.floor(along / long)
    albedo *= (1 + 0.22 * _noise(row * 12.9898 + column))[..., None]
    joints = (np.broadcast_to(up % tall < joint, along.shape)) | (along % long < joint)
    albedo[joints] = (0.70, 0.62, 0.55)


def _light_on_room(light: str, stage: Stage, rng: random.Random) -> Map:
    """How much of the key light reaches each point of wall and table: (height, width), about 0 to 1.3."""
    u, v, side, unit = stage.u, stage.v, stage.side, stage.unit
    wall = stage.y < stage.horizon
    soft = unit / 192
    if light in ("left", "right"):
        field = np.clip(0.58 + side * u * 1.05, 0.05, 1.3) + 0 * v
        a = u + 0.5 - (0.5 - side * 0.16 + rng.uniform(-0.04, 0.04))
        b = v + 0.5 - 0.26 + side * a * 0.28
        pane = (np.abs(a) < 0.24) & (np.abs(b) < 0.20) & (np.abs(a) > 0.018) & (np.abs(b) > 0.016)
        return field * 0.72 + _blur(pane, 3.2 * soft) * 0.50 * wall
    if light == "softbox":
        return 1.02 - 0.55 * (u * u + (v + 0.1) ** 2)
    if light == "low":
        return 0.40 * np.exp(-((u - side * 0.30) ** 2 + (v + 0.12) ** 2) * 8) + 0.03
    if light == "golden":
        field = np.clip(0.72 + side * u * 0.75 - 0.25 * (v + 0.2), 0.08, 1.2)
        bars = (((stage.x * 0.9 + side * stage.y * 0.75) / unit + 4) % 0.42) < 0.21
        return field + 0.20 * _blur(bars, 6 * soft) * wall
    return 0.80 - 0.5 * v - 0.3 * (u - side * 0.2) ** 2


def _blur(amount: NDArray[np.generic], radius: float) -> Map:
    """Gaussian blur of a map of values 0-1."""
    image = Image.fromarray((np.clip(amount.astype(np.float32), 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255


def _darken_edge(picture: Map, backdrop: str, table: NDArray[np.bool_], stage: Stage) -> None:
    """The table lightens towards the viewer; the line where wall and table meet is a little darker."""
    depth = np.clip((stage.y - stage.horizon) / (len(stage.y) - stage.horizon + 1), 0, 1)
    picture *= (1 + 0.12 * depth)[..., None]
    soft = stage.unit / 192
    if backdrop == "grey":  # a seamless sweep of paper has no edge
        edge = 0.10 * np.exp(-(((stage.y - stage.horizon) / (16 * soft)) ** 2))
    else:
        edge = 0.35 * np.exp(-np.abs(stage.y - stage.horizon) / (3 * soft)) * (stage.y <= stage.horizon + 1)
    picture *= (1 - edge)[..., None]


def _shadow(canvas: Canvas, stage: Stage, lighting: Lighting, table: NDArray[np.bool_]) -> Map:
    """Share of light taken away by the object: cast shadow on the table and contact shadow, (height, width)."""
    pose, side, soft = stage.pose, stage.side, stage.unit / 192
    lower = canvas.mask[int(max(0, pose.base - pose.height * 0.3)) :]
    columns = np.nonzero(lower.any(0))[0]
    half = max(6.0 * soft, float(columns[-1] - columns[0]) / 2) if len(columns) else 10.0 * soft
    x, y = pose.x, pose.base
    cast = Image.new("L", (canvas.width, canvas.height), 0)
    draw = ImageDraw.Draw(cast)
    length = lighting.shadow_length
    tip_x, tip_y = x - side * length * pose.height * 0.8, y - pose.height * 0.10 * min(length, 1.2)
    tip = half * 0.62
    outline = [
        (x, y - half * 0.22),
        (x, y + half * 0.26),
        (tip_x, tip_y + tip * 0.26),
        (tip_x - side * tip * 0.4, tip_y),
        (tip_x, tip_y - tip * 0.26),
    ]
    draw.polygon(outline, fill=255)
    draw.ellipse([x - half * 1.02, y - half * 0.24, x + half * 1.02, y + half * 0.30], fill=255)
    contact = Image.new("L", (canvas.width, canvas.height), 0)
    ImageDraw.Draw(contact).ellipse([x - half, y - half * 0.2, x + half, y + half * 0.27], fill=255)
    cast_map = _blur(np.asarray(cast) / 255, lighting.shadow_blur * soft) * lighting.shadow_depth
    amount = np.maximum(cast_map, _blur(np.asarray(contact) / 255, 2.5 * soft) * 0.7)
    return np.where(table, amount, amount * 0.35)


def _glow(scene: Scene, stage: Stage) -> Map:
    """Light that a flame or lamp throws on the room: (height, width, 3)."""
    pose = stage.pose
    source = pose.base - pose.height * (0.88 if scene.subject == "candle" else 0.66)
    near = np.exp(-(((stage.x - pose.x) ** 2 + (stage.y - source) ** 2) / (pose.height * 0.55) ** 2))
    strength = 0.75 if scene.light in ("low", "cool") else 0.35
    return near[..., None] * strength * np.array((1.0, 0.72, 0.38), np.float32)


def _shade_object(canvas: Canvas, stage: Stage, light: str, key: Map, ambient: Map, room: Map) -> Map:
    """The object lit by key, sky and a rim from the side, plus what it emits: (height, width, 3) linear."""
    lighting = LIGHTINGS[light]
    x, y, z = lighting.direction
    direction = np.array((stage.side * x, y, z), np.float32)
    direction /= np.linalg.norm(direction)
    normal = canvas.normal
    diffuse = np.maximum((normal @ direction + lighting.wrap) / (1 + lighting.wrap), 0)
    half = direction + np.array((0, 0.15, 1.0), np.float32)
    half /= np.linalg.norm(half)
    highlight = np.maximum(normal @ half, 0) ** (18 if light == "softbox" else 42) * canvas.gloss
    rim_from = np.array((stage.side * 0.97, 0.2, -0.1), np.float32)
    rim = np.maximum(normal @ rim_from, 0) ** 4 * (0.35 if light == "low" else 0.06)
    sky = ambient * (0.75 + 0.35 * normal[..., 1:2])
    solid = (
        canvas.albedo
        * (sky + key * 1.02 * diffuse[..., None] + rim[..., None] * key)
        * canvas.occlusion[..., None]
    )
    solid += (highlight * 0.9)[..., None] * key * 0.8 + canvas.emission
    bounce: Map = 0.05 * room.mean((0, 1)) * (1 - normal[..., 2:3]) * key.mean()
    return np.asarray(solid + bounce, np.float32)


def _develop(picture: Map, light: str, stage: Stage, width: int, height: int) -> Picture:
    """Vignette, colour cast of the hour, filmic tone curve, and the box filter down to the final size."""
    picture = picture * (1 - 0.42 * np.minimum(stage.u * stage.u + stage.v * stage.v, 0.7))[..., None]
    if light == "golden":
        picture = picture * np.array((1.05, 0.96, 0.80), np.float32) + np.array((0.03, 0.012, 0), np.float32)
    elif light == "cool":
        picture = picture * np.array((0.84, 0.98, 1.12), np.float32) + np.array((0, 0.008, 0.03), np.float32)
    film = 1 - np.exp(-np.maximum(picture, 0) * 1.55)
    film = np.clip(np.clip(film * 1.16, 0, 1) ** (1 / 1.7), 0, 1)
    small = film.reshape(height, SUPERSAMPLING, width, SUPERSAMPLING, 3).mean((1, 3))
    return (small * 255 + 0.5).astype(np.uint8)
