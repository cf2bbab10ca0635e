"""The demo's little world: still-life photographs of one object on a table, described by a few attributes.

A picture is a `Scene` (what is in it) plus a random generator (how exactly): the same pair always gives the
same pixels. Objects keep one orientation (handles and stems to the right, the duck looks left), because at 64
pixels a base this small draws both alternatives at once when it has to choose.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (height, width, 3), sRGB, 0-255

SUBJECTS = ("mug", "bottle", "vase", "apple", "teapot", "lamp", "candle", "cactus", "duck")
UNKNOWN_SUBJECTS = ("toadstool", "owl", "pylon", "snowman")
"""Subjects that the base never sees: the demo's own, a hard one with too much detail for this base, and two easy ones
that the review is judged on."""

COLOURS: dict[str, tuple[float, float, float]] = {  # linear albedo, 0-1
    "red": (0.78, 0.09, 0.08),
    "orange": (0.92, 0.42, 0.06),
    "yellow": (0.93, 0.78, 0.10),
    "green": (0.12, 0.52, 0.17),
    "blue": (0.10, 0.26, 0.76),
    "purple": (0.46, 0.14, 0.62),
    "white": (0.92, 0.91, 0.88),
    "black": (0.07, 0.07, 0.08),
}
BACKDROPS = ("grey", "cream", "teal", "brick", "wood", "curtain")
LIGHTS = ("left", "right", "softbox", "low", "golden", "cool")
SHOTS = ("close", "medium", "full")
STRIPED_SHARE = 0.08


@dataclass(frozen=True)
class Scene:
    """What one picture shows.

    `subject` is one of `SUBJECTS` or `UNKNOWN_SUBJECTS`; `colour` a key of `COLOURS`, or "" for a subject that
    brings its own colours; `backdrop`, `light` and `shot` are members of the tuples of those names.
    """

    subject: str
    colour: str
    backdrop: str
    light: str
    shot: str
    striped: bool = False


def draw_scene(rng: random.Random, subject: str | None = None) -> Scene:
    """A random scene; `subject` fixes what stands on the table."""
    chosen = subject if subject is not None else rng.choice(SUBJECTS)
    own_colours = chosen in UNKNOWN_SUBJECTS
    return Scene(
        subject=chosen,
        colour="" if own_colours else rng.choice(tuple(COLOURS)),
        backdrop=rng.choice(BACKDROPS),
        light=rng.choice(LIGHTS),
        shot=rng.choice(SHOTS),
        striped=not own_colours and chosen != "duck" and rng.random() < STRIPED_SHARE,
    )


def generator(seed: int, *stream: object) -> random.Random:
    """A random generator named by a seed and a purpose, the same on every machine and Python version.

    Strings are hashed with SHA-512 by `random.seed`, not with the salted `hash`.
    """
    return random.Random(":".join(str(part) for part in (seed, *stream)))


def render(scene: Scene, rng: random.Random, width: int = 64, height: int = 64) -> Picture:
    """Photograph `scene`: (height, width, 3) uint8. The object's size follows the shorter side."""
    from engine.demo.scene import photograph

    return photograph(scene, rng, width, height)
