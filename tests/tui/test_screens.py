"""Every screen as it looks on recorded runs, at the sizes people have."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects import bases, presets, worker
from tests.tui import recorded_audit
from tests.tui.benches import opened, until
from tests.tui.recorded import NOW, write_project, write_run
from tests.tui.reviewed import write_reviewed
from tests.tui.snapshots import matches, text_of
from tui import audits, remembered
from tui.app import Options
from tui.screens.captions import CaptionsRoom
from tui.screens.pictures import PicturesRoom
from tui.screens.project import ProjectRoom
from tui.screens.review import ReviewRoom
from tui.screens.train import TrainRoom
from tui.widgets.line_list import LineList
from tui.widgets.picture_row import PictureRow
from tui.widgets.picture_view import PictureView
from tui.widgets.weights_grid import WeightsGrid

PRESET = {
    "adapter": {"rank": 16, "alpha": 16},
    "train": {"steps": 1300, "learning_rate": 1.5e-3, "batch": 4, "schedule": "cosine", "resolution": 64},
    "sample": {"every": 650},
}
DEMO = bases.BaseFacts(
    kind="demo", family="sdxl", native_size=64, floors=(48, 64), bucket_step=16, preset="demo", clip_skips=(2,),
    widths={"attention": 10_976},
)  # fmt: skip
SMALL, DESIGN, LARGE = (80, 24), (120, 36), (200, 60)


@pytest.fixture(autouse=True)
def frozen(own_folders: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """One clock and one time zone, a state folder of its own, and the recorded run at work."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    # Neither what the demo's base nor what its preset says today may change these pictures.
    monkeypatch.setattr(bases, "_of_folder", lambda *_: DEMO)
    monkeypatch.setattr(presets, "_read", lambda _name: PRESET)
    real = worker.state_of

    def state_of(job: object) -> object:
        assert hasattr(job, "path")
        return "live" if job.path.name.endswith("r32") else real(job)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "state_of", state_of)
    yield
    os.environ.pop("TZ", None)
    time.tzset()


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    """A project with a run that is done and reviewed, one that failed, and one at work."""
    project = write_project(tmp_path / "aurelia")
    done = write_run(project, "2026-11-17-0900-r16", to_step=2000, last_word="done")
    write_reviewed(done, project)
    write_run(project, "2026-11-17-1400-r64", to_step=310, last_word="failed")
    write_run(project, "2026-11-18-1040-r32", to_step=1240)
    return project


