"""What `make` says and installs on machines that are not this one. The real installation is that of a clean clone."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """setup_env with a .venv of its own and a pip that does nothing."""
    found = importlib.util.spec_from_file_location("setup_env", ROOT / "setup_env.py")
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    for name, path in (("VENV", ""), ("LOG", "install.log"), ("STAMP", "installed")):
        monkeypatch.setattr(module, name, tmp_path / path)
    monkeypatch.setattr(module, "run_logged", lambda command: 0)
    return module


def python_that_says(folder: Path, words: str) -> str:
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{words}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ("echo 2.9.1+cu128", "2.9.1+cu128"),
        ("echo 2.8.0", "2.8.0"),
        ("echo 2.7.1", ""),
        ("echo 1.13", ""),
        ("echo no torch here >&2; exit 1", ""),
    ],
)
def test_only_a_torch_that_imports_and_is_new_enough_is_used(
    setup: ModuleType, tmp_path: Path, words: str, version: str
) -> None:
    assert setup.installed_torch(python_that_says(tmp_path, words)) == version


@pytest.mark.parametrize("torch", ["", "2.9.1+cu128"])
def test_torch_is_left_out_of_the_constraints_when_it_is_found(
    setup: ModuleType, tmp_path: Path, torch: str
) -> None:
    assert setup.install(torch) == 0
    used = (tmp_path / "constraints.txt").read_text().splitlines()
    assert any(line.startswith("torch==") for line in used) == (not torch)
    assert any(line.startswith("diffusers==") for line in used)
    assert (tmp_path / "installed").exists()


def test_a_failed_installation_shows_why_and_leaves_no_stamp(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "run_logged", lambda command: 1)
    (tmp_path / "install.log").write_text("Collecting x\nERROR: no route to host\n")
    assert setup.install("") == 1
    assert "no route to host" in capsys.readouterr().out
    assert not (tmp_path / "installed").exists()


def test_an_old_python_gets_a_sentence_and_hands_over_to_a_newer_one_where_there_is_one(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(setup, "runs", lambda python, code: False)
    assert setup.main() == 1
    assert "needs Python 3.11 or newer" in capsys.readouterr().out
    handed: list[list[str]] = []
    monkeypatch.setattr(setup, "runs", lambda python, code: python == "python3.12")
    monkeypatch.setattr(setup.subprocess, "call", lambda command: handed.append(command) or 0)
    assert setup.main() == 0
    assert handed == [["python3.12", str(ROOT / "setup_env.py")]]


def test_a_python_without_venv_names_the_package_that_is_missing(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "runs", lambda python, code: False)
    assert setup.main() == 1
    assert f"python{sys.version_info.major}.{sys.version_info.minor}-venv" in capsys.readouterr().out
