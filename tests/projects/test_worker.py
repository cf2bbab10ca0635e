"""Workers as a terminal meets them: started, seen, asked, and left alone when the terminal goes away."""

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects import worker
from projects.events import Writer, fold_file
from projects.job import JobDir
from projects.locks import FileLock, holder
from projects.machine import boot_id, device_name, device_names, host
from projects.problems import Refused
from projects.status import read_status
from tests.projects.jobs import eventually, make_job

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFELIGHT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[JobDir]:
    """A job that waits for another that nobody starts: a live worker that never comes to import torch."""
    job = make_job(tmp_path / "second", after=make_job(tmp_path / "first"))
    yield job
    worker.hard_stop(job, grace=0.0)


def record(job: JobDir, *kinds: str, on: str = "", boot: str = "") -> None:
    writer = Writer(job, 1)
    for kind in kinds:
        facts = {"host": on or host(), "boot_id": boot or boot_id(), "pid": 1} if kind == "started" else {}
        writer.emit(kind, **facts)
    writer.close()


def test_a_started_worker_is_seen_at_once_and_a_second_one_refused(waiting: JobDir) -> None:
    assert worker.state_of(waiting) == "queued"
    pid = worker.start(waiting)
    assert holder(waiting.lock) == pid
    with pytest.raises(Refused, match=f"A worker runs this job already .pid {pid}."):
        worker.start(waiting)
    second = subprocess.run(
        [sys.executable, "-P", "-m", "engine", str(waiting.path)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 1 and "A worker runs this job already" in second.stderr
    assert "Traceback" not in second.stderr
    assert holder(waiting.lock) == pid
    status = eventually(lambda: read_status(waiting.status))
    assert (status.pid, status.host) == (pid, host())


def test_a_waiting_job_is_queued_and_hears_a_stop(waiting: JobDir) -> None:
    worker.start(waiting)
    assert eventually(lambda: read_status(waiting.status).phase == "waiting-for-job")
    assert worker.state_of(waiting) == "queued"
    worker.ask(waiting, "stop")
    assert worker.asked(waiting, fold_file(waiting.events)) == {"stop": "asked"}
    assert eventually(lambda: worker.state_of(waiting) == "stopped")
    assert worker.asked(waiting, fold_file(waiting.events)) == {"stop": "done"}


def test_a_hang_up_of_the_terminal_does_not_touch_the_worker(waiting: JobDir) -> None:
    code = (
        "import sys, time; from pathlib import Path; from projects import worker; from projects.job import JobDir; "
        "print('pid', worker.start(JobDir(Path(sys.argv[1]))), flush=True); time.sleep(60)"
    )
    terminal, screen = pty.fork()
    if terminal == 0:
        os.execv(sys.executable, [sys.executable, "-c", code, str(waiting.path)])
    assert b"pid" in os.read(screen, 1000)
    pid = holder(waiting.lock)
    assert pid and os.getsid(pid) == pid, (
        "a session of its own: ctrl+c at that terminal does not reach it either"
    )
    os.close(screen)
    assert os.waitstatus_to_exitcode(os.waitpid(terminal, 0)[1]) < 0, "the terminal's own process was hung up"
    before = read_status(waiting.status).updated
    assert before is not None
    assert eventually(lambda: (read_status(waiting.status).updated or 0.0) > before + 1.0)
    assert holder(waiting.lock) == pid


def test_a_hang_up_signal_itself_is_ignored(waiting: JobDir) -> None:
    pid = worker.start(waiting)
    assert eventually(lambda: fold_file(waiting.events).phase == "waiting-for-job")
    os.kill(pid, 1)
    worker.ask(waiting, "stop")
    assert eventually(lambda: worker.state_of(waiting) == "stopped")


def test_a_hard_stop_ends_what_does_not_answer(waiting: JobDir) -> None:
    pid = worker.start(waiting)
    os.kill(pid, 19)  # SIGSTOP: it will never get to its SIGTERM
    assert worker.hard_stop(waiting, grace=0.2) == "died"
    assert holder(waiting.lock) is None


def test_a_worker_that_cannot_begin_says_why(tmp_path: Path) -> None:
    job = make_job(tmp_path / "job")
    job.requests.write_text("in the way of a folder")
    with pytest.raises(Refused, match=r"The worker ended before it began: .*Not a directory"):
        worker.start(job)
    assert worker.state_of(job) == "queued"


def test_wrong_use_is_exit_code_two(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "engine", str(tmp_path)], capture_output=True, check=False
    )
    assert ended.returncode == 2 and b"no job directory" in ended.stderr


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ((), "queued"),
        (("started", "phase"), "died"),
        (("started", "done"), "done"),
        (("started", "stopped"), "stopped"),
        (("started", "failed"), "failed"),
        (("started", "failed", "started", "step"), "died"),
        (("started", "done", "a kind of next year"), "done"),
    ],
)
def test_the_state_of_a_job_that_nobody_holds(tmp_path: Path, kinds: tuple[str, ...], state: str) -> None:
    record(JobDir(tmp_path), *kinds)
    assert worker.state_of(JobDir(tmp_path)) == state


