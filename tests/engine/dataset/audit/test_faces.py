"""Faces are found, and what is wrong about them is said with a box."""

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.dataset.audit.faces import FACES
from engine.dataset.audit.people import FACES as MEASURED
from engine.dataset.audit.people import MODEL
from tests.engine.dataset.audit.given import collection, drawn, looked, picture


def face(size: int, middle: tuple[int, int], scale: float) -> np.ndarray:
    """A drawn face that a detector takes for one, (size, size, 3) uint8."""
    canvas = np.full((size, size, 3), (110, 130, 150), np.uint8)

    def oval(x: float, y: float, wide: float, high: float, colour: tuple[int, int, int]) -> None:
        at = round(middle[0] + x * scale), round(middle[1] + y * scale)
        cv2.ellipse(
            canvas, at, (round(wide * scale), round(high * scale)), 0, 0, 360, colour, -1, cv2.LINE_AA
        )

    oval(0, -20, 108, 140, (60, 40, 30))
    oval(0, 260, 170, 140, (70, 60, 120))
    oval(0, 120, 40, 60, (200, 150, 125))
    oval(0, 0, 88, 118, (224, 178, 150))
    oval(0, -85, 90, 50, (60, 40, 30))
    for side in (-1, 1):
        oval(side * 36, -15, 20, 10, (240, 240, 240))
        oval(side * 36, -15, 9, 9, (50, 35, 25))
        oval(side * 36, -38, 24, 5, (70, 50, 40))
        oval(side * 10, 38, 7, 5, (170, 115, 100))
    oval(0, 20, 9, 28, (210, 160, 135))
    oval(0, 66, 32, 10, (170, 80, 80))
    oval(0, 64, 30, 3, (110, 40, 40))
    return cv2.GaussianBlur(canvas, (0, 0), 2 * scale)


def test_a_face_is_found_where_it_is_with_its_licence_beside_the_model(tmp_path):
    found = looked(tmp_path / "a.png", Image.fromarray(face(512, (150, 200), 0.8)), MEASURED)
    ((left, top, right, bottom, score),) = found.value("faces", "faces")
    assert left < 150 / 512 < right and top < 200 / 512 < bottom and score > 0.8
    assert 0.25 < bottom - top < 0.5
    assert abs(sum(found.value("faces", "torso").values()) - 1) < 0.1
    assert "MIT License" in MODEL.with_name("LICENSE-yunet.txt").read_text()


@pytest.mark.parametrize("size", [(480, 480), (3, 3), (900, 7)])
def test_no_face_is_found_where_there_is_none(tmp_path, size):
    assert looked(tmp_path / "a.png", Image.new("RGB", size, "grey"), MEASURED).value("faces", "faces") == []


def test_thirty_drawn_pictures_without_people_have_no_face(tmp_path):
    for seed in range(30):
        assert looked(tmp_path / "a.png", drawn(seed), MEASURED).value("faces", "faces") == []


def test_several_faces_are_said_with_their_boxes_and_a_crowd_behind_is_not():
    two = {"faces": [[0.1, 0.2, 0.3, 0.5, 0.9], [0.6, 0.2, 0.8, 0.45, 0.9], [0.5, 0.5, 0.52, 0.53, 0.9]]}
    crowd = {"faces": [two["faces"][0], two["faces"][2]]}
    (found,) = FACES.judge(
        collection(picture("a.png", faces=two), picture("b.png", faces=crowd), picture("c.png"))
    )
    assert found.pictures == ("a.png",) and "2 faces" in found.value and len(found.boxes["a.png"]) == 2


def test_a_head_that_the_crop_cuts_off_is_said_with_what_is_kept():
    tall = (1024, 3072)  # the bucket is twice as tall as wide: a third of the height goes
    high, low = {"faces": [[0.4, 0.12, 0.6, 0.2, 0.9]]}, {"faces": [[0.4, 0.4, 0.6, 0.5, 0.9]]}
    (found,) = FACES.judge(collection(picture("a.png", tall, faces=high), picture("b.png", tall, faces=low)))
    assert found.pictures == ("a.png",) and found.remedy.startswith("m ")
    head, kept = found.boxes["a.png"]
    assert head.label == "face" and kept.top > 0.12 and kept.left == 0


def test_a_blurred_face_before_a_sharp_background_is_a_blur():
    near = [[0.4, 0.3, 0.6, 0.5, 0.9]]
    given = collection(
        picture("a.png", faces={"faces": near, "sharpness": 5.0, "around": 400.0}),
        picture("b.png", faces={"faces": near, "sharpness": 200.0, "around": 400.0}),
        picture("c.png", faces={"faces": near, "sharpness": 5.0, "around": 8.0}),
        picture("d.png", faces={"faces": near}),
    )
    (found,) = FACES.judge(given)
    assert found.check == "blur" and found.pictures == ("a.png",) and len(found.boxes["a.png"]) == 1


def test_a_face_blurred_alone_is_told_from_what_is_around_it(tmp_path):
    sharp = np.clip(face(512, (256, 256), 1) + np.random.default_rng(0).normal(0, 12, (512, 512, 1)), 0, 255)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 3)
    sharp[100:400, 140:380] = blurred[100:400, 140:380]
    found = looked(tmp_path / "a.png", Image.fromarray(sharp.astype(np.uint8)), MEASURED)
    assert found.value("faces", "sharpness") < 40 < 100 < found.value("faces", "around")
