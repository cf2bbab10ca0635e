"""Following a run from its files: yesterday's, several at once, resumed, torn, and long ones."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from projects import worker
from projects.curve import Point, rebuild_curve
from projects.events import fold_file, read
from projects.job import JobDir
from tests.tui.benches import opened, until
from tests.tui.recorded import NOW, append, loss_at, status_of, write_project, write_run
from tests.tui.snapshots import text_of
from tui import remembered
from tui.follow import Follower, RunView, follow
from tui.remembered import Seen
from tui.run_list import Standings
from tui.run_words import since
from tui.screens.train import TrainRoom


@pytest.fixture
def run(tmp_path: Path) -> JobDir:
    return write_run(write_project(tmp_path / "aurelia"), "2026-11-18-1040-r32", to_step=900)


def caught_up(follower: Follower) -> RunView:
    """Look until everything is read; the last view there was."""
    view = None
    for _ in range(10_000):
        found = follower.look()
        view = found or view
        if found is None and not follower.behind:
            break
    assert view is not None
    return view


def event(n: int, kind: str, *, attempt: int = 1, **fields: object) -> dict[str, object]:
    return {"n": n, "t": NOW + n, "kind": kind, "attempt": attempt, **fields}


def test_the_first_look_has_the_numbers_and_the_whole_curve_before_any_event(run: JobDir) -> None:
    view = Follower(run).look()
    assert view is not None and not view.attached
    assert (view.step, view.steps, view.status.loss) == (900, 2000, loss_at(900))
    assert view.points == 900 and view.state.n == 0


def test_what_is_followed_is_what_the_events_mean(run: JobDir) -> None:
    view, whole = caught_up(Follower(run)), fold_file(run.events)
    for name in (
        "step",
        "saved",
        "sampled",
        "evaluated",
        "health",
        "warnings",
        "attempts",
        "loss",
        "n",
        "last_word",
    ):
        assert getattr(view.state, name) == getattr(whole, name), name
    assert any("saved checkpoints/step-000750" in line.text for line in view.lines)
    assert not any("step 412" in line.text for line in view.lines)


def test_two_followers_see_the_same_and_one_that_came_late_too(run: JobDir) -> None:
    first = Follower(run)
    caught_up(first)
    append(run, [event(9001, "warning", text="later", step=900), event(9002, "phase", name="saving")])
    second = Follower(run)
    one, two = caught_up(first), caught_up(second)
    assert one.state == two.state and one.lines == two.lines
    assert list(one.series.losses) == list(two.series.losses)
    assert first.look() is None, "nothing moved, nothing is said"


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(run: JobDir) -> None:
    follower = Follower(run)
    caught_up(follower)
    line = json.dumps(event(9001, "warning", text="in two parts", step=900)).encode()
    with run.events.open("ab", buffering=0) as file:
        file.write(line[:20])
        follower.look()
        file.write(line[20:] + b"\n")
    view = caught_up(follower)
    assert [remark.text for remark in view.state.warnings][-1] == "in two parts"
    assert view.state.unreadable == 0


def test_a_resume_takes_back_what_it_does_again(run: JobDir) -> None:
    follower = Follower(run)
    assert caught_up(follower).points == 900
    again = [event(9001, "started", attempt=2, from_step=500, pid=7, host="bench", boot_id="recorded")]
    again += [
        event(9001 + step, "step", attempt=2, step=500 + step, steps=2000, loss=0.5) for step in range(1, 4)
    ]
    append(run, again)
    run.curve.write_bytes(rebuild_curve(read(run.events)[0]))
    view = caught_up(follower)
    assert view.state.step == 503 and view.points == 503
    assert set(view.state.sampled) == {250, 500} and max(view.state.saved) == 500
    assert view.series.losses[-1] == 0.5
    assert view.state.warnings == ()


def test_another_file_under_the_same_name_is_read_from_its_beginning(run: JobDir) -> None:
    follower = Follower(run)
    caught_up(follower)
    other = run.events.with_suffix(".new")
    other.write_text(json.dumps(event(1, "started", from_step=0, pid=1, host="h", boot_id="b")) + "\n")
    os.replace(other, run.events)
    view = caught_up(follower)
    assert view.state.n == 1 and view.state.saved == {}


def test_a_long_history_comes_in_parts_and_the_screen_is_never_without_numbers(tmp_path: Path) -> None:
    job = JobDir(tmp_path / "long")
    job.path.mkdir()
    job.status.write_text(json.dumps(status_of(20_000)))
    with job.events.open("w") as file:
        for n in range(1, 20_001):
            file.write(json.dumps(event(n, "step", step=n, steps=20_000, loss=0.1, lr=1e-4, grad=0.3)) + "\n")
    job.curve.write_bytes(b"".join(Point(step, 0.1, 1e-4, 0.3).pack() for step in range(1, 20_001)))
    follower, looks = Follower(job), 0
    view = follower.look()
    assert view is not None and view.step == 20_000 and view.points == 20_000
    while follower.behind:
        follower.look()
        looks += 1
    assert looks > 5
    assert caught_up(Follower(job)).state.step == 20_000


def test_followers_stop_when_they_are_told(run: JobDir) -> None:
    told: list[RunView] = []
    stop = threading.Event()
    thread = threading.Thread(target=follow, args=(run, told.append, stop.is_set))
    thread.start()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_dead_run_is_asked_once_and_again_when_its_events_grow(
    run: JobDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[JobDir] = []
    real = worker.state_of
    monkeypatch.setattr(worker, "state_of", lambda job: asked.append(job) or real(job))
    standings = Standings()
    assert {standings.of(run) for _ in range(5)} == {"elsewhere"}
    assert len(asked) == 1
    append(run, [event(9001, "done")])
    assert standings.of(run) == "done" and len(asked) == 2


def test_coming_back_says_what_happened_since(run: JobDir) -> None:
    view = caught_up(Follower(run))
    before = Seen(step=300, time=NOW - 3 * 3600, previews=1, warnings=0, loss=0.112)
    words = since(before, view, NOW)
    assert words.startswith("since you left, 3 h 0 min: +600 steps, 2 previews, loss 0.112 → 0.0")
    assert words.endswith("1 warning")
    assert since(before, view, before.time + 20) == "" and since(None, view, NOW) == ""


async def test_leaving_remembers_how_the_run_stood_and_says_nothing_of_stopping(run: JobDir) -> None:
    project = run.path.parents[1]
    remembered.keep_seen(run.path, Seen(400, NOW - 7200, 1, 0, 0.2))
    async with opened(project, room="train") as (bench, pilot):
        room = bench.screen
        assert isinstance(room, TrainRoom)
        await until(pilot, lambda: "since you left, 2 h 0 min: +500 steps" in text_of(bench))
        await pilot.press("q")
    found = remembered.seen(run.path)
    assert found is not None and found.step == 900 and found.time == NOW


async def test_requests_show_asked_heard_done(
    run: JobDir, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_STEP", "0.05")
    project = run.path.parents[1]
    job = write_run(project, "2026-11-18-1100-live", to_step=1)
    job.events.unlink()
    worker.start(job)
    async with opened(project, room="train") as (bench, pilot):
        room = bench.screen
        assert isinstance(room, TrainRoom)
        await until(pilot, lambda: room.view and room.view.standing == "live" and room.view.step > 3)
        assert "▶" in text_of(bench).splitlines()[0]
        await pilot.press("s")
        await until(pilot, lambda: "asked → heard → done" in text_of(bench), seconds=20)
        await until(pilot, lambda: room.view and room.view.standing == "stopped")
        assert "stopped: r goes on" in text_of(bench)


async def test_a_worker_that_was_killed_is_seen_and_resumed_from_the_room(
    run: JobDir, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_STEP", "0.05")
    project = run.path.parents[1]
    job = write_run(project, "2026-11-18-1100-live", to_step=1)
    job.events.unlink()
    worker.start(job)
    async with opened(project, room="train") as (bench, pilot):
        room = bench.screen
        assert isinstance(room, TrainRoom)
        await until(pilot, lambda: room.view and room.view.state.step > 3)
        os.kill(stand_in[0], signal.SIGKILL)
        await until(pilot, lambda: "died without a last word: r resumes it" in text_of(bench))
        await pilot.press("r")
        await until(
            pilot, lambda: room.view and room.view.standing == "live" and room.view.state.attempt == 2
        )
        assert len(stand_in) == 2
