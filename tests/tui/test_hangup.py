"""A terminal that goes away, on a real pseudo-terminal: what was typed is kept and no process is left spinning."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.tui.recorded import write_project, write_run

ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """The workbench on a pseudo-terminal."""

    def __init__(self, project: Path, state: Path, *, ignore_hangup: bool = False) -> None:
        self.near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

        def begin() -> None:
            os.login_tty(far)
            if ignore_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)

        env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TMUX")}
        env |= {"SAFELIGHT_STATE": str(state), "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tui.cli", "open", str(project)]
        self.process = subprocess.Popen(command, preexec_fn=begin, env=env, cwd=ROOT)
        os.close(far)
        self.seen = b""

    def until(self, words: str, seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while words.encode() not in self.seen:
            assert time.monotonic() < end, f"{words} never came: {self.seen[-500:]!r}"
            if select.select([self.near], [], [], 0.1)[0]:
                self.seen += os.read(self.near, 65536)

    def keys(self, keys: str) -> None:
        os.write(self.near, keys.encode())

    def hang_up(self) -> None:
        os.close(self.near)


@pytest.fixture
def aurelia(tmp_path: Path) -> Path:
    project = write_project(tmp_path / "aurelia")
    write_run(project, "2026-11-17-0900-r16", to_step=300, last_word="stopped")
    return project


@pytest.mark.parametrize("ignore_hangup", [False, True], ids=["told", "not-told"])
def test_a_hang_up_keeps_what_was_typed_beside_the_project_and_ends_the_process(
    aurelia: Path, tmp_path: Path, ignore_hangup: bool
) -> None:
    terminal = Terminal(aurelia, tmp_path / "state", ignore_hangup=ignore_hangup)
    try:
        terminal.until("aur3lia_portrait")
        terminal.until("train as")
        terminal.keys("j\r")
        time.sleep(0.3)
        terminal.keys("ly")
        terminal.until("womanly")
        terminal.hang_up()
        terminal.process.wait(15)
    finally:
        terminal.process.kill()
        terminal.process.wait()
    assert 'class_word = "woman"' in (aurelia / "project.toml").read_text()
    told = json.loads((tmp_path / "state" / "unsaved.json").read_text())
    assert told["projects"] == {str(aurelia): {"class_word": "womanly"}}


def test_a_polite_kill_leaves_the_terminal_as_it_was(aurelia: Path, tmp_path: Path) -> None:
    terminal = Terminal(aurelia, tmp_path / "state")
    try:
        terminal.until("train as")
        terminal.process.terminate()
        terminal.until("\x1b[?1049l")
        terminal.process.wait(10)
    finally:
        terminal.process.kill()
        terminal.process.wait()
        terminal.hang_up()


def test_without_a_terminal_it_says_so(aurelia: Path) -> None:
    command = [sys.executable, "-m", "tui.cli", "open", str(aurelia)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 2 and "needs a terminal" in done.stderr
