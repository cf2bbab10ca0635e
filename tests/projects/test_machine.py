"""Who goes first on a machine."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from projects.machine import stand_back

AUTOGROUP = Path("/proc/self/autogroup")


def _waiting(*, own_session: bool) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=own_session
    )


def _shares(pid: int) -> str:
    return Path(f"/proc/{pid}/autogroup").read_text().split()[-1]


@pytest.fixture
def started() -> object:
    processes = []

    def start(*, own_session: bool) -> int:
        processes.append(_waiting(own_session=own_session))
        return processes[-1].pid

    yield start
    for process in processes:
        process.communicate(b"\n")


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="the system does not share processors by session")
def test_a_process_stands_back_and_so_does_a_session_of_its_own(started: Callable[..., int]) -> None:
    pid = started(own_session=True)
    stand_back(pid)
    assert os.getpriority(os.PRIO_PROCESS, pid) == 10 and _shares(pid) == "10"


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="the system does not share processors by session")
def test_a_session_that_others_are_in_stays_as_it_is(started: Callable[..., int]) -> None:
    before, pid = _shares(os.getpid()), started(own_session=False)
    stand_back(pid)
    assert os.getpriority(os.PRIO_PROCESS, pid) == 10 and _shares(os.getpid()) == before


def test_a_process_that_has_ended_is_nothing_to_complain_about() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    stand_back(process.pid)
