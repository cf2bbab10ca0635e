"""What can be seen in a picture without any model of pictures: the audit's own measures, on made and on trained ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from engine.dataset.audit.hashes import HASH
from engine.dataset.audit.look import SMALLEST, Array, Look
from engine.dataset.audit.pairs import BITS as _SIDE
from engine.dataset.audit.pairs import Alike
from engine.dataset.audit.people import detect
from engine.dataset.audit.sharpness import SHARPNESS
from engine.dataset.audit.tints import COLOUR

VERSION = "1"
CUT = 0.75
"""Of width and height that a cut form of a training picture keeps."""
_DARKEST, _BRIGHTEST = 2, 253
"""Codes of sRGB beyond which a tone is lost."""


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """One picture."""

    sharpness: float
    """Variance of the Laplacian of the slightly smoothed luma."""
    clipped: float
    """Share of pixels with all tone lost, black or white, 0 to 1."""
    warmth: float | None
    """ln(R/G) - ln(B/G) of its light; None for grey pictures."""
    faces: int | None
    """None where the picture is too small to look for any."""
    bits: str
    """The audit's hash; "" where there is nothing to see."""
    shades: str
    """The same in 16 x 16 grey levels, hex."""


class _Pixels(Look):
    """A picture that is in memory already, for measures that look at pixels only."""

    def __init__(self, picture: Image.Image) -> None:
        self.rgb = np.asarray(picture)


def appearance(picture: Image.Image) -> Appearance:
    """Look at an RGB picture."""
    look = _Pixels(picture)
    luma = look.grey
    colour, hashed = COLOUR.take(look), HASH.take(look)
    return Appearance(
        sharpness=float(SHARPNESS.take(look)["lap"]),
        clipped=round(float(((luma <= _DARKEST) | (luma >= _BRIGHTEST)).mean()), 4),
        warmth=colour.get("warmth"),
        faces=len(detect(look.rgb)) if min(luma.shape) >= SMALLEST else None,
        bits=hashed["bits"],
        shades=hashed["shades"],
    )


def forms(picture: Image.Image) -> list[tuple[str, str]]:
    """Bits and shades of an RGB picture as it is and cut to CUT of its sides, at the corners and in the middle. Small
    pictures as they are alone: their hashes see too little for parts."""
    found = [picture]
    if min(picture.size) >= SMALLEST:
        width, height = (round(CUT * side) for side in picture.size)
        spare = picture.width - width, picture.height - height
        for across, down in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5)):
            left, top = round(across * spare[0]), round(down * spare[1])
            found.append(picture.crop((left, top, left + width, top + height)))
    told = (HASH.take(_Pixels(each)) for each in found)
    return [(each["bits"], each["shades"]) for each in told]


def of_table(table: dict[str, Any]) -> Appearance:
    """What was written down of one. Raises TypeError for what was not."""
    return Appearance(**table)


def differing_bits(ones: Sequence[str], others: Sequence[str]) -> Array:
    """(N, M), int: bits of 256 that differ between hashes at best, flipped and turned; 256 where one is empty."""
    first = np.array([_signs(bits) for bits in ones]).reshape(len(ones), _SIDE * _SIDE)
    second = np.array([_signs(bits) for bits in others]).reshape(len(others), _SIDE, _SIDE)
    row, column = np.indices((_SIDE, _SIDE)) % 2 * -2 + 1
    least = np.full((len(ones), len(others)), 256)
    for turned in (second, second.transpose(0, 2, 1)):
        # A flip changes the sign of every odd wave of its direction, and nothing else.
        for flip in (np.ones_like(row), column, row, row * column):
            agreeing = first @ (turned * flip).reshape(len(others), _SIDE * _SIDE).T
            least = np.minimum(least, (256 - agreeing) // 2)
    least[np.array([not bits for bits in ones], bool), :] = 256
    least[:, np.array([not bits for bits in others], bool)] = 256
    return least


def same_picture(one: str, other: str) -> bool:
    """Whether pictures of near hashes are one by their shades (16 x 16 grey levels, hex), as the audit has it."""
    return bool(one and other) and Alike([one, other]).anyhow(0, 1, 256)


def _signs(bits: str) -> Array:
    """(16, 16), +1 and -1."""
    if not bits:
        return np.ones((_SIDE, _SIDE), np.int64)
    return (
        np.unpackbits(np.frombuffer(bytes.fromhex(bits), np.uint8)).reshape(_SIDE, _SIDE).astype(np.int64) * 2
        - 1
    )
