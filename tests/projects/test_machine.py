"""Who goes first on a machine."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from projects.machine import stand_back

AUTOGROUP = Path("/proc/self/autogroup")


WAITING = "input()"
ANOTHER = """
import subprocess, sys
other = subprocess.Popen([sys.executable, "-c", "input()"])
print(other.pid, flush=True)
other.wait()
"""
"""Starts another in its session, says its pid and waits for it."""


def _shares(pid: int) -> str:
    return Path(f"/proc/{pid}/autogroup").read_text().split()[-1]


@pytest.fixture
def started() -> object:
    # A session of its own, whatever the one of the tests is in: that may have no shares to speak of.
    processes = []

    def start(program: str) -> subprocess.Popen[bytes]:
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            )
        )  # fmt: skip
        return processes[-1]

    yield start
    for process in processes:
        process.communicate(b"\n")


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="the system does not share processors by session")
def test_a_process_stands_back_and_so_does_a_session_of_its_own(
    started: Callable[[str], subprocess.Popen[bytes]],
) -> None:
    pid = started(WAITING).pid
    stand_back(pid)
    assert os.getpriority(os.PRIO_PROCESS, pid) == 10 and _shares(pid) == "10"


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="the system does not share processors by session")
def test_a_session_that_others_are_in_stays_as_it_is(
    started: Callable[[str], subprocess.Popen[bytes]],
) -> None:
    first = started(ANOTHER)
    assert first.stdout
    pid = int(first.stdout.readline())
    stand_back(pid)
    assert os.getpriority(os.PRIO_PROCESS, pid) == 10
    assert os.getpriority(os.PRIO_PROCESS, first.pid) == 0 and _shares(first.pid) == "0"


def test_a_process_that_has_ended_is_nothing_to_complain_about() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    stand_back(process.pid)
