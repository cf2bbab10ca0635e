"""A duel of two pictures: one key decides it, labels come after, and it is on the disk at once."""

import json
from pathlib import Path

import pytest

from projects.duels import read_duels
from projects.job import JobDir
from projects.sides import Side
from tests.projects.reviewed import SIDES, write_sweep
from tests.tui.benches import Bench, opened, typed, until
from tests.tui.recorded import write_project, write_run
from tests.tui.snapshots import text_of
from tui.app import Options
from tui.screens.duel import Duelling
from tui.screens.large import Large
from tui.screens.modal import Reading
from tui.screens.review import ReviewRoom
from tui.widgets.picture_view import PictureView

NAME = "2026-11-17-0900-r16"


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    """A project with a run whose review has a weight sweep."""
    project = write_project(tmp_path / "aurelia")
    write_run(project, NAME, to_step=500, last_word="done")
    write_sweep(project, name=NAME)
    return project


def run_of(project: Path) -> JobDir:
    return JobDir(project / "runs" / NAME)


def unbroken(bench: Bench) -> str:
    """The screen as one line: where a sentence is broken depends on the folder that the tests run in."""
    return " ".join(text_of(bench).split())


async def to_the_duel(bench: Bench, pilot) -> Duelling:  # type: ignore[no-untyped-def]
    """Press D in the review room, and wait for two pictures."""
    await until(
        pilot, lambda: isinstance(bench.screen, ReviewRoom) and "pictures" in bench.screen.conditions()
    )
    await pilot.press("D")
    screen = bench.screen
    assert isinstance(screen, Duelling)
    await drawn(screen, pilot)
    return screen


async def drawn(screen: Duelling, pilot) -> None:  # type: ignore[no-untyped-def]
    await until(
        pilot,
        lambda: (
            not screen._busy and screen._pair and all(view.complete for view in screen.query(PictureView))
        ),
    )


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_one_key_decides_and_only_then_the_labels_are_shown(
    aurelia: Path, size: tuple[int, int]
) -> None:
    async with opened(aurelia, room="review", size=size) as (bench, pilot):
        screen = await to_the_duel(bench, pilot)
        words = text_of(bench)
        assert "aur3lia_portrait" in words and "step 1,300" not in words and "base" not in words
        assert "Labels are shown once you have decided." in words and "take back" in words
        pair = screen._pair
        assert pair is not None
        await pilot.press("right")
        await until(pilot, lambda: len(screen._duels) == 1 and screen._ranking.sides)
        (told,) = read_duels(run_of(aurelia).duels)
        assert (told.left, told.right, told.won) == (pair.left.side, pair.right.side, "right")
        assert (told.prompt, told.seed) == (pair.left.prompt, pair.left.seed)
        words = text_of(bench)
        assert f"last: {pair.right.side.words} won against {pair.left.side.words}" in words
        assert "1 decided" in words and "cannot be told apart yet" in words and "1 of 1 won" in words
        assert screen._pair != pair, "the next two at once"
        await drawn(screen, pilot)
        await pilot.press("space")
        await until(pilot, lambda: [each.won for each in screen._duels] == ["right", "neither"])
        assert "were as good as each other" in text_of(bench)
        await pilot.press("escape")
        assert isinstance(bench.screen, ReviewRoom)


async def test_rows_of_the_ranking_have_their_interval_and_the_rest_is_counted(tmp_path: Path) -> None:
    project = write_project(tmp_path / "aurelia")
    write_run(project, NAME, to_step=500, last_word="done")
    write_sweep(
        project,
        name=NAME,
        sides=(*SIDES, Side(weight=0.7, checkpoint=900), Side(weight=0.85, checkpoint=900)),
    )
    async with opened(project, room="review", size=(80, 24)) as (bench, pilot):
        screen = await to_the_duel(bench, pilot)
        for number in range(1, 10):
            await pilot.press("h" if number % 2 else "l")
            await until(pilot, lambda count=number: len(screen._duels) == count)
            await drawn(screen, pilot)
        await until(pilot, lambda: sum(each.count for each in screen._ranking.sides) == 18)
        rows = [line for line in text_of(bench).splitlines() if " won" in line and " %  [" in line]
        below = len(screen._ranking.sides) - 3
        assert len(rows) == 3 and below >= 2 and f"and {below} more below" in text_of(bench)


