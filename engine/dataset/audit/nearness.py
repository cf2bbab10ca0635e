"""How near the camera is, by the height of the largest face: the numbers of it, without what finds faces."""

from typing import Final

FACES_VERSION: Final = "1"
"""Of the measure `faces`."""
CLOSE, MEDIUM = 0.36, 0.135
"""Height of the face over that of the picture, from which on it is a close-up, and a medium shot."""


def distance_by(height: float) -> str:
    """close-up, medium or full body."""
    return "close-up" if height >= CLOSE else "medium" if height >= MEDIUM else "full body"
