"""What is seen of made pictures without a model: hashes whatever the flip, copies that were cut, and nothing at all."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from engine.dataset.audit.groups import NEAR
from engine.review.appearance import CUT, appearance, differing_bits, forms, same_picture


def photo(seed: int, size: tuple[int, int] = (320, 256)) -> Image.Image:
    """Large soft shapes with some grain, another one a seed."""
    chance = np.random.default_rng(seed)
    shapes = Image.fromarray(chance.integers(0, 255, (6, 8, 3), np.uint8)).resize(
        size, Image.Resampling.BICUBIC
    )
    grain = Image.fromarray(chance.integers(0, 255, (size[1], size[0], 3), np.uint8))
    return Image.blend(shapes, grain, 0.1)


@pytest.mark.parametrize(
    "change", [lambda one: one, ImageOps.mirror, ImageOps.flip, lambda one: one.rotate(90, expand=True)]
)
def test_a_picture_is_the_same_however_it_is_turned(change) -> None:  # type: ignore[no-untyped-def]
    one, other = appearance(photo(1)), appearance(change(photo(1)))
    assert differing_bits([one.bits], [other.bits])[0, 0] <= NEAR and same_picture(one.shades, other.shades)
    assert differing_bits([one.bits], [appearance(photo(2)).bits])[0, 0] > NEAR


def test_a_cut_of_a_training_picture_is_found_among_its_forms() -> None:
    whole = photo(3)
    width, height = (round(CUT * side) for side in whole.size)
    made = appearance(whole.crop((whole.width - width, 0, whole.width, height)).resize(whole.size))
    bits = differing_bits([made.bits], [each for each, _ in forms(whole)])[0]
    assert bits[0] > bits.min() <= NEAR and len(forms(whole)) == 6


def test_small_pictures_have_no_cut_forms() -> None:
    assert len(forms(photo(4, (64, 64)))) == 1


def test_where_there_is_nothing_to_see_nothing_is_the_same() -> None:
    plain = appearance(Image.new("RGB", (64, 64), "grey"))
    assert plain.bits == "" and not same_picture(plain.shades, plain.shades)
    assert differing_bits([plain.bits], [appearance(photo(1)).bits]).tolist() == [[256]]
    assert differing_bits([plain.bits], []).shape == (1, 0) and differing_bits([], [plain.bits]).shape == (
        0,
        1,
    )


def test_lost_tones_are_counted() -> None:
    half = Image.new("RGB", (64, 64), "white")
    half.paste(Image.new("RGB", (32, 64), (90, 90, 90)))
    assert appearance(half).clipped == pytest.approx(0.5)
