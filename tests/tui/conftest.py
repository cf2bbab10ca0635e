"""A project, a command line, and workers that only pretend."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from projects import worker
from projects.job import JobDir
from projects.locks import holder
from tui.cli import run

ROOT = Path(__file__).resolve().parents[2]
TRIGGER = "tr1al_cup"
PROJECT = f"""format = 1
name = "cups"
trigger = "{TRIGGER}"
class_word = "cup"
[base]
source = "demo"
[data]
images = "images"
[train]
steps = 20
"""


@dataclass(frozen=True)
class Said:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        (line,) = self.out.splitlines()
        found = json.loads(line)
        assert isinstance(found, dict)
        return found


Say = Callable[..., Said]


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What Safelight remembers, and how a person configured it, are each test's own."""
    monkeypatch.setenv("SAFELIGHT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def say(
    own_folders: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Say:
    """Runs one command line in this process, in a folder and with a state folder of its own."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.chdir(tmp_path)

    def said(*arguments: object) -> Said:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return said


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three captioned pictures for the demo's base."""
    folder = tmp_path / "cups"
    (folder / "images").mkdir(parents=True)
    (folder / "project.toml").write_text(PROJECT)
    for number in range(3):
        Image.new("RGB", (64, 64), (40 * number, 90, 120)).save(folder / "images" / f"{number}.png")
        (folder / "images" / f"{number}.txt").write_text(f"{TRIGGER} cup, on a table {number}")
    return folder


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Workers started from here pretend; gives their pids. What still runs at the end is ended."""
    started: list[subprocess.Popen[bytes]] = []
    pids: list[int] = []

    def start(
        job: JobDir, *, take_over: bool = False, verify: bool = False, processes: int | None = None
    ) -> int:
        options = [name for name, on in (("--take-over", take_over), ("--verify", verify)) if on]
        options += ["--processes", str(processes)] if processes is not None else []
        with job.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(Path(__file__).parent / "stand_in.py"), str(job.path), *options],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(process)
        pids.append(process.pid)
        while holder(job.lock) != process.pid and process.poll() is None:
            time.sleep(0.01)
        return process.pid

    monkeypatch.setattr(worker, "start", start)
    yield pids
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
