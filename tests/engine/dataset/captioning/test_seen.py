"""What a picture is trained with at a step, held against what the training itself takes."""

import itertools
from types import SimpleNamespace

import pytest
from PIL import Image

from engine.dataset.captioning.entries import entries_of
from engine.dataset.captioning.seen import drawn, drawn_at, texts_of, tokens_of
from engine.dataset.scan import scan
from engine.dataset.tokens import Place, shipped
from engine.step import _text, slots_at
from projects.plan import slots_a_step
from projects.spec import Captions, Data, DataSet, RunSpec, Train

SETS = (
    DataSet(path="images", repeats=2),
    DataSet(path="reg", role="regularization"),
    DataSet(path="held", role="holdout"),
)


@pytest.fixture
def project(tmp_path):
    """Pictures with one caption and with three, in three sets."""
    for folder, count in (("images", 5), ("reg", 3), ("held", 2)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            Image.new("RGB", (64, 64), (number * 40, 0, 0)).save(tmp_path / folder / f"{number}.png")
            trigger = "" if folder == "reg" else "xk3r, "
            (tmp_path / folder / f"{number}.txt").write_text(
                f"{trigger}a {folder}, bench {number}, wall, light\n"
            )
    (tmp_path / "images" / "1.2.txt").write_text("xk3r, another, way")
    (tmp_path / "images" / "1.3.txt").write_text("xk3r")
    return tmp_path


def spec(shuffle: bool, dropout: float = 0.3) -> RunSpec:
    return RunSpec(
        trigger="xk3r", data=Data(sets=SETS, flip=True), captions=Captions(shuffle=shuffle),
        train=Train(seed=7, batch=2, accumulate=2, caption_dropout=dropout, resolution=(64, 48)),
    )  # fmt: skip


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_texts_are_those_that_the_training_takes(project, shuffle):
    said = spec(shuffle)
    items = scan(project, said, bucket_step=8).items
    ours = texts_of(entries_of(project, said.data)[0], said)
    assert [(each.picture, each.role, each.repeats, each.captions) for each in ours] == [
        (each.picture, each.role, each.repeats, each.captions) for each in items
    ]
    task = SimpleNamespace(
        items=items, seed=7, slots_per_step=slots_a_step(said), resolutions=2, flip=True, caption_dropout=0.3
    )
    dropped = 0
    for step in range(40):
        slots = slots_at(task, step)
        told = drawn_at(ours, said, step)
        assert [each.text for each in told] == [_text(task, slot) for slot in slots]
        assert [(each.flip, each.resolution) for each in told] == [
            (slot.flip, slot.resolution) for slot in slots
        ]
        dropped += sum(each.text is None for each in told)
    assert 0 < dropped < 100


def test_one_picture_is_followed_over_the_steps(project):
    said = spec(True)
    items = texts_of(entries_of(project, said.data)[0], said)
    every = [
        (step, place.slot)
        for step in range(60)
        for place in slots_at(
            SimpleNamespace(
                items=items, seed=7, slots_per_step=4, resolutions=2, flip=True, caption_dropout=0.3
            ),
            step,
        )
        if place.item == 1
    ]
    for start in (0, 1, 13):
        told = itertools.takewhile(lambda each: each.step < 60, drawn(items, said, 1, start))
        assert [(each.step, each.slot) for each in told] == [each for each in every if each[0] >= start]
    held = next(index for index, item in enumerate(items) if item.role == "holdout")
    assert list(drawn(items, said, held)) == []


def test_a_picture_without_a_caption_keeps_its_place(project):
    (project / "images" / "2.txt").unlink()
    (project / "images" / "3.txt").write_bytes(b"\xe9")
    said = spec(False)
    items = texts_of(entries_of(project, said.data)[0], said)
    assert len(items) == 10 and items[2].captions == items[3].captions == ("xk3r",)


def test_the_tokens_are_those_of_the_text_and_of_nothing_where_it_was_dropped(project):
    said = spec(False, dropout=0.5)
    items = texts_of(entries_of(project, said.data)[0], said)
    encoder, absent = shipped(), Place(label="T5", kind="t5", limit=511, folder=None)
    told = list(itertools.islice(drawn(items, said, 0), 20))
    kept = next(each for each in told if each.text is not None)
    gone = next(each for each in told if each.text is None)
    assert tokens_of(kept, [encoder, absent]) == [
        encoder.pieces("xk3r, a images, bench 0, wall, light"),
        None,
    ]
    assert [piece.token for piece in tokens_of(gone, [encoder])[0]] == ["<|startoftext|>", "<|endoftext|>"]
