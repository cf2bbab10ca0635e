"""Prompts out of their parts: written, changed, taken from captions, taken back; no negative prompt is lost unseen."""

import tomllib
from pathlib import Path

import pytest

from tests.tui.benches import Bench, opened, typed, until
from tests.tui.recorded import write_project, write_run
from tests.tui.snapshots import matches, text_of
from tui.screens.modal import Reading
from tui.screens.project import ProjectRoom
from tui.screens.prompting import Prompting
from tui.screens.review import ReviewRoom

FIRST, SECOND = "aur3lia_portrait, reading in a café", "aur3lia_portrait, soft window light"
OF_PRESET = "blurry, low quality, deformed, watermark"


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    """A project with two prompts and no negative prompt of its own, and a run."""
    project = write_project(tmp_path / "aurelia")
    write_run(project, "2026-11-17-0900-r16", to_step=500, last_word="done")
    return project


def sample_of(project: Path) -> dict[str, object]:
    """[sample] as the file says it."""
    found = tomllib.loads((project / "project.toml").read_text()).get("sample", {})
    assert isinstance(found, dict)
    return found


def words_of(bench: Bench) -> str:
    """The screen as one line: where a sentence is broken depends on the width."""
    return " ".join(text_of(bench).split())


async def to_the_prompts(bench: Bench, pilot) -> Prompting:  # type: ignore[no-untyped-def]
    """Press p in the review room, and wait for project.toml."""
    await until(pilot, lambda: isinstance(bench.screen, ReviewRoom))
    await pilot.press("p")
    screen = bench.screen
    assert isinstance(screen, Prompting)
    await until(pilot, lambda: screen._read)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_parts_of_each_prompt_and_where_the_rest_comes_from(
    aurelia: Path, size: tuple[int, int]
) -> None:
    async with opened(aurelia, room="review", size=size) as (bench, pilot):
        await to_the_prompts(bench, pilot)
        words = words_of(bench)
        assert "trigger aur3lia_portrait subject reading clothing place in a café" in words
        assert f"NEGATIVE from the preset demo {OF_PRESET}" in words
        assert "guidance 3, 25 steps, dpm++ 2m karras from the preset demo" in words
        assert "A run keeps the prompts that it was trained with" in words
        await pilot.press("down")
        assert "place light soft window light camera" in words_of(bench)
        await pilot.press("question_mark")
        assert isinstance(bench.screen, Reading) and "write a new prompt out of its parts" in text_of(bench)
        await pilot.press("escape", "escape")
        assert isinstance(bench.screen, ReviewRoom)


async def test_a_part_is_changed_and_the_others_and_the_comments_stay(aurelia: Path) -> None:
    before = (aurelia / "project.toml").read_bytes()
    async with opened(aurelia, room="review", size=(80, 24)) as (bench, pilot):
        screen = await to_the_prompts(bench, pilot)
        await pilot.press("enter", *"red coat")
        changed = "aur3lia_portrait, reading, red coat, in a café"
        assert changed in text_of(bench) and sample_of(aurelia)["prompts"] == [FIRST, SECOND]
        await pilot.press("enter")
        await until(pilot, lambda: screen._read and screen._read.prompts == (changed, SECOND))
        assert sample_of(aurelia)["prompts"] == [changed, SECOND]
        assert "# tried 1e-4 first" in (aurelia / "project.toml").read_text()
        assert "prompt 1 changed: u takes it back." in text_of(bench)
        await pilot.press("u")
        await until(pilot, lambda: screen._read and screen._read.prompts == (FIRST, SECOND))
        assert (aurelia / "project.toml").read_bytes() == before
        await pilot.press("ctrl+r")
        await until(pilot, lambda: sample_of(aurelia)["prompts"] == [changed, SECOND])


async def test_escape_leaves_a_prompt_as_it_was(aurelia: Path) -> None:
    before = (aurelia / "project.toml").read_bytes()
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_prompts(bench, pilot)
        await pilot.press("e", *"red coat", "escape")
        assert "red coat" not in text_of(bench) and isinstance(bench.screen, Prompting)
        await pilot.press("e", "enter")
        assert screen._mode == "browse" and (aurelia / "project.toml").read_bytes() == before


