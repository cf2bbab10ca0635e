"""The review room and a picture alone: one run in both rooms, rows that differ, words that mean something, a zoom."""

import json
from pathlib import Path

import pytest
from PIL import Image

from projects.job import JobDir
from tests.tui.benches import opened, until
from tests.tui.recorded import picture, write_project, write_review, write_run
from tests.tui.snapshots import text_of
from tui.app import Options, Workbench
from tui.pictures import Box, draw, seen
from tui.reviews import exported, read_review
from tui.screens.large import Large
from tui.screens.modal import Reading
from tui.screens.review import ReviewRoom
from tui.screens.train import TrainRoom
from tui.widgets.line_list import LineList
from tui.widgets.picture_view import PictureView


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    """A project with two runs that are done; the older one is reviewed."""
    project = write_project(tmp_path / "aurelia")
    reviewed = write_run(project, "2026-11-17-0900-r16", to_step=500, last_word="done")
    write_review(reviewed, project)
    write_run(project, "2026-11-18-1040-ab", to_step=500, last_word="done")
    return project


def run_of(project: Path, name: str) -> JobDir:
    return JobDir(next(path for path in (project / "runs").iterdir() if path.name.endswith(f"-{name}")))


async def test_train_and_review_show_the_same_run(aurelia: Path) -> None:
    async with opened(aurelia, room="train") as (bench, pilot):
        await until(pilot, lambda: "ab   ✓ done" in text_of(bench))
        await pilot.press("5")
        await until(pilot, lambda: "No review yet" in text_of(bench))
        room = bench.screen
        assert isinstance(room, ReviewRoom) and room._run == run_of(aurelia, "ab"), "what x would export"
        listed = room.query_one("#sheets", LineList)
        listed.go_to(str(run_of(aurelia, "r16").path))
        await pilot.press("enter")
        await until(pilot, lambda: "pictures" in room.conditions())
        await pilot.press("4")
        await until(pilot, lambda: "r16   ✓ done" in text_of(bench))
        train = bench.screen
        assert isinstance(train, TrainRoom)
        train.query_one("#runs", LineList).do_first()
        await until(pilot, lambda: "ab   ✓ done" in text_of(bench))
        await pilot.press("5")
        await until(pilot, lambda: "No review yet" in text_of(bench))


async def test_rows_tell_two_seeds_apart_and_exported_files_stand_by_name(aurelia: Path) -> None:
    run = run_of(aurelia, "r16")
    record = json.loads((run.review / "review.json").read_text())
    for at, told in enumerate(record["pictures"]):
        told.update(prompt="the same words", weight=0, seed=at)
    (run.review / "review.json").write_text(json.dumps(record))
    run.export.mkdir()
    place = run.export.relative_to(aurelia)
    (run.export / "export.json").write_text(
        json.dumps({"format": 1, "files": [{"path": f"{place}/aurelia-step0500.safetensors"}]})
    )
    assert exported(run) == ["aurelia-step0500.safetensors"]
    async with opened(aurelia, room="review", size=(80, 24)) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, ReviewRoom)
        await until(pilot, lambda: "pictures" in room.conditions())
        listed = room.query_one("#sheets", LineList)
        rows = ["".join(text for text, _ in room._row(str(key), 27))[:27] for key in listed.rows]
        assert len(set(rows)) == len(rows)
        listed.go_to("@aurelia-step0500.safetensors")
        await until(pilot, lambda: "aurelia-step0500.safe" in text_of(bench))
        assert str(place).replace("/", "") in text_of(bench).replace("\n", "").replace(" ", "").replace(
            "/", ""
        )


async def test_a_review_that_comes_has_the_cursor_on_its_first_sheet(aurelia: Path) -> None:
    async with opened(aurelia, room="train") as (bench, pilot):
        await until(pilot, lambda: "ab   ✓ done" in text_of(bench))
        await pilot.press("5")
        room = bench.screen
        assert isinstance(room, ReviewRoom)
        await until(pilot, lambda: "No review yet" in text_of(bench))
        listed = room.query_one("#sheets", LineList)
        assert listed.key == str(run_of(aurelia, "r16").path), "there is nothing else to stand on"
        write_review(run_of(aurelia, "ab"), aurelia)
        room.open_run(run_of(aurelia, "ab"))
        await until(pilot, lambda: str(listed.key).endswith("sweep.png"))


