"""The same picture is found in another form, and another picture is not."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

from engine.dataset.audit.duplicates import BURSTS, DUPLICATE
from engine.dataset.audit.hashes import HASH
from engine.dataset.audit.pairs import Alike, near_pairs
from engine.dataset.audit.store import Store
from tests.engine.dataset.audit.given import collection, drawn, looked, picture

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
