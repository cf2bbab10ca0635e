"""Screenshots are told from pictures, also as JPEG and with a picture in them; a product on white is none."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.dataset.audit.screenshot import SCREENSHOT
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.judging import findings


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_screenshots(tmp_path: Path, ending: str) -> None:
    shots = {f"{seed}.{ending}": planted.screenshot(seed, picture=planted.leaves(seed)) for seed in range(3)}
    shots[f"3.{ending}"] = planted.screenshot(3)
    assert [one.pictures[0] for one in findings(tmp_path, shots, SCREENSHOT, quality=85)] == [
        "0",
        "1",
        "2",
        "3",
    ]


def test_pictures(tmp_path: Path) -> None:
    product = np.full((600, 800, 3), 255, np.uint8)
    inside = cv2.ellipse(np.zeros((600, 800), np.uint8), (400, 300), (150, 120), 0, 0, 360, 255, -1)
    product[inside > 0] = planted.leaves(7, 800, 600)[inside > 0]
    pictures = {f"{seed}": planted.leaves(seed) for seed in range(4)}
    pictures |= {"product": product, "barred": planted.barred(pictures["0"], 0.4), "dot": product[:2, :2]}
    assert findings(tmp_path, pictures, SCREENSHOT) == []
