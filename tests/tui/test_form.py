"""The project room: what enter or tab leaves is saved, nothing else; mistakes stand at their field; editors are welcome."""

import asyncio
import json
from pathlib import Path

import pytest
from textual import events

from tests.tui.benches import opened, until
from tests.tui.recorded import NOW, PROJECT, write_project
from tests.tui.snapshots import text_of
from tui import remembered
from tui.form import assignment, form_of, key_of, listed, next_value
from tui.overview import place_of
from tui.screens.modal import Pick
from tui.screens.new import NewProject
from tui.screens.project import ProjectRoom
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList


@pytest.fixture(autouse=True)
def in_own_folder(own_folders: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
        await until(pilot, lambda: (aurelia / "project.toml").read_text() == PROJECT)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "learning_rate = 0.0005" in (aurelia / "project.toml").read_text())


async def test_a_mistake_stays_in_its_field_and_in_the_list_until_it_is_mended(aurelia: Path) -> None:
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        await go_to(pilot, room, "adapter.rank")
        await pilot.press("enter", "ctrl+u", *"many", "enter")
        await until(pilot, lambda: "! many" in text_of(bench))
        assert "rank = " not in (aurelia / "project.toml").read_text()
        assert "ready" not in room.conditions(), (
            "nothing is trained while a field says something else than the file"
        )
        assert (
            room._pane.problem(room._form.rows["adapter.rank"]).error
            == "Not saved: a whole number is expected."
        )  # type: ignore[union-attr]
        await go_to(pilot, room, "adapter.rank")
        await pilot.press("enter", "ctrl+u", *"8", "tab")
        await until(pilot, lambda: "rank = 8" in (aurelia / "project.toml").read_text())
        await until(pilot, lambda: "ready" in room.conditions() and "many" not in text_of(bench))


async def test_esc_and_a_pause_leave_the_file_as_it_was_and_the_keys_say_so(aurelia: Path) -> None:
    async with opened(aurelia, size=(80, 24)) as (bench, pilot):
        room = await ready(bench, pilot)
        await go_to(pilot, room, "train.steps")
        await pilot.press("enter", "ctrl+u", *"994")
        await until(
            pilot, lambda: text_of(bench).splitlines()[-1].startswith(" enter save   esc cancel   tab next")
        )
        await asyncio.sleep(2.0)
        assert (aurelia / "project.toml").read_text() == PROJECT, "half a number is never saved"
        await pilot.press("escape")
        await until(pilot, lambda: "994" not in text_of(bench))
        assert (aurelia / "project.toml").read_text() == PROJECT
        assert "t train" in text_of(bench) and room._pane.rows.key == "train.steps"


async def test_what_was_typed_when_the_terminal_went_stands_in_its_field_the_next_time(aurelia: Path) -> None:
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        await go_to(pilot, room, "class_word")
        await pilot.press("enter", "ctrl+u", *"man")
        bench.flush()
        assert (aurelia / "project.toml").read_text() == PROJECT
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        await until(pilot, lambda: "! man" in text_of(bench))
        assert "ready" not in room.conditions()
        await go_to(pilot, room, "class_word")
        await pilot.press("enter", "enter")
        await until(pilot, lambda: 'class_word = "man"' in (aurelia / "project.toml").read_text())
        bench.flush()
        assert remembered.unsaved(aurelia) == {}


async def test_a_key_that_another_editor_changes_meanwhile_is_never_overwritten_unasked(
    aurelia: Path,
) -> None:
    file = aurelia / "project.toml"
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        await go_to(pilot, room, "train.steps")
        await pilot.press("enter", "ctrl+u", *"78")
        file.write_text(PROJECT.replace("2000", "55"))
        await until(pilot, lambda: "steps is 55 in the file by now: esc takes it" in text_of(bench))
        assert room._pane.typed == ("train.steps", "78")
        await pilot.press("enter")
        await until(pilot, lambda: "enter writes yours over it" in text_of(bench))
        await until(pilot, lambda: room._pane.typed == ("train.steps", "78"))
        assert "steps = 55" in file.read_text()
        await pilot.press("enter")
        await until(pilot, lambda: "steps = 78" in file.read_text())
        await until(pilot, lambda: "undo" in room.conditions())
        await pilot.press("u")
        await until(pilot, lambda: file.read_text() == PROJECT.replace("2000", "55"))
        await until(pilot, lambda: "train.steps is 55 again" in text_of(bench))


