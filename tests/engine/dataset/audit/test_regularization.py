"""The share of regularization pictures, and that they are not the subject's."""

import pytest

from engine.dataset.audit.hashes import HASH
from engine.dataset.audit.regularization import REGULARIZATION
from tests.engine.dataset.audit.given import collection, drawn, looked, picture


@pytest.mark.parametrize(
    ("theirs", "said", "cover"),
    [
        (0, None, ""), (2, "too few", "regularization 5%"), (5, None, "regularization 11%"),
        (7, None, "regularization 15%"), (20, "so many", "regularization 33%"),
    ],
)  # fmt: skip
def test_the_share_is_judged(theirs, said, cover):
    subject = [picture(f"{number}.png") for number in range(40)]
    given = collection(*subject, *(picture(f"reg/{n}.png", role="regularization") for n in range(theirs)))
    assert [said in found.value for found in REGULARIZATION.judge(given)] == ([True] if said else [])
    assert REGULARIZATION.cover(given) == cover


def test_the_subjects_own_picture_does_not_stand_for_the_category(tmp_path):
    subject = [looked(tmp_path / f"{seed}.png", drawn(seed), HASH) for seed in range(7)]
    other = looked(tmp_path / "r.jpg", drawn(3).resize((200, 150)), HASH)
    (found,) = REGULARIZATION.judge(collection(*subject, _as_theirs(other)))
    assert found.pictures == ("r.jpg", "3.png")
    other = looked(tmp_path / "r.jpg", drawn(30), HASH)
    assert not list(REGULARIZATION.judge(collection(*subject, _as_theirs(other))))


def _as_theirs(one):
    return picture(one.name, role="regularization", content=one.sha256, **one.values)
