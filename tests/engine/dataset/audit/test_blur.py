"""What is blurred, soft or noisy is said to be, and what is sharp is not."""

from pathlib import Path

import numpy as np
import pytest

from engine.dataset.audit.blur import BLUR, NOISE, UPSCALED
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.judging import findings

ALL = (BLUR, UPSCALED, NOISE)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda picture: picture, ""),
        (lambda picture: planted.noisy(picture, 3), ""),
        (lambda picture: planted.blurred(picture, 2), "upscaled"),
        (lambda picture: planted.blurred(picture, 5), "blur"),
        (lambda picture: planted.shaken(picture, 17), "blur"),
        (lambda picture: planted.shaken(picture, 17).transpose(1, 0, 2), "blur"),
        (lambda picture: planted.enlarged(picture, 3), "upscaled"),
        (lambda picture: planted.noisy(picture, 10), "noise"),
        (lambda picture: planted.noisy(planted.blurred(picture, 5), 10), "noise"),
    ],
)
def test_each_defect_is_named_once(tmp_path: Path, change, check: str) -> None:  # type: ignore[no-untyped-def]
    pictures = {f"{seed}": change(planted.leaves(seed)) for seed in range(2)}
    found = findings(tmp_path, pictures, *ALL)
    assert [(one.check, one.pictures) for one in found] == (
        [(check, ("0",)), (check, ("1",))] if check else []
    )


def test_pictures_without_any_detail_or_size_are_measured(tmp_path: Path) -> None:
    pictures = {"grey": np.full((300, 400, 3), 128, np.uint8), "dot": np.full((1, 1, 3), 9, np.uint8)}
    assert {one.check for one in findings(tmp_path, pictures, *ALL)} == {"blur"}
