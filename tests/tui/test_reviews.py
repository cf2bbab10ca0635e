"""review.json as people's disks hold it: both formats, and every way in which it can be damaged."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.job import JobDir
from tests.tui.recorded import write_project, write_review, write_run
from tests.tui.reviewed import PROMPTS, WEIGHTS, write_reviewed
from tui.review_grid import grid_of
from tui.review_pairs import beside_of, pairs_of
from tui.review_words import full_words, head_line, lines_of_test, row_of_test, whole_lines
from tui.reviewed import Cell, Review
from tui.reviews import read_review


@pytest.fixture
def run(tmp_path: Path) -> JobDir:
    project = write_project(tmp_path / "aurelia")
    return write_run(project, "2026-11-17-0900-r16", to_step=500, last_word="done")


def read(run: JobDir) -> Review:
    review = read_review(run, run.path.parents[1])
    assert review is not None
    return review


def said(review: Review) -> str:
    """Everything that the room can say of a review, as one text."""
    lines = [head_line(review, "r16"), *whole_lines(review, (), lambda name: name, 60)]
    lines += [row_of_test(test, 40) for test in review.tests]
    lines += [line for test in review.tests for line in lines_of_test(test, "n", 40)]
    words = [full_words(made) for made in review.pictures]
    return "\n".join(["".join(text for text, _ in line) for line in lines] + words)


def test_format_2_is_read_with_its_tests_figures_places_and_neighbours(run: JobDir) -> None:
    record = write_reviewed(run, run.path.parents[1])
    review = read(run)
    assert (review.checkpoint, review.whole, review.depth, review.case) == (2000, True, "coarse", "leaking")
    assert review.error == "" and len(review.pictures) == len(record["pictures"])
    isolation = review.test("isolation")
    assert isolation and isolation.verdict == "bad" and isolation.threshold == 1.0
    assert (isolation.figure.low, isolation.figure.high, isolation.figure.n) == (1.4, 2.9, 40)
    assert isolation.steps[0].set == {"train.learning_rate": 2e-5} and isolation.steps[1].set == {}
    assert [made.group for made in review.evidence(isolation)] == ["named", "named"]
    pairs = pairs_of(review, review.evidence(isolation), beside_of(isolation))
    for pair in pairs:
        base = review.base_of(pair.made)
        assert base and base.cell.weight == 0 and base.cell.prompt == pair.made.cell.prompt
        assert pair.beside == base.path
    echo = review.test("echo")
    assert echo
    (first, *_) = pairs_of(review, review.evidence(echo), beside_of(echo))
    assert first.beside == run.path.parents[1] / "images/IMG_0002.png"
    here = Cell(checkpoint=1000, weight=0.7, prompt=PROMPTS[1], seed=2)
    assert review.by_cell[here].measures["likeness"] == 0.75


def test_the_grid_holds_the_sweep_and_the_base_stands_in_every_row(run: JobDir) -> None:
    write_reviewed(run, run.path.parents[1], drawn=6)
    grid = grid_of(read(run))
    assert grid.columns == [0.0, *WEIGHTS] and grid.rows == [500, 1000, 2000]
    assert grid.prompts == [PROMPTS[0]], "prompts of the isolation test have no place here"
    base = grid.at(0, 0, PROMPTS[0], 1)
    assert base is not None and base is grid.at(2, 0, PROMPTS[0], 1)
    assert grid.at(0, 4, PROMPTS[0], 1) and grid.at(2, 4, PROMPTS[0], 1) is None, "not made yet"
    assert grid.start() == (2, 2), "what is recommended"


def test_format_1_is_still_read(run: JobDir) -> None:
    write_review(run, run.path.parents[1])
    review = read(run)
    assert (review.case, review.whole, review.recommended, review.error) == ("unknown", True, None, "")
    isolation = review.test("isolation")
    assert isolation and isolation.verdict == "unknown" and isolation.figure.n == 6
    assert "differs from the base's by 0.02 of 255 grey levels" in isolation.words
    assert "0 would be: nothing leaks." in isolation.words and isolation.advice == "Look at the sheet."
    assert [sheet.title for sheet in review.sheets] == [
        "weight sweep",
        "without the trigger",
        "before and after",
    ]
    grid = grid_of(review)
    assert grid.columns == [0.0, 0.5, 1.0] and grid.rows == [2000]
    assert grid.at(0, 1, "aur3lia_portrait, by a window", 1)
    assert "0.02 [0.1, 0.4] of 255 grey levels" in said(review)


def test_what_cannot_be_read_is_counted_and_named_and_the_rest_is_there(run: JobDir) -> None:
    record = write_reviewed(run, run.path.parents[1])
    pictures = record["pictures"]
    pictures[0]["path"] = "runs/\0.png"
    pictures[1]["path"] = "runs/\ud800.png"
    pictures[2]["weight"] = "half"
    record["tests"][0] = "sweep"
    record["tests"][1]["steps"][0]["set"] = {"train.steps": {"deep": [[1]]}}
    (run.review / "review.json").write_text(json.dumps(record))
    review = read(run)
    assert "3 of its pictures, 1 of its steps, 1 of its tests cannot be read" in review.error
    assert "R draws the review again" in review.error
    assert len(review.pictures) == len(pictures) - 3 and review.tests[0].name == "isolation"


def test_a_newer_format_says_so(run: JobDir) -> None:
    write_reviewed(run, run.path.parents[1], format=9, case="melted")
    review = read(run)
    assert "A newer Safelight wrote this review (format 9)" in review.error
    assert review.case == "unknown" and review.pictures


@pytest.mark.parametrize("damage", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 10_000, b'"x"'])
def test_a_file_that_is_no_review_is_named(run: JobDir, damage: bytes) -> None:
    run.review.mkdir()
    (run.review / "review.json").write_bytes(damage)
    assert str(run.review / "review.json") in read(run).error


def test_no_review_is_none(run: JobDir) -> None:
    assert read_review(run, run.path.parents[1]) is None


# ---- whatever stands in it

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a JSON value that something else can stand at."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@pytest.fixture(scope="module")
def whole() -> Iterator[tuple[JobDir, dict[str, Any]]]:
    """One review that every example damages in another way."""
    folder = Path(tempfile.mkdtemp())
    project = write_project(folder / "aurelia")
    job = write_run(project, "2026-11-17-0900-r16", to_step=250, last_word="done")
    yield job, write_reviewed(job, project, checkpoints=(500,), seeds=(1,), prompts=PROMPTS[:1])
    shutil.rmtree(folder)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_makes_reading_or_saying_fail(
    whole: tuple[JobDir, dict[str, Any]], data: st.DataObject
) -> None:
    run, good = whole
    record = json.loads(json.dumps(good))
    for _ in range(data.draw(st.integers(1, 3))):
        *outer, last = data.draw(st.sampled_from(list(places(record))))
        inside = record
        for key in outer:
            inside = inside[key]
        inside[last] = data.draw(JSON)
    (run.review / "review.json").write_text(json.dumps(record))
    review = read(run)
    grid = grid_of(review)
    for row in range(len(grid.rows)):
        for column in range(len(grid.columns)):
            for prompt in grid.prompts:
                grid.at(row, column, prompt, 1)
    for test in review.tests:
        for made in pairs_of(review, review.evidence(test), beside_of(test)):
            made.made.path.is_file()
    assert said(review).startswith("r16") and grid.start()[0] <= len(grid.rows)


@given(JSON)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_at_all_is_read(whole: tuple[JobDir, dict[str, Any]], value: Any) -> None:
    run, _ = whole
    (run.review / "review.json").write_text(json.dumps(value))
    said(read(run))
