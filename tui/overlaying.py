"""Draws what an overlay says onto a copy of a small picture. For the thread that draws pictures: it needs Pillow."""

from typing import Final

from PIL import Image, ImageDraw

from tui.overlay import Overlay, Part

_DIMMED: Final = 0.35
_FRAME: Final = (232, 221, 212)
_BOX: Final = (255, 106, 61)


def drawn_over(picture: Image.Image, overlay: Overlay) -> Image.Image:
    """A copy of the picture: dimmed outside of the frame, with a line around each box."""
    made = picture.copy()
    if overlay.frame is not None:
        inside = _pixels(overlay.frame, made.size)
        if (inside[2] - inside[0], inside[3] - inside[1]) != made.size:
            kept = made.crop(inside)
            made = Image.blend(Image.new("RGB", made.size), made, _DIMMED)
            made.paste(kept, inside[:2])
            _line(made, inside, _FRAME)
    for box in overlay.boxes:
        _line(made, _pixels(box, made.size), _BOX)
    return made


def _line(picture: Image.Image, at: tuple[int, int, int, int], colour: tuple[int, int, int]) -> None:
    left, top, right, bottom = at
    ImageDraw.Draw(picture).rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=colour)


def _pixels(part: Part, size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = size
    left, top = round(max(0, part[0]) * width), round(max(0, part[1]) * height)
    right, bottom = round(min(1, part[2]) * width), round(min(1, part[3]) * height)
    left, top = min(left, width - 1), min(top, height - 1)
    return left, top, max(left + 1, right), max(top + 1, bottom)
