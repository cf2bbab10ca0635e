"""What a training tells the model of a picture at a step: the text after variants, shuffling and dropout, and its tokens.

Nothing is guessed: the draws are those of engine/dataset/slots.py, by the same formulas.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.dataset.captioning.entries import Entry
from engine.dataset.captions import Caption, caption_in, in_all_orders, trigger_caption
from engine.dataset.items import Item
from engine.dataset.slots import epoch_list, epoch_order, slots_of_step
from engine.dataset.tokens import Encoder, Piece, Place
from projects.plan import slots_a_step
from projects.spec import RunSpec, trigger_of


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One time that a picture is trained."""

    step: int
    """From 0."""
    slot: int
    """Its place in the step's batch."""
    caption: int
    """Index in the item's captions; -1: dropped."""
    text: str | None
    """What the model is told; None where the caption was dropped and it is told nothing (the unconditional)."""
    flip: bool
    resolution: int
    """Index in train.resolution."""


def drawn(items: Sequence[Item], spec: RunSpec, index: int, start: int = 0) -> Iterator[Drawn]:
    """The times that item `index` is trained from step `start` on, without end; none for a held-out picture."""
    listed = epoch_list(items)
    if index not in listed:
        return
    a_step = slots_a_step(spec)
    epoch, first = divmod(start * a_step, len(listed))
    while True:
        order = epoch_order(spec.train.seed, epoch, len(listed))
        for place in range(first, len(listed)):
            if listed[order[place]] == index:
                step, number = divmod(epoch * len(listed) + place, a_step)
                yield drawn_at(items, spec, step)[number]
        epoch, first = epoch + 1, 0


def drawn_at(items: Sequence[Item], spec: RunSpec, step: int) -> list[Drawn]:
    """All that step `step` (from 0) trains, in the order of its slots."""
    slots = slots_of_step(
        items, seed=spec.train.seed, step=step, slots_per_step=slots_a_step(spec),
        resolutions=len(spec.train.resolution), flip=spec.data.flip, caption_dropout=spec.train.caption_dropout,
    )  # fmt: skip
    return [
        Drawn(
            step=step, slot=each.slot, caption=each.caption, flip=each.flip, resolution=each.resolution,
            text=None if each.caption < 0 else items[each.item].captions[each.caption],
        )
        for each in slots
    ]  # fmt: skip


def texts_of(entries: Sequence[Entry], spec: RunSpec) -> list[Item]:
    """The items of a run that would start now, as far as `drawn` asks: picture, role, repeats and captions.

    entries: of all sets, in their order. A picture without a caption that a run takes stands there with the trigger alone,
    as with --missing trigger, and so keeps its place in the order.
    """
    pictures: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        pictures[entry.dataset.path, entry.picture].append(entry)
    return [_item(group, spec) for group in pictures.values()]


def _item(group: Sequence[Entry], spec: RunSpec) -> Item:
    first = group[0]
    read = [caption_in(entry.content.data) for entry in group if entry.content is not None]
    written = [each.text for each in read if isinstance(each, Caption)]
    if not written:
        trigger = trigger_of(first.dataset, spec.trigger)
        written = [trigger_caption(trigger, first.dataset.class_word or spec.class_word)]
    if spec.captions.shuffle:
        written = in_all_orders(first.picture, written, spec.train.seed, spec.captions.keep_first)
    return Item(
        picture=first.picture, path=first.path, sha256="", role=first.dataset.role, set=first.dataset.path,
        weight=first.dataset.weight, repeats=first.dataset.repeats, original=(0, 0), placements=(),
        captions=tuple(written), planned=0,
    )  # fmt: skip


def tokens_of(told: Drawn, encoders: Sequence[Encoder | Place]) -> list[list[Piece] | None]:
    """What each encoder is given; None where its vocabulary is not there. Of a dropped caption: the marks alone, which is
    what is trained where the base does not take zeros in their place."""
    return [each.pieces(told.text or "") if isinstance(each, Encoder) else None for each in encoders]
