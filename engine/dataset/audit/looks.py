"""Two looks in one set: half of it in warm light and half in cool, as two gradings or two places give."""

from collections.abc import Iterator

import numpy as np

from engine.dataset.audit.look import Array
from engine.dataset.audit.mixtures import Split, split
from engine.dataset.audit.shapes import Check, Collection
from engine.dataset.audit.tints import COLOUR
from engine.dataset.findings import Finding

GAIN, DISTANCE, SHARE = 2.0, 2.0, 0.2
"""What two heaps have at least: gain of BIC over one, Ashman's D, and the share of the smaller."""
SMALL, GAIN_OF_SMALL = 24, 10.0
"""Pictures below which chance alone makes two heaps often, and the gain that is asked of them instead."""
LEAST = 10
"""Pictures below which there is no set to be of two looks."""
VALLEY = 0.6
"""Pictures between the two over pictures at either, above which they are one heap of many shades."""
APART = 0.15
"""Difference of the two in warmth that an eye sees as two."""


def two_looks(warmths: Array) -> Split | None:
    """The two heaps that (N,) warmths lie in; None where they are one."""
    found = split(warmths)
    gain = GAIN if len(warmths) >= SMALL else GAIN_OF_SMALL
    if found is None or found.gain <= gain or found.distance <= DISTANCE or found.share <= SHARE:
        return None
    return None if found.valley > VALLEY or found.means[0] - found.means[1] < APART else found


def _judge(collection: Collection) -> Iterator[Finding]:
    pictures = [one for one in collection.of("subject") if one.value("colour", "warmth") is not None]
    if len(pictures) < LEAST:
        return
    found = two_looks(np.array([one.value("colour", "warmth") for one in pictures]))
    if found is None:
        return
    warm = sorted(one.name for one, higher in zip(pictures, found.higher, strict=True) if higher)
    cool = sorted(one.name for one, higher in zip(pictures, found.higher, strict=True) if not higher)
    smaller = warm if len(warm) <= len(cool) else cool
    yield Finding(
        check="looks", severity="warning", pictures=tuple(smaller),
        value=f"Two looks in one set: {len(warm)} warm pictures ({_some(warm)}) and {len(cool)} cool ones ({_some(cool)}).",
        number=round(found.distance, 2), threshold=DISTANCE, confidence="heuristic", method=LOOKS.method,
        remedy=f"The {len(smaller)} listed are the {'warm' if smaller is warm else 'cool'} ones: leave them out, correct "
        "their white balance, or train two adapters. Trained together they teach no coherent light.",
    )  # fmt: skip


def _some(names: list[str]) -> str:
    return ", ".join(names[:2]) + (" …" if len(names) > 2 else "")


LOOKS = Check(
    name="looks", title="two looks", measures=(COLOUR,), judge=_judge, whole=True,
    method=f"white balance by shades of grey (p 6): two normal distributions against one, BIC gain > {GAIN:.0f} (> "
    f"{GAIN_OF_SMALL:.0f} below {SMALL} pictures), Ashman's D > {DISTANCE:.0f}, smaller share > {SHARE}, few between (v2)",
    known="In 200 of 200 sets of forty portraits, ten warm among cool ones, it named the ten, and 0.3 others in the mean. "
    "Ten warm among ones as they came were found in 164, halves with mild casts in 109. Of sets of one look it took 0 to 4 "
    "of 200 for two. Landscapes scatter so widely that casts hide among them.",
)  # fmt: skip
