"""Bars are found as wide as they are; skies, studio walls and a bar on one side only are none."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.dataset.audit.border import BARS
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.judging import findings
from tests.engine.dataset.audit.planted import Picture


@pytest.mark.parametrize(
    ("share", "sides", "level"), [(0.02, False, 0), (0.1, False, 255), (0.2, True, 0), (0.06, True, 128)]
)
def test_bars_are_measured(tmp_path: Path, share: float, sides: bool, level: int) -> None:
    picture = planted.barred(planted.leaves(1), share, sides=sides, level=level)
    (found,) = findings(tmp_path, {"one": picture}, BARS)
    (box,) = found.boxes["one"]
    first, last = (box.left, box.right) if sides else (box.top, box.bottom)
    bar = share / (1 + 2 * share)
    assert (first, last) == (pytest.approx(bar, abs=0.008), pytest.approx(1 - bar, abs=0.008))
    assert found.number == pytest.approx(2 * bar, abs=0.02)


def test_a_frame_is_found_all_around(tmp_path: Path) -> None:
    framed = cv2.copyMakeBorder(planted.leaves(2), 30, 30, 30, 30, cv2.BORDER_CONSTANT, value=(240, 240, 240))
    (found,) = findings(tmp_path, {"one": framed}, BARS)
    assert "all around" in found.value


def backdrop() -> Picture:
    picture = np.full((400, 600, 3), 250, np.uint8)
    cv2.ellipse(picture, (300, 200), (180, 120), 0, 0, 360, (90, 60, 40), -1)
    return picture


def sky() -> Picture:
    picture = planted.leaves(3)
    picture[:120] = 200
    return picture


@pytest.mark.parametrize("picture", [planted.leaves(4), backdrop(), sky(), np.full((50, 50, 3), 7, np.uint8)])
def test_what_is_no_bar(tmp_path: Path, picture: Picture) -> None:
    assert findings(tmp_path, {"one": picture}, BARS) == []
