"""The pictures room: what an audit found, and what one key does about it, on a process that only says recorded lines."""

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.tui import recorded_audit
from tests.tui.benches import Bench, opened, until
from tests.tui.recorded import write_project
from tests.tui.snapshots import text_of
from tui import audits
from tui.app import Options
from tui.audited import Seen
from tui.audits import Auditing
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
        checks = [key for key in findings.rows if isinstance(key, str)]
        assert checks == ["truncated", "watermark", "near-duplicate", "text"]
        assert "5 usable of 6" in text_of(bench)
        findings.focus()
        await pilot.press("j")
        await until(pilot, lambda: "0.91 (from 0.6)" in text_of(bench))
        await pilot.press("enter")
        await until(pilot, lambda: list(listed.rows) == ["IMG_0001.png", "IMG_0002.png"])
        assert listed.has_focus
        await pilot.press("escape")
        await until(pilot, lambda: len(listed.rows) == 6)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_check_that_was_not_run_says_how_to_get_it(aurelia: Path, size: tuple[int, int]) -> None:
    async with opened(aurelia, room="pictures", size=size) as (bench, pilot):
        room = await over(pilot, bench)
        shown = text_of(bench)
        assert all(words in shown for words in ("· not run: text in it", "(pip install", "'safelight[ocr]')"))
        findings = room.query_one("#findings", LineList)
        findings.focus()
        await pilot.press("G")
        assert findings.key == "text", "the cursor stands on checks, not on the lines under them"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(bench.screen, Reading) and "Not looked for" in text_of(bench))


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


async def test_what_was_said_of_many_is_undone_in_one_step_and_done_again(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        before = (aurelia / "project.toml").read_bytes()
        await pilot.press("u")
        await until(pilot, lambda: "There is nothing to take back." in text_of(bench))
        await pilot.press("asterisk", "x")
        await until(pilot, lambda: isinstance(bench.screen, Ask))
        await pilot.press("ctrl+u", *"old", "enter")
        await until(pilot, lambda: len(said(aurelia)["data"].get("excluded", {})) == 6)
        await until(pilot, lambda: "6 pictures are left out: u takes it back." in text_of(bench))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(bench.screen, Pick))
        await pilot.press("enter")
        await until(pilot, lambda: len(said(aurelia).get("audit", {}).get("distance", {})) == 6)
        await until(pilot, lambda: len(room._saving.changes.done) == 2)
        await pilot.press("u")
        await until(pilot, lambda: "No longer so: distance of 6 pictures: close-up." in text_of(bench))
        await pilot.press("u")
        await until(pilot, lambda: (aurelia / "project.toml").read_bytes() == before)
        await until(pilot, lambda: not room.seen.declared.excluded and "redo" in room.conditions())
        await pilot.press("ctrl+r")
        await until(pilot, lambda: len(said(aurelia)["data"].get("excluded", {})) == 6)
        await until(pilot, lambda: len(room.seen.declared.excluded) == 6)


async def test_undo_says_so_where_somebody_else_wrote_the_same(aurelia: Path) -> None:
    file = aurelia / "project.toml"
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(bench.screen, Ask))
        await pilot.press("enter")
        await until(pilot, lambda: "undo" in room.conditions())
        file.write_text(file.read_text().replace('"cut short"', '"by hand"'))
        await pilot.press("u")
        await until(pilot, lambda: "changed outside: nothing was written over it" in text_of(bench))
        assert said(aurelia)["data"]["excluded"] == {"IMG_0000.png": "by hand"}


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


