"""The colour of a picture's light and its tones, in a few numbers."""

import numpy as np

from engine.dataset.audit.look import Look
from engine.dataset.audit.shapes import Measure, Values

_SIDE = 256
_P = 6
"""Norm of the shades of grey: between the mean of a picture and its brightest spot."""
_CODES = np.arange(256) / 255
_POWERS = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4) ** _P
"""sRGB code -> its light to that power."""


def _take(look: Look) -> Values:
    step = max(1, max(look.rgb.shape) // _SIDE)
    pixels = look.rgb[::step, ::step].reshape(-1, 3)
    shares = np.bincount(look.lab[::step, ::step, 0].ravel(), minlength=256).cumsum() / len(pixels)
    # L* lies in a byte here, 255 for 100.
    dark, middle, light = np.searchsorted(shares, (0.05, 0.5, 0.95)) * (100 / 255)
    told = {
        "lightness": round(float(middle), 2),
        "range": round(float(light - dark), 2),
        "dark": round(float(shares[50]), 4),
    }
    most = pixels.max(axis=1)
    unclipped = pixels[(most < 250) & (most > 5)]
    if len(unclipped) < 100 or int((most - pixels.min(axis=1)).max()) < 4:
        return told
    red, green, blue = (
        ((np.bincount(unclipped[:, channel], minlength=256) @ _POWERS) / len(unclipped) + 1e-12) ** (1 / _P)
        for channel in range(3)
    )
    return {**told, "warmth": round(float(np.log(red / green) - np.log(blue / green)), 4)}


COLOUR = Measure(name="colour", version="1", stage="pixels", take=_take)
"""warmth: ln(R/G) - ln(B/G) of the light by shades of grey (p 6, linear), not there for grey pictures; lightness: median
L*; range: L* from the 5th to the 95th percentile; dark: share below L* 20."""
