"""A terminal that shows ASCII alone gets nothing else: on every screen, in every dialog, and line by line."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.tui.benches import Bench, opened, until
from tests.tui.recorded import write_project, write_review, write_run
from tests.tui.snapshots import text_of
from tui import remembered
from tui.app import Options
from tui.plain import plain, shows_marks
from tui.screens.project import ProjectRoom
from tui.screens.train import TrainRoom

ASCII = Options(ascii=True)


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    """A project whose texts are beyond ASCII, with runs and a review."""
    project = write_project(tmp_path / "aurélia")
    text = (
        (project / "project.toml").read_text().replace('"woman"', '"写真"').replace('"aurelia"', '"aurélia"')
    )
    (project / "project.toml").write_text(text)
    write_review(write_run(project, "2026-11-17-0900-r16", to_step=600, last_word="done"), project)
    write_run(project, "2026-11-17-1400-r64", to_step=310, last_word="failed")
    remembered.opened(project, 0.0)
    return project


def seen(bench: Bench) -> str:
    """The screen; it must be ASCII."""
    words = text_of(bench)
    beyond = sorted({each for each in words if not each.isascii()})
    assert not beyond, f"{beyond} on\n{words}"
    return words


# Room, keys, and a word by which the screen is known to be there.
SCREENS: list[tuple[str, tuple[str, ...], str]] = [
    ("", (), "aurelia"),
    ("", ("question_mark",), "Keys"),
    ("", ("question_mark", "w"), "Words"),
    ("", ("ctrl+p",), "go to train"),
    ("", ("p",), "preset"),
    ("", ("a",), "1 Project"),
    ("", ("slash",), "filter"),
    ("", ("j", "enter"), "??"),
    ("", ("0",), "PROJECTS"),
    ("", ("0", "n"), "NEW PROJECT"),
    ("", ("0", "ctrl+p"), "go home"),
    ("train", (), "310"),
    ("train", ("left_square_bracket",), "310"),
    ("train", ("L",), "OUT.LOG"),
    ("train", ("ctrl+p",), "logarithmic"),
    ("review", (), "prompt"),
]


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 36)])
@pytest.mark.parametrize(("room", "keys", "word"), SCREENS)
async def test_every_screen_and_dialog_is_ascii(
    aurelia: Path, size: tuple[int, int], room: str, keys: tuple[str, ...], word: str
) -> None:
    async with opened(aurelia, room=room, size=size, options=ASCII) as (bench, pilot):
        await until(pilot, ready(bench))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: word in seen(bench) or size[1] < 24)
        seen(bench)


def ready(bench: Bench) -> Callable[[], object]:
    room = bench.screen
    if isinstance(room, ProjectRoom):
        return lambda: room.checked.plan
    if isinstance(room, TrainRoom):
        return lambda: room.view and room.view.attached
    return lambda: bench.rows


@pytest.mark.parametrize("text", ["naïve · ▶ ✓", "写真 IMG", "⠑⢄⡀ ━─│", "Ω≈ç", "╭─╮"])
def test_plain_text_is_ascii_and_takes_the_same_cells(text: str) -> None:
    assert plain(text).isascii() and len(plain(text)) == cell_len(text)


def test_accents_go_and_what_has_no_letter_in_ascii_is_a_question_mark() -> None:
    assert plain("café 写") == "cafe ??"


@pytest.fixture
def posix() -> Iterator[dict[str, str]]:
    """The environment of a terminal that is said to show ASCII alone."""
    left = {name: value for name, value in os.environ.items() if name != "PYTHONIOENCODING"}
    yield {**left, "PYTHONUTF8": "0", "LC_ALL": "POSIX", "PYTHONPATH": str(Path(__file__).parents[2])}


def test_what_a_verb_says_is_ascii_where_the_encoding_is_and_doctor_says_so(
    posix: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", "doctor", str(tmp_path)],
        env={**posix, "SAFELIGHT_STATE": str(tmp_path)}, capture_output=True, check=False,
    )  # fmt: skip
    said = done.stdout.decode("ascii")
    assert "\\u" not in said and "+ python" in said
    assert "~ encoding" in said and "LC_ALL=C.UTF-8" in said and "--ascii" in said


def test_the_encodings_that_can_show_the_marks_are_known() -> None:
    assert shows_marks("utf-8") and shows_marks("gb18030")
    assert not any(map(shows_marks, ("ascii", "iso8859-15", None, "no-such")))
