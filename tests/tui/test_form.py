"""The project room: what is typed is saved by itself, mistakes stand at their field, and other editors are welcome."""

import json
from pathlib import Path

import pytest
from textual import events

from tests.tui.benches import opened, until
from tests.tui.recorded import PROJECT, write_project
from tests.tui.snapshots import text_of
from tui.form import assignment, form_of, key_of, listed, next_value
from tui.screens.modal import Pick
from tui.screens.new import NewProject
from tui.screens.project import ProjectRoom
from tui.widgets.line_edit import LineEdit


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAFELIGHT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    return write_project(tmp_path / "aurelia")


def test_a_field_says_what_it_is_and_where_from() -> None:
    rows = form_of(PROJECT, "demo").rows
    assert (rows["train.steps"].value, rows["train.steps"].source, rows["train.steps"].departs) == (
        "2000",
        "project",
        True,
    )
    assert rows["train.learning_rate"].value == "2e-4"
    assert (rows["adapter.rank"].value, rows["adapter.rank"].source) == ("16", "demo")
    assert (rows["data.flip"].value, rows["data.flip"].departs) == ("false", False)
    assert rows["train.resolution"].value == "64"


def test_what_somebody_set_is_never_hidden() -> None:
    form = form_of(PROJECT + "\n[captions]\nshuffle = true\n", "demo")
    assert "captions.shuffle" in listed(form, everything=False)
    assert "train.warmup" not in listed(form, everything=False)
    assert "train.warmup" in listed(form, everything=True)


def test_text_is_taken_as_it_stands() -> None:
    assert assignment("trigger", ' "odd" = [1] ') == 'trigger="\\"odd\\" = [1]"'
    assert assignment("trigger", "12") == 'trigger="12"'
    assert assignment("train.steps", "12") == "train.steps=12"
    assert assignment("train.steps", "") == "train.steps="
    assert next_value("data.flip", "false") == "true" and next_value("rating", "general") == "mature"
    assert next_value("train.steps", "1") is None


async def test_enter_types_saves_and_goes_on_and_comments_stay(aurelia: Path) -> None:
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        await go_to(pilot, room, "train.learning_rate")
        await pilot.press("enter", "ctrl+u", *"5e-4", "enter")
        await until(pilot, lambda: "learning_rate = 0.0005" in (aurelia / "project.toml").read_text())
        assert "# tried 1e-4 first" in (aurelia / "project.toml").read_text()
        await until(pilot, lambda: "5e-4" in text_of(bench))
        assert room.query_one("#form").has_focus
        await pilot.press("u")
        await until(pilot, lambda: "learning_rate = 0.0002" in (aurelia / "project.toml").read_text())
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "learning_rate = 0.0005" in (aurelia / "project.toml").read_text())


async def test_a_mistake_stays_in_its_field_and_in_the_list_until_it_is_mended(aurelia: Path) -> None:
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        await go_to(pilot, room, "adapter.rank")
        await pilot.press("enter", "ctrl+u", *"many", "escape")
        await until(pilot, lambda: "! many" in text_of(bench))
        assert "rank = " not in (aurelia / "project.toml").read_text()
        assert "ready" not in room.conditions(), (
            "nothing is trained while a field says something else than the file"
        )
        await pilot.press("enter", "ctrl+u", *"8", "escape")
        await until(pilot, lambda: "rank = 8" in (aurelia / "project.toml").read_text())
        await until(pilot, lambda: "ready" in room.conditions() and "many" not in text_of(bench))


async def test_typing_is_saved_when_the_terminal_goes(aurelia: Path) -> None:
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        await go_to(pilot, room, "class_word")
        await pilot.press("enter", "ctrl+u", *"man")
        assert 'class_word = "woman"' in (aurelia / "project.toml").read_text()
        bench.flush()
        assert 'class_word = "man"' in (aurelia / "project.toml").read_text()


async def test_the_form_follows_another_editor_and_a_broken_file_is_named(aurelia: Path) -> None:
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        file = aurelia / "project.toml"
        file.write_text(PROJECT.replace("2000", "777"))
        await until(pilot, lambda: "777" in text_of(bench))
        file.write_text(PROJECT + "oops = [\n")
        await until(
            pilot,
            lambda: "valid TOML" in text_of(bench),
        )
        await pilot.press("enter")
        await until(pilot, lambda: "E opens it in an editor" in text_of(bench))
        file.write_text(PROJECT)
        await until(pilot, lambda: "2000" in text_of(bench))
        file.unlink()
        await until(
            pilot, lambda: [one.error for one in room.checked.problems] == ["There is no project here."]
        )


