"""A mark on all or half of a folder is found, with the pictures that carry it and where; none is found where none is."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.dataset.audit.shapes import Collection
from engine.dataset.audit.watermark import WATERMARK
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.judging import collected, write
from tests.engine.dataset.audit.planted import Picture

PLAIN = [planted.leaves(seed, 480, 360) for seed in range(20)]


def judged(folder: Path, pictures: list[Picture]) -> tuple[Collection, list]:  # type: ignore[type-arg]
    paths = write(folder, {f"{index:02}": picture for index, picture in enumerate(pictures)})
    collection = collected(paths, [WATERMARK])
    return collection, list(WATERMARK.judge(collection))


@pytest.mark.parametrize("kind", ["logo", "text"])
def test_half_of_the_pictures_carry_it_and_they_are_named(tmp_path: Path, kind: str) -> None:
    _, found = judged(tmp_path, [planted.marked(one, kind, 0.3) for one in PLAIN[:10]] + PLAIN[10:])
    (one,) = found
    assert one.severity == "blocker"
    assert len(one.pictures) >= 8
    assert set(one.pictures) <= {f"{index:02}" for index in range(10)}
    (box,) = one.boxes[one.pictures[0]]
    assert (box.left > 0.6, box.top > 0.6, box.right > 0.85, box.bottom > 0.8) == (True,) * 4


def test_what_is_seen_in_the_whole_frame_only_is_no_blocker(tmp_path: Path) -> None:
    _, found = judged(tmp_path, [planted.marked(one, "centre", 0.5) for one in PLAIN])
    (one,) = found
    assert one.severity == "warning"
    assert len(one.pictures) >= 10
    (box,) = one.boxes[one.pictures[0]]
    assert box.left < 0.5 < box.right
    assert box.top < 0.5 < box.bottom


def vignetted(picture: Picture) -> Picture:
    down, across = np.mgrid[-1 : 1 : picture.shape[0] * 1j, -1 : 1 : picture.shape[1] * 1j]
    return np.asarray(picture * (1 - 0.3 * (down**2 + across**2))[..., None], np.uint8)


def framed(picture: Picture) -> Picture:
    return cv2.copyMakeBorder(
        picture[20:-20, 20:-20], 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    )


@pytest.mark.parametrize("change", [lambda picture: picture, vignetted, framed])
def test_folders_without_a_mark(tmp_path: Path, change) -> None:  # type: ignore[no-untyped-def]
    assert judged(tmp_path, [change(one) for one in PLAIN])[1] == []


def test_a_burst_is_no_mark(tmp_path: Path) -> None:
    burst = [planted.noisy(np.roll(PLAIN[0], seed % 2, 1), 4, seed) for seed in range(10)]
    assert not [one for one in judged(tmp_path, burst + PLAIN[1:])[1] if one.severity == "blocker"]


def test_few_pictures_say_nothing(tmp_path: Path) -> None:
    assert judged(tmp_path, [planted.marked(one, "logo", 1) for one in PLAIN[:8]])[1] == []
    assert WATERMARK.whole
