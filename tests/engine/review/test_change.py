"""How far pictures are from the base's."""

from PIL import Image

from engine.review.change import change


def grey(level: int) -> Image.Image:
    return Image.new("RGB", (8, 8), (level, level, level))


def test_the_mean_of_pairs_lies_in_its_interval() -> None:
    found = change([(grey(100), grey(100 + step)) for step in (0, 10, 20, 30)])
    assert found.value == 15 and found.n == 4
    assert found.low is not None and found.high is not None
    assert 0 <= found.low < 15 < found.high <= 30
    assert found == change([(grey(100), grey(100 + step)) for step in (0, 10, 20, 30)])


def test_brighter_and_darker_do_not_cancel() -> None:
    assert change([(grey(100), grey(90)), (grey(100), grey(110))]).value == 10


def test_one_pair_has_no_interval() -> None:
    found = change([(grey(0), grey(255))])
    assert (found.value, found.low, found.high, found.n) == (255, None, None, 1)