async def test_problems_point_at_their_fields(aurelia: Path) -> None:
    (aurelia / "project.toml").write_text(
        PROJECT.replace("steps = 2000", 'steps = 2000\nepochs = 3\nschedule = "wavy"')
    )
    async with opened(aurelia) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, ProjectRoom)
        await until(pilot, lambda: len(room.checked.problems) >= 2)
        named = {key_of(problem) for problem in room.checked.problems}
        assert {"train.schedule"} <= named and named & {"train.steps", "train.epochs"}
        assert "ready" not in room.conditions()
        await pilot.press("t")
        await until(pilot, lambda: "Not yet" in text_of(bench))


async def test_training_from_the_room_starts_a_run_of_that_name_and_shows_it(
    aurelia: Path, stand_in: list[int]
) -> None:
    async with opened(aurelia) as (bench, pilot):
        await ready(bench, pilot)
        await pilot.press("T")
        await pilot.press(*"second", "enter")
        await until(pilot, lambda: bench.screen.__class__.__name__ == "TrainRoom", seconds=20)
        assert [path.name[16:] for path in (aurelia / "runs").iterdir()] == ["second"]
        assert len(stand_in) == 1
        await until(pilot, lambda: "second" in text_of(bench))


async def test_preset_is_picked_from_the_list(aurelia: Path) -> None:
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        await pilot.press("p")
        assert isinstance(bench.screen, Pick)
        await pilot.press(*"turbo", "enter")
        await until(pilot, lambda: 'preset = "sdxl-turbo"' in (aurelia / "project.toml").read_text())
        await until(pilot, lambda: room.checked.preset == "sdxl-turbo")


async def test_a_new_project_is_made_from_the_form_after_its_problems_were_said(tmp_path: Path) -> None:
    write_project(tmp_path / "there")
    async with opened(None) as (bench, pilot):
        await pilot.press("n")
        form = bench.screen
        assert isinstance(form, NewProject)
        form.query_one("#new-folder", LineEdit).value = "fresh"
        form.query_one("#new-base", LineEdit).value = "demo"
        form.query_one("#new-rating", LineEdit).focus()
        await pilot.press("enter")
        await until(pilot, lambda: "pictures: This must be said." in text_of(bench))
        assert "trigger: This must be said." in text_of(bench) and not (tmp_path / "fresh").exists()
        form.query_one("#new-images", LineEdit).value = "there/images"
        form.query_one("#new-trigger", LineEdit).value = "fr3sh_word"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(bench.screen, ProjectRoom) and "fr3sh_word" in text_of(bench))
        assert bench.project == tmp_path / "fresh"
        recent = json.loads((tmp_path / "state" / "recent.json").read_text())
        assert list(recent["projects"]) == [str(tmp_path / "fresh")]


async def ready(bench, pilot) -> ProjectRoom:  # type: ignore[no-untyped-def]
    """The room, once everything is read and checked."""
    room = bench.screen
    assert isinstance(room, ProjectRoom)
    await until(pilot, lambda: room.checked.plan is not None)
    return room


async def go_to(pilot, room: ProjectRoom, key: str) -> None:  # type: ignore[no-untyped-def]
    """Put the cursor on a field."""
    room.query_one("#form-pane").rows.go_to(key)  # type: ignore[attr-defined]
    await pilot.pause()


async def test_keys_typed_in_one_burst_go_into_the_field_and_never_start_a_training(
    aurelia: Path, stand_in: list[int]
) -> None:
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        type_at_once(bench, "/rate")
        await until(
            pilot,
            lambda: [str(key) for key in room.query_one("#form-pane").rows.rows] == ["train.learning_rate"],
        )  # type: ignore[attr-defined]
        await pilot.press("escape")
        await go_to(pilot, room, "class_word")
        type_at_once(bench, "\rtt")
        await until(pilot, lambda: "womantt" in text_of(bench))
        await pilot.press("escape")
        await go_to(pilot, room, "train.schedule")
        type_at_once(bench, "\rT")
        await until(pilot, lambda: bench.screen.__class__.__name__ == "Ask")
        await until(pilot, lambda: 'schedule = "cosine_restarts"' in (aurelia / "project.toml").read_text())
        assert stand_in == []


def type_at_once(bench, keys: str) -> None:  # type: ignore[no-untyped-def]
    """Keys as a slow line brings them: all of them before the first one is looked at."""
    for key in keys:
        name = {"\r": "enter", "/": "slash"}.get(key, key)
        bench.post_message(events.Key(name, key))
