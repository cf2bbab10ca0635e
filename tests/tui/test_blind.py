"""The blind round on the screen: first impression, the wait, one picture at a time, and both verdicts side by side."""

import json
import struct
from pathlib import Path

import pytest

from projects.blind import WAIT, read_round
from projects.job import JobDir
from projects.sides import BASE
from tests.projects.reviewed import FULL, HALF, write_sweep
from tests.tui.benches import Bench, opened, until
from tests.tui.recorded import NOW, write_project, write_run
from tests.tui.snapshots import text_of
from tui.bare_picture import bare_png
from tui.screens.blind import BlindRound
from tui.screens.modal import Reading
from tui.screens.review import ReviewRoom
from tui.widgets.line_list import LineList
from tui.widgets.picture_view import PictureView

NAME = "2026-11-17-0900-r16"
KEYS = {BASE: "1", HALF: "5", FULL: "3"}


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    """A project with a run whose review has a weight sweep: three sides, two prompts, two seeds."""
    project = write_project(tmp_path / "aurelia")
    write_run(project, NAME, to_step=500, last_word="done")
    write_sweep(project, name=NAME, sides=tuple(KEYS))
    return project


def run_of(project: Path) -> JobDir:
    return JobDir(project / "runs" / NAME)


def unbroken(bench: Bench) -> str:
    """The screen as one line: where a sentence is broken depends on the folder that the tests run in."""
    return " ".join(text_of(bench).split())


async def to_the_round(bench: Bench, pilot, stage: str) -> BlindRound:  # type: ignore[no-untyped-def]
    """Press B in the review room, and wait for that stage."""
    await until(
        pilot, lambda: isinstance(bench.screen, ReviewRoom) and "pictures" in bench.screen.conditions()
    )
    await pilot.press("B")
    screen = bench.screen
    assert isinstance(screen, BlindRound)
    await until(pilot, lambda: screen.stage == stage and not screen._busy)
    return screen


async def sealed(project: Path) -> None:
    """A first impression of 4 for the half weight, sealed at NOW."""
    async with opened(project, room="review") as (bench, pilot):
        screen = await to_the_round(bench, pilot, "asking")
        screen.query_one("#blind-sides", LineList).go_to(HALF)
        await pilot.press("4", "s")
        await until(pilot, lambda: screen.stage == "waiting")


async def rate_here(screen: BlindRound, pilot, key: str) -> None:  # type: ignore[no-untyped-def]
    """One verdict, once the picture is drawn; waits until it is on the disk."""
    view = screen.query_one("#blind-picture", PictureView)
    await until(pilot, lambda: view.complete and not screen._busy)
    before = screen._read
    await pilot.press(key)
    await until(pilot, lambda: screen._read is not before)


async def rate_all(screen: BlindRound, pilot, project: Path) -> None:  # type: ignore[no-untyped-def]
    key = json.loads(run_of(project).blind_key.read_bytes())["pictures"]
    by_weight = {side.weight: pressed for side, pressed in KEYS.items()}
    while screen.stage == "rating":
        assert screen._read is not None and screen._read.round is not None
        await rate_here(screen, pilot, by_weight[key[screen._read.round.open_ids[0]]["weight"]])


# ---- the copies


def test_a_copy_holds_pixels_and_nothing_else(aurelia: Path) -> None:
    source = next((run_of(aurelia).review / "pictures").iterdir())
    assert b"lora" in source.read_bytes()
    data, names, at = bare_png(source), [], 8
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        names.append(name)
        at += length + 12
    assert set(names) == {b"IHDR", b"IDAT", b"IEND"}


