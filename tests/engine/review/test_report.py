"""The report: one file that says what the record says, whatever the record holds."""

import base64
import io
import json
import re
from copy import deepcopy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.picture_file import SOURCE_TYPE
from engine.review.inlined import LONGEST, Inlined
from engine.review.markup import figure, text
from engine.review.report import report, write_report
from tests.engine.review.recorded_review import draw, record_in


class Page(HTMLParser):
    """What a browser would make of a page: its elements with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.words.append("" if tag == "strong" else "\n")

    def handle_endtag(self, tag: str) -> None:
        self.words.append("" if tag == "strong" else "\n")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def pictures(self) -> list[Image.Image]:
        sources = [attributes["src"] or "" for tag, attributes in self.elements if tag == "img"]
        assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
        return [Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) for source in sources]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def record(project: Path) -> dict[str, Any]:
    return record_in(project)


def texts_in(value: object) -> list[str]:
    """Every text of a record but paths and ids."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        skipped = (
            "id",
            "path",
            "pictures",
            "format",
            "run",
            "test",
            "verdict",
            "case",
            "depth",
            "kind",
            "base_fingerprint",
        )
        kept = [inside for key, inside in value.items() if key not in skipped]
        return [found for inside in kept for found in texts_in(inside)]
    return [found for inside in value for found in texts_in(inside)] if isinstance(value, list) else []


def test_the_page_says_what_the_record_says(project: Path, record: dict[str, Any]) -> None:
    page = Page(report(project, record, [("First impression", "4 of 5, on the day it was made.")]))
    for words in texts_in({**record, "pictures": record["pictures"]}):
        assert words in page.text, words
    for words in (
        "Review of r1", "✗ bad", "~ suspect", "Found: 0.4 (95 %: −0.1 to 0.9) of the noise between seeds, from 40 pictures",
        "Use weight 0.75 of step 1,300", "cannot be told apart", "train.learning_rate = 1e-05", "First impression",
        "training picture images/a.png, distance 0.12: judged a copy", "trainedAlgorithmicMedia", "0.4 to 0.6, n 12",
    ):  # fmt: skip
        assert words in page.text, words


def test_nothing_is_loaded_and_nothing_runs(project: Path, record: dict[str, Any]) -> None:
    written = report(project, record)
    page = Page(written)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "a", "form", "base", "use", "image"}
    for _, attributes in page.elements:
        assert not {"href", "srcset", "style", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert (
        "http://" not in written
        and "https://" not in written
        and "url(" not in written
        and "@import" not in written
    )


def test_every_picture_is_there_with_its_mark_and_small(project: Path, record: dict[str, Any]) -> None:
    pictures = Page(report(project, record)).pictures
    assert len(pictures) == len(record["pictures"]) + 1
    assert all(max(picture.size) <= LONGEST for picture in pictures)
    made = [SOURCE_TYPE.encode() in picture.info.get("xmp", b"") for picture in pictures]
    assert made.count(False) == 1
    assert max(pictures[made.index(False)].size) == LONGEST


def test_evidence_stands_beside_the_base_and_the_training_picture(
    project: Path, record: dict[str, Any]
) -> None:
    written = report(project, record)
    isolation = written[written.index("Without the trigger") : written.index("Copies of training pictures")]
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", isolation)
    assert captions == ["base, same prompt and seed", "weight 1, step 1,300"] * 2
    echo = written[written.index("Copies of training pictures") : written.index("<h2>Weights</h2>")]
    assert re.findall(r"<figcaption>(.*?)</figcaption>", echo)[0] == "weight 1, step 1,300"


def test_training_pictures_stand_beside_copies_and_what_was_judged_one(tmp_path: Path) -> None:
    record = record_in(tmp_path)
    leaked = next(one for one in record["pictures"] if one["id"] == record["tests"][1]["pictures"][0])
    leaked["nearest"] = {"picture": "images/a.png", "distance": 2.0, "kind": "none"}
    assert report(tmp_path, record).count("training picture images/a.png, distance 2<") == 0
    leaked["nearest"]["kind"] = "near"
    assert "training picture images/a.png, distance 2: judged close to it" in report(tmp_path, record)
    record["pictures"][-1]["nearest"]["kind"] = "none"
    assert "training picture images/a.png, distance 0.12<" in report(tmp_path, record)


def test_what_is_not_recommended_is_said_so_and_where_the_reason_stands(
    project: Path, record: dict[str, Any]
) -> None:
    broken = report(project, {**record, "case": "broken", "recommended": None})
    assert "No weight and no checkpoint is recommended: the weight sweep says why." in broken


def test_prompts_and_the_judges_folder_do_not_stand_among_the_settings(
    project: Path, record: dict[str, Any]
) -> None:
    settings = {
        **record["settings"],
        "prompts": {"called": ["a secret prompt"]},
        "judge": "/home/me/models/siglip",
    }
    written = report(project, {**record, "settings": settings})
    assert "a secret prompt" not in written and "/home/me" not in written


def test_the_sweep_has_named_axes_and_every_cell(project: Path, record: dict[str, Any]) -> None:
    written = report(project, record)
    sweep = written[written.index("The sweep, picture by picture") : written.index("All other pictures")]
    tables = re.findall(r"<table.*?</table>", sweep, re.DOTALL)
    assert len(tables) == 2
    for table in tables:
        assert re.findall(r'<th scope="col">(.*?)</th>', table) == [
            "step",
            "base",
            "weight 0.5",
            "weight 0.75",
            "weight 1",
        ]
        assert re.findall(r'<th scope="row">(.*?)</th>', table) == ["500", "1,300"]
        assert table.count("<img") == 7


def test_pictures_that_are_gone_or_no_pictures_or_elsewhere_are_named(tmp_path: Path) -> None:
    record = record_in(tmp_path)
    gone, broken, elsewhere = record["pictures"][0], record["pictures"][1], record["pictures"][-1]
    (tmp_path / gone["path"]).unlink()
    (tmp_path / broken["path"]).write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    secret = tmp_path.parent / "private.png"
    draw(secret, 1)
    elsewhere["path"] = "../private.png"
    page = Page(report(tmp_path, record))
    assert f"{gone['path']} is not there any more." in page.text
    assert f"{broken['path']} cannot be read." in page.text
    assert "../private.png is no file of this project." in page.text
    assert len(page.pictures) == len(record["pictures"]) + 1 - 3


def test_what_would_make_the_file_too_large_is_named(project: Path, record: dict[str, Any]) -> None:
    file = project / record["pictures"][0]["path"]
    small = Inlined(most_bytes=100)
    assert "left out" in small.picture(file, "one.png", alt="")
    one = len(Inlined().picture(file, "one.png", alt=""))
    twice = Inlined(most_bytes=one + 10)
    assert "<img" in twice.picture(file, "one.png", alt="") and "left out" in twice.picture(
        file, "one.png", alt=""
    )


def test_where_a_photograph_was_taken_stays_out(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home"
    exif[0x0112] = 6
    Image.new("RGB", (40, 20), "red").save(tmp_path / "a.jpg", exif=exif, comment=b"at home")
    page = Page(Inlined().picture(tmp_path / "a.jpg", "a.jpg", alt="", made=False))
    assert page.pictures[0].size == (20, 40)
    assert not page.pictures[0].getexif() and b"at home" not in str(page.pictures[0].info).encode()


hostile = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><b>", "]]>", "<!--", "&lt;",
         "javascript:x",
         "\ud800", "\x00", "\x1b[31m", "\u202eabc", "' onmouseover='x", "</title><script src=//x>", "http://x/"]
    ),
)  # fmt: skip


