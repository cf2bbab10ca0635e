"""What `safelight doctor` says about machines that are not this one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tui import doctor
from tui.mounts import mount_of

MOUNTS = r"""
21 1 0:20 / / rw,relatime - overlay overlay rw,lowerdir=/a
22 21 0:21 / /dev/shm rw - tmpfs tmpfs rw
23 21 0:22 / /workspace rw - fuse.juicefs JuiceFS:vol rw
24 21 8:1 / /mnt/my\040disk rw - ext4 /dev/sda1 rw
25 21 0:30 / /data rw - nfs4 server:/data rw
"""


def state_of(checks: list[doctor.Check], name: str) -> doctor.Check:
    (found,) = (check for check in checks if check.check == name)
    return found


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/project", "container"),
        ("/dev/shm/x", "memory"),
        ("/workspace/aurelia", "network"),
        ("/workspaces", "container"),
        ("/mnt/my disk/p", "disk"),
        ("/data/p", "network"),
    ],
)
def test_what_becomes_of_files_follows_from_the_mount_they_are_on(path: str, kind: str) -> None:
    assert mount_of(Path(path), MOUNTS).kind == kind


def test_a_mount_over_another_one_is_the_one_that_counts() -> None:
    table = MOUNTS + "26 21 0:40 / /data rw - tmpfs tmpfs rw\n"
    assert mount_of(Path("/data/p"), table).kind == "memory"


def test_locks_are_really_tried_with_two_processes(tmp_path: Path) -> None:
    assert doctor.locks(tmp_path).state == "ok"
    assert list(tmp_path.iterdir()) == []


def test_locks_that_do_not_lock_are_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.lockf", lambda *arguments: None)
    check = doctor.locks(tmp_path)
    assert check.state == "problem"
    assert check.remedy


def test_a_command_that_hangs_is_given_up(tmp_path: Path) -> None:
    assert doctor.answer([sys.executable, "-c", "import time; time.sleep(60)"], seconds=0.2) is None
    assert doctor.answer(["no-such-command-here"]) is None
    assert doctor.answer([sys.executable, "-c", "raise SystemExit(1)"]) is None


def put_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_graphics_card_and_driver_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path, monkeypatch, "nvidia-smi", "echo 'NVIDIA H100, 570.1, 81559, 4'")
    check = doctor.graphics_card()
    assert check.state == "ok"
    assert check.value == "NVIDIA H100, driver 570.1, 81559 MB, 4 MB in use"


def test_a_driver_that_does_not_answer_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path, monkeypatch, "nvidia-smi", "echo 'driver mismatch' >&2; exit 9")
    assert doctor.graphics_card().state == "problem"


def test_a_torch_without_cuda_beside_a_graphics_card_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0+cpu" if name == "torch" else "1")
    tested = {"torch": "2.13.0"}
    assert state_of(doctor.packages(tested, has_graphics_card=True), "torch").state == "problem"
    assert state_of(doctor.packages(tested, has_graphics_card=False), "torch").state == "ok"


def test_another_version_than_the_tested_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.30.0")
    check = state_of(doctor.packages({"diffusers": "0.42.1"}, has_graphics_card=False), "diffusers")
    assert (check.state, check.value) == ("warning", "0.30.0")
    assert "0.42.1" in check.remedy


def test_the_tested_set_names_every_package_that_is_looked_at() -> None:
    tested = doctor.tested_set()
    checks = doctor.packages(tested, has_graphics_card=False)
    assert {check.check for check in checks} <= set(tested)


def test_tmux_settings_that_hinder_come_with_the_line_that_mends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = 'case "$*" in *-V*) echo "tmux 3.4";; *termtype*) echo "iTerm2 3.5";; *termfeatures*) echo "256,title";; '
    put_on_path(tmp_path, monkeypatch, "tmux", answers + "*escape-time*) echo 500;; esac")
    checks = doctor.tmux({"TMUX": "/tmp/tmux-0/default,1,0"})
    assert state_of(checks, "tmux").value == "tmux 3.4, client iTerm2 3.5"
    assert "terminal-features" in state_of(checks, "tmux features").remedy
    assert state_of(checks, "tmux escape-time").state == "warning"
    assert "escape-time 10" in state_of(checks, "tmux escape-time").remedy


def test_a_tmux_server_that_hangs_is_said_and_does_not_hang_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "HANG_SECONDS", 0.2)
    put_on_path(tmp_path, monkeypatch, "tmux", "exec sleep 60")
    monkeypatch.setattr(doctor, "answer", lambda command: None)
    assert state_of(doctor.tmux({"TMUX": "x"}), "tmux").state == "warning"


def test_an_almost_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("usage", (), {"free": 10_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert doctor.disk("disk of the work", tmp_path / "not" / "yet", wanted=20e9).state == "problem"


def test_the_verb_prints_one_object_and_exits_1_only_for_problems(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "safelight"), "doctor", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    (line,) = done.stdout.splitlines()
    checks = json.loads(line)["checks"]
    assert {"python", "gpu", "memory", "file locks", "TERM"} <= {check["check"] for check in checks}
    assert all(check["remedy"] for check in checks if check["state"] != "ok")
    assert done.returncode == any(check["state"] == "problem" for check in checks)
    assert "warnings." in done.stderr
