"""Warm and cool pictures in one set are told apart, and a set of one look is left alone."""

from statistics import NormalDist

import numpy as np
import pytest
from PIL import Image

from engine.dataset.audit.looks import LOOKS
from engine.dataset.audit.mixtures import split
from engine.dataset.audit.tints import COLOUR
from tests.engine.dataset.audit.given import collection, drawn, looked, picture


def _set(seed: int, warm: int, cool: int) -> list:
    chance = np.random.default_rng(seed)
    values = [*chance.normal(0.5, 0.12, warm), *chance.normal(-0.45, 0.12, cool)]
    names = [
        *(f"warm{number}.png" for number in range(warm)),
        *(f"cool{number}.png" for number in range(cool)),
    ]
    return [picture(name, colour={"warmth": float(value)}) for name, value in zip(names, values, strict=True)]


@pytest.mark.parametrize(("warm", "cool"), [(15, 15), (10, 30), (30, 10)])
def test_two_looks_are_found_and_the_smaller_side_is_listed(warm, cool):
    (found,) = LOOKS.judge(collection(*_set(1, warm, cool)))
    side = "warm" if warm <= cool else "cool"
    assert sorted(found.pictures) == sorted(f"{side}{number}.png" for number in range(min(warm, cool)))
    assert f"{warm} warm" in found.value and f"{cool} cool" in found.value
    assert found.value.index("warm0") < found.value.index("cool0")


def test_fewer_pictures_have_to_stand_farther_apart():
    def found(count: int, apart: float) -> int:
        heap = [NormalDist(0, 0.12).inv_cdf((place + 0.5) / (count // 2)) for place in range(count // 2)]
        values = [*heap, *(value + apart for value in heap)]
        return len(
            list(
                LOOKS.judge(
                    collection(*(picture(f"{n}.png", colour={"warmth": v}) for n, v in enumerate(values)))
                )
            )
        )

    assert (found(12, 0.7), found(40, 0.7)) == (0, 1)
    assert (found(12, 1.2), found(40, 1.2)) == (1, 1)


def test_sets_of_one_look_are_left_alone_at_any_size():
    for seed in range(40):
        assert not list(LOOKS.judge(collection(*_set(seed, 10 + seed, 0))))
    assert not list(
        LOOKS.judge(collection(*[picture(f"{n}.png", colour={"warmth": 0.2}) for n in range(30)]))
    )
    assert not list(LOOKS.judge(collection(*_set(1, 28, 2))))
    assert not list(LOOKS.judge(collection(*_set(1, 3, 3))))


def test_warmth_follows_the_light_and_grey_pictures_have_none(tmp_path):
    def tinted(name: str, *gains: float) -> float:
        pixels = np.asarray(drawn(3)) * np.array(gains)
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        return looked(tmp_path / name, image, COLOUR).value("colour", "warmth")

    assert tinted("w.png", 1.2, 1, 0.7) > tinted("n.png", 1, 1, 1) + 0.3 > tinted("c.png", 0.8, 1, 1.2) + 0.6
    assert looked(tmp_path / "g.png", drawn(3).convert("L"), COLOUR).value("colour", "warmth") is None


def test_two_heaps_are_found_where_they_are():
    chance = np.random.default_rng(0)
    found = split(np.concatenate([chance.normal(0, 1, 300), chance.normal(6, 1, 100)]))
    assert found.gain > 100 and found.distance > 4 and abs(found.share - 0.25) < 0.03
    assert (
        abs(found.means[0] - 6) < 0.3 and abs(found.means[1]) < 0.3 and found.higher.sum() in range(95, 106)
    )
