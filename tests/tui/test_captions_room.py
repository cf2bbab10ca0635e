"""The captions room: writing by keyboard alone, and nothing that is typed is ever lost."""

import errno
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from textual import events

from engine.dataset.captioning.book import Book, Outcome
from projects import atomic, worker
from projects.eventlog import Writer
from projects.job import JobDir
from projects.project import open_project, resolve
from projects.worker import JobState
from tests.engine.dataset.captioning.kitchen import PROJECT as KITCHEN
from tests.tui.benches import Bench, opened, typed, until
from tests.tui.snapshots import text_of
from tui.screens.captions import CaptionsRoom
from tui.screens.replacing import Replacing
from tui.widgets.line_list import LineList

PROJECT = f"""{KITCHEN}[captions]
phrases = ["soft window light", "85mm"]
"""
WRITTEN = {
    "IMG_1": b"k1tch, a linen towel, soft window light\r\n",
    "IMG_2": b"\xef\xbb\xbfk1tch, a linen coat, 85mm",
    "IMG_3": None,
    "IMG_4": b"k1tch, a mug, 85mm\n",
    "IMG_5": None,
}


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    folder = tmp_path / "kitchen"
    (folder / "images").mkdir(parents=True)
    (folder / "project.toml").write_text(PROJECT)
    for stem, data in WRITTEN.items():
        Image.new("RGB", (64, 64), "grey").save(folder / "images" / f"{stem}.png")
        if data is not None:
            (folder / "images" / f"{stem}.txt").write_bytes(data)
    return folder


def caption(project: Path, stem: str) -> bytes | None:
    path = project / "images" / f"{stem}.txt"
    return path.read_bytes() if path.is_file() else None


def everything(project: Path) -> dict[str, bytes | None]:
    return {stem: caption(project, stem) for stem in WRITTEN}


async def read(pilot: Any, bench: Bench) -> CaptionsRoom:
    room = next(screen for screen in bench.screen_stack if isinstance(screen, CaptionsRoom))
    await until(pilot, lambda: room.captions.loaded and room.opened.entries)
    return room


async def test_the_focus_is_in_the_text_and_looking_changes_no_byte(kitchen: Path) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in (kitchen / "images").iterdir()}
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        assert room.editor.has_focus and room.editor.value == "k1tch, a linen towel, soft window light"
        for _ in range(6):
            await typed(pilot, "enter")
        await typed(pilot, "escape", "g")
    assert everything(kitchen) == WRITTEN
    assert stamps == {path: path.stat().st_mtime_ns for path in (kitchen / "images").iterdir()}
    assert not (kitchen / "captions.ops.jsonl").exists() or not any(
        "op" in json.loads(line) for line in (kitchen / "captions.ops.jsonl").read_text().splitlines()
    )


async def test_enter_saves_and_goes_on_and_what_is_typed_ahead_belongs_to_the_next(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, *", red", "enter", "end", *", blue", "enter", *"k1tch, a cup", "enter")
        await until(pilot, lambda: caption(kitchen, "IMG_3") == b"k1tch, a cup\n")
        assert caption(kitchen, "IMG_1") == b"k1tch, a linen towel, soft window light, red\r\n"
        assert caption(kitchen, "IMG_2") == b"\xef\xbb\xbfk1tch, a linen coat, 85mm, blue"
        assert room.opened.file == "images/IMG_4.txt"
        await typed(pilot, "pageup")
        await until(pilot, lambda: room.editor.value == "k1tch, a cup")