async def test_a_picture_that_no_audit_saw_has_its_size_in_the_list(
    aurelia: Path, audited: Callable[..., None]
) -> None:
    turned = Image.new("RGB", (90, 40), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(aurelia / "images" / "IMG_0005.png", exif=exif)
    (aurelia / "images" / "gone.png").write_bytes(b"no picture")
    text = (aurelia / "project.toml").read_text()
    (aurelia / "project.toml").write_text(
        text + '[data.excluded]\n"IMG_0005.png" = "soft"\n"gone.png" = "broken"\n'
    )
    report = recorded_audit.report(aurelia)
    audited({**report, "pictures": report["pictures"][:5]})
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        await until(pilot, lambda: "40×90" in text_of(bench))
        assert room.seen.rows["gone.png"].size is None and "left out: broken" in text_of(bench)


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
        await until(pilot, lambda: " sharp dist  light" in text_of(bench))
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


async def test_the_filter_knows_what_was_measured_and_what_was_done(aurelia: Path) -> None:
    text = (aurelia / "project.toml").read_text()
    (aurelia / "project.toml").write_text(
        text + '[data.excluded]\n"IMG_0005.png" = "soft"\n[audit.distance]\n"IMG_0003.png" = "close-up"\n'
    )
    meant = {
        "distance:close-up": "134", "distance=medium": "25", 'light:"set-up 2"': "23", "faces>1": "25",
        "severity:blocker": "0", "set:images": "012345",
        "is:left-out": "5", "is:declared": "3", "severity:warning faces<2": "1",
    }  # fmt: skip
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        listed = room.query_one("#list", LineList)
        for filter_text, numbers in meant.items():
            listed.set_filter(filter_text)
            assert [str(name)[7] for name in listed.rows] == list(numbers), filter_text


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


async def test_every_resolution_is_shown_in_turn(aurelia: Path, audited: Callable[..., None]) -> None:
    report = recorded_audit.report(aurelia)
    for picture in report["pictures"]:
        small = {"resolution": 48, "bucket": [48, 40], "scaled": [48, 72], "crop": [0, 16]}
        picture["placements"].append(small)
    audited(report)
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        view = room.query_one("#picture", PictureView)
        await until(pilot, lambda: "bucket 64×64 · 48×40" in text_of(bench))
        shapes = []
        for words in ("64×64 of 64", "48×40 of 48", "bucket 64×64 · 48×40"):
            await pilot.press("w")
            await until(pilot, lambda words=words: words in text_of(bench) and view.complete)
            assert view._drawn is not None
            shapes.append(view._drawn.width / len(view._drawn.strips))
        assert shapes[0] != shapes[1], "each has the shape of its own bucket"


async def test_a_picture_alone_has_its_frame_and_boxes_until_a_key_takes_them_away(aurelia: Path) -> None:
    async with opened(aurelia, room="pictures") as (bench, pilot):
        room = await over(pilot, bench)
        room.query_one("#list", LineList).go_to("IMG_0001.png")
        await pilot.press("z")
        await until(pilot, lambda: isinstance(bench.screen, Large))
        view = bench.screen.query_one(PictureView)

        def inks() -> set[tuple[int, int, int]]:
            assert view._drawn is not None
            styles = [segment.style for line in view._drawn.strips for segment in line]
            colours = [colour for style in styles if style for colour in (style.color, style.bgcolor)]
            return {tuple(colour.triplet) for colour in colours if colour and colour.triplet}  # type: ignore[misc]

        await until(pilot, lambda: view.complete)
        assert (255, 106, 61) in inks()
        await pilot.press("plus")
        await until(pilot, lambda: view.complete and view.zoomed)
        assert (255, 106, 61) in inks(), "closer it is drawn too"
        await pilot.press("minus", "b")
        await until(pilot, lambda: view.complete)
        assert (255, 106, 61) not in inks()
        await pilot.press("w")
        await until(pilot, lambda: view.complete and "as it is trained: 64×64 of 64" in text_of(bench))
        await pilot.press("w", "b", "escape")
        await until(pilot, lambda: bench.screen is room)


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


async def test_a_killed_audit_says_so_keeps_its_findings_and_runs_again(
    aurelia: Path, audited: Callable[..., None]
) -> None:
    audited(recorded_audit.report(aurelia, stage="looking at pixels", done=2, total=6), then="killed")
    async with opened(aurelia, room="pictures") as (bench, pilot):
        await until(
            pilot, lambda: "it was killed, as happens where memory runs out. R runs" in text_of(bench)
        )
        assert "watermark" in text_of(bench)
        audited()
        await pilot.press("R")
        room = await over(pilot, bench)
        await until(pilot, lambda: "killed" not in text_of(bench))
        assert len(room.seen.rows) == 6 and "watermark" in room.seen.checks


async def test_names_are_there_before_the_audit_says_anything(
    aurelia: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "COMMAND", (sys.executable, "-c", "import sys; sys.stdin.read()"))
    async with opened(aurelia, room="pictures") as (bench, pilot):
        await until(pilot, lambda: all(f"IMG_000{at}.png" in text_of(bench) for at in range(6)))
        assert room_of(bench).seen.running and not room_of(bench).seen.checks


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


async def test_a_filter_that_leaves_nothing_is_not_taken_for_a_folder_without_pictures(
    aurelia: Path, audited: Callable[..., None]
) -> None:
    audited()
    async with opened(aurelia, room="pictures") as (bench, pilot):
        await until(pilot, lambda: room_of(bench).seen.checks)
        await pilot.press("slash", *"width>9999")
        await until(pilot, lambda: "No picture is left" in text_of(bench))
        assert "data.images" not in text_of(bench)
