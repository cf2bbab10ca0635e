"""How many pictures are said to be usable."""

import pytest

from engine.dataset.audit.count import COUNT
from tests.engine.dataset.audit.given import collection, picture


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 usable picture of"),
        (19, "memorize"),
        (20, "enough"),
        (39, "enough"),
        (40, ""),
        (200, ""),
        (201, "past"),
    ],
)
def test_the_number_of_pictures_is_judged(count, said):
    found = list(COUNT.judge(collection(*(picture(f"{number}.png") for number in range(count)))))
    assert [said in one.value for one in found] == ([True] if said else [])
    assert all((one.severity == "warning") == (count < 20) for one in found)


def test_what_is_there_twice_does_not_open_or_is_not_the_subject_is_not_counted():
    given = collection(
        picture("a.png", content="same"), picture("b.png", content="same"), picture("c.png"),
        picture("d.png", opened={"check": "truncated"}), picture("e.png", role="regularization"),
    )  # fmt: skip
    assert COUNT.cover(given) == "2 usable of 4"
