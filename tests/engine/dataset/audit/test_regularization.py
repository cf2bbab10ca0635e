"""The share of regularization pictures, and that they are not the subject's."""

from dataclasses import replace

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


def test_the_share_is_of_what_an_epoch_trains():
    subject = [replace(picture(f"{number}.png"), repeats=2) for number in range(20)]
    theirs = [picture(f"reg/{number}.png", role="regularization") for number in range(5)]
    given = collection(*subject, *theirs)
    assert not list(REGULARIZATION.judge(given)) and REGULARIZATION.cover(given) == "regularization 11%"
    given = collection(*subject, *(replace(one, repeats=4) for one in theirs))
    (found,) = REGULARIZATION.judge(given)
    assert "5 regularization pictures beside 20 of the subject are 33% of an epoch" in found.value
    assert "1 picture here" in found.remedy and found.number == 0.333


def test_whether_people_are_the_subject_is_said_to_be_unknown():
    face = {"faces": [[0.3, 0.2, 0.6, 0.5, 0.9]]}
    subject = [picture(f"{number}.png", faces=face) for number in range(40)]
    others = [picture(f"reg/{number}.png", role="regularization", faces={"faces": []}) for number in range(3)]
    shown = [picture(f"reg/face{number}.png", role="regularization", faces=face) for number in range(2)]
    (found,) = REGULARIZATION.judge(collection(*subject, *others, *shown))
    assert found.confidence == "not-run" and found.pictures == ("reg/face0.png", "reg/face1.png")
    things = [picture(f"{number}.png", faces={"faces": []}) for number in range(40)]
    assert not list(REGULARIZATION.judge(collection(*things, *others, *shown)))
    assert not list(REGULARIZATION.judge(collection(*subject, *others, *others)))


def test_the_subjects_own_picture_does_not_stand_for_the_category(tmp_path):
    subject = [looked(tmp_path / f"{seed}.png", drawn(seed), HASH) for seed in range(7)]
    other = looked(tmp_path / "r.jpg", drawn(3).resize((200, 150)), HASH)
    (found,) = REGULARIZATION.judge(collection(*subject, _as_theirs(other)))
    assert found.pictures == ("r.jpg", "3.png")
    other = looked(tmp_path / "r.jpg", drawn(30), HASH)
    assert not list(REGULARIZATION.judge(collection(*subject, _as_theirs(other))))


def _as_theirs(one):
    return picture(one.name, role="regularization", content=one.sha256, **one.values)
