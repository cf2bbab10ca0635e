"""Keys: one declaration, changed by id, and the same in footer, help, palette and on the command line."""

from pathlib import Path

import pytest

from tests.tui.benches import opened, until
from tests.tui.conftest import Say
from tests.tui.recorded import write_project, write_run
from tests.tui.snapshots import text_of
from tui import remembered
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.keymap import read_keymap
from tui.screens.blind import BlindRound
from tui.screens.captions import CaptionsRoom
from tui.screens.changing import Changing
from tui.screens.choosing import Choosing
from tui.screens.cropping import Cropping
from tui.screens.duel import Duelling
from tui.screens.help import help_lines
from tui.screens.home import HomeRoom
from tui.screens.large import Large
from tui.screens.modal import Pick, Reading
from tui.screens.palette import choices
from tui.screens.pictures import PicturesRoom
from tui.screens.preparing import Preparing
from tui.screens.project import ProjectRoom
from tui.screens.prompting import Prompting
from tui.screens.replacing import Replacing
from tui.screens.review import ReviewRoom
from tui.screens.room import Room
from tui.screens.seeing import Seeing
from tui.screens.train import TrainRoom
from tui.widgets.evidence import Evidence
from tui.widgets.line_list import LineList
from tui.widgets.tiles import Tiles
from tui.widgets.weights_grid import WeightsGrid

ROOMS = {
    "home": HomeRoom, "project": ProjectRoom, "pictures": PicturesRoom, "crop": Cropping, "tiles": Tiles,
    "train": TrainRoom, "review": ReviewRoom, "large": Large, "replacing": Replacing, "changing": Changing,
    "choosing": Choosing, "captions": CaptionsRoom, "leader": CaptionsRoom, "seeing": Seeing, "duel": Duelling,
    "blind": BlindRound, "prompting": Prompting,
    "grid": WeightsGrid, "evidence": Evidence, "preparing": Preparing,
}  # fmt: skip


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    project = write_project(tmp_path / "aurelia")
    write_run(project, "2026-11-17-0900-r16", to_step=600, last_word="stopped")
    return project


def test_every_action_has_a_method_where_it_belongs() -> None:
    from tui.app import Workbench

    for action in ACTIONS.values():
        owners = {"app": Workbench, "list": LineList, **ROOMS}
        # The nine digits are one action: the room takes the number.
        method = "put_phrase" if action.id == "leader.phrase" else action.method
        there = callable(getattr(owners[action.place], method, None))
        assert there, action.id


def test_no_two_actions_of_a_place_share_a_key() -> None:
    for place in ("app", "list", *ROOMS):
        keys = [key for binding in bindings(place) for key in binding.key.split(",")]  # type: ignore[union-attr]
        assert len(keys) == len(set(keys)), place


def test_actions_that_depend_on_something_say_why_they_do_nothing() -> None:
    silent = [action.id for action in ACTIONS.values() if action.when and not action.otherwise]
    assert [action for action in silent if not action.startswith("list.")] == []


async def test_a_key_changed_by_id_works_and_is_shown_everywhere(aurelia: Path, tmp_path: Path) -> None:
    file = tmp_path / "config" / "safelight" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[keys]\n"train.log-scale" = "f5"\n"app.train" = "f4"\n')
    async with opened(aurelia, size=(160, 40)) as (bench, pilot):
        await pilot.press("4")
        assert not isinstance(bench.screen, TrainRoom), "the declared key means nothing any more"
        await pilot.press("f4")
        assert isinstance(bench.screen, TrainRoom)
        room = bench.screen
        await until(pilot, lambda: room.view is not None)
        await until(pilot, lambda: "f5 log scale" in text_of(bench))
        await pilot.press("f5")
        assert "logarithmic" in text_of(bench)


def test_keys_that_cannot_be_used_are_named_and_the_others_hold(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[keys]\n"train.stp" = "x"\n"train.bell" = "hyper"\n"train.log" = "c"\n"app.help" = "f2"\n'
    )
    keymap = read_keymap(file)
    assert keymap.own == {"train.log": "c", "app.help": "f2"}
    words = "\n".join(str(problem) for problem in keymap.problems)
    assert "Did you mean train.stop?" in words and "hyper" in words and "share c" in words
    file.write_text("[keys")
    assert read_keymap(file).problems and read_keymap(tmp_path / "none.toml").problems == ()


