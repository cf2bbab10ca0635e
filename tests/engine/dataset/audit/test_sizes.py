"""Too small for the base, and enlarged by the run."""

from engine.dataset.audit.sizes import CROPPED_SIZE, SIZE
from tests.engine.dataset.audit.given import collection, picture


def test_a_small_picture_is_named_and_a_middling_one_only_noted():
    given = collection(picture("a.png"), picture("b.png", (900, 2000)), picture("c.png", (2000, 600)))
    small, between = SIZE.judge(given)
    assert small.severity == "warning" and small.pictures == ("c.png",) and small.number == 600
    assert "2000×600" in small.value and "768" in small.value
    assert between.severity == "note" and between.pictures == ("b.png",)
    assert SIZE.cover(given) == "resolution 1 ≥ 1024, 1 ≥ 768, 1 < 768"


def test_what_is_enlarged_by_its_crop_says_how_much():
    (found,) = CROPPED_SIZE.judge(collection(picture("a.png"), picture("b.png", (512, 512))))
    assert found.pictures == ("b.png",) and found.number == 2.0 and "2.00 times" in found.value


def test_nothing_is_said_of_sizes_for_a_base_that_is_unknown_or_of_what_does_not_open():
    assert not list(SIZE.judge(collection(picture("a.png", (10, 10)), floors=(0, 0))))
    broken = picture("a.png", (10, 10), opened={"check": "truncated"})
    assert not list(SIZE.judge(collection(broken))) and SIZE.cover(collection(broken)) == ""
