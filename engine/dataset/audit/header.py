"""What a file says of its picture before a pixel is decoded: one reading for every check of files, sizes and origins."""

from contextlib import suppress
from typing import Any

from engine.dataset.audit.look import Look
from engine.dataset.audit.shapes import Measure, Values

_ORIENTATION, _MAKE, _MODEL, _TAKEN = 0x0112, 0x010F, 0x0110, 0x9003
_EXPOSURE_IFD, _SUB_SECONDS, _EXPOSURE, _APERTURE, _ISO, _FLASH = (
    0x8769,
    0x9291,
    0x829A,
    0x829D,
    0x8827,
    0x9209,
)


def _take(look: Look) -> Values:
    picture = look.header
    exif: dict[int, Any] = {}
    exposure: dict[int, Any] = {}
    with suppress(Exception):  # EXIF holds whatever a camera or a program has put there.
        exif = dict(picture.getexif())
        exposure = picture.getexif().get_ifd(_EXPOSURE_IFD)
    orientation = exif.get(_ORIENTATION, 1)
    orientation = orientation if orientation in range(1, 9) else 1
    width, height = picture.size
    turned = orientation >= 5
    tables = getattr(picture, "quantization", None) or {}
    return {
        "kind": "JPEG" if picture.format == "MPO" else str(picture.format),
        "mode": picture.mode,
        "size": [height, width] if turned else [width, height],
        "orientation": orientation,
        "profile": "icc_profile" in picture.info,
        "alpha": picture.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in picture.info,
        "camera": " ".join(f"{exif.get(_MAKE, '')} {exif.get(_MODEL, '')}".split())[:80],
        "taken": str(exposure.get(_TAKEN, "") or "")[:32] + str(exposure.get(_SUB_SECONDS, "") or "")[:4],
        "exposure": _number(exposure.get(_EXPOSURE)),
        "aperture": _number(exposure.get(_APERTURE)),
        "iso": _number(exposure.get(_ISO)),
        "flash": _number(exposure.get(_FLASH)),
        "quantization": sum(tables[0]) / len(tables[0]) if 0 in tables and len(tables[0]) else None,
    }


def _number(value: object) -> float | None:
    if isinstance(value, tuple | list):
        value = value[0] if value else None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if abs(number) < 1e9 else None


HEADER = Measure(name="header", version="1", stage="header", take=_take)
"""kind, mode, size (upright), orientation, profile, alpha, camera, taken, exposure, aperture, iso, flash, and the mean of a
JPEG's first quantisation table."""