async def test_a_duel_is_taken_back_and_its_two_pictures_come_again(aurelia: Path) -> None:
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_duel(bench, pilot)
        await pilot.press("u")
        assert "There is no duel to take back." in text_of(bench)
        first = screen._pair
        await pilot.press("h")
        await until(pilot, lambda: len(screen._duels) == 1)
        await drawn(screen, pilot)
        await pilot.press("u")
        await until(pilot, lambda: not screen._duels)
        assert screen._pair == first and read_duels(run_of(aurelia).duels) == []
        assert len(run_of(aurelia).duels.read_bytes().splitlines()) == 2, (
            "the line of the duel and the one that undoes it"
        )


async def test_a_sitting_goes_on_where_the_last_one_ended(aurelia: Path) -> None:
    for count in (1, 2):
        async with opened(aurelia, room="review") as (bench, pilot):
            screen = await to_the_duel(bench, pilot)
            await until(pilot, lambda screen=screen, count=count: len(screen._duels) == count - 1)
            await pilot.press("l")
            await until(pilot, lambda screen=screen, count=count: len(screen._duels) == count)
    assert len(read_duels(run_of(aurelia).duels)) == 2


async def test_keys_typed_ahead_never_decide_about_pictures_that_nobody_has_seen(aurelia: Path) -> None:
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_duel(bench, pilot)
        await typed(pilot, "h", "h", "h", "h")
        await drawn(screen, pilot)
        assert len(read_duels(run_of(aurelia).duels)) == 1


async def test_wide_pictures_stand_one_above_the_other_where_they_are_larger_so(tmp_path: Path) -> None:
    project = write_project(tmp_path / "aurelia")
    write_run(project, NAME, to_step=500, last_word="done")
    write_sweep(project, name=NAME, size=(320, 64))
    async with opened(project, room="review", size=(80, 24)) as (bench, pilot):
        screen = await to_the_duel(bench, pilot)
        left, right = (screen.query_one(f"#duel-{name}").region for name in ("left", "right"))
        assert left.x == right.x and left.bottom <= right.y and left.width > 70
        assert "left is the upper one" in text_of(bench)


async def test_square_pictures_stand_side_by_side_and_both_can_be_seen_large(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=(80, 24)) as (bench, pilot):
        screen = await to_the_duel(bench, pilot)
        left, right = (screen.query_one(f"#duel-{name}").region for name in ("left", "right"))
        assert left.y == right.y and left.right <= right.x and left.height == right.height >= 12
        pair = screen._pair
        assert pair is not None
        await pilot.press("z")
        assert isinstance(bench.screen, Large)
        assert [each.path for each in bench.screen._pictures] == [pair.left.file, pair.right.file]
        assert "step" not in "".join(each.words for each in bench.screen._pictures)
        await pilot.press("escape", "question_mark")
        assert isinstance(bench.screen, Reading) and "take the left picture" in text_of(bench)
        await pilot.press("escape")
        assert bench.screen is screen


async def test_without_pictures_in_the_terminal_names_that_tell_nothing_are_shown(aurelia: Path) -> None:
    async with opened(aurelia, room="review", options=Options(no_color=True)) as (bench, pilot):
        await until(
            pilot, lambda: isinstance(bench.screen, ReviewRoom) and "pictures" in bench.screen.conditions()
        )
        await pilot.press("D")
        screen = bench.screen
        assert isinstance(screen, Duelling)
        await until(pilot, lambda: screen._pair and "pictures are off" in text_of(bench))
        await pilot.press("h")
        await until(pilot, lambda: len(screen._duels) == 1)


async def test_a_review_without_a_sweep_says_so_and_decides_nothing(aurelia: Path) -> None:
    file = run_of(aurelia).review / "review.json"
    record = json.loads(file.read_text())
    for told in record["pictures"]:
        told["tests"] = ["isolation"]
    file.write_text(json.dumps(record))
    async with opened(aurelia, room="review") as (bench, pilot):
        await until(
            pilot, lambda: isinstance(bench.screen, ReviewRoom) and "pictures" in bench.screen.conditions()
        )
        await pilot.press("D")
        await until(pilot, lambda: "no pictures of several weights" in unbroken(bench))
        await pilot.press("h", "z")
        assert "no pictures of several weights" in unbroken(bench)
        assert isinstance(bench.screen, Duelling) and not run_of(aurelia).duels.exists()


async def test_a_disk_that_takes_no_duel_says_so_and_the_pair_stays(aurelia: Path) -> None:
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_duel(bench, pilot)
        pair = screen._pair
        run_of(aurelia).duels.mkdir()
        await pilot.press("h")
        await until(pilot, lambda: "Is a directory" in text_of(bench))
        assert screen._pair == pair and screen._duels == []
        run_of(aurelia).duels.rmdir()
        await pilot.press("h")
        await until(pilot, lambda: len(screen._duels) == 1)
