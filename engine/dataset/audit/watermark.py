"""A mark that many pictures share, with or without letters."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from engine.dataset.audit.edges import AGREE, EDGES, MOST, SHARE, VERSION, shared
from engine.dataset.audit.shapes import Audited, Check, Collection
from engine.dataset.findings import Box, Finding

FEWEST: Final = 12
"""Pictures of a folder below which nothing can be said."""


def _box(place: str, ends: Sequence[float], size: Sequence[int]) -> Box:
    label = "shared mark"
    if place == "whole":
        return Box(left=ends[0], top=ends[1], right=ends[2], bottom=ends[3], label=label)
    across, down = (SHARE * min(size) / side for side in size)
    left, top = ("right" in place) * (1 - across), ("lower" in place) * (1 - down)
    return Box(
        left=left + ends[0] * across, top=top + ends[1] * down, right=left + ends[2] * across,
        bottom=top + ends[3] * down, label=label,
    )  # fmt: skip


def _judge(collection: Collection) -> Iterator[Finding]:
    folders: dict[tuple[str, ...], list[Audited]] = defaultdict(list)
    for one in collection.of("subject", "regularization"):
        if one.value("edges", "edges"):
            folders[one.set, str(one.path.parent)].append(one)
    for key in [key for key, members in folders.items() if len(members) < FEWEST]:
        folders[(key[0],)] += folders.pop(key)  # Small folders of one set together.
    for key, pictures in sorted(folders.items()):
        if len(pictures) < FEWEST:
            continue
        chosen = sorted(pictures, key=lambda one: one.sha256)[:MOST]
        marks = collection.once(
            f"watermark {key[-1]}", VERSION, chosen, lambda chosen=chosen: shared(chosen)  # type: ignore[misc]
        )["marks"]  # fmt: skip
        if marks:
            yield _finding(chosen, marks)


def _finding(chosen: Sequence[Audited], marks: Sequence[Any]) -> Finding:
    corners = [mark for mark in marks if mark[0] != "whole"]
    # A mark in a corner is in the whole frame too, and there less well seen.
    marks = corners or marks
    boxes: dict[str, list[Box]] = defaultdict(list)
    for place, _, ends, contents in marks:
        carry = set(contents)
        for one in chosen:
            if one.sha256 in carry:
                boxes[one.name].append(_box(place, ends, one.value("edges", "size")))
    where = " and ".join(f"{place} corner" for place, *_ in corners) or "frame"
    return Finding(
        check="watermark", severity="blocker" if corners else "warning", pictures=tuple(sorted(boxes)),
        value=f"{len(boxes)} of {len(chosen)} pictures carry the same mark in the {where}"
        + (": a watermark or a logo." if corners else ", or share one composition."),
        number=max(mark[1] for mark in marks), threshold=AGREE, confidence="measured", method=WATERMARK.method,
        remedy="Get originals without it, or crop it away: it would be learned as part of the subject."
        if corners else "Look at the boxes: leave the pictures out if it is a mark, ignore this if it is the backdrop.",
        boxes={name: tuple(each) for name, each in boxes.items()},
    )  # fmt: skip


WATERMARK = Check(
    name="watermark", title="shared mark", measures=(EDGES,), judge=_judge, whole=True,
    method=f"agreement of edges over the pictures of a folder (at least {FEWEST}, at most {MOST}): z of "
    f"the strongest hundredth of a corner or the whole frame from {AGREE}, and pictures that carry it (version {VERSION})",
    known="In folders of 30: finds a mark in a corner of all pictures from 10 % opacity on, half of them from 30 %, and a "
    "large one in the middle of all of them; one on a third of them or fewer mostly not. See docs/audit.md. It needs no "
    "letters, and says nothing about a mark on one picture.",
)  # fmt: skip