def test_a_figure_has_its_unit_and_what_it_means(aurelia: Path) -> None:
    review = read_review(run_of(aurelia, "r16"), aurelia)
    assert review is not None
    words = review.tests["isolation"]
    assert "differs from the base's by 0.02 of 255 grey levels (6 pairs, 95 %: 0.1 to 0.4)" in words
    assert "0 would be: nothing leaks." in words and words.startswith("Look at the sheet.")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_words_on_a_sheet_are_whole_beside_it_and_the_picture_takes_the_room_of_the_pane(
    aurelia: Path, size: tuple[int, int]
) -> None:
    async with opened(aurelia, room="review", size=size) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, ReviewRoom)
        await until(pilot, lambda: "Nothing judges it yet" in text_of(bench))
        before = room.query_one("#review-picture", PictureView).size.width
        await pilot.press("backslash")
        await until(pilot, lambda: room.query_one("#review-picture", PictureView).size.width > before + 20)


async def test_a_large_picture_is_in_the_middle_goes_closer_and_has_help(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=(80, 24)) as (bench, pilot):
        await until(pilot, lambda: "pictures" in bench.screen.conditions())  # type: ignore[attr-defined]
        await pilot.press("z")
        large = bench.screen
        assert isinstance(large, Large)
        view = large.query_one(PictureView)
        await until(pilot, lambda: view.complete)
        first = text_of(bench).splitlines()[0]
        assert len(first) - len(first.lstrip()) == (80 - len(first.strip())) // 2 > 0
        assert len(first.strip()) == 2 * view.size.height, "a square as tall as the screen"
        await pilot.press("plus", "plus", "plus")
        await until(pilot, lambda: view.complete and view._drawn is not None and view._drawn.view[0] > 0)
        assert view._drawn is not None
        left, top, *_ = view._drawn.view
        assert len(text_of(bench).splitlines()[0].strip()) == 80
        await pilot.press("left", "up")
        await until(
            pilot, lambda: view.complete and view._drawn is not None and view._drawn.view[:2] < (left, top)
        )
        assert large._at == 0
        await pilot.press("minus", "minus", "minus", "right")
        assert not view.zoomed and large._at == 1, "arrows go on where the picture is whole"
        await pilot.press("question_mark")
        assert isinstance(bench.screen, Reading)
        await pilot.press("escape", "escape")
        assert isinstance(bench.screen, ReviewRoom)


def test_one_cell_of_a_sheet_can_fill_the_screen(tmp_path: Path) -> None:
    sheet = Image.new("RGB", (1200, 1800), "black")
    sheet.paste("red", (900, 1500, 1156, 1756))
    sheet.save(tmp_path / "sheet.png")
    box = Box(tmp_path / "sheet.png", 80, 22, zoom=1.5**5, middle=(1028 / 1200, 1628 / 1800))
    view, closest = seen((1200, 1800), box)
    assert not closest and (view[3] - view[1]) * 1800 < 300
    drawn = draw(box, None)
    assert drawn.view == view and len(drawn.strips) == 22
    middle = list(drawn.strips[11])[drawn.width // 2]
    assert middle.style is not None and middle.style.color is not None
    assert middle.style.color.triplet == (255, 0, 0)
    # No edge of the picture comes inside the room.
    corner, _ = seen((1200, 1800), Box(box.path, 80, 22, zoom=8.0, middle=(0.0, 1.0)))
    assert corner[0] == 0 and corner[3] == pytest.approx(1.0)


def unbroken(bench: Workbench) -> str:
    """The screen with paths in one piece: where they are broken depends on where the tests run."""
    return "".join(line.strip() for line in text_of(bench).splitlines())


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (Options(no_color=True), "NO_COLOR"),
        (Options(ascii=True), "--ascii"),
        (Options(images="off"), "--images off"),
    ],
)
async def test_pictures_that_are_off_say_why_and_where_they_lie(
    aurelia: Path, options: Options, why: str
) -> None:
    picture(aurelia / "x.png", 1, 64)
    async with opened(aurelia, room="review", size=(120, 36), options=options) as (bench, pilot):
        await until(pilot, lambda: f"pictures are off ({why})." in text_of(bench))
        assert "sweep.png" in text_of(bench)
        await pilot.press("z")
        await until(pilot, lambda: isinstance(bench.screen, Large) and "sweep.png" in unbroken(bench))
        await pilot.press("escape", "4")
        await until(
            pilot, lambda: f"({why})." in text_of(bench) and "step-000500-01-seed1.png" in unbroken(bench)
        )
