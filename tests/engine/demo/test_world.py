"""The little world: pictures and captions are functions of their seeds."""

import numpy as np
import pytest
from PIL import Image

from engine.demo.captions import FAULT_WORDS, bare_caption, caption
from engine.demo.data import make_sample
from engine.demo.faults import FAULTS, arbitrary, damage
from engine.demo.sheets import contact_sheet
from engine.demo.world import SUBJECTS, UNKNOWN_SUBJECTS, Scene, draw_scene, generator, render


@pytest.mark.parametrize("subject", SUBJECTS + UNKNOWN_SUBJECTS)
def test_same_seed_same_pixels(subject: str) -> None:
    scene = draw_scene(generator(4, subject), subject)
    first = render(scene, generator(5, subject))
    assert first.shape == (64, 64, 3) and first.dtype == np.uint8
    assert np.array_equal(first, render(scene, generator(5, subject)))
    assert not np.array_equal(first, render(scene, generator(6, subject)))


def test_longer_side_shows_more_of_the_room() -> None:
    scene = Scene("mug", "red", "teal", "softbox", "close")
    wide, square = render(scene, generator(0), 96, 64), render(scene, generator(0), 64, 64)
    assert wide.shape == (64, 96, 3)
    # The same unit square sits in the middle; only shading that depends on distance to the edges may differ.
    middle = wide[:, 16:80].astype(int)
    assert np.abs(middle - square).mean() < 4


def test_faults_change_the_picture_and_have_words() -> None:
    picture = render(draw_scene(generator(1)), generator(2))
    for fault in FAULTS:
        spoilt = damage(picture, fault, generator(3, fault))
        assert spoilt.shape == picture.shape
        assert np.abs(spoilt.astype(int) - picture).mean() > 1
        text = caption(draw_scene(generator(1)), generator(4, fault), fault)
        assert any(word in text for word in FAULT_WORDS[fault])


def test_arbitrary_pictures_are_fixed_by_seed() -> None:
    assert np.array_equal(arbitrary(generator(9)), arbitrary(generator(9)))


def test_captions_are_fixed_by_seed() -> None:
    scene = draw_scene(generator(1))
    assert caption(scene, generator(2)) == caption(scene, generator(2))
    assert len({caption(scene, generator(2, i)) for i in range(50)}) > 40


def test_named_captions_name_and_bare_captions_do_not() -> None:
    for index in range(200):
        rng = generator(0, index)
        scene = draw_scene(rng)
        named = caption(scene, rng, named=True)
        assert scene.subject in named and scene.colour in named
        assert not any(subject in bare_caption(scene, rng) for subject in SUBJECTS)


def test_some_captions_have_no_subject() -> None:
    texts = [caption(draw_scene(generator(1, i)), generator(2, i)) for i in range(400)]
    without = [text for text in texts if not any(subject in text for subject in SUBJECTS)]
    assert 0.04 < len(without) / len(texts) < 0.16


def test_time_ids_are_true() -> None:
    seen = set()
    for index in range(80):
        sample = make_sample(0, index)
        height, width, top, left, target_height, target_width = sample.time_ids
        assert sample.picture.shape == (64, 64, 3) and (target_height, target_width) == (64, 64)
        scale = 64 / min(height, width)
        assert 0 <= top <= round(height * scale) - 64 and 0 <= left <= round(width * scale) - 64
        if (height, width) == (64, 64) and sample.fault is None:
            rng = generator(0, "picture", index)
            assert draw_scene(rng) == sample.scene
        seen.add((height, width))
    assert len(seen) >= 6


def test_sheet_holds_every_picture() -> None:
    pictures = [render(draw_scene(generator(i)), generator(i)) for i in range(3)]
    sheet = contact_sheet(pictures, 2, ["a", "b", "c"], scale=1)
    assert isinstance(sheet, Image.Image) and sheet.size == (2 * 68 + 4, 2 * 80 + 4)
