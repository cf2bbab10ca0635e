"""The screens that change many captions: by keyboard alone, with every hit shown before anything is written."""

import re
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot  # noqa: F401 (of the annotations)

from engine.dataset.captioning.book import Conflict
from engine.dataset.captioning.content import content_of
from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.preview import EditOf, Preview
from projects.spec import RunSpec
from tests.engine.dataset.captioning.kitchen import book, contents
from tests.tui.benches import opened, until
from tests.tui.caption_screens import entries, entry, scopes
from tests.tui.snapshots import matches, text_of
from tui.app import Options, Workbench
from tui.caption_changes import Changed, Scope
from tui.screens import previewing
from tui.screens.changing import Changing
from tui.screens.choosing import Choosing
from tui.screens.history import history_lines, show_history
from tui.screens.replacing import Replacing
from tui.widgets.line_edit import LineEdit

Keys = "Pilot[tuple[Path, ...]]"
SIZES = [(80, 24), (120, 36)]
SPEC = RunSpec(trigger="aur3lia_portrait")


async def shows(bench: Workbench, pilot: Keys, words: str) -> str:
    await until(pilot, lambda: words in text_of(bench))
    return text_of(bench)


@pytest.mark.parametrize("size", SIZES)
async def test_replace_by_keyboard_alone(size: tuple[int, int]) -> None:
    got: list[Changed | None] = []
    async with opened(None, size=size) as (bench, pilot):
        bench.push_screen(Replacing(scopes(entries())), got.append)
        await pilot.pause()
        await pilot.press(*"linen", "enter", *"cotton")
        await shows(bench, pilot, "6 captions change")
        await pilot.press("down")
        shown = await shows(bench, pilot, "a woman in a grey cotton dress")
        assert "a woman in a grey linen dress" in shown, "before and after stand there whole"
        assert not matches(bench, f"replacing-{size[0]}x{size[1]}")
        assert got == []
        await pilot.press("enter")
        await pilot.pause()
    (changed,) = got
    assert (
        changed is not None
        and changed.asked.kind == "replace"
        and changed.asked.words == "replace linen by cotton"
    )
    assert sorted(changed.texts) == [f"images/IMG_{number:04}.txt" for number in (0, 1, 3, 6, 7, 9)]
    assert changed.texts["images/IMG_0003.txt"].startswith("a woman in a cotton shirt")
    base = changed.bases["images/IMG_0003.txt"]
    assert base is not None and base.text.startswith("a woman in a linen shirt")


async def test_what_it_gives_is_written_as_one_step(project: Path) -> None:
    before = contents(project)
    opened_book = book(project)
    scope = Scope(words="all", entries=list(opened_book.entries.values()))
    got: list[Changed | None] = []
    async with opened(None) as (bench, pilot):
        bench.push_screen(Replacing([scope]), got.append)
        await pilot.pause()
        await pilot.press(*"table", "enter", *"shelf", "enter")
        await until(pilot, lambda: got)
    (changed,) = got
    assert changed
    opened_book.apply(changed.asked.kind, changed.asked.words, changed.texts, bases=changed.bases)
    assert all(data.decode()[:-2].endswith("on a shelf") for data in contents(project).values())
    opened_book.undo()
    assert contents(project) == before


async def test_escape_leaves_from_everywhere_with_nothing() -> None:
    got: list[Changed | None] = []
    for keys in ((), ("enter",), ("tab", "tab")):
        async with opened(None, size=(80, 24)) as (bench, pilot):
            bench.push_screen(Replacing(scopes(entries())), got.append)
            await pilot.pause()
            await pilot.press(*"linen", *keys)
            await shows(bench, pilot, "6 captions change")
            await pilot.press("escape")
            await pilot.pause()
            assert not isinstance(bench.screen, Replacing)
    assert got == [None, None, None]


async def test_a_mistake_in_a_pattern_stands_below_it_with_its_column_and_enter_writes_nothing() -> None:
    got: list[Changed | None] = []
    async with opened(None, size=(80, 24)) as (bench, pilot):
        bench.push_screen(Replacing(scopes(entries())), got.append)
        await pilot.pause()
        await pilot.press(*"lin(en", "ctrl+r")
        shown = await shows(bench, pilot, "column")
        assert re.search(r"! The pattern is none at column \d", shown) and "captions change" not in shown
        await pilot.press("enter", "enter")
        await pilot.pause(0.2)
        assert got == [] and isinstance(bench.screen, Replacing)
        await pilot.press("shift+tab", ")")
        shown = await shows(bench, pilot, "6 captions change")
        assert "column" not in shown


async def test_a_pattern_that_never_ends_is_said_and_typing_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [entry(number, b"a" * 300 + b"!") for number in range(50)]
    async with opened(None, size=(80, 24)) as (bench, pilot):
        bench.push_screen(Replacing(scopes(found)))
        await pilot.pause()
        await pilot.press("ctrl+r", *"(a|aa)+$")
        await shows(bench, pilot, "does not come to its end")
        await pilot.press(*(["backspace"] * 8), "!")
        await shows(bench, pilot, "50 captions change")


