"""The pace of a run: a mean over a window, and the same one wherever it is said."""

from pathlib import Path

import pytest

from engine.desk import Desk
from projects.events import State, fold, fold_file, read
from projects.job import JobDir
from projects.pace import WINDOW, Pace
from projects.status import read_status
from tui.follow_lines import Teller, duration, pace


def test_one_slow_step_hardly_moves_it_and_leaves_with_the_window() -> None:
    steady = Pace((0.06,) * WINDOW)
    slow = steady.after(0.24)
    assert slow.seconds == pytest.approx(0.0636) and len(slow.took) == WINDOW
    for _ in range(WINDOW):
        slow = slow.after(0.06)
    assert slow.seconds == pytest.approx(0.06)
    assert (Pace().seconds, Pace().left(10)) == (None, None)


def test_status_events_and_lines_say_the_same_number(tmp_path: Path) -> None:
    job = JobDir(tmp_path)
    with Desk.open(job) as desk:
        desk.begin()
        for step in range(1, 101):
            took = 0.24 if step % 10 == 0 else 0.06
            desk.step(step, loss=0.1, lr=1e-4, grad=0.5, epoch=0.1, seconds=took, steps=1000)
        desk.conclude("stopped")
    status, state = read_status(job.status), fold_file(job.events)
    assert status.seconds_per_step == pytest.approx(0.078) == state.pace.seconds
    teller, told, state = Teller(job), list[str](), State()
    for event in read(job.events)[0]:
        # As if the steps were six seconds apart, so that each of them is told.
        event = {**event, "t": 1e9 + 6 * int(str(event["n"]))}
        state = fold(state, event)
        told += teller.lines(event, state)
    last = next(line for line in reversed(told) if "step 100/1000" in line)
    assert last.endswith(f"   {pace(0.078)}   {duration(0.078 * 900)} left") and "0.078 s a step" in last


def test_a_resumed_attempt_has_its_own_pace(tmp_path: Path) -> None:
    step = {"kind": "step", "step": 1, "seconds": 3.0, "attempt": 1}
    state = fold(State(attempt=1), step)
    assert state.pace.seconds == 3.0
    assert fold(state, {"kind": "started", "attempt": 2, "from_step": 0}).pace == Pace()
