"""A picture without anything but its pixels, for who must not know how it was made."""

import io
from pathlib import Path


def bare_png(path: Path) -> bytes:
    """The picture as a PNG with nothing in it but the pixels: no prompt, no weight, no date.

    Raises Refused for what is no picture.
    """
    # Pillow is imported by the thread that copies.
    from engine.dataset.pictures import open_picture

    data = io.BytesIO()
    open_picture(path).save(data, "PNG")
    return data.getvalue()
