"""The worker's life on a trivial kind of job that needs no torch: killed, resumed, asked, queued, followed."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from engine.desk import Desk
from projects import atomic, worker
from projects.curve import read_curve
from projects.events import Event, fold_file, read
from projects.job import JobDir
from projects.machine import boot_id, host
from projects.status import read_status
from tests.projects.jobs import eventually, make_job

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[[JobDir], "subprocess.Popen[bytes]"]

ENTRY = """
import os, sys
from pathlib import Path
from engine.__main__ import work
from projects.job import JobDir
processes = int(os.environ.get("PROCESSES", "1"))
sys.exit(work(JobDir(Path(sys.argv[1])), runners={"sample": "trivial"}, processes=processes))
"""

TRIVIAL = """
import os, subprocess, sys, threading, time
from projects.problems import refuse

def run(desk, spec):
    how = spec.spec.sample.prompts[0]
    desk.add_facts(torch="torch" in sys.modules)
    if how == "refuse":
        raise refuse("The cat is missing.", where="project.toml: data.images", hint="Call it.")
    if how == "usage":
        raise refuse("Two keys contradict.", usage=True)
    if how == "crash":
        raise ValueError("a line\\nand another")
    if how == "stuck":
        threading.Thread(target=desk.give_up, args=(refuse("The others are gone.", hint="Resume."),)).start()
        time.sleep(60)
    if how == "long":
        desk.phase("thinking", quiet=0.5)
        time.sleep(2.5)
        return "stopped" if desk.stop_asked else "done"
    if how == "deaf":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        desk.add_facts(child=child.pid)
        desk.phase("deaf")
        time.sleep(60)
    if how == "fork":
        child = os.fork()
        if child == 0:
            time.sleep(60)
        desk.add_facts(child=child)
    return count(desk, spec.spec.sample.steps)

