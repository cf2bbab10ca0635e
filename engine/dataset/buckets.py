"""Aspect buckets and where a picture lies in one: exact integer arithmetic, the same on every machine."""

import math
from fractions import Fraction
from functools import lru_cache

from engine.dataset.items import Placement
from projects.problems import refuse

MAX_RATIO = 2
"""Longest bucket, as long side over short side."""
_LEAST_AREA = Fraction(4, 5)
"""Buckets below this share of resolution^2 would train a picture on far fewer pixels than the rest."""


@lru_cache(maxsize=64)
def buckets(resolution: int, step: int, max_ratio: int = MAX_RATIO) -> tuple[tuple[int, int], ...]:
    """(width, height) in pixels of every bucket, sorted by width.

    Sides are multiples of `step`, the area is at most resolution^2 and at least 0.8 of it, long over short is at
    most `max_ratio`. The largest square is always among them, whatever its area.

    For each short side the long one is the largest that fits: step 16 at 64 gives 48x80, 64x64, 80x48.
    Raises Refused when the resolution is smaller than the step.
    """
    if resolution < step:
        error = f"Resolution {resolution} is smaller than this base's bucket step of {step} pixels."
        raise refuse(error, where="project.toml: train.resolution", hint=f"Use {step} or more.", usage=True)
    area = resolution * resolution
    square = resolution // step * step
    found = {(square, square)}
    for short in range(step, square + 1, step):
        long = min(area // short, max_ratio * short) // step * step
        if short * long >= _LEAST_AREA * area:
            found |= {(short, long), (long, short)}
    return tuple(sorted(found))


@lru_cache(maxsize=16384)  # Sets have many pictures of few sizes.
def nearest(size: tuple[int, int], resolution: int, step: int, max_ratio: int = MAX_RATIO) -> tuple[int, int]:
    """The bucket whose aspect is nearest to that of `size` on a log scale: the least is cropped.

    Between equals the larger one wins, then the narrower.
    """
    width, height = size

    def distance(bucket: tuple[int, int]) -> tuple[Fraction, int, int]:
        # max(r, 1/r) orders as |log r| does, without rounding.
        ratio = Fraction(width * bucket[1], height * bucket[0])
        return max(ratio, 1 / ratio), -bucket[0] * bucket[1], bucket[0]

    return min(buckets(resolution, step, max_ratio), key=distance)


def placement(
    size: tuple[int, int],
    resolution: int,
    step: int,
    focal: tuple[float, float] = (0.5, 0.5),
) -> Placement:
    """How an upright picture of `size` (width, height) is scaled and cropped to its bucket.

    The scaled picture covers the bucket exactly in one direction and at least in the other; the crop is centred
    on `focal` (shares of width and height) as far as it stays inside. Small pictures are enlarged: see
    `Item.scale`.
    """
    width, height = size
    bucket = nearest(size, resolution, step)
    if bucket[0] * height >= bucket[1] * width:
        scaled = bucket[0], max(bucket[1], _rounded(height * bucket[0], width))
    else:
        scaled = max(bucket[0], _rounded(width * bucket[1], height)), bucket[1]
    crop = _start(scaled[0], bucket[0], focal[0]), _start(scaled[1], bucket[1], focal[1])
    return Placement(resolution=resolution, bucket=bucket, scaled=scaled, crop_left_top=crop)


def _start(scaled: int, bucket: int, focal: float) -> int:
    """First pixel of a crop of `bucket` pixels out of `scaled`, centred on `focal` as far as it stays inside."""
    return min(max(math.floor(focal * scaled - bucket / 2 + 0.5), 0), scaled - bucket)


def _rounded(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest integer, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)
