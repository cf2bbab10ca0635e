"""The same picture twice: the same bytes, the same picture in another form, and frames of one burst."""

from collections.abc import Iterator
from dataclasses import replace

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
from engine.dataset.audit.pairs import CORRELATED, SURE, TURNED
from engine.dataset.audit.parts import AGREE, LEAST, MOST
from engine.dataset.audit.parts import CORRELATED as ALIKE
from engine.dataset.audit.points import MOST as KEPT
from engine.dataset.audit.points import POINTS
from engine.dataset.audit.shapes import Check, Collection
from engine.dataset.findings import Box, Finding
from projects.problems import listed


def _duplicate(collection: Collection) -> Iterator[Finding]:
    for group in duplicate_groups(collection):
        if len(group.members) == 1:
            continue
        if {one.role for one in group.members} > {"holdout"}:
            yield _held_out(group)
        elif group.cuts:
            yield _cut(group)
        else:
            same = len(contents_of(group)) == 1
            yield _finding(
                "duplicate", group, "are the same file" if same else "are the same picture in several forms",
                "The kept one is the largest, of equals the best. Leave the others out: they train one picture harder.",
                exact=same,
            )  # fmt: skip


def _held_out(group: Group) -> Finding:
    """A picture that is to show how a run does on what it has not seen, and that it sees."""
    held = [one.name for one in group.members if one.role == "holdout"]
    trained = [one.name for one in group.members if one.role != "holdout"]
    found = _finding(
        "duplicate", group, "",
        "Leave one of them out: on a picture that is trained the loss cannot show memorization.",
        exact=len(contents_of(group)) == 1,
    )  # fmt: skip
    value = (
        f"{listed(held)} {'is' if len(held) == 1 else 'are'} held out and trained too, as {listed(trained)}."
    )
    return replace(found, value=value, keep=trained[0])


def _cut(group: Group) -> Finding:
    boxes: dict[str, list[Box]] = {}
    for cut in group.cuts:
        left, top, right, bottom = cut.box
        box = Box(left=left, top=top, right=right, bottom=bottom, label=cut.part)
        boxes.setdefault(cut.whole, []).append(box)
    found = _finding(
        "duplicate", group, "are the same picture in several forms, or parts of it",
        "The kept one is the largest. Leave the others out, unless you cut a closer frame on purpose: they train one "
        "picture harder.",
    )  # fmt: skip
    value = found.value
    if len(group.members) == 2:
        cut = group.cuts[0]
        how = "a mirrored part" if cut.mirrored else "a part"
        value = f"{cut.part} is {how} of {cut.whole}: it shows {cut.share:.0%} of it."
    return replace(
        found, value=value, number=float(min(cut.agreeing for cut in group.cuts)), threshold=float(AGREE),
        boxes={name: tuple(each) for name, each in boxes.items()},
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
    name="duplicate", title="the same picture", measures=(HASH, POINTS, HEADER), judge=_duplicate, whole=True,
    method=f"the same bytes; or at most {NEAR} of 256 bits of a perceptual hash differ in any flip or quarter turn, and "
    f"above {SURE} the grey levels correlate by {CORRELATED}, flipped or turned by {TURNED}; or one frame lies in the "
    f"other, {LEAST:.0%} to {MOST:.0%} of it, mirrored or not, with {AGREE} points of {KEPT} and a correlation of {ALIKE} "
    "(v3)",
    known="Of 51 photographs, each without a part of its width and height, it found 50 without 10 % or 20 %, mirrored or "
    "grey too, 48 without 30 %, 44 without 40 %; no false pair among 286,875, none of two views of one scene. Parts below "
    "192 px, of less than a fifth of the picture, or turned ones are not found. See docs/audit.md.",
)  # fmt: skip
BURSTS = Check(
    name="burst", title="nearly the same", measures=(HASH, HEADER), judge=_burst, whole=True,
    method=f"at most {BURST} of 256 bits of a perceptual hash differ and the grey levels correlate by {CORRELATED}, or "
    f"{SHOT_TOGETHER} bits of shots within {SECONDS:.0f} s (v1)",
    known="The bits alone found .6 to .75 of neighbouring frames of two films; with the grey levels it was not measured. "
    "They are asked because one thing at one place before other walls is near in its bits.",
)  # fmt: skip