@given(words=hostile)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_texts_stay_texts(project: Path, record: dict[str, Any], words: str) -> None:
    spoilt = deepcopy(record)
    kept = {"id", "path", "pictures", "tests", "weights", "checkpoints", "groups"}

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoil(inside) if not isinstance(inside, str) or key not in kept else inside
                    for key, inside in value.items()}  # fmt: skip
        if isinstance(value, list):
            return [spoil(inside) if not isinstance(inside, str) else inside for inside in value]
        return words if isinstance(value, str) else value

    spoilt = spoil(spoilt)
    spoilt["run"] = "runs/r1"
    for test in spoilt["tests"]:
        test["details"] = {"groups": {words: {"value": 1.0}}}
    page = Page(report(project, spoilt, [(words, words)]))
    page.words[:] = ["".join(page.words)]
    plain = Page(text(words)).text.replace("\n", "") if words else ""
    assert plain.strip() in page.text
    allowed = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "strong", "div", "span", "dl", "dt",
               "dd", "section", "table", "caption", "thead", "tbody", "tr", "th", "td", "small", "figure", "figcaption",
               "img", "svg", "line", "rect", "text", "polygon", "polyline", "circle", "ul", "li", "code"}  # fmt: skip
    assert {tag for tag, _ in page.elements} <= allowed
    assert sum(tag == "img" for tag, _ in page.elements) == len(page.pictures)
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("href", "style") for name in attributes)


keys = st.sampled_from(
    ["format", "run", "checkpoint", "case", "words", "recommended", "tests", "weights", "checkpoints", "judges", "more",
     "settings", "pictures", "whole", "depth"]
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3)
    | st.dictionaries(
        st.sampled_from(["test", "weight", "checkpoint", "value", "low", "high", "n", "id", "path", "tests", "pictures",
                         "nearest", "picture", "likeness", "loss", "steps", "set", "details", "groups", "words", "verdict",
                         "prompt", "seed"]),
        inside, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(replaced=st.dictionaries(keys, anything, max_size=4))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_record_still_makes_a_page(
    project: Path, record: dict[str, Any], replaced: dict[str, Any]
) -> None:
    bare = {"format": 2, "run": "runs/r1", **replaced}
    assert report(project, bare).endswith("</html>\n")


def test_a_record_of_the_first_format_is_readable(project: Path, record: dict[str, Any]) -> None:
    first = {
        "format": 1, "run": "runs/r1", "checkpoint": 500, "case": "unknown", "recommended": None,
        "tests": [{"test": "sweep", "verdict": "unknown", "value": 12.0, "low": 10.0, "high": 14.0, "n": 4,
                   "advice": "Look.", "measure": "grey levels", "weight": 1.0, "weights": []}],
        "sheets": [], "settings": {"base": "demo"},
        "pictures": [
            {"path": one["path"], "sheets": one["tests"], "prompt": one["prompt"], "seed": one["seed"],
             "weight": one["weight"] or None, "remark": ""} for one in record["pictures"][:4]
        ],
    }  # fmt: skip
    page = Page(report(project, first))
    assert (
        "Not judged" in page.text
        and "12 (95 %: 10 to 14) (grey levels), from 4 pictures or pairs" in page.text
    )
    assert len(page.pictures) == 4 and "weight 0.75" in page.text


def test_it_is_written_whole_and_replaced(project: Path, record: dict[str, Any]) -> None:
    file = project / "report.html"
    file.write_text("old")
    write_report(project, json.loads(json.dumps(record)), file)
    assert file.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert [left.name for left in project.glob(".report*")] == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1300, "1,300"),
        (0.12345, "0.123"),
        (-0.1, "−0.1"),
        (-0.0, "0"),
        (None, "–"),
        (True, "–"),
        (float("nan"), "–"),
        ("3", "–"),
    ],
)
def test_figures_are_short(value: object, shown: str) -> None:
    assert figure(value) == shown
