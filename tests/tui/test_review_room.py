"""The review room and a picture alone: the grid, the verdict, its evidence, next steps, and jobs on the run."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from projects import worker
from projects.job import JobDir
from projects.project import new_job_dir, open_project, read_job, resolve, write_job
from projects.spec import ReviewJob, TrainJob
from projects.worker import JobLock
from tests.tui.benches import opened, until
from tests.tui.recorded import append, picture, write_project, write_review, write_run
from tests.tui.reviewed import PROMPTS, WEIGHTS, write_reviewed
from tests.tui.snapshots import text_of
from tui.app import Options, Workbench
from tui.grid_layout import layout_of
from tui.pictures import Box, draw, seen
from tui.reviews import exported
from tui.screens.large import Large
from tui.screens.modal import Pick, Reading
from tui.screens.preparing import Preparing
from tui.screens.review import ReviewRoom
from tui.screens.train import TrainRoom
from tui.widgets.evidence import Evidence
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList
from tui.widgets.picture_view import PictureView
from tui.widgets.weights_grid import WeightsGrid

SMALL, DESIGN = (80, 24), (120, 36)


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    """A project with two runs that are done; the older one is reviewed."""
    project = write_project(tmp_path / "aurelia")
    reviewed = write_run(project, "2026-11-17-0900-r16", to_step=2000, last_word="done")
    write_reviewed(reviewed, project)
    write_run(project, "2026-11-18-1040-ab", to_step=500, last_word="done")
    return project


def run_of(project: Path, name: str) -> JobDir:
    return JobDir(next(path for path in (project / "runs").iterdir() if path.name.endswith(f"-{name}")))


def room_of(bench: Workbench) -> ReviewRoom:
    assert isinstance(bench.screen, ReviewRoom)
    return bench.screen


def grid_of(bench: Workbench) -> WeightsGrid:
    return room_of(bench).query_one(WeightsGrid)


def cell_of(bench: Workbench) -> tuple[int | None, float, str, int | None]:
    """Checkpoint, weight, prompt and seed of the picture under the cursor."""
    made = grid_of(bench).made
    assert made is not None
    place = made.cell
    return place.checkpoint, place.weight, place.prompt, place.seed


# ---- the grid


async def test_arrows_move_weight_and_step_brackets_the_prompt_and_s_the_seed(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        assert cell_of(bench) == (2000, 0.7, PROMPTS[0], 1), "it begins on what is recommended"
        await pilot.press("right", "up")
        assert cell_of(bench) == (1000, 0.85, PROMPTS[0], 1)
        assert "weight 0.85, step 1,000 · nearest images/IMG_0002.png 0.31, a near copy" in text_of(bench)
        await pilot.press("right_square_bracket", "s")
        assert cell_of(bench) == (1000, 0.85, PROMPTS[1], 2), "the place stays"
        assert "prompt 2/2" in text_of(bench) and "seed 2  2/2" in text_of(bench)
        await pilot.press("right_square_bracket", "s", "g")
        assert cell_of(bench) == (None, 0.0, PROMPTS[0], 1)
        assert "base alone" in text_of(bench)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(bench.screen, Large))
        assert "1 of 13" in text_of(bench), "all of the prompt and seed, the base once"


@pytest.mark.parametrize("size", [SMALL, DESIGN])
async def test_every_weight_and_its_step_are_in_sight(aurelia: Path, size: tuple[int, int]) -> None:
    async with opened(aurelia, room="review", size=size) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        shown = text_of(bench)
        for words in ("base", *(f"{weight:.2f}" for weight in WEIGHTS), " 500 ", " 1,000 ", "▌2,000 "):
            assert words in shown, words
        row = re.compile("▀{8,} ▀{8,} ▀{8,} ▀{8,} ▀{8,}")
        await until(pilot, lambda: len(row.findall(text_of(bench))) >= 12)


async def test_one_checkpoint_fills_the_room_with_larger_pictures(aurelia: Path) -> None:
    write_reviewed(run_of(aurelia, "r16"), aurelia, checkpoints=(2000,))
    async with opened(aurelia, room="review", size=SMALL) as (bench, pilot):
        await until(pilot, lambda: "▀" * 16 in text_of(bench))
        assert cell_of(bench)[:2] == (2000, 0.7)
        await pilot.press("down")
        assert cell_of(bench)[:2] == (2000, 0.7), "below it is no place"
        await pilot.press("left", "down")
        assert cell_of(bench)[:2] == (2000, 1.0), "weights flow over two lines"


async def test_pictures_appear_as_they_are_made(aurelia: Path) -> None:
    run = run_of(aurelia, "ab")
    write_reviewed(run, aurelia, drawn=3)
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        await until(pilot, lambda: bench.rows)
        room_of(bench).open_run(run)
        await until(pilot, lambda: "prompt 1/1" in text_of(bench))
        grid = grid_of(bench)
        grid.go_to((0, 2))
        assert cell_of(bench)[:2] == (500, 0.7)
        await pilot.press("right")
        assert grid.made is None and "Not made yet." in text_of(bench)
        assert "Stopped at half: R goes on" in text_of(bench)
        write_reviewed(run, aurelia, drawn=9)
        await until(pilot, lambda: grid.made is not None)
        assert cell_of(bench)[:2] == (500, 0.85), "the cursor stays on its place"
        write_reviewed(run, aurelia)
        await until(pilot, lambda: "prompt 1/2" in text_of(bench) and "leaking" in text_of(bench))
        assert "Stopped at half" not in text_of(bench)


async def test_a_cursor_key_draws_words_and_no_picture(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        grid, drawn = grid_of(bench), list[int]()
        await until(pilot, lambda: grid.complete)
        real = grid.render_line

        def counted(y: int) -> object:
            drawn.append(y)
            return real(y)

        grid.render_line = counted  # type: ignore[method-assign, assignment]
        await pilot.press("left", "up")
        await pilot.pause()
        lines = set(drawn)
        layout = grid._layout()
        pictures = {y for y in lines if y and 0 < (y - 1) % (layout.height + 1) < layout.height}
        assert lines and not pictures, (
            "the first line of a row has its step in front; no other line of a picture is sent"
        )


# ---- the verdict


async def test_the_verdict_says_case_choice_tests_and_who_judged(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        await until(pilot, lambda: "VERDICT  coarse review" in text_of(bench))
        shown = " ".join(text_of(bench).split())
        for words in (
            "! leaking perhaps 0.70: cannot be told apart",
            "these cannot be told apart", "A draws them", "✓ sweep 0.75 [0.7, 0.8]", "! isolation 2.1 [1.4, 2.9]",
            "~ echo 1", "- muddle -", "likeness: the base's VAE.",
        ):  # fmt: skip
            assert words in shown, words
        await pilot.press("tab", "down")
        shown = " ".join(text_of(bench).split())
        assert "2.1 [1.4, 2.9] of the noise" in shown and "limit 1" in shown
        assert "n divide the rate by 10" in shown
        await pilot.press("i")
        assert isinstance(bench.screen, Reading)
        await pilot.press("G")
        await until(pilot, lambda: "negative: blurred" in text_of(bench))


async def test_on_a_small_terminal_pictures_and_verdict_are_seen_in_turn(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=SMALL) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        assert "\\ verdict" in text_of(bench) and "JUDGED BY" not in text_of(bench)
        await pilot.press("backslash")
        await until(pilot, lambda: "\\ pictures" in text_of(bench) and "prompt 1/2" not in text_of(bench))
        await pilot.press("down")
        await until(pilot, lambda: "▌! isolation" in text_of(bench))
        await pilot.press("tab")
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        await pilot.press("left")
        assert cell_of(bench)[:2] == (2000, 0.5), "the pictures have the focus again"


# ---- evidence


async def test_enter_on_a_test_shows_its_pictures_beside_the_base_and_on_echo_beside_training(
    aurelia: Path,
) -> None:
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        await pilot.press("tab", "down", "enter")
        await until(pilot, lambda: "evidence of isolation   1 of 2" in text_of(bench))
        evidence = room_of(bench).query_one(Evidence)
        assert evidence.pair and evidence.pair.beside and "a red mug" in text_of(bench)
        await until(
            pilot, lambda: "weight 1, step 2,000" in text_of(bench) and "base alone" in text_of(bench)
        )
        await pilot.press("right")
        assert "2 of 2" in text_of(bench) and "a woman, soft window light" in text_of(bench)
        await pilot.press("z")
        await until(pilot, lambda: isinstance(bench.screen, Large))
        assert "3 of 4" in text_of(bench), "each picture, and behind it what it is compared with"
        await pilot.press("right")
        await until(pilot, lambda: "base alone" in text_of(bench))
        await pilot.press("escape", "tab", "down", "enter")
        await until(pilot, lambda: "evidence of echo   1 of 3" in text_of(bench))
        assert evidence.pair.beside == aurelia / "images/IMG_0002.png"
        await pilot.press("tab", "up", "up", "enter")
        await until(pilot, lambda: "This test names no single picture" in text_of(bench))
        await pilot.press("escape")
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))


async def test_d_shows_the_nearest_training_picture_beside_the_one_under_the_cursor(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=SMALL) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        await pilot.press("right", "d")
        await until(pilot, lambda: "beside the nearest training picture   3 of 4" in text_of(bench))
        assert "weight 0.85, step 2,000" in text_of(bench) and "images/IMG_0002.png" in text_of(bench)
        await pilot.press("right")
        await until(pilot, lambda: "weight 1, step 2,000" in text_of(bench))
        await pilot.press("escape", "g", "d")
        await until(pilot, lambda: "compared with no training picture" in text_of(bench))


async def test_v_goes_round_grid_sheets_and_evidence(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=SMALL) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        await pilot.press("v")
        await until(pilot, lambda: "▌ weight sweep" in text_of(bench))
        listed = room_of(bench).query_one("#sheets", LineList)
        rows = ["".join(text for text, _ in listed._draw(str(key), 60))[:60] for key in listed.rows]
        assert len(set(rows)) == len(rows) > 50, "rows tell two pictures apart"
        await pilot.press("slash", *"mug", "enter")
        await until(pilot, lambda: len(listed.rows) == 2)
        await pilot.press("z")
        await until(pilot, lambda: isinstance(bench.screen, Large) and "of 2" in text_of(bench))
        await pilot.press("escape", "v")
        await until(pilot, lambda: "evidence of sweep" in text_of(bench))
        await pilot.press("v")
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))


# ---- advice


async def test_a_step_is_shown_as_the_difference_it_makes_and_enter_starts_it(
    aurelia: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (aurelia / "project.toml").read_text()
    (aurelia / "project.toml").write_text(text + "weight = 0.8\n")
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        await pilot.press("tab")
        await pilot.press("n")
        assert "This test advises no next step" in text_of(bench)
        await pilot.press("down", "n")
        preparing = bench.screen
        assert isinstance(preparing, Preparing)
        await until(pilot, lambda: "▶ train.learning_rate" in text_of(bench))
        line = next(each for each in text_of(bench).splitlines() if "train.learning_rate" in each)
        assert line.split("train.learning_rate")[1].split()[:2] == ["0.0002", "2e-05"]
        assert "· sample.weight" in text_of(bench), "what project.toml says otherwise since the run"
        assert preparing.query_one("#name", LineEdit).value == "r16-learning-rate"
        await pilot.press("enter")
        await until(pilot, lambda: stand_in and isinstance(bench.screen, TrainRoom))
        spec = read_job(run_of(aurelia, "r16-learning-rate"))
        assert isinstance(spec, TrainJob) and spec.spec.train.learning_rate == 2e-5
        assert "learning_rate = 2e-4" in (aurelia / "project.toml").read_text(), "it is never written"


async def test_a_step_that_no_key_does_is_told_with_its_room_and_esc_starts_nothing(
    aurelia: Path, stand_in: list[int]
) -> None:
    async with opened(aurelia, room="review", size=SMALL) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        await pilot.press("tab", "down", "n")
        await until(pilot, lambda: "▶ train.learning_rate" in text_of(bench))
        await pilot.press("escape")
        assert isinstance(bench.screen, ReviewRoom)
        await pilot.press("n", "down")
        await until(pilot, lambda: "enter goes to room 1" in text_of(bench))
        assert "name of the new run" not in text_of(bench)
        await pilot.press("enter")
        await until(pilot, lambda: getattr(bench.screen, "ROOM", "") == "project")
        assert not stand_in


async def test_a_step_that_cannot_be_says_why(aurelia: Path, stand_in: list[int]) -> None:
    run = run_of(aurelia, "r16")
    record = json.loads((run.review / "review.json").read_text())
    record["tests"][1]["steps"] = [{"words": "train longer", "set": {"train.stps": 1}}]
    (run.review / "review.json").write_text(json.dumps(record))
    async with opened(aurelia, room="review", size=SMALL) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        await pilot.press("tab", "down", "n")
        await until(pilot, lambda: "There is no key stps" in text_of(bench))
        await pilot.press("enter")
        assert isinstance(bench.screen, Preparing) and not stand_in


# ---- runs and jobs


async def test_train_and_review_show_the_same_run_and_o_goes_to_another(aurelia: Path) -> None:
    run = run_of(aurelia, "ab")
    run.export.mkdir()
    place = run.export.relative_to(aurelia)
    files = [{"path": f"{place}/aurelia-step0500.safetensors"}]
    (run.export / "export.json").write_text(json.dumps({"format": 1, "files": files}))
    assert exported(run) == ["aurelia-step0500.safetensors"]
    async with opened(aurelia, room="train") as (bench, pilot):
        await until(pilot, lambda: "ab   ✓ done" in text_of(bench))
        await pilot.press("5")
        await until(pilot, lambda: "No review yet: R draws it" in text_of(bench))
        assert room_of(bench).run == run, "what x would export"
        await pilot.press("O")
        assert isinstance(bench.screen, Pick) and "reviewed" in text_of(bench)
        await pilot.press("down", "enter")
        await until(pilot, lambda: "An adapter for other tools" in text_of(bench))
        assert "aurelia-step0500.safetensors" in unbroken(bench)
        await pilot.press("O", "enter")
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        await pilot.press("4")
        await until(pilot, lambda: "r16   ✓ done" in text_of(bench))
        train = bench.screen
        assert isinstance(train, TrainRoom)
        train.query_one("#runs", LineList).do_first()
        await until(pilot, lambda: "ab   ✓ done" in text_of(bench))
        await pilot.press("5")
        await until(pilot, lambda: "No review yet" in text_of(bench))


@pytest.mark.parametrize(
    ("key", "half", "depth"), [("R", False, "coarse"), ("A", False, "refined"), ("R", True, "refined")]
)
async def test_r_draws_or_goes_on_and_a_refines(
    aurelia: Path, monkeypatch: pytest.MonkeyPatch, key: str, half: bool, depth: str
) -> None:
    started: list[JobDir] = []
    monkeypatch.setattr(worker, "start", lambda job, **_: started.append(job) or 1)
    run = run_of(aurelia, "r16")
    write_reviewed(run, aurelia, drawn=9 if half else None, depth="refined" if half else "coarse")
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/" in text_of(bench))
        await pilot.press(key)
        await until(pilot, lambda: started)
        spec = read_job(started[0])
        assert isinstance(spec, ReviewJob) and spec.depth == depth and spec.run == str(run.path)


async def test_r_in_the_train_room_draws_the_review_of_a_run_that_has_none(
    aurelia: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[JobDir] = []
    monkeypatch.setattr(worker, "start", lambda job, **_: started.append(job) or 1)
    async with opened(aurelia, room="train", size=SMALL) as (bench, pilot):
        await until(pilot, lambda: "ab   ✓ done" in text_of(bench))
        await pilot.press("R")
        await until(pilot, lambda: started and isinstance(bench.screen, ReviewRoom))
        assert started[0].path.parent == run_of(aurelia, "ab").jobs


async def test_a_review_of_format_1_is_shown_as_well(aurelia: Path) -> None:
    run = run_of(aurelia, "ab")
    write_review(run, aurelia)
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        await until(pilot, lambda: bench.rows)
        room_of(bench).open_run(run)
        await until(pilot, lambda: "prompt 1/2" in text_of(bench) and "no verdict" in text_of(bench))
        assert cell_of(bench)[:2] == (2000, 0.5) and "of 255 grey levels" in " ".join(text_of(bench).split())
        await pilot.press("v")
        await until(pilot, lambda: "weight sweep" in text_of(bench))


@pytest.fixture
def at_work() -> Iterator[Callable[[JobDir], JobDir]]:
    """Starts a review of a run, as another terminal would, whose worker draws."""
    locks = []

    def hold(run: JobDir) -> JobDir:
        project = run.path.parents[1]
        job = new_job_dir(run.path, "review")
        write_job(
            job, ReviewJob(project=str(project), run=str(run.path), spec=resolve(open_project(project)))
        )
        told: list[dict[str, object]] = [
            {"kind": "started", "from_step": 0, "pid": 1, "host": "h", "boot_id": "b"},
            {"kind": "phase", "name": "drawing"},
            {"kind": "progress", "what": "pictures", "done": 12, "total": 60},
        ]
        append(job, [{"n": n, "t": 1.0 * n, "attempt": 1, **event} for n, event in enumerate(told, 1)])
        locks.append(JobLock(job))
        job.status.write_text(json.dumps({"format": 1, "pid": os.getpid(), "phase": "drawing"}))
        return job

    yield hold
    for lock in locks:
        lock.close()


async def test_a_review_that_works_shows_how_far_it_is_and_s_stops_it_whoever_started_it(
    aurelia: Path, at_work: Callable[[JobDir], JobDir]
) -> None:
    run = run_of(aurelia, "r16")
    write_reviewed(run, aurelia, drawn=9)
    job = at_work(run)
    async with opened(aurelia, room="review", size=SMALL) as (bench, pilot):
        await until(pilot, lambda: "pictures 12 of 60" in text_of(bench))
        assert "Stopped at half" not in text_of(bench)
        assert "S stop" in text_of(bench)
        await pilot.press("R")
        assert "Not now" in text_of(bench)
        await pilot.press("S")
        await until(pilot, lambda: (job.requests / "stop").is_file())
        await pilot.press("g")
        assert cell_of(bench) == (None, 0.0, PROMPTS[0], 1), "it can be looked at meanwhile"


async def test_nothing_saved_says_so_and_points_to_the_train_room(tmp_path: Path) -> None:
    project = write_project(tmp_path / "aurelia")
    async with opened(project, room="review", size=SMALL) as (bench, pilot):
        await until(pilot, lambda: "No run has saved a checkpoint yet" in text_of(bench))
        await pilot.press("n", "d", "z", "v", "S", "O", "i")
        assert isinstance(bench.screen, ReviewRoom)


async def test_a_damaged_review_is_named_and_the_rest_is_shown(aurelia: Path) -> None:
    run = run_of(aurelia, "r16")
    record = json.loads((run.review / "review.json").read_text())
    record["pictures"][3] = 7
    (run.review / "review.json").write_text(json.dumps(record))
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        await until(pilot, lambda: "1 of its pictures cannot be read" in text_of(bench))
        assert "prompt 1/2" in text_of(bench)


async def test_words_of_a_review_are_never_markup_or_an_escape(aurelia: Path) -> None:
    run = run_of(aurelia, "r16")
    evil = "[red]\x1b[31m\u202eend"
    write_reviewed(run, aurelia, prompts=(evil,), words=evil)
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/1" in text_of(bench))
        shown = text_of(bench)
        assert "\x1b" not in shown and "\u202e" not in shown
        assert shown.count(r"[red]\x1b[31m\u202eend") >= 2


async def test_a_large_picture_is_in_the_middle_goes_closer_and_has_help(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=(80, 24)) as (bench, pilot):
        await until(pilot, lambda: "prompt 1/2" in text_of(bench))
        await pilot.press("v", "z")
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
        assert "likeness" in text_of(bench), "the places hold their figures instead"
        made = grid_of(bench).made
        assert made is not None and made.path.name in unbroken(bench)
        await pilot.press("v")
        await until(pilot, lambda: "sweep.png" in unbroken(bench))
        await pilot.press("z")
        await until(pilot, lambda: isinstance(bench.screen, Large) and "sweep.png" in unbroken(bench))
        await pilot.press("escape", "4")
        await until(
            pilot, lambda: f"({why})." in text_of(bench) and "step-002000-01-seed1.png" in unbroken(bench)
        )


@pytest.mark.parametrize("size", [(20, 4), (49, 20), (70, 28), (78, 18), (150, 50), (0, 0)])
@pytest.mark.parametrize("rows", [0, 1, 3, 12])
@pytest.mark.parametrize("columns", [0, 1, 2, 5, 9])
def test_places_fit_into_the_room_and_are_never_too_small_to_see(
    size: tuple[int, int], rows: int, columns: int
) -> None:
    layout = layout_of(size, rows, columns)
    assert layout.width >= 8 and layout.height >= 3 and layout.across >= 1 and layout.lines >= 1
    if size[0] >= 20 and size[1] >= 18:
        assert layout.label + layout.across * (layout.width + 1) <= size[0] + 1
        assert layout.top + layout.lines * (layout.height + 1) <= size[1]
        assert abs(layout.width - 2 * layout.height) <= 2, "room for a square"


def test_the_weights_of_one_checkpoint_are_larger_than_a_row_of_them_would_be() -> None:
    one, many = layout_of((78, 18), 1, 5), layout_of((78, 18), 3, 5)
    assert one.width * one.height >= 4 * many.width * many.height