def count(desk, steps):
    desk.phase("counting")
    for step in range(desk.from_step + 1, steps + 1):
        if desk.stop_asked:
            return "stopped"
        time.sleep(0.03)
        desk.step(step, loss=1 / step, lr=1e-4, grad=0.5, epoch=0.0, seconds=0.03, steps=steps)
        if step % 5 == 0 or "checkpoint" in desk.requests():
            folder = desk.job.checkpoint(step)
            folder.mkdir(parents=True)
            (folder / "manifest.json").write_text("{}")
            desk.emit("saved", step=step, path=str(folder))
            desk.done_with("checkpoint")
    return "done"
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Starts a worker that knows the trivial kind, as a child that is not waited for: killed, it stays a zombie."""
    monkeypatch.setenv("SAFELIGHT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "entry.py").write_text(ENTRY)
    (tmp_path / "trivial.py").write_text(TRIVIAL)
    started = []

    def start(job: JobDir) -> "subprocess.Popen[bytes]":
        with job.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(tmp_path / "entry.py"), str(job.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def at_step(job: JobDir, step: int) -> bool:
    return eventually(lambda: fold_file(job.events).step >= step)


def in_phase(job: JobDir, phase: str) -> bool:
    return eventually(lambda: fold_file(job.events).phase == phase)


def test_a_killed_job_has_died_and_a_resume_goes_on_from_its_checkpoint(tmp_path: Path, run: Run) -> None:
    job = make_job(tmp_path / "job", steps=14)
    first = run(job)
    assert at_step(job, 7)
    first.kill()
    assert eventually(lambda: worker.state_of(job) == "died"), "a zombie is dead"
    if sys.platform == "linux":
        assert Path(f"/proc/{first.pid}/stat").read_text().split()[2] == "Z"
    with job.events.open("ab") as file:
        file.write(b'{"n":999,"t":1,"kind":"st')
    assert run(job).wait() == 0
    state = fold_file(job.events)
    assert worker.state_of(job) == "done"
    assert state.attempts == ((1, 0), (2, 5)) and state.unreadable == 1
    assert [point.step for point in read_curve(job.curve)[0]] == list(range(1, 15))
    assert [step for step, _ in state.recent] == list(range(1, 15))
    whole = [event for event in read(job.events)[0] if event["kind"] != "unreadable"]
    assert [event["n"] for event in whole] == list(range(1, len(whole) + 1))
    facts = json.loads(job.facts.read_text())["attempts"]
    assert [entry["attempt"] for entry in facts] == [1, 2]
    assert facts[1]["python"] and facts[1]["packages"]["pillow"] and facts[1]["torch"] is False


def test_a_lock_does_not_outlive_its_worker_in_a_forked_child(tmp_path: Path, run: Run) -> None:
    job = make_job(tmp_path / "job", how="fork", steps=1000)
    process = run(job)
    assert at_step(job, 1)
    process.kill()
    child = json.loads(job.facts.read_text())["attempts"][0]["child"]
    assert eventually(lambda: worker.state_of(job) == "died")
    os.kill(child, signal.SIGKILL)  # raises when it was gone, and then this test shows nothing


def test_a_request_from_before_the_attempt_is_dropped_with_a_warning(tmp_path: Path, run: Run) -> None:
    job = make_job(tmp_path / "job", steps=45)
    job.requests.mkdir()
    (job.requests / "stop").write_text("yesterday")
    (job.requests / "dance").write_text("now")
    os.utime(job.requests / "stop", (1, 1))
    assert run(job).wait() == 0
    state = fold_file(job.events)
    assert state.last_word == "done" and state.step == 45
    assert dict(state.acknowledged) == {"stop": "dropped"}
    assert any("older than attempt 1" in remark.text for remark in state.warnings)
    assert any("'dance' is no request" in remark.text for remark in state.warnings)
    assert sorted(path.name for path in job.requests_done.iterdir()) == ["dance", "stop"]


def test_requests_are_asked_heard_and_done(tmp_path: Path, run: Run) -> None:
    job = make_job(tmp_path / "job", steps=1000)
    process = run(job)
    assert at_step(job, 1)
    worker.ask(job, "checkpoint")
    assert eventually(lambda: fold_file(job.events).acknowledged.get("checkpoint") == "done")
    told = [event["state"] for event in read(job.events)[0] if event["kind"] == "acknowledged"]
    assert told == ["heard", "done"] and not (job.requests / "checkpoint").exists()
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0 and worker.state_of(job) == "stopped"
    assert fold_file(job.events).acknowledged["stop"] == "done"
    assert read_status(job.status).phase == "stopped"


@pytest.mark.parametrize(
    ("how", "code", "error"),
    [
        ("refuse", 1, "project.toml: data.images: The cat is missing. Call it."),
        ("usage", 2, "Two keys contradict."),
        ("crash", 1, "ValueError: a line The traceback is in out.log."),
        ("stuck", 1, "The others are gone. Resume."),
    ],
)
def test_a_failure_is_a_sentence_and_the_traceback_is_in_the_log(
    tmp_path: Path, run: Run, how: str, code: int, error: str
) -> None:
    job = make_job(tmp_path / "job", how=how)
    assert run(job).wait() == code
    assert worker.state_of(job) == "failed" and fold_file(job.events).error == error
    assert ("Traceback" in job.log.read_text()) == (how == "crash")
    assert error.split(": ")[-1].split(".")[0] in (read_status(job.status).error or "")


def test_a_long_phase_is_neither_deaf_nor_silent(tmp_path: Path, run: Run) -> None:
    job = make_job(tmp_path / "job", how="long")
    process = run(job)
    assert in_phase(job, "thinking")
    first = read_status(job.status).updated or 0.0
    worker.ask(job, "stop")
    assert eventually(lambda: fold_file(job.events).acknowledged.get("stop") == "heard")
    assert eventually(lambda: (read_status(job.status).updated or 0.0) > first)
    assert process.poll() is None and eventually(lambda: worker.state_of(job) == "stalled")
    assert process.wait() == 0 and worker.state_of(job) == "stopped"


def test_followers_that_read_at_different_moments_see_the_same(tmp_path: Path, run: Run) -> None:
    job = make_job(tmp_path / "job", steps=40)
    seen: list[list[Event]] = [[], []]

    def follow(events: list[Event], pause: float) -> None:
        offset = 0
        while not events or events[-1]["kind"] != "done":
            more, offset = read(job.events, offset)
            events += more
            time.sleep(pause)

    followers = [
        threading.Thread(target=follow, args=(events, pause), daemon=True)
        for events, pause in zip(seen, (0.0005, 0.04), strict=True)
    ]
    for follower in followers:
        follower.start()
    assert run(job).wait() == 0
    for follower in followers:
        follower.join(5)
    assert seen[0] == seen[1] == read(job.events)[0]
    assert [event["step"] for event in seen[0] if event["kind"] == "step"] == list(range(1, 41))


def test_a_hard_stop_takes_the_children_along(tmp_path: Path, run: Run) -> None:
    job = make_job(tmp_path / "job", how="deaf")
    run(job)
    assert in_phase(job, "deaf")
    child = json.loads(job.facts.read_text())["attempts"][0]["child"]
    assert worker.hard_stop(job, grace=0.3) == "died"
    assert eventually(lambda: is_gone(child))


def is_gone(pid: int) -> bool:
    try:
        told = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("no ps here")
    return told.stdout.strip() == "" or told.stdout.startswith("Z")


def test_the_device_goes_round_in_the_order_of_job_directories(tmp_path: Path, run: Run) -> None:
    holding = make_job(tmp_path / "holding", steps=1000)
    first, killed, stopped, second, third = (
        make_job(tmp_path / f"job-{number}", steps=8) for number in range(5)
    )
    for age, job in enumerate((first, killed, stopped, second, third)):
        os.utime(job.spec, (1000 + age, 1000 + age))
    processes = {holding: run(holding)}
    assert in_phase(holding, "counting")
    for job in (third, second, stopped, killed, first):
        processes[job] = run(job)
        assert in_phase(job, "waiting-for-device")
        assert eventually(lambda job=job: worker.state_of(job) == "queued")
        assert fold_file(job.events).holder == str(holding.path)
    worker.ask(stopped, "stop")
    processes[killed].kill()
    assert processes[stopped].wait() == 0 and worker.state_of(stopped) == "stopped"
    assert not any(event.get("name") == "counting" for event in read(stopped.events)[0])
    processes[holding].kill()
    times = []
    for job in (first, second, third):
        assert processes[job].wait() == 0
        times.append(counting_time(job))
    assert all(before[1] <= after[0] for before, after in pairwise(times)), times
    assert worker.state_of(killed) == worker.state_of(holding) == "died"
    left = [path.name for path in (tmp_path / "state" / "queue" / "cpu").iterdir()]
    assert left == ["device"], "what was killed has left nothing that blocks"


def test_who_wants_two_devices_holds_both_and_never_one_that_it_cannot_use(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, both, after = (make_job(tmp_path / name, steps=1000) for name in ("one", "both", "after"))
    for age, job in enumerate((both, one, after)):
        job.spec.write_text(job.spec.read_text().replace("batch = 1", "batch = 4"))
        os.utime(job.spec, (1000 + age, 1000 + age))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    first = run(one)
    assert in_phase(one, "counting")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    monkeypatch.setenv("PROCESSES", "2")
    second = run(both)
    assert in_phase(both, "waiting-for-device")
    assert fold_file(both.events).holder == str(one.path)
    first.kill()
    assert in_phase(both, "counting")
    monkeypatch.setenv("PROCESSES", "1")
    for device in "01":
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", device)
        third = run(after)
        assert eventually(lambda: fold_file(after.events).holder == str(both.path))
        third.kill()
        third.wait()
    second.kill()
    monkeypatch.setenv("PROCESSES", "3")
    assert run(both).wait() == 1
    assert "3 processes want a GPU each, and there is 1." in fold_file(both.events).error


def counting_time(job: JobDir) -> tuple[float, float]:
    events = read(job.events)[0]
    began = next(event["t"] for event in events if event.get("name") == "counting")
    ended = next(event["t"] for event in events if event["kind"] == "done")
    assert isinstance(began, float | int) and isinstance(ended, float | int)
    return began, ended


def test_a_chain_goes_on_when_the_first_is_done_and_ends_when_it_fails(tmp_path: Path, run: Run) -> None:
    first = make_job(tmp_path / "first", steps=10)
    second = make_job(tmp_path / "second", steps=1, after=first)
    bad = make_job(tmp_path / "bad", how="refuse")
    third = make_job(tmp_path / "third", after=bad)
    waiting, doomed = run(second), run(third)
    assert in_phase(second, "waiting-for-job") and in_phase(third, "waiting-for-job")
    assert run(bad).wait() == 1 and run(first).wait() == 0
    assert waiting.wait() == 0 and worker.state_of(second) == "done"
    assert doomed.wait() == 1 and worker.state_of(third) == "failed"
    assert "bad, which must be done before this job, failed." in fold_file(third.events).error
    assert "Mend what its last event says and resume it" in fold_file(third.events).error
    assert fold_file(third.events).result["ended_by"] == str(bad.path)


def test_a_full_disk_stops_the_heart_from_writing_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    job = JobDir(tmp_path)
    with Desk.open(job) as desk:
        monkeypatch.setattr(atomic, "write_bytes", full)
        assert eventually(lambda: fold_file(job.events).warnings)
        time.sleep(1.3)
        monkeypatch.undo()
        (job.requests / "stop").touch()
        assert eventually(lambda: desk.stop_asked)
        now = time.time()
        assert eventually(lambda: (read_status(job.status).updated or 0.0) > now)
    warnings = fold_file(job.events).warnings
    assert len(warnings) == 1 and "No space left on device" in warnings[0].text


def test_the_snapshot_says_what_is_known_and_nothing_else(tmp_path: Path) -> None:
    job = JobDir(tmp_path)
    with Desk.open(job, attempt=3) as desk:
        first = json.loads(job.status.read_text())
        desk.phase("training", quiet=10)
        for step in range(1, 5):
            desk.step(step, loss=float("nan"), lr=1e-4, grad=0.5, epoch=0.1, seconds=2.0, steps=10)
        desk.set_status(checkpoint=4)
        assert eventually(lambda: read_status(job.status).checkpoint == 4)
        last = read_status(job.status)
    assert set(first) == {"format", "pid", "host", "boot_id", "attempt", "updated", "quiet_until"}
    assert (first["host"], first["boot_id"], first["attempt"]) == (host(), boot_id(), 3)
    assert (last.step, last.steps, last.loss, last.seconds_per_step, last.eta_seconds) == (
        4,
        10,
        None,
        2.0,
        12.0,
    )
    assert (
        last.quiet_until is not None and 0 < last.quiet_until - time.time() < 10.1
    )  # it is written to a tenth


def test_progress_is_written_rarely_and_its_end_always(tmp_path: Path) -> None:
    job = JobDir(tmp_path)
    with Desk.open(job) as desk:
        for done in range(1, 1001):
            desk.progress("pictures", done, 1000)
    told = [event["done"] for event in read(job.events)[0] if event["kind"] == "progress"]
    assert told[0] == 1 and told[-1] == 1000 and len(told) < 20