async def test_a_new_prompt_begins_with_the_trigger_and_letters_typed_ahead_go_into_its_parts(
    aurelia: Path,
) -> None:
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_prompts(bench, pilot)
        await typed(pilot, "n", *"duck")
        await until(pilot, lambda: "aur3lia_portrait, duck" in text_of(bench))
        await pilot.press(
            "down", "down", *"on a lawn", "pageup", *"hat", "tab", "tab", *"dusk", "tab", *"85mm"
        )
        await pilot.press("enter")
        wanted = "aur3lia_portrait, duck, hat, on a lawn, dusk, 85mm"
        await until(pilot, lambda: screen._read and screen._read.prompts == (FIRST, SECOND, wanted))
        assert screen._list.at == 2 and "prompt 3 added" in text_of(bench)


async def test_a_prompt_needs_a_word(aurelia: Path) -> None:
    text = (aurelia / "project.toml").read_text()
    (aurelia / "project.toml").write_text(text.replace('trigger = "aur3lia_portrait"\n', ""))
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_prompts(bench, pilot)
        await pilot.press("n", "enter")
        assert "A prompt needs a word." in text_of(bench)
        await pilot.press("escape")
        assert screen._mode == "browse" and sample_of(aurelia)["prompts"] == [FIRST, SECOND]


async def test_a_prompt_is_taken_from_a_caption(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=(80, 24)) as (bench, pilot):
        screen = await to_the_prompts(bench, pilot)
        await pilot.press("c")
        await until(pilot, lambda: screen._mode == "captions")
        assert "a woman, on bench" not in text_of(bench), "captions of regularization pictures call nothing"
        await pilot.press("c", "down")
        words = words_of(bench)
        assert "images/IMG_0002.txt" in words and "subject woman clothing place on bench 2" in words
        await pilot.press("escape")
        assert "2 in project.toml" in text_of(bench)
        await pilot.press("c")
        await until(pilot, lambda: screen._mode == "captions")
        await pilot.press("enter", *"red coat", "enter")
        wanted = "aur3lia_portrait woman, red coat, on bench 0"
        await until(pilot, lambda: sample_of(aurelia)["prompts"] == [FIRST, SECOND, wanted])
        assert (aurelia / "images/IMG_0000.txt").read_text() == "aur3lia_portrait woman, on bench 0"


async def test_prompts_are_taken_out_and_none_left_says_what_is_drawn_then(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=(80, 24)) as (bench, pilot):
        screen = await to_the_prompts(bench, pilot)
        await pilot.press("d")
        await until(pilot, lambda: screen._read and screen._read.prompts == (SECOND,))
        await pilot.press("d")
        await until(pilot, lambda: screen._read and screen._read.prompts_said is None)
        words = words_of(bench)
        assert (
            "draw the captions of the first three pictures. n writes one out of its parts, c takes" in words
        )
        assert "prompts" not in sample_of(aurelia)
        await pilot.press("d")
        assert "There is no prompt to take out." in text_of(bench)
        await pilot.press("u")
        await until(pilot, lambda: screen._read and screen._read.prompts == (SECOND,))
        await pilot.press("u")
        await until(pilot, lambda: screen._read and screen._read.prompts == (FIRST, SECOND))


async def test_a_negative_prompt_is_never_empty_without_a_mark(aurelia: Path) -> None:
    async with opened(aurelia, room="review", size=(80, 24)) as (bench, pilot):
        screen = await to_the_prompts(bench, pilot)
        await pilot.press("N", *", hat", "enter")
        await until(pilot, lambda: sample_of(aurelia).get("negative") == f"{OF_PRESET}, hat")
        await until(pilot, lambda: "yours; del gives the preset's" in words_of(bench))
        await pilot.press("N", "ctrl+u", "enter")
        await until(pilot, lambda: sample_of(aurelia).get("negative") == "")
        await until(
            pilot, lambda: "~ empty, though the preset demo has one: del gives it back" in words_of(bench)
        )
        await pilot.press("delete")
        await until(pilot, lambda: "negative" not in sample_of(aurelia))
        await until(pilot, lambda: f"from the preset demo {OF_PRESET}" in words_of(bench))
        await pilot.press("u")
        await until(pilot, lambda: screen._read and screen._read.emptied)
        await pilot.press("N", "escape")
        assert sample_of(aurelia)["negative"] == ""


