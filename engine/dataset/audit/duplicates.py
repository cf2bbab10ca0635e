"""The same picture twice: the same bytes, the same picture in another form, and frames of one burst."""

from collections.abc import Iterator

from engine.dataset.audit.groups import (
    BURST,
    NEAR,
    SECONDS,
    SHOT_TOGETHER,
    Group,
    burst_groups,
    contents_of,
    duplicate_groups,
)
from engine.dataset.audit.hashes import HASH
from engine.dataset.audit.header import HEADER
from engine.dataset.audit.shapes import Check, Collection
from engine.dataset.findings import Finding


def _duplicate(collection: Collection) -> Iterator[Finding]:
    for group in duplicate_groups(collection):
        if len(group.members) > 1:
            same = len(set(contents_of(group))) == 1
            yield _finding(
                "duplicate", group, "are the same file" if same else "are the same picture in several forms",
                "The kept one is the largest and sharpest. Leave the others out: twice the same is trained twice as hard.",
                exact=same,
            )  # fmt: skip


def _burst(collection: Collection) -> Iterator[Finding]:
    for group in burst_groups(collection):
        if len(group.members) > 1:
            yield _finding(
                "burst", group, "are nearly the same, as shots within a moment are",
                "Keep the best of them, unless what differs matters: they teach one pose over and over.",
            )  # fmt: skip


def _finding(check: str, group: Group, what: str, remedy: str, exact: bool = False) -> Finding:
    names = tuple(one.name for one in group.members)
    said = " and ".join(names) if len(names) == 2 else f"{names[0]} and {len(names) - 1} others"
    return Finding(
        check=check, severity="warning", pictures=names, value=f"{said} {what}.", number=float(group.distance),
        threshold=float(NEAR if check == "duplicate" else BURST), keep=names[0],
        confidence="exact" if exact else "measured",
        method=DUPLICATE.method if check == "duplicate" else BURSTS.method, remedy=remedy,
    )  # fmt: skip


DUPLICATE = Check(
    name="duplicate", title="the same picture", measures=(HASH, HEADER), judge=_duplicate, whole=True,
    method=f"the same bytes, or at most {NEAR} of 256 bits of a perceptual hash differ in any flip or quarter turn (v1)",
    known="Of 21 photos recompressed, scaled, grey, framed, flipped, turned or cropped by 5 % it found 95 to 100 in 100, "
    "and none of 3655 pairs of others. Of those cropped by 10 % it found one in ten, by 20 % none.",
)  # fmt: skip
BURSTS = Check(
    name="burst", title="nearly the same", measures=(HASH, HEADER), judge=_burst, whole=True,
    method=f"at most {BURST} of 256 bits of a perceptual hash differ, {SHOT_TOGETHER} of shots within {SECONDS:.0f} s (v1)",
    known="Found .6 to .75 of neighbouring frames of two films. Unrelated photos differ in 94 bits and more; among "
    "thousands of pictures of one composition some pairs are alike by chance.",
)  # fmt: skip
