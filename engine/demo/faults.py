"""Pictures that are wrong on purpose: the faults the negative prompt names, and shapes outside the world.

The base sees faulty pictures under their own words, so that a negative prompt pushes away from something real.
The autoencoder also sees arbitrary shapes and colours, so that a subject outside the world survives it.
"""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from engine.demo.world import Picture, draw_scene, render

FAULTS = ("blurred", "noisy", "deformed", "marked")


def damage(picture: Picture, fault: str, rng: random.Random) -> Picture:
    """The picture (height, width, 3) with one fault of `FAULTS`."""
    image = Image.fromarray(picture)
    if fault == "blurred":
        return np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(1.6, 3.0))))
    if fault == "noisy":
        noise = np.random.default_rng(rng.getrandbits(32)).normal(
            0, rng.uniform(18, 40), (*picture.shape[:2], 1)
        )
        coarse = (picture // 32) * 32 + 16  # few tones, as after heavy compression
        return np.clip(coarse + noise, 0, 255).astype(np.uint8)
    if fault == "deformed":
        return _swirl(picture, rng)
    draw = ImageDraw.Draw(image)
    pale = rng.choice([(250, 250, 250), (20, 20, 20)])
    for _ in range(rng.choice((1, 2))):
        place = (rng.uniform(0, image.width * 0.35), rng.uniform(0, image.height * 0.8))
        draw.text(place, rng.choice(("SAMPLE", "PREVIEW", "STOCK", "demo.jpg")), fill=pale)
    return np.asarray(image)


def _swirl(picture: Picture, rng: random.Random) -> Picture:
    """Rows and columns pushed about by two waves: objects bend and tear out of shape."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    force, wave = rng.uniform(4, 8) * height / 64, rng.uniform(14, 26) * height / 64
    phase = rng.uniform(0, 6.28)
    sx = np.clip(x + force * np.sin(y * 6.28 / wave + phase), 0, width - 1).astype(int)
    sy = np.clip(y + force * np.sin(x * 6.28 / wave + 2 * phase), 0, height - 1).astype(int)
    return picture[sy, sx]


def arbitrary(rng: random.Random, size: int = 64) -> Picture:
    """Random shapes in random colours, sometimes over a picture of the world: (size, size, 3)."""
    work = size * 3
    if rng.random() < 0.5:
        image = Image.fromarray(render(draw_scene(rng), rng, size, size)).resize(
            (work, work), Image.Resampling.BILINEAR
        )
    else:
        image = Image.new("RGB", (work, work), _any_colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(3, 14)):
        _any_shape(draw, rng, work)
    if rng.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(1, 5)))
    small = np.asarray(image.resize((size, size), Image.Resampling.BOX), np.float32)
    shading = np.linspace(rng.uniform(0.5, 1), rng.uniform(0.5, 1), size)[None, :, None]
    return np.clip(small * shading, 0, 255).astype(np.uint8)


def _any_colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255)


def _any_shape(draw: ImageDraw.ImageDraw, rng: random.Random, extent: int) -> None:
    colour = _any_colour(rng)
    x, y = rng.uniform(0, extent), rng.uniform(0, extent)
    w, h = rng.uniform(6, 70), rng.uniform(6, 70)
    kind = rng.randint(0, 3)
    if kind == 0:
        draw.ellipse([x - w / 2, y - h / 2, x + w / 2, y + h / 2], fill=colour)
    elif kind == 1:
        corners = [(x + rng.uniform(-w, w), y + rng.uniform(-h, h)) for _ in range(rng.randint(3, 5))]
        draw.polygon(corners, fill=colour)
    elif kind == 2:
        draw.line(
            [(x, y), (x + rng.uniform(-90, 90), y + rng.uniform(-90, 90))],
            fill=colour,
            width=rng.randint(3, 9),
        )
    else:
        draw.rectangle([x, y, x + w, y + h], fill=colour)
