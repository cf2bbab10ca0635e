"""Every check, in the order in which people see them. To add one: its file beside this one, and its line here."""

from collections.abc import Mapping

from engine.dataset.audit import (
    blur,
    border,
    collage,
    count,
    duplicates,
    faces,
    looks,
    opened,
    origin,
    regularization,
    screenshot,
    sizes,
    text_overlay,
    variety,
    watermark,
)
from engine.dataset.audit.shapes import Check, Measure

CHECKS: tuple[Check, ...] = (
    count.COUNT,
    *opened.REFUSED,
    opened.EXTENSION,
    opened.MODE,
    opened.PROFILE,
    opened.ORIENTATION,
    sizes.SIZE,
    sizes.CROPPED_SIZE,
    blur.UPSCALED,
    blur.BLUR,
    blur.NOISE,
    watermark.WATERMARK,
    text_overlay.TEXT_OVERLAY,
    collage.COLLAGE,
    screenshot.SCREENSHOT,
    border.BARS,
    duplicates.DUPLICATE,
    duplicates.BURSTS,
    faces.FACES,
    variety.LIGHTING,
    variety.FRAMING,
    variety.WARDROBE,
    looks.LOOKS,
    regularization.REGULARIZATION,
    origin.ORIGIN,
)

MEASURES: Mapping[str, Measure] = {measure.name: measure for check in CHECKS for measure in check.measures}
"""Every measure of every check, each once, by name."""
