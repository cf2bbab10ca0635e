"""What is shown of a picture beside its pixels: the part that is trained, and places in it. Without Pillow."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.dataset.findings import Finding
from engine.dataset.items import Placement

Part = tuple[float, float, float, float]
"""left, top, right, bottom, as shares of an upright picture's width and height."""


@dataclass(frozen=True)
class Overlay:
    """What is drawn over a whole picture."""

    frame: Part | None = None
    """What the trainer keeps; the rest is dimmed."""
    boxes: tuple[Part, ...] = ()
    """Where findings are."""


@dataclass(frozen=True)
class Cut:
    """A picture as it is trained."""

    placement: Placement
    background: str
    """Colour that transparent pictures are laid on, #rrggbb."""


def placed_words(placement: Placement) -> str:
    """The bucket of a placement, and the resolution that it is for."""
    return f"{placement.bucket[0]}×{placement.bucket[1]} of {placement.resolution}"


def frame_of(placement: Placement) -> Part:
    """The part of a picture that a placement keeps."""
    (left, top), (width, height), whole = placement.crop_left_top, placement.bucket, placement.scaled
    return left / whole[0], top / whole[1], (left + width) / whole[0], (top + height) / whole[1]


def overlay_of(name: str, placements: tuple[Placement, ...], found: Iterable[Finding]) -> Overlay | None:
    """What is drawn over a picture: the frame of its first placement, and where findings are in it."""
    boxes = tuple(
        (box.left, box.top, box.right, box.bottom) for each in found for box in each.boxes.get(name, ())
    )
    frame = frame_of(placements[0]) if placements else None
    return Overlay(frame, boxes) if frame or boxes else None


def moved_to(placement: Placement, point: tuple[float, float]) -> Part:
    """The part that would be kept if the crop kept `point`, as shares of width and height: centred, and inside."""
    starts, sizes = [], []
    for at, bucket, whole in zip(point, placement.bucket, placement.scaled, strict=True):
        starts.append(min(max(at * whole - bucket / 2, 0), whole - bucket) / whole)
        sizes.append(bucket / whole)
    return starts[0], starts[1], starts[0] + sizes[0], starts[1] + sizes[1]
