"""Text in a picture is read where it stands, and what was laid over is told from what is in the scene."""

import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.dataset.audit import reading
from engine.dataset.audit.audit import Report, audit
from engine.dataset.audit.text_overlay import TEXT_OVERLAY
from engine.dataset.findings import Finding
from projects.bases import describe
from projects.spec import Data, RunSpec
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.given import collection, picture
from tests.engine.dataset.audit.judging import findings
from tests.engine.dataset.audit.planted import Picture

ROOT = Path(__file__).resolve().parents[4]
PLAIN = planted.leaves(1, 480, 360)


def line(text: str, box: tuple[float, ...] = (0.3, 0.45, 0.7, 0.55), slope: float = 0.0) -> list[Any]:
    return [*box, slope, 0.99, text]


def judged(*pictures: list[list[Any]]) -> list[Finding]:
    """What is found where these lines were read."""
    made = [picture(f"{index}.jpg", text={"lines": lines}) for index, lines in enumerate(pictures)]
    return list(TEXT_OVERLAY.judge(collection(*made)))


@pytest.mark.parametrize(
    ("style", "says"),
    [("corner", "credit or a watermark"), ("subtitle", "along its edge"), ("date", "date of a camera")],
)
def test_what_was_laid_over_is_a_warning_with_its_place_and_its_words(
    tmp_path: Path, style: str, says: str
) -> None:
    marked = planted.lettered(PLAIN, style, 0.8, 0)
    (one,) = findings(tmp_path, {"plain": PLAIN, "marked": marked}, TEXT_OVERLAY)
    assert one.severity == "warning" and one.pictures == ("marked",) and says in one.value
    assert one.threshold is not None and one.number is not None and one.number >= one.threshold
    (box,) = one.boxes["marked"]
    assert 0.8 < box.top < box.bottom <= 1 and box.left < box.right
    assert box.label and box.label[:8] in one.value


def test_a_faint_mark_that_only_the_stretched_pass_shows_is_read_once() -> None:
    grey = np.full((480, 640, 3), 120, np.uint8)
    faint, plain = planted.lettered(grey, "corner", 0.05, 0), planted.lettered(grey, "corner", 0.9, 0)
    assert len(reading.lines_of(faint)) == 1
    assert len(reading.lines_of(plain)) == 1


def sign() -> Picture:
    """A slanted sign in the middle of a picture."""
    board = Image.new("RGBA", (260, 90), (20, 60, 120, 255))
    ImageDraw.Draw(board).text((130, 45), "HOTEL ADLER", fill="white", anchor="mm", font_size=36)
    scene = Image.fromarray(planted.leaves(2, 640, 480))
    turned = board.rotate(8, Image.Resampling.BICUBIC, expand=True)
    scene.paste(turned, (180, 180), turned)
    return np.asarray(scene)


def test_a_sign_in_the_scene_is_a_note_for_the_caption(tmp_path: Path) -> None:
    (one,) = findings(tmp_path, {"street": sign()}, TEXT_OVERLAY)
    assert one.severity == "note" and "HOTEL" in one.value and "caption" in one.remedy
    (box,) = one.boxes["street"]
    assert box.left < 0.5 < box.right and box.top < 0.5 < box.bottom


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 2), (60, 40)])
def test_a_picture_of_hardly_a_pixel_has_no_text(size: tuple[int, int]) -> None:
    assert reading.lines_of(np.full((*size, 3), 90, np.uint8)) == []


def test_text_in_a_slim_banner_is_read_where_it_is() -> None:
    banner = Image.new("RGB", (1000, 40), (40, 60, 50))
    ImageDraw.Draw(banner).text((900, 20), "© Jane Doe", fill="white", anchor="rm", font_size=26)
    ((left, top, right, bottom, _, _, text),) = reading.lines_of(np.asarray(banner))
    assert "Jane" in text and 0.7 < left < right < 0.95 and top < 0.5 < bottom


