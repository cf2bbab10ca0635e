"""What is known of a picture that was left out before any audit saw it: its file's header, read in a thread."""

from dataclasses import replace

from projects.problems import Refused
from tui.audited import Row

_TURNED = 5
"""EXIF orientations from which on width and height are exchanged."""


def with_header(row: Row) -> Row:
    """The row with the picture's size, upright, and its kind; as it is where the file cannot be opened."""
    # Pillow is imported after the first paint.
    from engine.dataset.pictures import open_header, picture_bytes

    try:
        picture = open_header(row.path, picture_bytes(row.path))
    except (Refused, OSError, MemoryError):
        return row
    try:
        turned = picture.getexif().get(0x0112, 1) in range(_TURNED, 9)
    except Exception:  # EXIF holds whatever a camera or a program has put there.
        turned = False
    kind = "JPEG" if picture.format == "MPO" else str(picture.format)
    return replace(row, size=picture.size[::-1] if turned else picture.size, kind=kind)
