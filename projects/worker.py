"""The process that works on a job: started, asked, judged and ended here; the only file that knows processes and signals.

Nothing is attached to a worker. It is alive when it holds the job's lock, and everything else is read from its files.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final, Literal

from projects import atomic
from projects.events import LAST_WORDS, State, fold_file, last_event, read
from projects.job import JobDir
from projects.locks import FileLock, holder
from projects.machine import boot_id, host
from projects.problems import refuse
from projects.replay import refuse_in_replay
from projects.status import WAITING, read_status

JobState = Literal["queued", "live", "stalled", "done", "stopped", "failed", "died", "elsewhere"]
Request = Literal["stop", "checkpoint", "preview"]
START_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.02
# How long libgomp's threads spin at a barrier before they sleep. Its own value, 300,000, is made for cores that nobody
# else uses: with one other busy process on two cores a training step took minutes instead of 50 ms, with this one 0.25 s.
SHARE_CORES: Final = {"GOMP_SPINCOUNT": "2000"}


class JobLock:
    """The right to work on a job, held until `close` or the end of the process."""

    def __init__(self, job: JobDir) -> None:
        """Take it. Raises Refused when another process has it."""
        self._lock = FileLock(job.lock)
        # Stamped before it is taken: whoever sees the lock held may ask, and nobody's request is older than the stamp.
        os.utime(self._lock.descriptor)
        self.since_ns = os.fstat(self._lock.descriptor).st_mtime_ns
        """File time of the attempt's start, nanoseconds; an older request was meant for an earlier attempt."""
        if not self._lock.take():
            pid = self._lock.holder()
            self._lock.close()
            raise _runs_already(job, pid)

    def close(self) -> None:
        """Give it back."""
        self._lock.close()


def state_of(job: JobDir) -> JobState:
    """What has become of the job, derived from its lock, its events and its status; never stored anywhere.

    queued: not started, or waiting for its turn. live, stalled: works; stalled when nothing moved for longer than its
    phase allows. done, stopped, failed: its last word. died: neither lock nor last word. elsewhere: the same, but it was
    last worked on by another machine or before a restart of this one, so that it cannot be said.
    """
    pid = holder(job.lock)
    if pid is not None:
        status = read_status(job.status)
        if pid and status.pid != pid:
            return "live"
        if status.phase in WAITING:
            return "queued"
        return "stalled" if status.quiet_until is not None and time.time() > status.quiet_until else "live"
    last = last_event(job.events)
    if last is None:
        return "queued"
    for word in LAST_WORDS:
        if last["kind"] == word:
            return word
    begun = last_event(job.events, ("started",)) or {}
    if begun.get("host") and (begun.get("host"), begun.get("boot_id")) != (host(), boot_id()):
        return "elsewhere"
    return "died"


def start(job: JobDir, *, take_over: bool = False, verify: bool = False, processes: int | None = None) -> int:
    """Start a worker on the job, for the first time or again (a resume), and return its pid.

    It lives in a session of its own: the terminal, the connection or tmux may go. Returns when it holds the job's lock
    and has said `started`. Raises Refused when one works on it already, when it was last seen elsewhere
    (take_over: go on nevertheless), in a replay, and when the worker ended before it began.
    processes: how many train together, instead of as many as the job's spec says.
    """
    refuse_in_replay(job.path)
    require_here(job, take_over=take_over)
    running = holder(job.lock)
    if running is not None:
        raise _runs_already(job, running)
    path = job.path.absolute()
    options = [option for option, on in (("--take-over", take_over), ("--verify", verify)) if on]
    if processes is not None:
        options += ["--processes", str(processes)]
    seen = _end_of(job.events)
    with job.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine", str(path), *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=path,
            env={**SHARE_CORES, **os.environ},
            start_new_session=True,
        )
    # So that a long-lived terminal leaves no zombie behind.
    threading.Thread(target=process.wait, name=f"reap {process.pid}", daemon=True).start()
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        if _began(job, seen, process.pid):
            return process.pid
        if ended:
            raise _never_began(job)
        time.sleep(POLL_SECONDS)
    raise refuse(
        f"The worker (pid {process.pid}) has not begun within {START_SECONDS:.0f} s.",
        where=job.log,
        hint="Look there.",
    )


def require_here(job: JobDir, *, take_over: bool) -> None:
    """Raise Refused when the job may be worked on elsewhere and nobody said that it is not."""
    if not take_over and state_of(job) == "elsewhere":
        state = fold_file(job.events)
        raise refuse(
            f"This job was last worked on by {state.host!r}, or before this machine was started again: "
            "whether it still runs there cannot be seen from here.",
            where=job.path,
            hint="If it does not, say --take-over.",
        )


def ask(job: JobDir, request: Request) -> None:
    """Leave a request for the worker. Raises Refused when nobody is there to hear it."""
    if holder(job.lock) is None:
        raise refuse(
            f"Nobody works on this job ({state_of(job)}), so nobody hears a request to {request}.",
            where=job.path,
            hint="Resume it first." if job.events.exists() else "Start it first.",
        )
    job.requests.mkdir(exist_ok=True)
    atomic.write_text(job.requests / request, time.strftime("%Y-%m-%dT%H:%M:%S%z\n"))


def asked(job: JobDir, state: State) -> dict[str, str]:
    """Request -> "asked", "heard", "done" or "dropped", of the attempt that `state` is about."""
    answers = dict(state.acknowledged)
    if job.requests.is_dir():
        for path in job.requests.iterdir():
            if path.is_file() and not path.name.startswith(".") and answers.get(path.name) != "heard":
                answers[path.name] = "asked"
    return answers


def hard_stop(job: JobDir, *, grace: float = 10.0) -> JobState:
    """End the worker and its children: asked by SIGTERM, and killed after `grace` seconds. Returns what became of the job.

    Raises Refused when the worker is on another machine. What it has saved stays; the step it is in is lost.
    """
    pid = holder(job.lock)
    if pid is None:
        return state_of(job)
    if pid == 0 or pid == os.getpid():
        raise refuse(
            "The worker of this job cannot be reached from here.",
            where=job.path,
            hint="End it where it runs.",
        )
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        _signal(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if holder(job.lock) != pid:
                return state_of(job)
            time.sleep(POLL_SECONDS)
    raise refuse(f"The worker (pid {pid}) cannot be ended: it is stuck inside the system.", where=job.path)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        # A worker that somebody started by hand shares its group with a shell, perhaps with this very process.
        if os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise refuse(
            f"The worker (pid {pid}) belongs to another user.", hint="Ask them, or use their account."
        ) from error


def _began(job: JobDir, offset: int, pid: int) -> bool:
    return any(
        event["kind"] == "started" and event.get("pid") == pid for event in read(job.events, offset)[0]
    )


def _end_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _runs_already(job: JobDir, pid: int | None) -> Exception:
    who = f"pid {pid}" if pid else "on another machine"
    return refuse(
        f"A worker runs this job already ({who}).", where=job.path, hint="Follow it, or ask it to stop first."
    )


def _never_began(job: JobDir) -> Exception:
    running = holder(job.lock)
    if running is not None:
        return _runs_already(job, running)
    lines = job.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = lines[-1] if lines else "it said nothing"
    return refuse(
        f"The worker ended before it began: {said}", where=job.log, hint="The whole story is there."
    )
