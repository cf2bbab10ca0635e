"""Which picture, resolution, flip and caption every slot of every step trains: pure functions of the seed.

A slot is one sample of a step's whole batch (batch x accumulate x processes), numbered from 0. Nothing here depends
on how a batch is cut into micro-batches or handed to processes, nor on what was drawn before: a resumed run, more
processes and smaller micro-batches train the same. The formulas, from which every draw can be derived again:

    draw(seed, purpose, a, b, ...)    = the 8 bytes of BLAKE2b (digest_size 8) over the ASCII text
                                        "{seed}:{purpose}:{a}:{b}...", read as a big-endian unsigned integer
    uniform(seed, purpose, a, b, ...) = draw(seed, purpose, a, b, ...) / 2**64, in [0, 1)

    listed  = indices of `items` in order, each as often in a row as its repeats; items of role holdout never
    n       = len(listed)
    p       = step * slots_per_step + slot                      position in the stream, step from 0
    e, at   = p // n, p % n                                     epoch, place in the epoch
    order_e = 0 .. n-1 sorted by (draw(seed, "order", e, i), i)
    item       = listed[order_e[at]]
    resolution = draw(seed, "resolution", step, slot) % resolutions
    flipped    = flip and draw(seed, "flip", step, slot) % 2 == 1
    caption    = -1 (dropped) if uniform(seed, "drop", step, slot) < caption_dropout, else
                 draw(seed, "caption", step, slot) % number of captions of the item

So in every whole epoch each trained item comes up exactly `repeats` times, and a step may reach over two epochs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b

from engine.dataset.items import Item
from projects.problems import refuse


@dataclass(frozen=True, slots=True)
class Slot:
    """One sample of a step."""

    slot: int
    """Index in the step's whole batch, from 0."""
    item: int
    """Index in the run's items."""
    resolution: int
    """Index in train.resolution, and so in the item's placements."""
    flip: bool
    """Mirrored left to right."""
    caption: int
    """Index in the item's captions; -1: dropped, the unconditional is trained."""


def draw(seed: int, purpose: str, *where: int | str) -> int:
    """An integer in [0, 2**64) that depends on its arguments only (formula above)."""
    text = ":".join([str(seed), purpose, *map(str, where)])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def uniform(seed: int, purpose: str, *where: int | str) -> float:
    """A number in [0, 1) that depends on its arguments only."""
    return draw(seed, purpose, *where) / 2**64


def epoch_list(items: Sequence[Item]) -> list[int]:
    """Indices of the trained items, each as often in a row as its repeats; held-out items never."""
    return [index for index, item in enumerate(items) if item.role != "holdout" for _ in range(item.repeats)]


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, length: int) -> tuple[int, ...]:
    """The permutation of 0 .. length-1 in which `epoch` goes through the epoch list."""
    return tuple(sorted(range(length), key=lambda i: (draw(seed, "order", epoch, i), i)))


def slots_of_step(
    items: Sequence[Item],
    *,
    seed: int,
    step: int,
    slots_per_step: int,
    resolutions: int,
    flip: bool,
    caption_dropout: float,
) -> list[Slot]:
    """The slots of one step, in order of their number.

    step counts from 0; slots_per_step = batch x accumulate x processes; resolutions is how many there are (>= 1);
    caption_dropout in [0, 1]. Raises Refused when no item is trained.
    """
    listed = _trained(items)
    slots = []
    for slot in range(slots_per_step):
        epoch, place = divmod(step * slots_per_step + slot, len(listed))
        item = listed[epoch_order(seed, epoch, len(listed))[place]]
        dropped = uniform(seed, "drop", step, slot) < caption_dropout
        slots.append(
            Slot(
                slot=slot,
                item=item,
                resolution=draw(seed, "resolution", step, slot) % resolutions,
                flip=flip and draw(seed, "flip", step, slot) % 2 == 1,
                caption=-1 if dropped else draw(seed, "caption", step, slot) % len(items[item].captions),
            )
        )
    return slots


def micro_batches(slots: Sequence[Slot], items: Sequence[Item], size: int) -> list[list[Slot]]:
    """The slots grouped by bucket, at most `size` together: groups may be short, no slot is dropped or repeated.

    Buckets come in the order of their first slot, slots keep their order within a bucket.
    """
    by_bucket: dict[tuple[int, int], list[Slot]] = {}
    for slot in slots:
        by_bucket.setdefault(items[slot.item].placements[slot.resolution].bucket, []).append(slot)
    return [
        group[start : start + size] for group in by_bucket.values() for start in range(0, len(group), size)
    ]


def planned_counts(items: Sequence[Item], *, seed: int, steps: int, slots_per_step: int) -> list[int]:
    """How often each item comes up in `steps` whole steps, counted from the formulas above; 0 for held-out items."""
    listed = _trained(items)
    epochs, rest = divmod(steps * slots_per_step, len(listed))
    counts = [0] * len(items)
    for index in listed:
        counts[index] += epochs
    for place in epoch_order(seed, epochs, len(listed))[:rest]:
        counts[listed[place]] += 1
    return counts


def with_planned(items: Sequence[Item], *, seed: int, steps: int, slots_per_step: int) -> list[Item]:
    """The items with `planned` filled by `planned_counts`."""
    counts = planned_counts(items, seed=seed, steps=steps, slots_per_step=slots_per_step)
    return [replace(item, planned=count) for item, count in zip(items, counts, strict=True)]


def _trained(items: Sequence[Item]) -> list[int]:
    listed = epoch_list(items)
    if not listed:
        raise refuse(
            "There is no picture to train on.", where="project.toml: data", hint="Add subject pictures."
        )
    return listed
