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
        frame = _pixels(overlay.frame, view, made.size)
        # What is seen of it; nothing where it lies beyond.
        left, top = min(max(0, frame[0]), made.width), min(max(0, frame[1]), made.height)
        right, bottom = min(max(left, frame[2]), made.width), min(max(top, frame[3]), made.height)
        if (right - left, bottom - top) != made.size:
            kept = made.crop((left, top, right, bottom))
            made = Image.blend(Image.new("RGB", made.size), made, _DIMMED)
            made.paste(kept, (left, top))
            _line(made, frame, _FRAME)
    for box in overlay.boxes:
        _line(made, _pixels(box, view, made.size), _BOX)
    return made


def _line(picture: Image.Image, at: tuple[int, int, int, int], colour: tuple[int, int, int]) -> None:
    """A line just inside of these edges; edges beyond the picture are not drawn."""
    left, top, right, bottom = at
    ImageDraw.Draw(picture).rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=colour)


def _pixels(part: Part, view: Part, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a part of the whole picture is in what is seen of it, beyond its edges where that is where it is."""
    ends: list[int] = []
    for low, high, start, end, side in ((part[0], part[2], view[0], view[2], size[0]),
                                        (part[1], part[3], view[1], view[3], size[1])):  # fmt: skip
        scale = side / (end - start)
        first = round((max(0.0, low) - start) * scale)
        if start == 0 and end == 1:
            first = min(first, side - 1)
        ends += [first, max(first + 1, round((min(1.0, high) - start) * scale))]
    return ends[0], ends[2], ends[1], ends[3]