def test_words_from_a_picture_are_on_one_line_and_without_what_a_terminal_acts_on() -> None:
    (one,) = judged([line("© \x1b[31mJane\n\u202eDoe\x07 " + 90 * "x")])
    told = one.value + one.boxes["0.jpg"][0].label
    assert told.isprintable() and "Jane" in told and "\u202e" not in told
    assert len(one.value) < 130


@pytest.mark.parametrize(
    ("text", "box", "slope", "severity"),
    [
        ("www.imagebank.com", (0.3, 0.45, 0.7, 0.55), 30.0, "warning"),
        ("'24 11 29", (0.7, 0.9, 0.95, 0.95), 0.0, "warning"),
        ("Never again.", (0.2, 0.88, 0.8, 0.94), 0.0, "warning"),
        ("Never again.", (0.2, 0.88, 0.8, 0.94), 4.0, "note"),
        ("Never again.", (0.2, 0.55, 0.8, 0.61), 0.0, "note"),
        ("Atelier Blum", (0.95, 0.3, 0.98, 0.7), 0.0, "warning"),
        ("Atelier Blum", (0.45, 0.02, 0.48, 0.3), 0.0, "note"),
        ("Photosynthesis", (0.3, 0.45, 0.7, 0.55), 0.0, "warning"),  # Known: words are looked for, not understood.
    ],
)  # fmt: skip
def test_words_form_and_place_say_what_a_line_is(
    text: str, box: tuple[float, ...], slope: float, severity: str
) -> None:
    (one,) = judged([line(text, box, slope)])
    assert one.severity == severity


def test_one_mark_on_many_pictures_is_one_finding_and_dates_are_one_too() -> None:
    mark, date = [line("© Jane Doe")], (0.7, 0.9, 0.95, 0.95)
    found = judged(mark, [line("©Jane Doe.")], [line("24.12.2023", date)], [line("25.12.2023", date)], [])
    assert [one.pictures for one in found] == [("0.jpg", "1.jpg"), ("2.jpg", "3.jpg")]
    assert "2 pictures carry the same credit or watermark: “© Jane Doe”." in found[0].value


def test_the_same_words_again_and_again_are_a_watermark_whatever_they_say() -> None:
    tiled = [line(text, (0.1, at, 0.4, at + 0.1), 30.0) for text, at in
             (("Ivo Brandt", 0.1), ("vo Brand", 0.3), ("Brandt", 0.6), ("lvo", 0.8))]  # fmt: skip
    (one,) = judged(tiled)
    assert one.severity == "warning" and len(one.boxes["0.jpg"]) == 3
    page = [line(text, (0.1, 0.1, 0.9, 0.2), 30.0) for text in
            ("a station", "the nation", "of relations", "once upon", "we went", "far away", "then slept")]  # fmt: skip
    assert [one.severity for one in judged(page)] == ["note"]


def test_the_models_come_with_the_library_and_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    reading._reader.cache_clear()
    assert "Okafor" in reading.lines_of(planted.lettered(PLAIN, "corner", 0.8, 0))[0][6]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "images").mkdir()
    marked = planted.lettered(PLAIN, "corner", 0.8, 0)
    Image.fromarray(marked).save(tmp_path / "images" / "a.png")
    yield tmp_path


def last(project: Path) -> Report:
    *_, report = audit(project, RunSpec(data=Data(images="images")), describe("demo", ROOT), processes=1)
    return report


def test_without_the_extra_it_says_that_it_did_not_look_and_looks_once_it_is_there(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec
    for module in ("rapidocr", "onnxruntime"):
        with monkeypatch.context() as patched:
            patched.setattr(
                importlib.util, "find_spec", lambda name, _gone=module: None if name == _gone else there(name)
            )
            report = last(project)
        (one,) = [each for each in report.findings if each.check == "text-overlay"]
        assert one.confidence == "not-run" and one.severity == "note" and "safelight[ocr]" in one.remedy
        assert report.collection.complete and "text" not in report.collection.pictures[0].values
    (one,) = [each for each in last(project).findings if each.check == "text-overlay"]
    assert one.severity == "warning" and one.pictures == ("a.png",) and "a.png carries" in one.value
