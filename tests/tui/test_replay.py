"""A recorded run played again: what it becomes, how it ends, and that the run itself and the machine stay as they were."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from projects import worker
from projects.curve import read_curve, rebuild_curve
from projects.events import fold_file, read
from projects.job import JobDir
from projects.locks import holder
from projects.problems import Refused
from projects.project import new_job_dir, new_run_dir, open_project, resolve
from projects.status import read_status
from tests.projects.jobs import eventually
from tests.tui.benches import opened, until
from tests.tui.conftest import ROOT, Say
from tests.tui.recorded import NOW, append, write_project, write_review, write_run
from tests.tui.snapshots import text_of
from tui import remembered
from tui.remembered import Seen
from tui.replay import replay
from tui.reviews import read_review

FAST = 10_000


@pytest.fixture(autouse=True)
def replays_here(own_folders: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def run(tmp_path: Path) -> JobDir:
    return write_run(
        write_project(tmp_path / "aurelia"), "2026-11-18-1040-r32", to_step=900, last_word="done"
    )


def files_of(folder: Path) -> dict[str, tuple[str, int]]:
    """Digest and time of every file."""
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def ended(job: JobDir) -> bool:
    return eventually(lambda: holder(job.lock) is None)


def test_a_replay_comes_to_what_was_recorded_and_leaves_the_run_alone(run: JobDir, tmp_path: Path) -> None:
    before = files_of(run.path)
    with replay(run, FAST) as played:
        assert played.path.name == "2026-11-18-1040-replay of r32"
        assert ended(played) and worker.state_of(played) == "done"
        one, two = fold_file(run.events), fold_file(played.events)
        for name in (
            "n",
            "time",
            "step",
            "steps",
            "loss",
            "saved",
            "sampled",
            "evaluated",
            "warnings",
            "last_word",
        ):
            assert getattr(one, name) == getattr(two, name), name
        assert two.pid != one.pid
        assert read_curve(played.curve)[0] == read_curve(run.curve)[0]
        assert read_status(played.status).checkpoint == 750 and played.steps_saved() == run.steps_saved()
        assert all((played.path / file).is_file() for files in two.sampled.values() for file in files)
        folder = played.path.parents[1]
    assert not folder.exists() and not list(tmp_path.glob("safelight-replay-*"))
    assert files_of(run.path) == before


def test_it_goes_at_so_many_times_the_pace_and_skips_the_hours_in_which_nothing_ran(run: JobDir) -> None:
    append(run, [
        {"n": 9001, "t": NOW + 90_000, "kind": "started", "attempt": 2, "from_step": 500, "pid": 1, "host": "h"},
        *({"n": 9001 + at, "t": NOW + 90_000 + at, "kind": "step", "attempt": 2, "step": 500 + at, "steps": 2000,
           "loss": 0.5} for at in range(1, 9)),
        {"n": 9010, "t": NOW + 90_009, "kind": "stopped", "attempt": 2},
    ])  # fmt: skip
    began = time.monotonic()
    with replay(run, 400) as played:
        assert ended(played)
        assert 1.5 < time.monotonic() - began < 15, "900 steps of 0.7 s at 400 times are 1.6 s"
        assert worker.state_of(played) == "stopped" and fold_file(played.events).step == 508
        points, _ = read_curve(played.curve)
        assert [point.step for point in points] == list(range(1, 509))
        assert b"".join(point.pack() for point in points) == rebuild_curve(read(run.events)[0])


def test_a_torn_line_is_left_out_and_a_run_without_a_last_word_died(tmp_path: Path) -> None:
    torn = write_run(write_project(tmp_path / "linen"), "mine", to_step=60)
    append(torn, [{"n": 9001, "t": NOW, "kind": "warning", "attempt": 1, "text": "torn"}])
    os.truncate(torn.events, torn.events.stat().st_size - 9)
    with replay(torn, FAST) as played:
        assert played.path.name == "replay of mine"
        assert ended(played) and worker.state_of(played) == "died"
        assert fold_file(played.events).warnings == () and fold_file(played.events).step == 60
        assert played.events.read_bytes().endswith(b"\n")


def test_a_stop_ends_the_replay_and_other_requests_are_dropped_with_a_word(run: JobDir) -> None:
    with replay(run, 1) as played:
        assert worker.state_of(played) in ("live", "queued")
        worker.ask(played, "preview")
        assert eventually(lambda: fold_file(played.events).acknowledged.get("preview") == "dropped")
        assert "shows what was recorded" in fold_file(played.events).warnings[-1].text
        worker.ask(played, "stop")
        assert ended(played) and worker.state_of(played) == "stopped"
    with replay(run, 1) as played:
        assert worker.hard_stop(played) == "stopped"


def test_whoever_asked_for_it_is_killed_and_nothing_stays(run: JobDir, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from projects.job import JobDir; from tui.replay import replay\n"
        "with replay(JobDir(Path(sys.argv[1])), 1) as played: print(played.path, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(run.path)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stdout
    played = JobDir(Path(process.stdout.readline().strip()))
    assert holder(played.lock)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert eventually(lambda: not played.path.parents[1].exists())


async def test_every_room_says_that_it_is_a_replay_and_nothing_is_started_or_remembered(run: JobDir) -> None:
    write_review(run, run.path.parents[1])
    with replay(run, FAST) as played:
        project = played.path.parents[1]
        assert ended(played)
        review = read_review(played, project)
        assert review and all(shot.path.is_file() for shot in (*review.sheets, *review.pictures))
        data = resolve(open_project(project)).data
        assert data.images == str(run.path.parents[1] / "images"), "the data set is the one that was trained"
        async with opened(project, room="train") as (bench, pilot):
            await until(pilot, lambda: "✓ done   step 900" in text_of(bench))
            assert "replay of aurelia" in text_of(bench).splitlines()[0]
            assert "replay of r32" in text_of(bench)
            await pilot.press("5", "R")
            await until(pilot, lambda: "nothing is started in it" in text_of(bench))
        assert remembered.recent_projects() == {}
        remembered.keep_seen(played.path, Seen(1, NOW, 0, 0, None))
        assert remembered.seen(played.path) is None
        for started in (
            lambda: new_run_dir(project, "x"), lambda: new_job_dir(played.path, "export"), lambda: worker.start(played)
        ):  # fmt: skip
            with pytest.raises(Refused, match="replay"):
                started()
        assert [path.name for path in (project / "runs").iterdir()] == [played.path.name]


def test_a_replay_wants_a_terminal_a_run_that_is_over_and_a_record(run: JobDir, say: Say) -> None:
    for words in ((), ("--json",)):
        said = say("replay", run.path, *words)
        assert said.code == 2 and "safelight follow --line" in said.err
    assert say("replay", run.path, "--speed", "nan").code == 2
    run.events.unlink()
    with pytest.raises(Refused, match="recorded nothing"), replay(run, 1):
        pass
