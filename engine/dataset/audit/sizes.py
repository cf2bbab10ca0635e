"""Whether pictures are large enough: for the base as they are, and for the run after scaling and crop."""

from collections.abc import Iterator

from engine.dataset.audit.header import HEADER
from engine.dataset.audit.opened import OPENED
from engine.dataset.audit.shapes import Audited, Check, Collection
from engine.dataset.findings import Finding

ENLARGED = 1.05
"""Factor above which being enlarged counts: what is below it nobody sees."""


def size_of(one: Audited) -> tuple[int, int] | None:
    """Width and height in pixels of the upright picture; None while it is unknown."""
    size = one.value("opened", "size") or one.value("header", "size")
    return (size[0], size[1]) if size else None


def _size(collection: Collection) -> Iterator[Finding]:
    least, good = collection.floors
    if not good:
        return
    between: dict[str, int] = {}
    for one in collection.of("subject", "regularization"):
        if (size := size_of(one)) is None or min(size) >= good:
            continue
        if min(size) >= least:
            between[one.name] = min(size)
            continue
        yield Finding(
            check="size", severity="warning", pictures=(one.name,),
            value=f"{one.name} is small: {size[0]}×{size[1]}, and this base wants {least} pixels on the short side.",
            number=float(min(size)), threshold=float(least), confidence="exact", method=SIZE.method,
            remedy="Use the original, not a preview or a download of it; else leave it out.",
        )  # fmt: skip
    if between:
        count = f"{len(between)} pictures have" if len(between) > 1 else "1 picture has"
        yield Finding(
            check="size", severity="note", pictures=tuple(between),
            value=f"{count} between {least} and {good} pixels on the short side: enough, and more would be better.",
            number=float(min(between.values())), threshold=float(good), confidence="exact", method=SIZE.method,
            remedy="Where there is a larger original, use that.",
        )  # fmt: skip


def _size_cover(collection: Collection) -> str:
    least, good = collection.floors
    sides = [min(size) for one in collection.of("subject") if (size := size_of(one))]
    if not good or not sides:
        return ""
    large, enough = sum(side >= good for side in sides), sum(least <= side < good for side in sides)
    small = len(sides) - large - enough
    parts = [f"{large} ≥ {good}"]
    parts += [f"{enough} ≥ {least}"] if enough else []
    parts += [f"{small} < {least}"] if small else []
    return "resolution " + ", ".join(parts)


def _cropped(collection: Collection) -> Iterator[Finding]:
    for one in collection.of("subject", "regularization"):
        size = size_of(one)
        if size is None or not one.placements:
            continue
        factor, placed = max(
            ((max(each.scaled[0] / size[0], each.scaled[1] / size[1]), each) for each in one.placements),
            key=lambda found: found[0],
        )
        if factor <= ENLARGED:
            continue
        yield Finding(
            check="cropped-size", severity="warning", pictures=(one.name,),
            value=f"{one.name} is enlarged {factor:.2f} times to fill {placed.bucket[0]}×{placed.bucket[1]}: "
            "its softness is trained too.",
            number=round(factor, 3), threshold=ENLARGED, confidence="exact", method=CROPPED_SIZE.method,
            remedy=f"Use a larger original, train at less than {placed.resolution} pixels, or leave it out.",
        )  # fmt: skip


SIZE = Check(
    name="size", title="too small", measures=(HEADER, OPENED), judge=_size, cover=_size_cover,
    method="short side in pixels, after turning, against what the base was made for",
    known="Exact. It knows pixels, not detail: a small picture that was enlarged passes here.",
)  # fmt: skip
CROPPED_SIZE = Check(
    name="cropped-size", title="enlarged by the crop", measures=(HEADER, OPENED), judge=_cropped,
    method=f"scaled size of the run's bucket over the picture's own, above {ENLARGED}",
    known="Exact: the same arithmetic cuts the pictures of a run.",
)  # fmt: skip