async def test_who_comes_back_before_a_save_is_done_goes_on_from_what_was_typed(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        assert room.desk is not None
        waits = threading.Event()
        room.desk._wanted.put(lambda: waits.wait(5.0))  # As a slow disk holds everything up.
        await typed(pilot, *", red", "enter", "pageup", *", blue")
        assert room.editor.value.endswith("light, red, blue")
        waits.set()
        await typed(pilot, "enter")
        await until(pilot, lambda: (caption(kitchen, "IMG_1") or b"").endswith(b"light, red, blue\r\n"))
        assert bench.screen is room, "nobody is asked which of one's own edits is meant"


async def test_reading_all_again_leaves_what_is_being_typed(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        before = room.captions
        await typed(pilot, *", red")
        assert room.desk is not None
        room.desk.load()
        await until(pilot, lambda: room.captions is not before)
        assert room.editor.value.endswith("light, red")


async def test_enter_in_the_list_and_letters_right_behind_it_are_a_caption_and_no_commands(
    kitchen: Path,
) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, "escape", "enter", *", k1u")
        await until(pilot, lambda: room.editor.value.endswith("light, k1u"))
        assert bench.screen is room


async def test_a_caption_of_thousands_can_be_written_before_all_are_read(kitchen: Path) -> None:
    for number in range(150):
        os.link(kitchen / "images/IMG_1.png", kitchen / f"images/more_{number}.png")
    load = Book.load
    waits = threading.Event()

    def late(book: Book) -> None:
        waits.wait(5.0)
        load(book)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Book, "load", late)
        async with opened(kitchen, room="captions") as (bench, pilot):
            room = next(screen for screen in bench.screen_stack if isinstance(screen, CaptionsRoom))
            await until(pilot, lambda: room.opened.entries)
            assert not room.captions.loaded and "IMG_2" in text_of(bench)
            await typed(pilot, *", red", "enter", *", blue")
            waits.set()
            await until(pilot, lambda: len(room.captions.rows) == 155)
            assert room.opened.file == "images/IMG_2.txt" and room.editor.value.endswith("85mm, blue")
            await until(pilot, lambda: (caption(kitchen, "IMG_1") or b"").endswith(b"light, red\r\n"))