@pytest.mark.parametrize("size", [SMALL, DESIGN, LARGE])
async def test_train_room(aurelia: Path, size: tuple[int, int]) -> None:
    async with opened(aurelia, room="train", size=size) as (bench, pilot):
        await until(
            pilot,
            lambda: isinstance(bench.screen, TrainRoom) and bench.screen.view and bench.screen.view.attached,
        )
        await until(pilot, lambda: all_drawn(bench.screen.query_one("#previews", PictureRow)))
        assert not matches(bench, f"train-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [SMALL, DESIGN])
async def test_project_room(aurelia: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.checking.free_bytes", lambda _folder: 412 * 10**9)
    async with opened(aurelia, size=size) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, ProjectRoom)
        await until(pilot, lambda: room.checked.plan and bench.rows)
        assert not matches(bench, f"project-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [SMALL, DESIGN])
async def test_project_room_with_mistakes(aurelia: Path, size: tuple[int, int]) -> None:
    text = (aurelia / "project.toml").read_text()
    (aurelia / "project.toml").write_text(text.replace("steps = 2000", "steps = 0\nrank = 3"))
    async with opened(aurelia, size=size) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, ProjectRoom)
        await until(pilot, lambda: room.checked.problems and bench.rows)
        await pilot.press(*"jjjjjjjjj")
        shown = text_of(bench)
        assert "! 0" in shown, "the mistake stands at its field"
        assert "learning_rat" not in shown
        assert not matches(bench, f"mistakes-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [SMALL, DESIGN])
async def test_pictures_room(
    aurelia: Path, tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (aurelia / "project.toml").read_text()
    said = '[data.excluded]\n"IMG_0005.png" = "blurred"\n[audit.light]\n"IMG_0001.png" = "window"\n'
    (aurelia / "project.toml").write_text(text + said)
    report = recorded_audit.report(aurelia, stage="looking at pixels", done=4, total=6)
    monkeypatch.setattr(audits, "COMMAND", recorded_audit.command(tmp_path, [report], "waits"))
    async with opened(aurelia, room="pictures", size=size) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, PicturesRoom)
        await until(pilot, lambda: "4 of 6" in text_of(bench))
        room.query_one("#list", LineList).go_to("IMG_0001.png")
        await until(pilot, lambda: "The same mark" in text_of(bench))
        await until(pilot, lambda: room.query_one("#picture", PictureView).complete)
        assert not matches(bench, f"pictures-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [SMALL, DESIGN])
async def test_captions_room(aurelia: Path, size: tuple[int, int]) -> None:
    for number, words in enumerate(
        (
            "a woman with auburn hair in a linen jacket, on a white bench, soft window light, film grain, 85mm",
            "a woman in a linen coat, soft window light, 85mm",
            "a woman before a grey wall, 85mm",
            "",
            "a woman reading in a café, evening light, film grain",
            "portrait of a woman, close",
        )
    ):
        (aurelia / f"images/IMG_{number:04}.txt").write_text(f"aur3lia_portrait, {words}\n")
    (aurelia / "images/IMG_0003.txt").unlink()
    (aurelia / "images/IMG_0005.txt").write_text("portrait of a woman, close\n")
    async with opened(aurelia, room="captions", size=size) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, CaptionsRoom)
        await until(pilot, lambda: room.captions.checks and "no caption" in str(room.captions.checks))
        await until(pilot, lambda: "CLIP 45/75" in text_of(bench))
        await until(pilot, lambda: room.query_one("#caption-picture", PictureView).complete)
        await pilot.press("end")
        assert not matches(bench, f"captions-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [SMALL, DESIGN])
async def test_review_room(aurelia: Path, size: tuple[int, int]) -> None:
    async with opened(aurelia, room="review", size=size) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, ReviewRoom)
        await until(pilot, lambda: bench.rows and room.query_one(WeightsGrid).complete)
        assert not matches(bench, f"review-{size[0]}x{size[1]}")


async def test_review_room_verdict_and_evidence(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=SMALL) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, ReviewRoom)
        await until(pilot, lambda: bench.rows and room.query_one(WeightsGrid).complete)
        await pilot.press("tab", "down")
        await until(pilot, lambda: "limit 1" in text_of(bench))
        assert not matches(bench, "review-verdict-80x24")
        await pilot.press("enter")
        row = room.query_one("#evidence-pictures", PictureRow)
        await until(pilot, lambda: row.size.width and all_drawn(row) and len(row.boxes(row.size)) == 2)
        assert not matches(bench, "review-evidence-80x24")


async def test_next_step_of_a_review(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=DESIGN) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, ReviewRoom)
        await until(pilot, lambda: bench.rows and room.query_one(WeightsGrid).complete)
        await pilot.press("tab", "down", "n")
        await until(pilot, lambda: "▶ train.learning_rate" in text_of(bench))
        assert not matches(bench, "preparing-120x36")


@pytest.mark.parametrize("size", [SMALL, DESIGN])
async def test_home(aurelia: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    remembered.opened(aurelia, NOW - 30)
    remembered.opened(write_project(tmp_path / "kitchen", pictures=3), NOW - 90_000)
    remembered.opened(Path("/nowhere/gone"), NOW - 300_000)
    async with opened(None, size=size) as (bench, pilot):
        await until(
            pilot,
            lambda: (
                "r32" not in text_of(bench)
                and all(each in text_of(bench) for each in ("1,240", "6/6", "3/3"))
            ),
        )
        await until(pilot, lambda: "not there any more" in text_of(bench))
        assert not matches(bench, f"home-{size[0]}x{size[1]}")


async def test_home_without_projects_says_what_this_is_and_how_to_begin() -> None:
    async with opened(None, size=SMALL) as (bench, _):
        shown = text_of(bench)
        assert "d  the demo" in shown and "n  a new project" in shown
        assert not matches(bench, "home-empty-80x24")


async def test_ascii_leaves_no_other_character_on_the_screen(aurelia: Path) -> None:
    async with opened(aurelia, room="train", options=Options(ascii=True, theme="mono")) as (bench, pilot):
        await until(
            pilot,
            lambda: isinstance(bench.screen, TrainRoom) and bench.screen.view and bench.screen.view.attached,
        )
        words = text_of(bench)
        assert "step 1,240" in words
        beyond = {character for character in words if not character.isascii()}
        assert not beyond, f"{beyond}"


async def test_text_from_files_is_never_markup_or_an_escape(aurelia: Path) -> None:
    text = (aurelia / "project.toml").read_text()
    (aurelia / "project.toml").write_text(text.replace('"woman"', r'"[red]w\u001b[31mo\u202eman"'))
    async with opened(aurelia) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, ProjectRoom)
        await until(pilot, lambda: "[red]w" in text_of(bench))
        shown = text_of(bench)
        assert "\x1b" not in shown and "\u202e" not in shown
        assert r"[red]w\x1b[31mo\u202eman" in shown


def all_drawn(row: PictureRow) -> bool:
    """Whether no picture of the row is still on its way."""
    boxes = row.boxes(row.size)
    return bool(boxes) and all(row._store is None or row._store.get(box, lambda: None) for box in boxes)