# ---- the first impression


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_first_impression_is_written_at_once_and_seals_the_round(
    aurelia: Path, size: tuple[int, int]
) -> None:
    async with opened(aurelia, room="review", size=size) as (bench, pilot):
        screen = await to_the_round(bench, pilot, "asking")
        words = text_of(bench)
        assert "0.5, step 1,300" in words and "base" in words and "as I wanted it" in words
        await pilot.press("s")
        await until(pilot, lambda: "Rate it first: 1 to 5." in text_of(bench))
        assert not run_of(aurelia).blind.exists()
        await pilot.press("down", "4", "e", *"hands 5", "enter", "s")
        await until(pilot, lambda: screen.stage == "waiting")
        found = read_round(run_of(aurelia))
        assert found is not None and found.created == NOW and found.not_before == NOW + 48 * 3600
        assert (found.first.rating, found.first.side, found.first.note) == (4, HALF, "hands 5")
        words = text_of(bench)
        assert "Opens in 48 h 0 min" in words and "4 of 5" in words and "hands 5" in words
        assert f"SEAL   {found.sha256[:12]}" in words and found.sha256 in words.replace("\n", "").replace(
            " ", ""
        )
        copies = list(run_of(aurelia).blind_pictures.iterdir())
        assert {each.stem for each in copies} == set(found.order)
        assert not any(b"lora" in each.read_bytes() for each in copies)


async def test_the_picture_beside_the_sides_is_that_of_the_cursor(aurelia: Path) -> None:
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_round(bench, pilot, "asking")
        view, files = screen.query_one("#blind-picture", PictureView), []
        for _ in range(3):
            files.append(view._path)
            await pilot.press("down")
        read = screen._read
        assert (
            read
            and read.sweep
            and [each.side for each in read.sweep.pictures if each.file in files] == list(KEYS)
        )


# ---- the wait


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_before_48_hours_nothing_is_shown_and_nothing_rated(
    aurelia: Path, size: tuple[int, int]
) -> None:
    await sealed(aurelia)
    async with opened(aurelia, room="review", size=size) as (bench, pilot):
        bench.clock = lambda: NOW + 17 * 3600
        screen = await to_the_round(bench, pilot, "waiting")
        assert "Opens in 31 h 0 min" in text_of(bench) and "would take 0.5, step 1,300" in text_of(bench)
        assert not screen.query_one("#blind-picture").display
        await pilot.press("3", "u", "enter")
        assert not run_of(aurelia).blind_verdicts.exists() and screen.stage == "waiting"
        # The clock goes on while somebody looks.
        bench.clock = lambda: NOW + WAIT
        screen._draw()
        assert screen.stage == "rating"
        await until(pilot, lambda: "1 of 14" in text_of(bench))


async def test_opening_early_is_asked_twice(aurelia: Path) -> None:
    await sealed(aurelia)
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_round(bench, pilot, "waiting")
        await pilot.press("o")
        await until(
            pilot, lambda: "14 are not rated, and cannot be once the labels are seen" in text_of(bench)
        )
        await pilot.press("1", "o")
        assert screen.stage == "waiting", "another key in between takes it back"
        await pilot.press("o")
        await until(pilot, lambda: screen.stage == "opened")
        assert "0 of 14 rated" in text_of(bench) and "Nothing was rated" in text_of(bench)


async def test_a_clock_that_went_back_is_said(aurelia: Path) -> None:
    await sealed(aurelia)
    async with opened(aurelia, room="review") as (bench, pilot):
        bench.clock = lambda: NOW - 3 * 86_400
        await to_the_round(bench, pilot, "waiting")
        assert "This machine's clock says" in text_of(bench)


