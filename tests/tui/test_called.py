"""Commands that are printed can be typed as they stand."""

import sys
from pathlib import Path

import pytest

from tests.tui.conftest import Say
from tui import called
from tui.called import as_called, command_here

WORDS = (
    "Safelight made safelight-demo. Follow it: safelight follow safelight-demo/runs/x   See safelight --help."
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed command in .venv/bin, called from the folder above it, with no other on PATH."""
    file = tmp_path / ".venv" / "bin" / "safelight"
    file.parent.mkdir(parents=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(sys, "argv", [".venv/bin/safelight", "demo"])
    called.command_here.cache_clear()
    return file


def test_what_is_not_on_path_is_printed_as_it_was_called(program: Path) -> None:
    assert as_called(WORDS) == (
        "Safelight made safelight-demo. Follow it: .venv/bin/safelight follow safelight-demo/runs/x   "
        "See .venv/bin/safelight --help."
    )
    assert as_called("safelight alone opens the workbench") == "safelight alone opens the workbench"


def test_what_is_on_path_keeps_its_name_unless_it_is_another_one(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    assert as_called(WORDS) == WORDS
    other = tmp_path / "other"
    other.mkdir()
    (other / "safelight").write_text("")
    (other / "safelight").chmod(0o755)
    monkeypatch.setenv("PATH", str(other))
    called.command_here.cache_clear()
    assert ".venv/bin/safelight follow" in as_called(WORDS)


def test_from_elsewhere_and_from_its_own_folder_it_can_be_typed_too(program: Path, tmp_path: Path) -> None:
    assert command_here(str(program), tmp_path / "elsewhere") == str(program)
    assert command_here(str(program), program.parent) == "./safelight"


def test_the_words_of_a_verb_and_of_a_refusal_are_printed_so(program: Path, project: Path, say: Say) -> None:
    assert "Start one: .venv/bin/safelight train" in say("runs", project).out
    assert ".venv/bin/safelight new" in say("runs", "nowhere").err