async def test_help_lists_every_action_with_its_keys(aurelia: Path) -> None:
    async with opened(aurelia, size=(120, 90)) as (bench, pilot):
        await pilot.press("question_mark")
        assert isinstance(bench.screen, Reading)
        shown = text_of(bench)
        listed = bench.screen.query_one(LineList)
        words = [listed._text(at) for at in listed.rows]
        for action in ACTIONS.values():
            listed_here = any(line.strip().endswith(action.words) for line in words)
            assert listed_here, action.id
        titles = [word for word in words if word and not word.startswith(" ")]
        assert titles[:3] == ["1 Project", "In every list", "Everywhere"] and "Everywhere" in shown
        await pilot.press("escape")
        assert isinstance(bench.screen, ProjectRoom)


@pytest.mark.parametrize("room", ["home", "project", "pictures", "captions", "train", "review"])
def test_help_has_a_heading_for_every_place_and_tells_what_the_leader_does(room: str) -> None:
    lines = ["".join(text for text, _ in line) for line in help_lines(lambda _id: "k", 90, room)]
    for action in ACTIONS.values():
        assert any(line.endswith(action.words) for line in lines), action.id
    assert any("^g 1" in line or "^g t" in line for line in lines)
    assert any("right arrow" in line and "takes what is offered" in line for line in lines)


async def test_palette_offers_what_applies_now_and_what_was_used_last_first(aurelia: Path) -> None:
    async with opened(aurelia, room="train") as (bench, pilot):
        room = bench.screen
        assert isinstance(room, TrainRoom)
        await until(pilot, lambda: room.view and room.view.attached)
        offered = {choice.key for choice in choices(bench, room)}
        assert "train.resume" in offered and "app.review" in offered
        assert not offered & {
            "train.stop",
            "train.checkpoint",
            "train.stop-now",
            "project.train",
            "list.down",
        }
        await pilot.press("ctrl+p")
        assert isinstance(bench.screen, Pick)
        await pilot.press(*"logarithmic", "enter")
        assert isinstance(bench.screen, TrainRoom)
        assert next(choice.key for choice in choices(bench, room)) == "train.log-scale"


async def test_the_palette_begins_with_the_room_whatever_was_used_last(aurelia: Path) -> None:
    remembered.keep_habit("actions", ["app.theme"])
    async with opened(aurelia) as (bench, _):
        assert isinstance(bench.screen, ProjectRoom)
        places = [each.key.partition(".")[0] for each in choices(bench, bench.screen)]
        assert places == sorted(places, reverse=True) and set(places) == {"project", "app"}


async def test_help_says_how_far_it_is_and_explains_the_words_of_the_trade(aurelia: Path) -> None:
    async with opened(aurelia, size=(60, 15)) as (bench, pilot):
        await pilot.press("question_mark")
        reading = bench.screen
        assert isinstance(reading, Reading)
        count = len(reading.query_one(LineList).rows)
        await until(pilot, lambda: f" of {count}" in text_of(bench))
        assert "Keys   esc leaves" in text_of(bench) and "change the field" in text_of(bench)
        await pilot.press("G")
        await until(pilot, lambda: f"-{count} of {count}" in text_of(bench))
        await pilot.press("question_mark")
        assert bench.screen is reading, "no help about the help"
        await pilot.press("w")
        await until(pilot, lambda: "alpha / rank" in text_of(bench))
        await pilot.press("escape")
        assert bench.screen is reading


async def test_a_key_without_its_condition_says_why(aurelia: Path) -> None:
    async with opened(aurelia, room="train") as (bench, pilot):
        room = bench.screen
        assert isinstance(room, Room)
        await until(pilot, lambda: isinstance(room, TrainRoom) and room.view is not None)
        await pilot.press("s")
        await pilot.pause()
        assert "Nobody works on this run" in text_of(bench)
        await pilot.press("down")
        assert "Nobody works on this run" not in text_of(bench)


def test_keys_on_the_command_line(say: Say) -> None:
    said = say("keys", "--json")
    assert said.code == 0
    assert {entry["id"] for entry in said.json["keys"]} == set(ACTIONS)
    assert "train.stop" in say("keys").out