async def test_only_the_newest_is_shown_and_what_is_out_of_date_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, hold, asked = previewing.preview, threading.Event(), list[str]()
    ended: dict[str, bool] = {}

    def slow(edit_of: EditOf, found: Sequence[Entry], **options: Any) -> Preview | None:
        edit = edit_of(found[0])
        assert edit is not None
        asked.append(edit.words)
        if edit.words != "remove linen":
            hold.wait(5)
        seen = real(edit_of, found, **options)
        ended[edit.words] = seen is not None
        return seen

    monkeypatch.setattr(previewing, "preview", slow)
    async with opened(None, size=(80, 24)) as (bench, pilot):
        bench.push_screen(Replacing(scopes(entries())))
        await pilot.pause()
        old = bench.screen.query_one("#old-words", LineEdit)
        old.value = "a"
        await until(pilot, lambda: asked == ["remove a"])
        for typed in ("l", "li", "lin", "line", "linen"):
            old.value = typed
        await shows(bench, pilot, "6 captions change")
        assert asked == ["remove a", "remove linen"], "nothing is looked for between two keys"
        hold.set()
        await until(pilot, lambda: len(ended) == 2)
        assert ended == {"remove linen": True, "remove a": False}, (
            "what nobody asks for is not made to its end"
        )
        assert "6 captions change" in text_of(bench)


async def test_scope_phrase_word_and_case_are_keys_that_work_while_typing() -> None:
    async with opened(None, size=(80, 24)) as (bench, pilot):
        bench.push_screen(Replacing(scopes(entries())))
        await pilot.pause()
        await pilot.press(*"Gray Wall", "enter", "x")
        await shows(bench, pilot, "nothing changes in 12 captions")
        await pilot.press("ctrl+y")
        await shows(bench, pilot, "4 captions change")
        await pilot.press("ctrl+o")
        assert "[whole phrase]" in await shows(bench, pilot, "4 captions change")
        await pilot.press("ctrl+s")
        assert "[filter 4]" in await shows(bench, pilot, "2 captions change")
        await pilot.press("ctrl+s")
        assert "[selected 2]" in await shows(bench, pilot, "nothing changes in 2 captions")
        await pilot.press("ctrl+s", "ctrl+n", "shift+tab", "ctrl+u", *"wal")
        assert "[whole word]" in await shows(bench, pilot, "nothing changes in 12")


async def test_captions_that_cannot_be_changed_are_counted_and_left_out() -> None:
    got: list[Changed | None] = []
    found = [*entries(3), entry(9, "linen, café".encode("latin-1")), entry(10, None)]
    async with opened(None, size=(80, 24)) as (bench, pilot):
        bench.push_screen(Replacing(scopes(found)), got.append)
        await pilot.pause()
        await pilot.press(*"linen", "enter", "x")
        assert "1 cannot be changed: not UTF-8" in await shows(bench, pilot, "2 captions change")
        await pilot.press("enter")
        await pilot.pause()
    assert got[0] and len(got[0].texts) == 2


async def test_captions_cannot_command_the_terminal() -> None:
    hostile = b"[bold]linen[/] \x1b[2J \xe2\x80\xae abc \x00 \n=== x\r\n" + "é👩‍👩‍👧 word".encode() * 3
    async with opened(None, size=(80, 24)) as (bench, pilot):
        bench.push_screen(Replacing(scopes([entry(9, hostile), *entries(3)])))
        await pilot.pause()
        await pilot.press(*"linen", "enter", "x")
        shown = await shows(bench, pilot, "3 captions change")
        assert "\x1b" not in shown and "\u202e" not in shown and "[bold]" in shown and "\\x1b[2J" in shown


async def test_ten_thousand_captions_are_shown_a_moment_after_the_last_key() -> None:
    async with opened(None, size=(80, 24)) as (bench, pilot):
        bench.push_screen(Replacing(scopes(entries(10_000))))
        await pilot.pause()
        await pilot.press(*"line")
        began = time.monotonic()
        await pilot.press("n")
        await shows(bench, pilot, "5,001 captions change")
        assert time.monotonic() - began < 2.0, "it is 0.2 s on an idle machine"
        await pilot.press("tab", "tab", "G")
        await shows(bench, pilot, "IMG_9999")


@pytest.mark.parametrize("size", SIZES)
async def test_other_changes_by_keyboard_alone(size: tuple[int, int]) -> None:
    got: list[Changed | None] = []
    async with opened(None, size=size) as (bench, pilot):
        bench.push_screen(Changing(scopes(entries()), SPEC), got.append)
        await shows(bench, pilot, "4 captions change")
        assert not matches(bench, f"changing-{size[0]}x{size[1]}")
        await pilot.press("j", "enter", *"film grain")
        shown = await shows(bench, pilot, "12 captions change")
        assert "film grain, aur3lia" in shown
        await pilot.press("enter")
        await pilot.pause()
    assert got[0] and got[0].asked.kind == "prefix" and len(got[0].texts) == 12


