"""The pictures room: what an audit found, and what one key does about it, on a process that only says recorded lines."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tui import recorded_audit
from tests.tui.benches import Bench, opened, until
from tests.tui.recorded import write_project
from tests.tui.snapshots import text_of
from tui import audits
from tui.app import Options
from tui.audited import Seen
from tui.audits import Auditing, read_line
from tui.screens.cropping import Cropping
from tui.screens.large import Large
from tui.screens.modal import Ask, Pick, Reading
from tui.screens.pictures import PicturesRoom
from tui.widgets.line_list import LineList
from tui.widgets.picture_view import PictureView
from tui.widgets.tiles import Tiles


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    return write_project(tmp_path / "aurelia")


@pytest.fixture(autouse=True)
def audited(aurelia: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Audits say what is recorded; calling it changes what they say."""

    def says(*reports: dict[str, Any], then: str = "ends") -> None:
        lines = reports or (recorded_audit.report(aurelia),)
        monkeypatch.setattr(audits, "COMMAND", recorded_audit.command(tmp_path, lines, then))

    says()
    return says


def room_of(bench: Bench) -> PicturesRoom:
    room = next(screen for screen in bench.screen_stack if isinstance(screen, PicturesRoom))
    return room


def said(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "project.toml").read_text())


async def over(pilot: Any, bench: Bench) -> PicturesRoom:
    room = room_of(bench)
    await until(pilot, lambda: room.seen.checks and not room.seen.running)
    return room


async def test_a_finding_narrows_the_list_to_its_pictures_and_escape_shows_all(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        listed, findings = room.query_one("#list", LineList), room.query_one("#findings", LineList)
        assert list(findings.rows) == ["truncated", "watermark", "near-duplicate", "text"]
        assert "not run: text in it" in text_of(bench) and "5 usable of 6" in text_of(bench)
        findings.focus()
        await pilot.press("j")
        await until(pilot, lambda: "The same mark in 2 pictures" in text_of(bench))
        await pilot.press("enter")
        await until(pilot, lambda: list(listed.rows) == ["IMG_0001.png", "IMG_0002.png"])
        assert listed.has_focus
        await pilot.press("escape")
        await until(pilot, lambda: len(listed.rows) == 6)


async def test_enter_on_a_picture_says_why_where_and_what_to_do(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        room.query_one("#list", LineList).go_to("IMG_0001.png")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(bench.screen, Reading) and "Crop it away" in text_of(bench))
        shown = text_of(bench)
        for words in (
            "0.91 (from 0.6)",
            "measured: gradient consensus",
            "bottom right © studio n",
            "with: IMG_0002.png",
        ):
            assert words in shown


async def test_leaving_out_is_written_with_its_reason_and_taken_back_by_the_same_key(aurelia: Path) -> None:
    file = aurelia / "images" / "IMG_0000.png"
    before = file.read_bytes()
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(bench.screen, Ask))
        await pilot.press("end", *" twice", "enter")
        await until(
            pilot, lambda: said(aurelia)["data"].get("excluded") == {"IMG_0000.png": "cut short twice"}
        )
        await until(pilot, lambda: "left out: cut short twice" in text_of(bench))
        assert "# tried 1e-4 first" in (aurelia / "project.toml").read_text(), "comments stay"
        assert file.read_bytes() == before
        assert "truncated" not in room.seen.checks, "what is left out stands in nobody's way"
        room.query_one("#list", LineList).go_to("IMG_0000.png")
        await pilot.press("x")
        await until(pilot, lambda: not said(aurelia)["data"].get("excluded"))
        await until(pilot, lambda: "IMG_0000.png" not in room.seen.declared.excluded)


async def test_a_picture_left_out_before_stays_in_the_list(aurelia: Path) -> None:
    text = (aurelia / "project.toml").read_text()
    (aurelia / "project.toml").write_text(text + '[data.excluded]\n"IMG_0005.png" = "soft [red]"\n')
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        listed = room.query_one("#list", LineList)
        await until(pilot, lambda: listed.rows[-1] == "IMG_0005.png")
        listed.do_last()
        await until(pilot, lambda: "soft [red]" in text_of(bench))
        assert room.seen.rows["IMG_0005.png"].path == aurelia / "images" / "IMG_0005.png"