# ---- judging


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_pictures_come_one_at_a_time_without_labels(aurelia: Path, size: tuple[int, int]) -> None:
    await sealed(aurelia)
    async with opened(aurelia, room="review", size=size) as (bench, pilot):
        bench.clock = lambda: NOW + WAIT + 60
        screen = await to_the_round(bench, pilot, "rating")
        words = text_of(bench)
        assert "1 of 14" in words and "as I wanted it" in words
        assert "step" not in words and "base" not in words and "café" not in words
        await pilot.press("u")
        await until(pilot, lambda: "There is no verdict to take back." in text_of(bench))
        view = screen.query_one("#blind-picture", PictureView)
        found = read_round(run_of(aurelia))
        assert found is not None and view._path == run_of(aurelia).blind_pictures / f"{found.order[0]}.png"
        await rate_here(screen, pilot, "2")
        await rate_here(screen, pilot, "5")
        assert "3 of 14" in text_of(bench)
        await pilot.press("u")
        await until(pilot, lambda: "2 of 14" in text_of(bench))
        found = read_round(run_of(aurelia))
        assert found is not None and found.verdicts == {found.order[0]: 2}
        await pilot.press("question_mark")
        assert isinstance(bench.screen, Reading)
        await pilot.press("escape", "escape")
        assert isinstance(bench.screen, ReviewRoom)
    async with opened(aurelia, room="review") as (bench, pilot):
        bench.clock = lambda: NOW + WAIT + 3600
        await to_the_round(bench, pilot, "rating")
        await until(pilot, lambda: "2 of 14" in text_of(bench))


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_at_the_end_both_verdicts_stand_side_by_side(aurelia: Path, size: tuple[int, int]) -> None:
    await sealed(aurelia)
    async with opened(aurelia, room="review", size=size) as (bench, pilot):
        bench.clock = lambda: NOW + WAIT + 60
        screen = await to_the_round(bench, pilot, "rating")
        await rate_all(screen, pilot, aurelia)
        assert screen.stage == "rated" and "All 14 are rated" in text_of(bench)
        await pilot.press("u")
        await until(pilot, lambda: screen.stage == "rating")
        await rate_all(screen, pilot, aurelia)
        await pilot.press("enter")
        await until(pilot, lambda: screen.stage == "opened")
        lines = text_of(bench).splitlines()
        (heads,) = [line for line in lines if "FIRST IMPRESSION" in line]
        assert "WITHOUT LABELS" in heads
        words = "\n".join(lines)
        assert "4 of 5" in words and "14 of 14 rated" in words
        (best,) = [line for line in lines if "5.0 [" in line]
        assert "0.5, step" in best and "n 4" in best
        assert "the one you took at first" in words and "2 of 2 within one point" in words
        if size[1] >= 36:
            assert "is still" in words and "✓ The key is the one that was sealed" in words


async def test_a_changed_key_is_named_and_no_best_one(aurelia: Path) -> None:
    await sealed(aurelia)
    run = run_of(aurelia)
    run.blind_key.write_bytes(run.blind_key.read_bytes().replace(b'"weight": 0.5', b'"weight": 0.6'))
    async with opened(aurelia, room="review") as (bench, pilot):
        bench.clock = lambda: NOW + WAIT + 60
        screen = await to_the_round(bench, pilot, "rating")
        await rate_here(screen, pilot, "4")
        await pilot.press("o", "o")
        await until(pilot, lambda: screen.stage == "opened")
        assert "! " in text_of(bench) and "not the key that was sealed" in text_of(bench)
        assert "No best one is named" in text_of(bench)


async def test_another_round_is_begun_in_the_place_of_an_opened_one(aurelia: Path) -> None:
    await sealed(aurelia)
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_round(bench, pilot, "waiting")
        await pilot.press("B")
        assert screen.stage == "waiting", "not before it is opened"
        await pilot.press("o", "o")
        await until(pilot, lambda: screen.stage == "opened")
        await pilot.press("B")
        await until(pilot, lambda: screen.stage == "asking" and not screen._busy)
        await pilot.press("escape")
        await until(pilot, lambda: screen.stage == "opened" and not screen._busy)
        await pilot.press("B")
        await until(pilot, lambda: screen.stage == "asking" and not screen._busy)
        await pilot.press("2", "enter")
        await until(pilot, lambda: screen.stage == "waiting")
        found = read_round(run_of(aurelia))
        assert found is not None and found.first.rating == 2
        assert (run_of(aurelia).blind_earlier / "1" / "blind.jsonl").is_file()


async def test_a_damaged_round_is_named(aurelia: Path) -> None:
    await sealed(aurelia)
    run_of(aurelia).blind.write_text("{")
    async with opened(aurelia, room="review") as (bench, pilot):
        await until(
            pilot, lambda: isinstance(bench.screen, ReviewRoom) and "pictures" in bench.screen.conditions()
        )
        await pilot.press("B")
        await until(pilot, lambda: "The blind round cannot be read." in unbroken(bench))
        await pilot.press("4", "s")
        assert run_of(aurelia).blind.read_text() == "{" and "cannot be read" in unbroken(bench)