@pytest.mark.parametrize(
    ("keys", "shown", "kind", "after"),
    [
        (["j", "j", "enter", *"film"], "12 captions change", "suffix", "street lamps behind her, night, film"),
        (["j", "j", "j", "enter", *"night"], "2 captions change", "remove", "street lamps behind her"),
        ([*"jjjj", "enter", *"night", "ctrl+n"], "2 captions change", "move", "portrait, night, in the rain"),
        ([*"jjjjj", "ctrl+n"], "8 captions change", "sort", "grey wall, in the rain with an umbrella"),
        ([*"jjjjjj"], "2 captions change", "dedupe", "outdoors, film grain"),
        ([*"jjjjjjj", "enter"], "2 captions change", "twins", "red silk, gray wall, street"),
    ],
)  # fmt: skip
async def test_every_change_and_its_choice(keys: list[str], shown: str, kind: str, after: str) -> None:
    got: list[Changed | None] = []
    async with opened(None, size=(80, 24)) as (bench, pilot):
        bench.push_screen(Changing(scopes(entries()), SPEC), got.append)
        await shows(bench, pilot, "4 captions change")
        await pilot.press(*keys)
        if kind == "twins":
            await shows(bench, pilot, "grey wall (spelling)")
        await shows(bench, pilot, shown)
        await pilot.press("enter")
        await until(pilot, lambda: got)
    assert got[0] and got[0].asked.kind == kind
    assert any(after in text for text in got[0].texts.values()), got[0].texts


async def test_nothing_is_the_same_twice_where_no_twin_is() -> None:
    async with opened(None, size=(80, 24)) as (bench, pilot):
        bench.push_screen(Changing(scopes(entries(2)), SPEC, change="twins"))
        await shows(bench, pilot, "No phrase stands here in two spellings")
        await pilot.press("ctrl+n", "enter", "enter")
        assert isinstance(bench.screen, Changing)


CONFLICT = Conflict(
    file="images/IMG_0003.txt", origin=content_of(b"a woman in a linen jacket, on a bench\n"),
    mine="a woman in a cotton jacket, on a bench", theirs=content_of(b"a woman in a red silk jacket, on a bench\n"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("m", "a woman in a cotton jacket, on a bench"),
        ("t", "a woman in a red silk jacket, on a bench"),
        ("b", "a woman in a cotton jacket, on a bench\na woman in a red silk jacket, on a bench"),
        ("escape", None),
    ],
)
async def test_two_edits_that_touch_are_chosen_from(key: str, text: str | None) -> None:
    got: list[str | None] = []
    async with opened(None, size=(80, 24)) as (bench, pilot):
        bench.push_screen(Choosing(CONFLICT), got.append)
        shown = await shows(bench, pilot, "THEIRS")
        assert "cotton" in shown and "red silk" in shown and "linen" in shown
        await pilot.press(key)
        await pilot.pause()
    assert got == [text]


@pytest.mark.parametrize("size", SIZES)
async def test_two_edits_as_they_look(size: tuple[int, int]) -> None:
    async with opened(None, size=size) as (bench, pilot):
        bench.push_screen(Choosing(CONFLICT))
        await shows(bench, pilot, "BOTH")
        assert not matches(bench, f"choosing-{size[0]}x{size[1]}")


async def test_what_differs_is_marked_without_a_colour() -> None:
    for options in (Options(theme="mono"), Options(theme="ansi"), Options()):
        async with opened(None, size=(80, 24), options=options) as (bench, pilot):
            bench.push_screen(Choosing(CONFLICT))
            await shows(bench, pilot, "BOTH")
            strips = bench.screen._compositor.render_strips(bench.size)
            marked = {
                each.text.strip() for line in strips for each in line if each.style and each.style.underline
            }
            assert {"cotton", "red silk"} <= marked and "jacket" not in " ".join(marked)


async def test_history_tells_all_steps_and_those_of_one_caption(project: Path) -> None:
    opened_book = book(project)
    opened_book.apply("prefix", "put film first", {"images/0.txt": "film, a", "images/1.txt": "film, b"})
    opened_book.apply("edit", "edited 1.txt", {"images/1.txt": "film, c"})
    opened_book.undo()
    words = ["".join(text for text, _ in line) for line in history_lines(opened_book.journal)]
    assert [line[18:] for line in words] == [
        "took back: edited 1.txt", "edited 1.txt   taken back", "put film first   2 captions",
    ]  # fmt: skip
    of_one = [
        "".join(text for text, _ in line) for line in history_lines(opened_book.journal, "images/0.txt")
    ]
    assert len(of_one) == 3 and of_one[2].split() == ["after", "film,", "a"]
    async with opened(None, size=(80, 24)) as (bench, pilot):
        show_history(bench, opened_book.journal, "images/1.txt")
        shown = await shows(bench, pilot, "film, c")
        assert "Steps of images/1.txt" in shown and "film, b" in shown
