"""The tagger: pictures as it was trained on them, by code that shares nothing with the real one, and a whole graph."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.fill.wd_tagger import load, prepared
from projects.problems import Refused
from projects.spec import FillJob, RunSpec
from tests.engine.tiny_captioners import SIDE, TAGS, WEIGHTS, tiny_tagger


def job(**said: object) -> FillJob:
    return FillJob(project="p", model="m", spec=RunSpec(), **said)  # type: ignore[arg-type]


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8))


def cubic(distance: np.ndarray) -> np.ndarray:
    """The bicubic kernel, a = -0.5."""
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def resized(lines: np.ndarray, size: int) -> np.ndarray:
    """Along the first axis, the kernel widened where it becomes smaller; rounded to bytes as pictures are."""
    scale = max(1.0, len(lines) / size)
    centres = (np.arange(size) + 0.5) * len(lines) / size
    weights = cubic((np.arange(len(lines)) + 0.5 - centres[:, None]) / scale)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.clip(np.floor(np.tensordot(weights, lines, axes=1) + 0.5), 0, 255)


@pytest.mark.parametrize("size", [(40, 24), (23, 40), (50, 50), (6, 9), (448, 448)])
def test_pictures_are_padded_with_white_scaled_bicubic_and_given_as_bgr(size: tuple[int, int]) -> None:
    picture = noise(*size)
    side = 448 if size == (448, 448) else 16
    longest = max(size)
    square = np.full((longest, longest, 3), 255.0)
    top, left = (longest - size[1]) // 2, (longest - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = np.asarray(picture)
    if longest != side:
        square = resized(square.transpose(1, 0, 2), side).transpose(1, 0, 2)
        square = resized(square, side)
    golden = square[:, :, [2, 1, 0]]
    found = prepared(picture, side)
    assert found.shape == (side, side, 3) and found.dtype == np.float32
    assert found.min() >= 0 and found.max() > 1.5, "from 0 to 255, not to 1"
    # Pillow's own weights are rounded to 22 bits: now and then a value falls on the other side of a half.
    assert np.abs(found - golden).max() <= 1 and (found != golden).mean() < 0.005


def scores_of(picture: Image.Image) -> dict[str, float]:
    mean = prepared(picture, SIDE).mean(axis=(0, 1)) / 255
    return {
        name: float(1 / (1 + np.exp(-(np.dot(mean, row[:3]) + row[3]))))
        for (name, _), row in zip(TAGS, WEIGHTS, strict=True)
    }


def test_a_graph_is_asked_and_says_what_its_scores_say(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    folder = tiny_tagger(tmp_path)
    opened = load(folder, "", job())
    pictures = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "lime")]
    told = opened.ask(pictures, 0)
    assert told[1].startswith("blue theme") and told[2].startswith("green theme")
    assert [opened.ask([picture], 0)[0] for picture in pictures] == told
    least = {0: 0.35, 4: 0.85}
    for picture, text in zip(pictures, told, strict=True):
        scores = scores_of(picture)
        names = [name for name, category in TAGS if scores[name] > least.get(category, 2)]
        assert set(text.split(", ")) == {"^_^" if name == "^_^" else name.replace("_", " ") for name in names}
    assert opened.device == "cpu" and opened.most == 64


def test_a_graph_with_one_picture_at_a_time_says_so(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    opened = load(tiny_tagger(tmp_path, batch=1), "", job())
    assert opened.most == 1 and opened.ask([noise(9, 9)], 0)


def test_what_is_no_tagger_is_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    folder = tiny_tagger(tmp_path / "tags")
    with (folder / "selected_tags.csv").open("a") as file:
        file.write("9,one_more,0,1\n")
    with pytest.raises(Refused, match="This is no WD Tagger with 9 tags"):
        load(folder, "", job())
    broken = tiny_tagger(tmp_path / "broken")
    (broken / "model.onnx").write_bytes((broken / "model.onnx").read_bytes()[:200])
    with pytest.raises(Refused, match="The model cannot be opened"):
        load(broken, "", job())


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.captioners.importlib.util.find_spec", lambda name: None)
    with pytest.raises(Refused, match=r'onnxruntime is needed .* pip install "safelight\[tagger\]"'):
        load(tiny_tagger(tmp_path), "", job())
