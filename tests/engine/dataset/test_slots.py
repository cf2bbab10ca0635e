"""Every picture exactly as often as said, whatever the batch is cut into."""

from collections import Counter
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.items import Item, Placement
from engine.dataset.slots import (
    draw,
    epoch_list,
    epoch_order,
    micro_batches,
    planned_counts,
    slots_of_step,
    uniform,
    with_planned,
)
from projects.problems import Refused

BUCKETS = ((64, 64), (48, 80), (80, 48))


def item(index: int, role: str, repeats: int, captions: int) -> Item:
    placements = tuple(
        Placement(resolution=r, bucket=BUCKETS[(index + r) % 3], scaled=(80, 80), crop_left_top=(0, 0))
        for r in (0, 1)
    )
    return Item(
        picture=f"{index}.png",
        path=Path(f"/{index}.png"),
        sha256=f"{index:064x}",
        role=role,  # type: ignore[arg-type]
        set="images",
        weight=1.0,
        repeats=repeats,
        original=(100, 100),
        placements=placements,
        captions=tuple(f"{index} {n}" for n in range(captions)),
        planned=0,
    )


kinds = st.tuples(
    st.sampled_from(["subject", "regularization", "holdout"]), st.integers(1, 3), st.integers(1, 3)
)
item_lists = st.lists(kinds, min_size=1, max_size=12).map(
    lambda rows: [item(i, *row) for i, row in enumerate([*rows, ("subject", 2, 1)])]
)
seeds = st.integers(0, 2**63 - 1)


def stream(items, seed, steps, size, **changes):
    settings = {"resolutions": 2, "flip": True, "caption_dropout": 0.3, **changes}
    return [
        slot
        for step in range(steps)
        for slot in slots_of_step(items, seed=seed, step=step, slots_per_step=size, **settings)
    ]


@given(item_lists, seeds, st.integers(1, 7), st.integers(1, 3))
def test_whole_epochs_train_each_item_exactly_repeats_times_and_holdout_never(items, seed, size, epochs):
    length = len(epoch_list(items))
    positions = stream(items, seed, -(-epochs * length // size), size)[: epochs * length]
    for epoch in range(epochs):
        counts = Counter(slot.item for slot in positions[epoch * length : (epoch + 1) * length])
        assert counts == {i: one.repeats for i, one in enumerate(items) if one.role != "holdout"}


@given(item_lists, seeds, st.integers(1, 9), st.integers(0, 20))
def test_planned_counts_are_what_the_slots_train(items, seed, size, steps):
    trained = Counter(slot.item for slot in stream(items, seed, steps, size))
    planned = planned_counts(items, seed=seed, steps=steps, slots_per_step=size)
    assert planned == [trained[index] for index in range(len(items))]
    assert [
        one.planned for one in with_planned(items, seed=seed, steps=steps, slots_per_step=size)
    ] == planned


@given(item_lists, seeds, st.integers(0, 50), st.integers(1, 16), st.integers(1, 5))
def test_micro_batches_drop_and_repeat_nothing(items, seed, step, slots_per_step, size):
    slots = slots_of_step(
        items,
        seed=seed,
        step=step,
        slots_per_step=slots_per_step,
        resolutions=2,
        flip=False,
        caption_dropout=0,
    )
    batches = micro_batches(slots, items, size)
    assert sorted(slot.slot for batch in batches for slot in batch) == list(range(slots_per_step))
    for batch in batches:
        assert 1 <= len(batch) <= size
        assert len({items[slot.item].placements[slot.resolution].bucket for slot in batch}) == 1
        assert [slot.slot for slot in batch] == sorted(slot.slot for slot in batch)


@given(item_lists, seeds, st.integers(1, 8), st.integers(1, 4))
def test_what_is_trained_in_which_order_does_not_depend_on_the_step_size(items, seed, size, factor):
    small = [slot.item for slot in stream(items, seed, factor * 3, size)]
    large = [slot.item for slot in stream(items, seed, 3, size * factor)]
    assert small == large


def test_draws_are_the_documented_formula():
    digest = blake2b(b"7:order:3:12", digest_size=8).digest()
    assert draw(7, "order", 3, 12) == int.from_bytes(digest, "big")
    assert uniform(7, "order", 3, 12) == draw(7, "order", 3, 12) / 2**64
    assert epoch_order(7, 3, 20) == tuple(sorted(range(20), key=lambda i: (draw(7, "order", 3, i), i)))


def test_a_slot_is_the_documented_formula():
    items = [item(0, "subject", 2, 3), item(1, "holdout", 1, 1), item(2, "regularization", 1, 2)]
    slots = slots_of_step(
        items, seed=5, step=4, slots_per_step=3, resolutions=2, flip=True, caption_dropout=0.5
    )
    listed = [0, 0, 2]
    for number, slot in enumerate(slots):
        epoch, place = divmod(4 * 3 + number, 3)
        chosen = listed[sorted(range(3), key=lambda i: (draw(5, "order", epoch, i), i))[place]]
        dropped = draw(5, "drop", 4, number) / 2**64 < 0.5
        caption = -1 if dropped else draw(5, "caption", 4, number) % len(items[chosen].captions)
        assert (slot.slot, slot.item, slot.caption) == (number, chosen, caption)
        assert slot.resolution == draw(5, "resolution", 4, number) % 2
        assert slot.flip == bool(draw(5, "flip", 4, number) & 1)


def test_dropout_and_flip_keep_to_their_limits():
    items = [item(0, "subject", 1, 2)]
    assert all(slot.caption == -1 for slot in stream(items, 1, 40, 2, caption_dropout=1.0))
    assert all(
        slot.caption >= 0 and not slot.flip
        for slot in stream(items, 1, 40, 2, caption_dropout=0.0, flip=False)
    )
    share = sum(slot.caption == -1 for slot in stream(items, 1, 1000, 4, caption_dropout=0.25)) / 4000
    assert 0.22 < share < 0.28


def test_a_run_without_trained_pictures_is_refused():
    with pytest.raises(Refused, match="no picture to train on"):
        stream([item(0, "holdout", 1, 1)], 0, 1, 1)
