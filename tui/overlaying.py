"""Draws what an overlay says onto a copy of a small picture. For the thread that draws pictures: it needs Pillow."""

from typing import Final

from PIL import Image, ImageDraw

from tui.overlay import Overlay, Part

_DIMMED: Final = 0.35
_FRAME: Final = (232, 221, 212)
_BOX: Final = (255, 106, 61)


def drawn_over(picture: Image.Image, overlay: Overlay, view: Part = (0.0, 0.0, 1.0, 1.0)) -> Image.Image:
    """A copy of the picture: dimmed outside of the frame, with a line around each box.

    view: the part of the whole picture that `picture` is; the overlay is about the whole.
    """
    made = picture.copy()
    if overlay.frame is not None:
        frame = _inside(overlay.frame, view)
        inside = _pixels(frame, made.size) if frame else None
        if inside is None or (inside[2] - inside[0], inside[3] - inside[1]) != made.size:
            kept = made.crop(inside) if inside else None
            made = Image.blend(Image.new("RGB", made.size), made, _DIMMED)
            if kept and inside:
                made.paste(kept, inside[:2])
                _line(made, inside, _FRAME)
    for box in overlay.boxes:
        seen = _inside(box, view)
        if seen is not None:
            _line(made, _pixels(seen, made.size), _BOX)
    return made


def _inside(part: Part, view: Part) -> Part | None:
    """A part of the whole as shares of what is seen of it, which may go beyond its edges; None where nothing is seen."""
    left, top, right, bottom = view
    wide, high = right - left, bottom - top
    moved = (part[0] - left) / wide, (part[1] - top) / high, (part[2] - left) / wide, (part[3] - top) / high
    return moved if moved[0] < 1 and moved[1] < 1 and moved[2] > 0 and moved[3] > 0 else None


def _line(picture: Image.Image, at: tuple[int, int, int, int], colour: tuple[int, int, int]) -> None:
    left, top, right, bottom = at
    ImageDraw.Draw(picture).rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=colour)


def _pixels(part: Part, size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = size
    left, top = round(max(0, part[0]) * width), round(max(0, part[1]) * height)
    right, bottom = round(min(1, part[2]) * width), round(min(1, part[3]) * height)
    left, top = min(left, width - 1), min(top, height - 1)
    return left, top, max(left + 1, right), max(top + 1, bottom)