async def test_undo_gives_the_bytes_back_and_keeps_what_others_wrote(aurelia: Path) -> None:
    file = aurelia / "project.toml"
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        await pilot.press("p", "k", "enter")
        await until(pilot, lambda: 'preset = "sdxl' in file.read_text())
        await until(pilot, lambda: "undo" in room.conditions())
        await pilot.press("u")
        await until(pilot, lambda: file.read_text() == PROJECT)
        await until(pilot, lambda: "train.preset is left out again" in text_of(bench))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: 'preset = "sdxl' in file.read_text())
        file.write_text(file.read_text() + "# mine\n")
        await until(pilot, lambda: "undo" in room.conditions())
        await pilot.press("u")
        await until(pilot, lambda: "preset" not in file.read_text())
        assert file.read_text().endswith("# mine\n")


async def test_fields_say_what_they_come_to(aurelia: Path) -> None:
    sets = '[[data.sets]]\npath = "images"\n[[data.sets]]\npath = "reg"\nrole = "regularization"\n'
    text = PROJECT.replace('[data]\nimages = "images"\nregularization = "reg"\n', sets).replace(
        "steps = 2000\n", ""
    )
    (aurelia / "project.toml").write_text(text.replace("[train]", '[train]\npreset = "sdxl"'))
    async with opened(aurelia) as (bench, pilot):
        room = await ready(bench, pilot)
        rows = room._form.rows
        await until(pilot, lambda: "1,500  = max(1,500, 30 x 6 pictures)" in text_of(bench))
        assert room._form.rows["adapter.alpha"].found == "32  = rank"
        assert "6 in images  (data.sets)" in text_of(bench) and "2 in reg  (data.sets)" in text_of(bench)
        assert rows["data.holdout"].value == ""


async def test_the_plan_has_the_width_of_its_pane_when_it_comes(aurelia: Path) -> None:
    async with opened(aurelia, size=(80, 24)) as (bench, pilot):
        await ready(bench, pilot)
        await pilot.press("backslash")
        await until(pilot, lambda: "8 checkpoints are made and the newest 4 kept." in text_of(bench))


async def test_two_projects_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        remembered.opened(write_project(tmp_path / folder / "aurelia"), NOW)
    async with opened(None, size=(80, 24)) as (bench, pilot):
        await until(pilot, lambda: "…/one/aurelia" in text_of(bench) and "…/two/aurelia" in text_of(bench))
        key = bench.screen.query_one("#projects").key  # type: ignore[attr-defined]
        assert place_of(key, 77) in text_of(bench)
        await pilot.press("D")
        await until(
            pilot, lambda: "aurelia is off the list; its files stay: u takes it back." in text_of(bench)
        )
        assert list(remembered.recent_projects()) != [] and key not in remembered.recent_projects()
        await pilot.press("u")
        await until(pilot, lambda: "aurelia is on the list again" in text_of(bench))
        assert remembered.recent_projects()[key] == NOW
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(bench.screen, ProjectRoom) and str(key)[-40:] in text_of(bench))


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
        assert bench.screen.query_one(LineList).key == "demo", "it begins on the preset that stands"
        await pilot.press("k", "enter")
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


async def test_a_new_project_on_a_base_that_is_not_here_asks_for_its_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    write_project(tmp_path / "there")
    async with opened(None, size=(80, 24)) as (bench, pilot):
        await pilot.press("n")
        form = bench.screen
        assert isinstance(form, NewProject)
        for name, value in (("folder", "fresh"), ("images", "there/images"), ("trigger", "fr3sh_word")):
            form.query_one(f"#new-{name}", LineEdit).value = value
        form.query_one("#new-rating", LineEdit).focus()
        await pilot.press("enter")
        await until(pilot, lambda: "family: This must be said." in text_of(bench))
        form.query_one("#new-base", LineEdit).value = "demo"
        await until(pilot, lambda: not form.query_one("#new-family").display)
        form.query_one("#new-base", LineEdit).value = "somebody/a-base-nobody-has"
        await until(pilot, lambda: form.query_one("#new-family").display)
        form.query_one("#new-family", LineEdit).value = "sdxl"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(bench.screen, ProjectRoom))
        assert 'family = "sdxl"' in (tmp_path / "fresh" / "project.toml").read_text()


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
        type_at_once(bench, "\r^12")
        await until(pilot, lambda: room._pane.typed == ("class_word", "12"))
        await pilot.press("escape")
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
        name = {"\r": "enter", "/": "slash", "^": "ctrl+u"}.get(key, key)
        bench.post_message(events.Key(name, key))


async def test_a_project_file_that_is_no_toml_at_all_is_named_and_ends_nothing(aurelia: Path) -> None:
    """Nested so deep that Python's reader gives up, and no text: what comes with either is not a ValueError."""
    for content in (b"a = " + b"[" * 5000, b"\xff\xfe\x00garbage = ["):
        (aurelia / "project.toml").write_bytes(content)
        async with opened(aurelia) as (bench, pilot):
            await until(pilot, lambda: "!" in text_of(bench) and "project.toml" in text_of(bench))
            assert isinstance(bench.screen, ProjectRoom)