async def test_leaving_the_room_and_a_pause_save(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        await read(pilot, bench)
        await typed(pilot, *" x")
        await until(pilot, lambda: (caption(kitchen, "IMG_1") or b"").endswith(b"light x\r\n"))
        await typed(pilot, *"y", "escape", "1")
        await until(pilot, lambda: (caption(kitchen, "IMG_1") or b"").endswith(b"light xy\r\n"))


async def test_what_is_typed_is_in_the_journal_within_a_second_and_comes_back(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        room.save = lambda: None  # type: ignore[method-assign]  # As if the power went before anything else.
        room.flush = lambda: None  # type: ignore[method-assign]
        await typed(pilot, *" typed")
        journal = kitchen / "captions.ops.jsonl"
        await until(pilot, lambda: journal.exists() and "light typed" in journal.read_text())
        assert everything(kitchen) == WRITTEN
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await until(pilot, lambda: room.editor.value.endswith("light typed"))
        assert (caption(kitchen, "IMG_1") or b"").endswith(b"light typed\r\n")
        await typed(pilot, "ctrl+z")
        await until(pilot, lambda: everything(kitchen) == WRITTEN)


async def test_hanging_up_writes_what_is_typed(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        await read(pilot, bench)
        await typed(pilot, *" kept")
        bench.flush()
        assert (caption(kitchen, "IMG_1") or b"").endswith(b"light kept\r\n")


async def test_what_is_typed_behind_undo_is_meant_for_the_picture_that_it_goes_to(
    kitchen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Book.undo

    def undo(book: Book) -> Outcome:
        time.sleep(0.3)
        return slow(book)

    monkeypatch.setattr(Book, "undo", undo)
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        # All at once, as over a slow line: nothing is in the journal yet when ^z is pressed.
        for key in ("x", "enter", "ctrl+z", "y", "z", "enter", "w"):
            bench.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: (caption(kitchen, "IMG_1") or b"").endswith(b"lightyz\r\n"))
        await until(pilot, lambda: room.opened.file == "images/IMG_2.txt" and room.editor.value.endswith("w"))
        assert caption(kitchen, "IMG_2") == WRITTEN["IMG_2"]


async def test_undo_goes_from_what_is_typed_to_what_was_done_and_across_a_restart(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, *" one", "enter", *" two", "enter")
        await until(pilot, lambda: (caption(kitchen, "IMG_2") or b"").endswith(b"two"))
        await typed(pilot, "ctrl+z")
        await until(pilot, lambda: caption(kitchen, "IMG_2") == WRITTEN["IMG_2"])
        await until(pilot, lambda: room.opened.file == "images/IMG_2.txt")
        await typed(pilot, "ctrl+y")
        await until(pilot, lambda: (caption(kitchen, "IMG_2") or b"").endswith(b"two"))
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, "ctrl+z")
        await until(pilot, lambda: caption(kitchen, "IMG_2") == WRITTEN["IMG_2"])
        await typed(pilot, "escape", "u")
        await until(pilot, lambda: everything(kitchen) == WRITTEN)


async def test_somebody_else_writes_the_open_caption(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        (kitchen / "images/IMG_1.txt").write_bytes(b"k1tch, a cotton towel, soft window light\r\n")
        await until(pilot, lambda: room.editor.value == "k1tch, a cotton towel, soft window light")
        assert "changed outside" in text_of(bench)


async def test_both_edits_are_kept_where_they_do_not_touch(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, *", film grain")
        (kitchen / "images/IMG_1.txt").write_bytes(b"k1tch, a cotton towel, soft window light\r\n")
        await typed(pilot, "escape")
        together = b"k1tch, a cotton towel, soft window light, film grain\r\n"
        await until(pilot, lambda: caption(kitchen, "IMG_1") == together)
        await until(pilot, lambda: room.editor.value == together.decode().strip())


async def test_the_leader_leads_and_phrases_have_numbers(kitchen: Path) -> None:
    async with opened(kitchen, room="captions", size=(100, 24)) as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, "ctrl+g")
        await until(pilot, lambda: "next open" in text_of(bench))
        await typed(pilot, "j")
        assert room.opened.file == "images/IMG_3.txt"
        await typed(pilot, *"k1tch, a pan", "ctrl+g", "2", "ctrl+g", "1", "enter")
        await until(pilot, lambda: caption(kitchen, "IMG_3") == b"k1tch, a pan, 85mm, soft window light\n")
        await typed(pilot, "ctrl+g", "j")
        assert room.opened.file == "images/IMG_5.txt"


async def test_the_last_edit_again(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        room.editor.change("k1tch, a cotton towel, soft window light")
        await typed(pilot, "enter", "ctrl+g", "full_stop")
        assert room.editor.value == "k1tch, a cotton coat, 85mm"
        await typed(pilot, "enter", "pagedown", "ctrl+g", "full_stop")
        await until(pilot, lambda: "nowhere to go" in text_of(bench))


async def test_the_trigger_comes_first_with_one_key(kitchen: Path) -> None:
    (kitchen / "images/IMG_1.txt").write_text("a linen towel, k1tch\n")
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, "ctrl+g", "t")
        assert room.editor.value == "k1tch, a linen towel"
        await typed(pilot, "ctrl+z")
        assert room.editor.value == "a linen towel, k1tch"


async def test_the_right_arrow_takes_a_phrase_that_was_begun(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, *", 85", "right")
        assert room.editor.value.endswith("soft window light, 85mm")
        await typed(pilot, *", window", "right")
        assert room.editor.value.endswith("85mm, soft window light")
        await typed(pilot, *", windy", "enter")
        await until(pilot, lambda: (caption(kitchen, "IMG_1") or b"").endswith(b", windy\r\n"))


async def test_several_selected_edit_what_they_share_as_one_step(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, "escape", "space", "space", "enter")
        assert room.editor.value == "k1tch" and room.opened.several
        await typed(pilot, *", film grain", "escape")
        await until(pilot, lambda: (caption(kitchen, "IMG_2") or b"").endswith(b"85mm, film grain"))
        assert caption(kitchen, "IMG_1") == b"k1tch, a linen towel, soft window light, film grain\r\n"
        await typed(pilot, "u")
        await until(pilot, lambda: everything(kitchen) == WRITTEN)


async def test_the_filter_knows_what_is_open_and_what_is_long(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await until(pilot, lambda: room.captions.tokens)
        await typed(pilot, "escape", "slash", *"is:open", "enter")
        await until(pilot, lambda: [str(each) for each in room.rows.rows] == ["IMG_3.png", "IMG_5.png"])
        room.rows.set_filter("tokens>10 and towel")
        assert [str(each) for each in room.rows.rows] == ["IMG_1.png"]


async def test_a_caption_of_another_encoding_is_shown_and_converted_on_purpose_only(kitchen: Path) -> None:
    file = kitchen / "images/IMG_1.txt"
    file.write_bytes(b"k1tch, caf\xe9\n")
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        assert room.editor.value == "k1tch, café" and "windows-1252" in text_of(bench)
        await typed(pilot, *"xyz", "escape")
        assert file.read_bytes() == b"k1tch, caf\xe9\n"
        await typed(pilot, "U")
        await until(pilot, lambda: file.read_bytes() == "k1tch, café\n".encode())


HOSTILE = {
    "markup": "[bold red]a[/] [link=http://x]b[/link] $var",
    "escapes": "a \x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
    "bidi": "a \u202eevil\u202c \u2066x\u2069 مرحبا שלום",
    "combining": "e\u0301\u0323 n\u0303 \u200d\u200c",
    "emoji": "👩\u200d👩\u200d👧 🇩🇪 ☕\ufe0f",
    "lines": "a\u2028b\u2029c\x0bd\x0ce\x85f\rg",
    "nul": "a\0b\x7f",
    "long": "word, " * 16_000,
    "private": "\ue000 \U0010fffd",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_anything_is_shown_safely_and_saved_unchanged(kitchen: Path, name: str) -> None:
    text = HOSTILE[name]
    (kitchen / "images/IMG_1.txt").write_text(text + "\r\n", newline="")
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        shown = text_of(bench)
        assert not any((ord(each) < 32 and each != "\n") or 0x7F <= ord(each) < 0xA0 for each in shown)
        assert not any(each in shown for each in "\u202e\u202c\u2066\u2069\u2028")
        await typed(pilot, "ctrl+home", *"k1tch ", "enter")
        await until(pilot, lambda: (caption(kitchen, "IMG_1") or b"").startswith(b"k1tch "))
        assert caption(kitchen, "IMG_1") == ("k1tch " + text + "\r\n").encode()
        assert room.opened.file == "images/IMG_2.txt"


async def test_a_caption_that_the_editor_could_not_give_back_is_closed(kitchen: Path) -> None:
    text = "a \U000f000b b".encode()
    (kitchen / "images/IMG_1.txt").write_bytes(text)
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        assert room.editor.read_only and "edit it in $EDITOR" in text_of(bench)
        await typed(pilot, *"xyz", "enter")
    assert caption(kitchen, "IMG_1") == text


async def test_a_caption_that_cannot_be_read_says_why(kitchen: Path) -> None:
    (kitchen / "images/IMG_3.txt").mkdir()
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, "enter", "enter", *"k1tch, a pan", "enter")
        await typed(pilot, "pageup")
        await until(pilot, lambda: "IMG_3.txt cannot be read" in text_of(bench))
        assert room.editor.read_only


async def test_a_caption_that_cannot_be_written_stays_in_the_editor(
    kitchen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = atomic._replace

    def full(path: Path, data: bytes) -> None:
        if path.name == "IMG_3.txt":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, data)

    monkeypatch.setattr(atomic, "_replace", full)
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await typed(pilot, "enter", "enter", *"k1tch, a pan", "enter")
        await until(pilot, lambda: "No space left" in text_of(bench))
        await typed(pilot, "pageup")
        await until(pilot, lambda: room.editor.value == "k1tch, a pan" and "No space left" in text_of(bench))
    assert caption(kitchen, "IMG_3") is None
    monkeypatch.setattr(atomic, "_replace", write)
    async with opened(kitchen, room="captions") as (bench, pilot):
        await read(pilot, bench)
        await until(pilot, lambda: caption(kitchen, "IMG_3") == b"k1tch, a pan\n")


async def test_a_project_that_says_nothing_readable_is_said_so(kitchen: Path) -> None:
    (kitchen / "project.toml").write_text("format = 1\n[data\n")
    async with opened(kitchen, room="captions") as (bench, pilot):
        await until(pilot, lambda: "project.toml" in text_of(bench))
        assert everything(kitchen) == WRITTEN


async def test_the_room_opens_within_its_time(kitchen: Path) -> None:
    images = kitchen / "images"
    for number in range(3000):
        os.link(images / "IMG_1.png", images / f"more_{number}.png")
        os.link(images / "IMG_1.txt", images / f"more_{number}.txt")
    async with opened(kitchen, room="project") as (bench, pilot):
        await typed(pilot, "3")
        began = time.monotonic()
        await until(pilot, lambda: isinstance(bench.screen, CaptionsRoom) and bench.screen.is_mounted)
        assert isinstance(bench.screen, CaptionsRoom) and bench.screen.editor.has_focus
        assert time.monotonic() - began < 5, "nothing may wait for the files"
        room = await read(pilot, bench)
        assert len(room.query_one("#caption-list", LineList).rows) == 3005


async def test_a_caption_without_a_word_is_begun_with_the_trigger_by_one_key(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await pilot.press("enter", "enter")
        assert room.opened.file == "images/IMG_3.txt" and room.editor.suggestion == "k1tch, "
        await pilot.press("right", *"a cup", "enter")
        await until(pilot, lambda: caption(kitchen, "IMG_3") == b"k1tch, a cup\n")
        # The list says what tells captions apart, not the trigger again.
        assert "… a cup" in text_of(bench) and "k1tch, a cup" not in text_of(bench)
        await pilot.press("enter", "ctrl+g", "t", *"a pan", "enter")
        await until(pilot, lambda: caption(kitchen, "IMG_5") == b"k1tch, a pan\n")


async def test_line_ends_that_a_terminal_pastes_are_line_ends(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        room.editor.post_message(events.Paste("\rtwo\rlines\r"))
        await until(pilot, lambda: "lines" in room.editor.value)
        assert room.editor.value.endswith("light\ntwo\nlines")


async def test_a_caption_is_drawn_anew_when_the_terminal_gets_narrower(kitchen: Path) -> None:
    words = "k1tch, a linen towel that hangs before a window, soft window light, 85mm portrait photography"
    (kitchen / "images/IMG_1.txt").write_text(words)
    async with opened(kitchen, room="captions", size=(80, 24)) as (bench, pilot):
        await read(pilot, bench)
        await pilot.resize_terminal(60, 24)
        await pilot.pause(0.3)
        shown = " ".join(text_of(bench).split())
        assert words in shown


async def test_a_new_variant_takes_what_is_typed_next_and_goes_when_it_is_taken_back(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await pilot.press("escape", "V", *"red qu")
        await until(pilot, lambda: room.editor.value == "k1tch, red qu")
        assert room.editor.has_focus and "variant 2 of 2" in text_of(bench)
        await pilot.press("escape")
        await until(pilot, lambda: caption(kitchen, "IMG_1.2") == b"k1tch, red qu\n")
        assert everything(kitchen) == WRITTEN
        await pilot.press("u")
        await until(pilot, lambda: room.editor.value == "k1tch, ")
        await pilot.press("u")
        await until(pilot, lambda: caption(kitchen, "IMG_1.2") is None)
        await until(pilot, lambda: room.editor.value == "k1tch, a linen towel, soft window light")
        assert room.here and len(room.here.entries) == 1


async def test_phrases_are_counted_in_what_the_filter_shows(kitchen: Path) -> None:
    async with opened(kitchen, room="captions", size=(120, 36)) as (bench, pilot):
        room = await read(pilot, bench)
        await until(pilot, lambda: "    3 k1tch" in text_of(bench))
        await pilot.press("escape", "slash", *"linen")
        await until(pilot, lambda: "PHRASES in 2 shown" in text_of(bench))
        assert "    2 k1tch" in text_of(bench) and "a mug" not in text_of(bench).split("CHECKS")[0]
        assert "PICTURES 2 of 5" in text_of(bench)
        await pilot.press(*" wibble:1")
        await until(pilot, lambda: "wibble is no field." in text_of(bench))
        for _ in " wibble:1":
            await pilot.press("backspace")
        await pilot.press(*" nothing")
        await until(pilot, lambda: "No picture is left: esc shows all again." in text_of(bench))
        await pilot.press("escape")
        await until(pilot, lambda: "    3 k1tch" in text_of(bench) and "PHRASES in 5" in text_of(bench))
        assert len(room.rows.rows) == 5


async def test_phrases_are_sorted_by_count_by_name_and_the_rarest_first(kitchen: Path) -> None:
    async with opened(kitchen, room="captions", size=(120, 36)) as (bench, pilot):
        room = await read(pilot, bench)
        await until(pilot, lambda: "    3 k1tch" in text_of(bench))
        phrases = room.query_one("#phrases", LineList)
        phrases.focus()
        assert list(phrases.rows)[:2] == ["k1tch", "85mm"]
        await typed(pilot, "s")
        assert list(phrases.rows)[:2] == ["85mm", "a linen coat"] and "by name" in text_of(bench)
        await typed(pilot, "s")
        assert phrases.rows[-1] == "k1tch" and "rarest first" in text_of(bench)
        await typed(pilot, "s")
        assert phrases.rows[0] == "k1tch"


async def test_a_variant_of_a_regularization_picture_begins_without_the_trigger(kitchen: Path) -> None:
    (kitchen / "images").rename(kitchen / "reg")
    (kitchen / "reg" / "IMG_1.txt").write_text("a towel, on wood\n")
    (kitchen / "images").mkdir()
    Image.new("RGB", (64, 64), "grey").save(kitchen / "images" / "OWN.png")
    text = (kitchen / "project.toml").read_text()
    (kitchen / "project.toml").write_text(
        text.replace('images = "images"\n', 'images = "images"\nregularization = "reg"\n')
    )
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        room.rows.go_to("reg/IMG_1.png")
        await until(pilot, lambda: room.opened.file == "reg/IMG_1.txt")
        await pilot.press("escape", "V")
        await until(pilot, lambda: "variant 2 of 2" in text_of(bench))
        assert room.editor.value == "a towel, "


async def test_a_phrase_that_cannot_be_kept_is_said_so(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        (kitchen / "project.toml").write_text("format = 1\n[data\n")
        await typed(pilot, *", red", "ctrl+g", "a")
        await until(pilot, lambda: "project.toml" in text_of(bench))
        assert "red" not in (kitchen / "project.toml").read_text()
        assert room.editor.value == "k1tch, a linen towel, soft window light, red"


async def test_selecting_shows_at_once_what_is_shared_and_escape_lets_it_go(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await pilot.press("escape", "slash", *"linen", "enter")
        await until(pilot, lambda: room.rows.has_focus)
        await pilot.press("asterisk")
        await until(pilot, lambda: "2 selected" in text_of(bench))
        assert room.opened.several and room.editor.value == "k1tch"
        await pilot.press("escape")
        assert len(room.rows.rows) == 5 and room.opened.several
        await pilot.press("escape")
        await until(pilot, lambda: not room.opened.several)
        assert not room.rows.selected and room.editor.value == "k1tch, a linen towel, soft window light"


async def test_a_phrase_keeps_its_number_while_others_become_commoner(kitchen: Path) -> None:
    (kitchen / "images/IMG_4.txt").write_text("k1tch, a mug, on oak\n")
    (kitchen / "images/IMG_5.txt").write_text("k1tch, a pan, on oak\n")
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await until(pilot, lambda: ("3", "on oak") in room.numbered)
        await pilot.press(
            "end", *", on tin", "enter", "end", *", on tin", "enter", *"k1tch, on tin, x", "enter"
        )
        await until(pilot, lambda: room.captions.phrases.get("on tin") == 3)
        assert room.numbered == [
            ("1", "soft window light"), ("2", "85mm"), ("3", "on oak"), ("4", "on tin"),
        ]  # fmt: skip


async def test_what_is_typed_in_one_burst_after_tab_goes_into_the_new_words(kitchen: Path) -> None:
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await pilot.press("escape", "r")
        await until(pilot, lambda: isinstance(bench.screen, Replacing))
        screen = bench.screen
        assert isinstance(screen, Replacing)
        old = screen.query_one("#old-words")
        for key in (*"linen", "tab", *"wool"):
            # As in one burst: all of it reaches the field that has the focus now.
            old.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: (screen.typed.old, screen.typed.new) == ("linen", "wool"))
        assert room.captions


async def test_the_pictures_of_a_check_are_all_there_is_until_escape(kitchen: Path) -> None:
    async with opened(kitchen, room="captions", size=(120, 36)) as (bench, pilot):
        room = await read(pilot, bench)
        await until(pilot, lambda: "missing" in room.captions.checks)
        room.query_one("#checks", LineList).focus()
        await pilot.press("g", "enter")
        await until(pilot, lambda: "PICTURES 2 of 5" in text_of(bench))
        await pilot.press("escape")
        await until(pilot, lambda: "PICTURES 5 (2 open)" in text_of(bench))


async def test_what_was_typed_when_the_room_was_killed_is_back_and_before_the_eyes(kitchen: Path) -> None:
    book = Book(kitchen, resolve(open_project(kitchen)).data)
    book.load()
    book.type("images/IMG_4.txt", "k1tch, a mug, 85mm, half a wo")
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await until(pilot, lambda: room.opened.file == "images/IMG_4.txt")
        assert room.editor.value == "k1tch, a mug, 85mm, half a wo" and room.editor.has_focus
        assert "Brought back what was typed" in text_of(bench)
        assert caption(kitchen, "IMG_4") == b"k1tch, a mug, 85mm, half a wo\n"


async def test_a_drafting_job_is_seen_and_what_it_drafts_comes_into_the_room(
    kitchen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = JobDir(kitchen / "jobs" / "fill-1")
    standing: list[JobState] = ["live"]
    monkeypatch.setattr(worker, "state_of", lambda _: standing[0])
    job.path.mkdir(parents=True)
    job.spec.write_text("")
    pen = Writer(job, 1)
    pen.emit("started", from_step=0)
    pen.emit("progress", name="drafting captions", done=1, total=2)
    async with opened(kitchen, room="captions") as (bench, pilot):
        room = await read(pilot, bench)
        await until(pilot, lambda: "drafting 1/2" in text_of(bench))
        await typed(pilot, "escape", "F")
        await until(pilot, lambda: "nobody hears" in text_of(bench))
        drafts = Book(kitchen, resolve(open_project(kitchen)).data)
        drafts.load()
        drafts.apply("fill", "drafted by blip2", {"images/IMG_3.txt": "k1tch, a pan"}, drafted=True)
        pen.emit("done")
        pen.close()
        standing[0] = "done"
        await until(pilot, lambda: room.captions.rows["IMG_3.png"].text == "k1tch, a pan")
        await until(pilot, lambda: room.drafting is None)
        await typed(pilot, "slash", *"is:draft", "enter")
        await until(pilot, lambda: [str(each) for each in room.rows.rows] == ["IMG_3.png"])
        await typed(pilot, "y")
        await until(pilot, lambda: not room.captions.drafted)
