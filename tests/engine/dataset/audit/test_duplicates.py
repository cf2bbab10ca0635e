"""The same picture is found in another form, and another picture is not."""

import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from engine.dataset.audit import groups, parts
from engine.dataset.audit.duplicates import BURSTS, DUPLICATE
from engine.dataset.audit.hashes import HASH
from engine.dataset.audit.pairs import Alike, near_pairs
from engine.dataset.audit.points import POINTS, Points
from engine.dataset.audit.store import Store
from tests.engine.dataset.audit.given import collection, drawn, looked, picture
from tests.engine.dataset.audit.planted import collage, leaves

SHADES = bytes(range(256)).hex()
FORMS = {
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "half": lambda image: image.resize((120, 90)),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "framed": lambda image: ImageOps.expand(image, border=(20, 40, 20, 40), fill="white"),
    "recompressed": lambda image: image,
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_picture_in_another_form_is_found_and_the_larger_one_kept(tmp_path, form):
    first = looked(tmp_path / "a.png", drawn(1, (480, 360)), HASH)
    other = looked(tmp_path / "b.jpg", FORMS[form](drawn(1, (480, 360)).resize((240, 180))), HASH, quality=40)
    third = looked(tmp_path / "c.png", drawn(2), HASH)
    (found,) = DUPLICATE.judge(collection(other, third, first))
    assert found.pictures == ("a.png", "b.jpg") and found.keep == "a.png"
    assert found.confidence == "measured" and 0 <= found.number <= 70


def test_thirty_different_pictures_are_neither_duplicates_nor_bursts(tmp_path):
    given = collection(*(looked(tmp_path / f"{seed}.png", drawn(seed), HASH) for seed in range(30)))
    assert not list(DUPLICATE.judge(given)) and not list(BURSTS.judge(given))


def test_the_same_bytes_are_exact_even_where_there_is_nothing_to_see(tmp_path):
    blank = Image.new("RGB", (64, 64), "grey")
    one, two = looked(tmp_path / "a.png", blank, HASH), looked(tmp_path / "b.png", blank, HASH)
    other = looked(tmp_path / "c.png", Image.new("RGB", (64, 64), "white"), HASH)
    (found,) = DUPLICATE.judge(collection(one, two, other))
    assert found.pictures == ("a.png", "b.png") and found.confidence == "exact"


def _flipped(bits: str, count: int) -> str:
    changed = np.unpackbits(np.frombuffer(bytes.fromhex(bits), np.uint8))
    changed[10 : 10 + count] ^= 1
    return np.packbits(changed).tobytes().hex()


def test_a_burst_is_closer_where_the_cameras_clock_says_so(tmp_path):
    bits = looked(tmp_path / "a.png", drawn(1), HASH).values["hash"]["bits"]
    first = picture(
        "a.jpg", hash={"bits": bits, "detail": 1.0, "shades": SHADES}, header={"taken": "2024:05:01 10:00:00"}
    )
    given = [
        picture("b.jpg", hash={"bits": _flipped(bits, 85), "detail": 1.0, "shades": SHADES}),
        picture(
            "c.jpg",
            hash={"bits": _flipped(bits, 98), "detail": 1.0, "shades": SHADES},
            header={"taken": "2024:05:01 10:00:02"},
        ),
    ]
    (found,) = BURSTS.judge(collection(first, *given[:1]))
    assert found.pictures == ("a.jpg", "b.jpg") and found.number == 85
    (found,) = BURSTS.judge(collection(first, *given[1:]))
    assert found.pictures == ("a.jpg", "c.jpg")
    later = replace(given[1], values={**given[1].values, "header": {"taken": "2024:05:01 10:00:09"}})
    assert not list(BURSTS.judge(collection(first, later)))
    assert not list(DUPLICATE.judge(collection(first, given[1])))


def test_of_a_burst_duplicates_are_named_once(tmp_path):
    bits = looked(tmp_path / "a.png", drawn(1), HASH).values["hash"]["bits"]
    changes = {"a.jpg": 0, "b.jpg": 4, "c.jpg": 86}
    given = [
        picture(name, hash={"bits": _flipped(bits, count), "detail": 9.0 - count, "shades": SHADES})
        for name, count in changes.items()
    ]
    (same,), (burst,) = DUPLICATE.judge(collection(*given)), BURSTS.judge(collection(*given))
    assert same.pictures == ("a.jpg", "b.jpg") and burst.pictures == ("a.jpg", "c.jpg")


def test_pairs_are_found_across_blocks_and_only_as_many_as_join_groups():
    chance = np.random.default_rng(0)
    bits = [chance.bytes(32).hex() for _ in range(1100)]
    bits[1090] = bits[3]
    unknown, alike = np.full(1100, np.nan), Alike([SHADES] * 1100)
    found = near_pairs(bits, unknown, alike, near=40, burst=40, together=40, seconds=3)
    assert found["near"] == [(3, 1090, 0)] and found["burst"] == [(3, 1090, 0)]
    alike = near_pairs([bits[0]] * 1100, unknown, alike, near=40, burst=40, together=40, seconds=3)
    assert len(alike["near"]) == 1099


def test_pairs_are_computed_once_for_the_same_pictures(tmp_path, monkeypatch):
    given = [looked(tmp_path / f"{seed}.png", drawn(seed), HASH) for seed in (1, 1, 2)]
    given[1] = looked(tmp_path / "1b.png", drawn(1).resize((200, 150)), HASH)
    store = Store(tmp_path / "audit.sqlite")
    kept = replace(collection(*given), store=store)
    first = list(DUPLICATE.judge(kept))
    monkeypatch.setattr("engine.dataset.audit.groups.near_pairs", lambda *_, **__: pytest.fail("again"))
    assert list(DUPLICATE.judge(kept)) == first and len(first) == 1
    store.close()


LINE = [0, 30, 60, 65, 120, 125, 150, 200]
"""Bits by which eight pictures differ from a first one: what joins the ends of a part of it is what lies between."""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sets(st.integers(0, len(LINE) - 1)), min_size=2, max_size=5))
def test_groups_are_the_same_whatever_was_there_before(histories):
    bits = np.random.default_rng(0).bytes(32).hex()
    line = [
        picture(f"{place}.jpg", hash={"bits": _flipped(bits, count), "detail": 1.0, "shades": SHADES})
        for place, count in enumerate(LINE)
    ]
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder) / "audit.sqlite")) as store:
        for chosen in histories:
            alone = collection(*(line[place] for place in sorted(chosen)))
            after = replace(alone, store=store)
            for found in (groups.duplicate_groups, groups.burst_groups):
                assert _members(found(after)) == _members(found(alone))


