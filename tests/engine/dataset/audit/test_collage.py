"""Seams of collages are found where they are, and horizons, bars and single pictures have none."""

from pathlib import Path

import numpy as np
import pytest

from engine.dataset.audit.collage import COLLAGE
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.judging import findings

LEAVES = [planted.leaves(seed, 480, 360) for seed in range(9)]


@pytest.mark.parametrize("gutter", [0, 8, 24])
@pytest.mark.parametrize(("count", "columns"), [(2, 2), (2, 1), (4, 2), (9, 3)])
def test_collages(tmp_path: Path, count: int, columns: int, gutter: int) -> None:
    (found,) = findings(tmp_path, {"one": planted.collage(LEAVES[:count], columns, gutter)}, COLLAGE)
    boxes = found.boxes["one"]
    assert all(0.25 < box.left < box.right < 0.75 or 0.25 < box.top < box.bottom < 0.75 for box in boxes)
    assert bool(columns - 1) == any(box.top == 0 for box in boxes)


def test_single_pictures_and_barred_ones_have_no_seam(tmp_path: Path) -> None:
    pictures = {f"{index}": picture for index, picture in enumerate(LEAVES)}
    pictures["barred"] = planted.barred(LEAVES[0], 0.15)
    pictures["dot"] = np.full((3, 3, 3), 9, np.uint8)
    assert findings(tmp_path, pictures, COLLAGE) == []