def test_a_job_of_another_machine_or_boot_is_only_taken_over_when_said(tmp_path: Path) -> None:
    after = make_job(tmp_path / "first")
    for name, facts in {"machine": {"on": "elsewhere"}, "boot": {"boot": "another"}}.items():
        job = make_job(tmp_path / name, after=after)
        record(job, "started", **facts)
        assert worker.state_of(job) == "elsewhere"
        with pytest.raises(Refused, match="--take-over"):
            worker.start(job)
        worker.start(job, take_over=True)
        assert eventually(lambda job=job: fold_file(job.events).attempt == 2)
        worker.hard_stop(job)
    finished = make_job(tmp_path / "finished")
    record(finished, "started", "done", on="elsewhere")
    assert worker.state_of(finished) == "done"


def test_nobody_is_there_to_hear(tmp_path: Path) -> None:
    job = make_job(tmp_path / "job")
    with pytest.raises(Refused, match=r"Nobody works on this job \(queued\)"):
        worker.ask(job, "stop")
    assert not job.requests.exists()


def test_asking_who_holds_a_lock_never_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = FileLock(path)
    assert lock.take() and holder(path) == os.getpid()
    with pytest.raises(Refused):
        FileLock(path)
    asked = "import sys; from pathlib import Path; from projects.locks import holder; print(holder(Path(sys.argv[1])))"
    command = [sys.executable, "-c", asked, str(path)]
    assert int(subprocess.check_output(command)) == os.getpid()
    assert int(subprocess.check_output(command)) == os.getpid()
    lock.close()
    assert subprocess.check_output(command) == b"None\n"


def test_a_status_that_is_damaged_or_of_another_version_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    path.write_text(
        json.dumps({"format": 9, "step": 3, "loss": "much", "phase": 4, "new": 1, "eta_seconds": 7})
    )
    status = read_status(path)
    assert (status.step, status.loss, status.phase, status.eta_seconds) == (3, None, None, 7)
    path.write_bytes(b"\xff{")
    assert read_status(path).step is None


def test_the_device_is_known_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    for visible, name in {"": "cpu", "-1": "cpu", "2,3": "cuda:2"}.items():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert device_name() == name


def test_each_process_has_a_gpu_of_its_own_and_all_share_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for visible, processes, names in (
        ("", 4, ["cpu"]),
        ("5", 1, ["cuda:5"]),
        ("3,1,2", 2, ["cuda:1", "cuda:3"]),
    ):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert device_names(processes) == names
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,-1,2")
    with pytest.raises(Refused, match="3 processes want a GPU each, and there are 2"):
        device_names(3)


def test_a_terminal_leaves_no_zombie(waiting: JobDir) -> None:
    pid = worker.start(waiting)
    assert worker.hard_stop(waiting, grace=0.0) in ("died", "stopped")
    assert eventually(lambda: not Path(f"/proc/{pid}").exists()) or sys.platform != "linux"


def test_stalled_when_nothing_moved_for_longer_than_the_phase_allows(waiting: JobDir) -> None:
    pid = worker.start(waiting)
    os.kill(pid, 19)
    now = time.time()
    for phase, until, state in (
        ("training", now - 1, "stalled"),
        ("training", now + 60, "live"),
        ("waiting-for-device", None, "queued"),
    ):
        table = {"pid": pid, "phase": phase, **({"quiet_until": until} if until else {})}
        waiting.status.write_text(json.dumps(table))
        assert worker.state_of(waiting) == state
    waiting.status.write_text(json.dumps({"pid": pid + 1, "phase": "training", "quiet_until": now - 1}))
    assert worker.state_of(waiting) == "live", "the snapshot of an earlier attempt says nothing"