def _members(found):
    return {frozenset(one.name for one in group.members) for group in found}


def test_one_more_picture_is_held_against_the_others_and_they_not_against_each_other(tmp_path, monkeypatch):
    compared = []

    def watched(bits, *rest, **said):
        compared.append((len(bits), said["fresh"]))
        return near_pairs(bits, *rest, **said)

    monkeypatch.setattr("engine.dataset.audit.groups.near_pairs", watched)
    given = [looked(tmp_path / f"{seed}.png", drawn(seed), HASH) for seed in range(4)]
    given.append(looked(tmp_path / "0b.png", drawn(0).resize((200, 150)), HASH))
    with closing(Store(tmp_path / "audit.sqlite")) as store:
        assert not list(DUPLICATE.judge(replace(collection(*given[:4]), store=store)))
        (found,) = DUPLICATE.judge(replace(collection(*given), store=store))
    assert set(found.pictures) == {"0.png", "0b.png"} and compared == [(4, 4), (5, 1)]


def test_the_same_thing_at_the_same_place_before_another_wall_is_another_picture():
    bits = np.random.default_rng(0).bytes(32).hex()
    walls = [bytes(range(256)).hex(), bytes([*range(128, 256), *range(128)]).hex()]
    near, far = (
        [
            picture("a.jpg", hash={"bits": bits, "shades": SHADES, "detail": 1.0}),
            picture("b.jpg", hash={"bits": _flipped(bits, 60), "shades": wall, "detail": 1.0}),
        ]
        for wall in walls
    )
    assert len(list(DUPLICATE.judge(collection(*near)))) == 1
    assert not list(DUPLICATE.judge(collection(*far))) and not list(BURSTS.judge(collection(*far)))


def test_of_one_size_the_less_compressed_is_kept():
    bits = np.random.default_rng(0).bytes(32).hex()
    given = [
        picture(
            name, hash={"bits": bits, "shades": SHADES, "detail": detail}, header={"quantization": coarse}
        )
        for name, detail, coarse in (("a.jpg", 90.0, 40.0), ("b.jpg", 70.0, 5.0), ("c.jpg", 80.0, 5.0))
    ]
    (found,) = DUPLICATE.judge(collection(*given))
    assert found.pictures == ("c.jpg", "b.jpg", "a.jpg") and found.keep == "c.jpg"


MEASURES = (HASH, POINTS)
WHOLE = leaves(1)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("off", [0.1, 0.2, 0.4])
def test_a_part_of_a_picture_is_found_with_its_place(tmp_path, off, mirror):
    height, width = (round(side * (1 - off)) for side in WHOLE.shape[:2])
    left, top = 30, 20
    cut = Image.fromarray(WHOLE[top : top + height, left : left + width])
    whole = looked(tmp_path / "whole.png", Image.fromarray(WHOLE), *MEASURES)
    part = looked(tmp_path / "part.jpg", ImageOps.mirror(cut) if mirror else cut, *MEASURES, quality=60)
    other = looked(tmp_path / "other.png", Image.fromarray(leaves(2)), *MEASURES)
    (found,) = DUPLICATE.judge(collection(other, part, whole))
    assert found.pictures == ("whole.png", "part.jpg") and found.keep == "whole.png"
    how = "a mirrored part" if mirror else "a part"
    assert found.value.startswith(f"part.jpg is {how} of whole.png: it shows ")
    (box,) = found.boxes["whole.png"]
    expected = (left / 640, top / 480, (left + width) / 640, (top + height) / 480)
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx(expected, abs=0.01)
    assert found.number >= found.threshold == 10