async def test_what_somebody_else_wrote_meanwhile_is_not_written_over(aurelia: Path) -> None:
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_prompts(bench, pilot)
        await pilot.press("e", *"red coat")
        file = aurelia / "project.toml"
        theirs = file.read_text().replace(SECOND, "aur3lia_portrait, theirs")
        file.write_text(theirs)
        await pilot.press("enter")
        await until(pilot, lambda: "theirs" in str(screen._read and screen._read.prompts))
        if screen._mode == "editing":
            assert file.read_text() == theirs and "red coat" in text_of(bench)
            await pilot.press("enter")
        changed = "aur3lia_portrait, reading, red coat, in a café"
        await until(pilot, lambda: sample_of(aurelia)["prompts"] == [changed, "aur3lia_portrait, theirs"])


async def test_their_negative_prompt_is_written_over_only_when_that_was_said(aurelia: Path) -> None:
    async with opened(aurelia, room="review") as (bench, pilot):
        screen = await to_the_prompts(bench, pilot)
        await pilot.press("N", *", hat")
        file = aurelia / "project.toml"
        file.write_text(file.read_text() + 'negative = "theirs"\n')
        await until(pilot, lambda: screen._read and screen._read.negative_said == "theirs")
        await pilot.press("enter")
        await until(pilot, lambda: "changed outside: nothing was written over it" in words_of(bench))
        assert sample_of(aurelia)["negative"] == "theirs" and screen._mode == "negative"
        await until(pilot, lambda: screen._negative_seen == "theirs")
        await pilot.press("enter")
        await until(pilot, lambda: sample_of(aurelia)["negative"] == f"{OF_PRESET}, hat")


async def test_a_prompt_without_the_trigger_says_so_and_refused_wording_is_named(aurelia: Path) -> None:
    text = (aurelia / "project.toml").read_text()
    (aurelia / "project.toml").write_text(text.replace(FIRST, "a nude child, in a café"))
    async with opened(aurelia, room="review", size=(80, 24)) as (bench, pilot):
        await to_the_prompts(bench, pilot)
        words = words_of(bench)
        assert "It does not say aur3lia_portrait" in words
        assert "The wording joins a minor" in words


async def test_a_project_that_cannot_be_read_says_why_and_comes_back_when_it_is_mended(aurelia: Path) -> None:
    file = aurelia / "project.toml"
    text = file.read_text()
    async with opened(aurelia, room="review") as (bench, pilot):
        await until(pilot, lambda: isinstance(bench.screen, ReviewRoom))
        file.write_text(text.replace("prompts = [", "prompts = 3 # ["))
        await pilot.press("p")
        screen = bench.screen
        assert isinstance(screen, Prompting)
        await until(pilot, lambda: "Prompts are a list of texts." in words_of(bench))
        await pilot.press("n")
        assert screen._mode == "browse"
        file.write_text(text)
        await until(pilot, lambda: FIRST in text_of(bench))


async def test_the_project_room_opens_them_at_its_field(aurelia: Path) -> None:
    async with opened(aurelia) as (bench, pilot):
        room = bench.screen
        assert isinstance(room, ProjectRoom)
        await until(pilot, lambda: room._project and room.checked.preset)
        room._pane.rows.go_to("sample.prompts")
        await pilot.press("enter")
        screen = bench.screen
        assert isinstance(screen, Prompting)
        await until(pilot, lambda: screen._read)
        await pilot.press("d")
        await until(pilot, lambda: sample_of(aurelia)["prompts"] == [SECOND])
        await pilot.press("escape")
        await until(pilot, lambda: room._form.rows["sample.prompts"].value == f'["{SECOND}"]')


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_how_it_looks(aurelia: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    preset = {"sample": {"negative": "cartoon, painting, watermark", "guidance": 7.0, "steps": 30}}
    # What the demo's preset says today may not change these pictures.
    monkeypatch.setattr("tui.prompts.preset", lambda _name: preset)
    async with opened(aurelia, room="review", size=size) as (bench, pilot):
        await to_the_prompts(bench, pilot)
        await until(pilot, lambda: "CLIP 19/75" in text_of(bench))
        assert not matches(bench, f"prompts-{size[0]}x{size[1]}")
        await pilot.press("e", *"red coat")
        await until(pilot, lambda: "CLIP 24/75" in text_of(bench))
        assert not matches(bench, f"prompts-editing-{size[0]}x{size[1]}")