async def test_an_ignored_finding_shrinks_to_a_note_with_its_reason(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        room.query_one("#list", LineList).go_to("IMG_0001.png")
        await pilot.press("i")
        await until(pilot, lambda: isinstance(bench.screen, Ask))
        await pilot.press(*"mine", "enter")
        await until(
            pilot, lambda: said(aurelia).get("audit") == {"ignored": {"watermark: IMG_0001.png": "mine"}}
        )
        await until(pilot, lambda: room.seen.checks["watermark"].severity == "note")
        await until(pilot, lambda: "ignored: mine" in text_of(bench))


async def test_the_crop_is_moved_and_only_enter_saves_it(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures") as (bench, pilot):
        await over(pilot, bench)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(bench.screen, Cropping))
        await pilot.press("j", "escape")
        assert "crop" not in said(aurelia)["data"]
        await pilot.press("m")
        await until(pilot, lambda: isinstance(bench.screen, Cropping))
        await pilot.press("k", "up", "l", "enter")
        await until(pilot, lambda: said(aurelia)["data"].get("crop") == {"IMG_0000.png": [0.5, 0.46]})


async def test_many_pictures_are_declared_at_once(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        await pilot.press("space", "space", "d")
        await until(pilot, lambda: isinstance(bench.screen, Pick))
        await pilot.press("down", "enter")
        wanted = {"IMG_0000.png": "medium", "IMG_0001.png": "medium"}
        await until(pilot, lambda: said(aurelia).get("audit") == {"distance": wanted})
        await until(pilot, lambda: room.seen.declared.distance == wanted)
        await pilot.press("backslash")
        await until(pilot, lambda: "sharp dist" in text_of(bench))
        await pilot.press("l")
        await until(pilot, lambda: isinstance(bench.screen, Ask))
        await pilot.press(*"window", "enter")
        await until(pilot, lambda: said(aurelia)["audit"].get("light", {}).get("IMG_0001.png") == "window")


async def test_the_filter_knows_fields_and_half_of_one_changes_nothing(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        listed = room.query_one("#list", LineList)
        await pilot.press("slash", *"sharp<102")
        await until(pilot, lambda: list(listed.rows) == ["IMG_0000.png", "IMG_0001.png"])
        await pilot.press(*' "')
        await until(pilot, lambda: "never closed" in text_of(bench))
        assert len(listed.rows) == 2
        await pilot.press("backspace", *"finding:watermark", "enter")
        await until(pilot, lambda: list(listed.rows) == ["IMG_0001.png"])


async def test_what_the_model_sees_and_a_picture_alone(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        view = room.query_one("#picture", PictureView)
        await until(pilot, lambda: view.complete)
        await pilot.press("w")
        await until(pilot, lambda: "as it is trained" in text_of(bench))
        await until(pilot, lambda: view.complete and view._drawn is not None and not view._drawn.error)
        await pilot.press("z")
        await until(pilot, lambda: isinstance(bench.screen, Large))


async def test_progress_is_shown_and_stops_with_a_key(aurelia: Path, audited: Callable[..., None]) -> None:
    audited(recorded_audit.report(aurelia, stage="looking at pixels", done=2, total=6), then="waits")
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = room_of(bench)
        await until(pilot, lambda: "looking at pixels  2 of 6   S stops it" in text_of(bench))
        assert "IMG_0003.png" in text_of(bench), "what was found so far is there"
        await pilot.press("S")
        await until(pilot, lambda: not room.seen.running)
        await until(pilot, lambda: "stopped: what was measured is kept" in text_of(bench))


async def test_an_audit_that_dies_says_so_and_its_findings_stay(
    aurelia: Path, audited: Callable[..., None]
) -> None:
    audited(recorded_audit.report(aurelia, stage="looking at pixels", done=2, total=6), then="3")
    async with opened(aurelia, room="pictures") as (bench, pilot):
        await until(pilot, lambda: "it broke in the middle" in text_of(bench))
        assert "watermark" in text_of(bench) and "R runs it again" in text_of(bench)


async def test_a_refused_audit_says_why(aurelia: Path, audited: Callable[..., None]) -> None:
    audited(
        {
            "kind": "refused",
            "usage": True,
            "problems": [{"error": "There is no base.", "where": "", "hint": "Name one."}],
        },
        then="1",
    )
    async with opened(aurelia, room="pictures") as (bench, pilot):
        await until(pilot, lambda: "There is no base. Name one." in text_of(bench))


def test_a_line_is_read_as_json_reads_it_entry_by_entry() -> None:
    told = {"a": [], "b": [1, [2], {"c": ["]"]}] * 300, "d": {"e": []}, "f": "[", "g": None, "ü": "\u2028"}
    assert read_line(json.dumps(told)) == told and read_line("{}") == {}
    for broken in ('{"a": [1, 2', "", "[1]", '{"a" 1'):
        with pytest.raises(ValueError):
            read_line(broken)


def test_a_half_written_line_is_passed_over(aurelia: Path, tmp_path: Path) -> None:
    command = recorded_audit.command(tmp_path, [recorded_audit.report(aurelia)])
    with (tmp_path / "audit-lines").open("a") as lines:
        lines.write('{"kind": "report", "pictures": [{"na')
    states: list[Seen] = []
    Auditing(aurelia, states.append, command=command)._work()
    assert len(states[-1].rows) == 6 and not states[-1].running and not states[-1].error


async def test_an_audit_ends_with_the_workbench(aurelia: Path, audited: Callable[..., None]) -> None:
    audited(then="waits")
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = room_of(bench)
        await until(pilot, lambda: room.seen.checks)
        auditing = room._judging.auditing
        assert auditing and auditing._process
        process = auditing._process
        bench.leave()
    assert process._process.wait(timeout=10) == 0


async def test_project_toml_changed_by_somebody_else_is_judged_anew(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        await pilot.press("1")
        text = (aurelia / "project.toml").read_text()
        (aurelia / "project.toml").write_text(text + '[data.excluded]\n"IMG_0002.png" = "by hand"\n')
        await pilot.press("2")
        await until(pilot, lambda: room.seen.declared.excluded == {"IMG_0002.png": "by hand"})
        assert room.query_one("#list", LineList).rows[2] == "IMG_0002.png", "it stays where it was"


async def test_what_is_no_pictures_fault_is_said_over_the_room(
    aurelia: Path, audited: Callable[..., None]
) -> None:
    problem = {
        "error": "is not there or is no folder.",
        "where": "/data/reg",
        "hint": "Check the path in [data].",
    }
    audited(recorded_audit.report(aurelia, problems=[problem] * 3))
    async with opened(aurelia, room="pictures") as (bench, pilot):
        await until(
            pilot, lambda: "/data/reg: is not there or is no folder. Check the path" in text_of(bench)
        )
        assert "and 1 more" in text_of(bench)


async def test_tiles_share_cursor_selection_and_filter_with_the_list(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures", size=(80, 24)) as (bench, pilot):
        room = await over(pilot, bench)
        listed = room.query_one("#list", LineList)
        await pilot.press("t")
        await until(pilot, lambda: room.query_one(Tiles).has_focus and "IMG_0004.png" in text_of(bench))
        await until(pilot, lambda: len(room.query_one(Tiles)._came) == 6)
        await pilot.press("down", "left", "space")
        assert listed.key == "IMG_0005.png" and listed.selected == {"IMG_0004.png"}
        await pilot.press("slash", *"finding:watermark", "enter")
        await until(pilot, lambda: room.query_one(Tiles).has_focus and "IMG_0000.png" not in text_of(bench))
        await pilot.press("t")
        await until(pilot, lambda: listed.has_focus and list(listed.rows) == ["IMG_0001.png", "IMG_0002.png"])


@pytest.mark.parametrize("keys", [(), ("t",), ("enter",), ("m",)])
async def test_ascii_leaves_no_other_character_in_the_room(aurelia: Path, keys: tuple[str, ...]) -> None:
    async with opened(aurelia, room="pictures", options=Options(ascii=True, theme="mono")) as (bench, pilot):
        await over(pilot, bench)
        await pilot.press(*keys)
        await pilot.pause()
        beyond = {character for character in text_of(bench) if not character.isascii()}
        assert not beyond, f"{beyond}"