def test_a_part_that_was_enlarged_is_still_the_part(tmp_path):
    whole = looked(tmp_path / "whole.png", Image.fromarray(WHOLE), *MEASURES)
    part = looked(
        tmp_path / "part.png", Image.fromarray(WHOLE[100:400, 150:550]).resize((800, 600)), *MEASURES
    )
    (found,) = DUPLICATE.judge(collection(whole, part))
    assert found.value.startswith("part.png is a part of whole.png") and found.keep == "part.png"


def _scene(shift):
    """A thing before a wall, from two places: what is near moves more than what is far."""
    far, near = leaves(3, 760, 480), leaves(4, 760, 480)
    scene = far[:, 20 + shift : 660 + shift].copy()
    scene[140:420, 170 - 3 * shift : 470 - 3 * shift] = near[140:420, 170:470]
    return Image.fromarray(scene)


def test_two_views_of_one_scene_are_no_parts_of_each_other(tmp_path):
    given = [looked(tmp_path / f"{shift}.png", _scene(shift), *MEASURES) for shift in (0, 24)]
    assert not list(DUPLICATE.judge(collection(*given)))


def test_pictures_with_the_same_logo_are_not_the_same(tmp_path):
    logo = leaves(9)[:200, :260]
    given = []
    for seed, (width, height) in enumerate([(640, 480), (560, 420), (500, 500)]):
        made = leaves(seed, width, height)
        made[-200:, -260:] = logo
        given.append(looked(tmp_path / f"{seed}.png", Image.fromarray(made), *MEASURES))
    assert not list(DUPLICATE.judge(collection(*given)))


def test_a_collage_is_not_one_with_the_pictures_in_it(tmp_path):
    cells = [leaves(seed) for seed in (1, 2)]
    given = [
        looked(tmp_path / f"{seed}.png", Image.fromarray(one), *MEASURES) for seed, one in enumerate(cells)
    ]
    both = looked(tmp_path / "both.png", Image.fromarray(collage(cells, 2, 8, (640, 480))), *MEASURES)
    assert not list(DUPLICATE.judge(collection(*given, both)))


def test_of_each_picture_only_the_likeliest_pairs_are_looked_at_closely(monkeypatch):
    codes = [np.random.default_rng(0).integers(0, 2**63, 120, dtype=np.uint64)] * 60
    looked_at = []
    monkeypatch.setattr(parts, "_laid", lambda one, other: looked_at.append(1))
    points = {index: Points({"points": "", "size": [1, 1]}) for index in range(60)}
    parts.find_parts(codes, lambda _: points, range(60))
    assert 60 <= len(looked_at) <= 60 * parts.TRIED
    del looked_at[:]
    parts.find_parts(codes, lambda _: points, [7])
    assert 1 <= len(looked_at) <= parts.FEWEST


def test_a_picture_that_comes_later_is_compared_and_the_others_are_not_again(tmp_path, monkeypatch):
    whole = looked(tmp_path / "whole.png", Image.fromarray(WHOLE), *MEASURES)
    others = [looked(tmp_path / f"{seed}.png", Image.fromarray(leaves(seed)), *MEASURES) for seed in (5, 6)]
    first = looked(tmp_path / "first.png", Image.fromarray(WHOLE[:400, :560]), *MEASURES)
    later = looked(tmp_path / "later.png", Image.fromarray(leaves(6)[60:, 80:]), *MEASURES)
    store = Store(tmp_path / "audit.sqlite")
    (cut,) = DUPLICATE.judge(replace(collection(whole, *others, first), store=store))
    compared = []
    search = parts.find_parts
    monkeypatch.setattr(
        groups.parts,
        "find_parts",
        lambda codes, of, fresh, known: compared.extend(fresh) or search(codes, of, fresh, known),
    )
    found = list(DUPLICATE.judge(replace(collection(whole, *others, first, later), store=store)))
    assert compared == [4] and found[0] == cut
    assert [one.pictures for one in found] == [("whole.png", "first.png"), ("6.png", "later.png")]
    left = list(DUPLICATE.judge(replace(collection(whole, *others, later), store=store)))
    assert [one.pictures for one in left] == [("6.png", "later.png")] and compared == [4]
    store.close()


def test_a_held_out_picture_that_is_trained_too_is_said_so(tmp_path):
    trained = looked(tmp_path / "a.png", drawn(1, (480, 360)), HASH)
    mirrored = looked(tmp_path / "b.png", ImageOps.mirror(drawn(1, (480, 360))), HASH)
    held = replace(mirrored, name="holdout/b.png", role="holdout")
    (found,) = DUPLICATE.judge(collection(trained, held))
    assert found.value == "holdout/b.png is held out and trained too, as a.png."
    assert found.keep == "a.png" and "memorization" in found.remedy
    alone = [replace(each, role="holdout") for each in (trained, mirrored)]
    (found,) = DUPLICATE.judge(collection(*alone))
    assert "same picture" in found.value, "two held-out ones are only the same"
