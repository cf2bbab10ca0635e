"""Distances, lights and clothes are counted, and a set of one of each is recognised as such."""

from dataclasses import replace

import numpy as np

from engine.dataset.audit.clusters import clusters
from engine.dataset.audit.shapes import Audited
from engine.dataset.audit.variety import FRAMING, LIGHTING, WARDROBE
from tests.engine.dataset.audit.given import collection, picture


def _shot(number: int, height: float = 0.5, light: float = 50, clothes: int = 100) -> Audited:
    """One whose face has that height, with a little chance in all that is measured."""
    chance = np.random.default_rng(number)
    return picture(
        f"{number}.png",
        faces={
            "faces": [[0.3, 0.2, 0.6, 0.2 + height, 0.9]],
            "sides": float(chance.uniform(0, 0.15)),
            "torso": {str(clothes): 0.8, str(clothes + 1 + number % 3): 0.2},
        },
        colour={
            "lightness": light + float(chance.normal(0, 2)), "range": 60.0, "dark": 0.1,
            "warmth": float(chance.normal(0.2, 0.05)),
        },
    )  # fmt: skip


def test_fifty_near_identical_close_ups_are_one_finding_not_three():
    given = collection(*(_shot(number) for number in range(50)))
    (found,) = [*FRAMING.judge(given), *LIGHTING.judge(given), *WARDROBE.judge(given)]
    assert found.check == "framing" and "50 near-identical" in found.value and "close-ups" in found.value
    assert [check.cover(given) for check in (FRAMING, LIGHTING, WARDROBE)] == [
        "distance 50/0/0", "light 1 set-up", "wardrobe 1",
    ]  # fmt: skip


def test_close_ups_that_show_no_clothes_are_recognised_too():
    given = collection(*(_without_torso(_shot(number)) for number in range(50)))
    (found,) = [*FRAMING.judge(given), *LIGHTING.judge(given), *WARDROBE.judge(given)]
    assert "50 near-identical pictures: close-ups in one light." in found.value
    assert WARDROBE.cover(given) == ""


def _without_torso(one: Audited) -> Audited:
    faces = {name: value for name, value in one.values["faces"].items() if name != "torso"}
    return replace(one, values={**one.values, "faces": faces})


def test_a_little_more_light_is_no_other_outfit_and_another_colour_is():
    def worn(number: int, level: int, colour: int, brighter: float = 0.0) -> Audited:
        torso = {str(level * 64 + colour): 1 - brighter, str((level + 1) * 64 + colour): brighter}
        one = _shot(number)
        return replace(one, values={**one.values, "faces": {**one.values["faces"], "torso": torso}})

    def counted(*shots: Audited) -> str:
        return WARDROBE.cover(collection(*shots))

    assert counted(*(worn(n, 2, 20, 0.5 * (n % 2)) for n in range(20))) == "wardrobe 1"
    assert counted(*(worn(n, 2, 20 + n % 2) for n in range(20))) == "wardrobe 2"
    assert counted(*(worn(n, 1 + 3 * (n % 2), 20) for n in range(20))) == "wardrobe 2"


def test_a_varied_set_is_left_alone_and_its_line_counts_what_it_has():
    given = collection(
        *(
            _shot(n, (0.5, 0.2, 0.1)[n % 3], (20, 50, 80)[n // 3 % 3], (10, 90, 170, 250, 330)[n % 5])
            for n in range(45)
        )
    )
    assert not [*FRAMING.judge(given), *LIGHTING.judge(given), *WARDROBE.judge(given)]
    assert FRAMING.cover(given) == "distance 15/15/15"
    assert LIGHTING.cover(given) == "light 3 set-ups" and WARDROBE.cover(given) == "wardrobe 5"


def test_one_kind_of_variety_that_is_missing_is_named_alone():
    lights = collection(*(_shot(n, light=(20, 50, 80)[n % 3]) for n in range(30)))
    assert "30 of 30 pictures are close-ups" in next(iter(FRAMING.judge(lights))).value
    assert not list(LIGHTING.judge(lights))
    assert "Only 1 outfit" in next(iter(WARDROBE.judge(lights))).value


def test_what_a_person_says_goes_before_what_is_measured():
    shots = [_shot(number) for number in range(20)]
    said = collection(
        *shots,
        distance={f"{number}.png": "full body" for number in range(10)},
        light={
            f"{number}.png": ("window", "Softbox ", "softbox", "lamp")[number % 4] for number in range(20)
        },
        wardrobe={f"{number}.png": f"coat {number % 4}" for number in range(20)},
    )
    assert not [*FRAMING.judge(said), *LIGHTING.judge(said), *WARDROBE.judge(said)]
    assert FRAMING.cover(said) == "distance 10/0/10"
    assert LIGHTING.cover(said) == "light 3 set-ups" and WARDROBE.cover(said) == "wardrobe 4"


def test_a_set_without_people_is_not_judged_by_faces():
    given = collection(*(picture(f"{n}.png", faces={"faces": []}) for n in range(30)))
    assert not [*FRAMING.judge(given), *WARDROBE.judge(given), *LIGHTING.judge(given)]
    assert FRAMING.cover(given) == WARDROBE.cover(given) == LIGHTING.cover(given) == ""


def test_no_two_in_a_cluster_are_farther_apart_than_the_limit():
    at = np.array([0.0, 0.4, 0.8, 1.2, 5.0, 5.1])
    found = clusters(np.abs(at[:, None] - at), 1.0)
    assert sorted(index for each in found for index in each) == list(range(6)) and [4, 5] in found
    assert all(np.ptp(at[each]) <= 1.0 for each in found) and len(found) == 3
