"""Faces that would be learned wrongly: several in a picture, cut off by the crop, or blurred before a sharp background."""

from collections.abc import Iterable, Iterator

from engine.dataset.audit.people import FACES as MEASURED
from engine.dataset.audit.shapes import Audited, Check, Collection
from engine.dataset.findings import Box, Finding
from engine.dataset.items import Placement

BESIDE = 0.4
"""Height of another face over that of the largest, from which on it counts: a smaller one is background."""
HAIR = 0.3
"""What a head has above its face, as a share of the face's height."""
CUT = 0.05
"""Share of a head that may be lost."""
BLURRED, SHARP = 40.0, 100.0
"""Variance of the Laplacian: below the first a face is blurred, above the second what is around it is sharp."""


def faces_of(one: Audited) -> list[Box]:
    """Its faces, the largest first; none where there are none or they were not looked for."""
    return [
        Box(left=a, top=b, right=c, bottom=d, label="face")
        for a, b, c, d, _ in one.value("faces", "faces") or ()
    ]


def _kept(placed: Placement) -> Box:
    (left, top), (width, height), scaled = placed.crop_left_top, placed.bucket, placed.scaled
    return Box(
        left=left / scaled[0], top=top / scaled[1],
        right=(left + width) / scaled[0], bottom=(top + height) / scaled[1], label="what the crop keeps",
    )  # fmt: skip


def lost(head: Box, kept: Box) -> float:
    """Share of the first box that is not in the second."""
    wide = max(0.0, min(head.right, kept.right) - max(head.left, kept.left))
    high = max(0.0, min(head.bottom, kept.bottom) - max(head.top, kept.top))
    return 1 - wide * high / ((head.right - head.left) * (head.bottom - head.top))


def _judge(collection: Collection) -> Iterator[Finding]:
    for one in collection.of("subject"):
        faces = faces_of(one)
        if not faces:
            continue
        high = faces[0].bottom - faces[0].top
        beside = tuple(face for face in faces if face.bottom - face.top >= BESIDE * high)
        if len(beside) > 1:
            yield _finding(
                one, f"{one.name} shows {len(beside)} faces: which of them the trigger means is left to chance.",
                float(len(beside)), 1.0, "Crop it to the subject, or leave it out.", beside,
            )  # fmt: skip
        head = Box(
            left=faces[0].left,
            top=max(0.0, faces[0].top - HAIR * high),
            right=faces[0].right,
            bottom=faces[0].bottom,
        )
        cut = max(
            ((lost(head, kept), kept) for kept in map(_kept, one.placements)),
            default=None,
            key=lambda it: it[0],
        )
        if cut and cut[0] > CUT:
            yield _finding(
                one, f"The crop cuts off {cut[0]:.0%} of the head in {one.name}.", round(cut[0], 3), CUT,
                "m moves the crop.", (faces[0], cut[1]),
            )  # fmt: skip
        sharpness, around = one.value("faces", "sharpness"), one.value("faces", "around")
        if sharpness is not None and sharpness < BLURRED and around > SHARP:
            yield _finding(
                one, f"The face in {one.name} is blurred while what is around it is sharp.", sharpness, BLURRED,
                "Leave it out: the blur is learned as a part of the face.", faces[:1], check="blur",
            )  # fmt: skip


def _finding(
    one: Audited,
    value: str,
    number: float,
    threshold: float,
    remedy: str,
    boxes: Iterable[Box],
    check: str = "faces",
) -> Finding:
    return Finding(
        check=check, severity="warning", pictures=(one.name,), value=value, number=number, threshold=threshold,
        confidence="heuristic", method=FACES.method, remedy=remedy, boxes={one.name: tuple(boxes)},
    )  # fmt: skip


FACES = Check(
    name="faces", title="faces", measures=(MEASURED,), judge=_judge,
    method="YuNet 2023mar at 480 pixels, score 0.8; the crop by the run's own arithmetic; sharpness of the largest face by "
    "the variance of the Laplacian (v1)",
    known="Found 35 of 35 clearly visible faces in 42 photos and none in 58 without people. It misses faces from behind or "
    "far away. A blurred face was told from a sharp one in 20 of 20; faces under 48 pixels are not judged.",
)  # fmt: skip
