"""Projects and runs that are invented for measuring: ten thousand pictures, two hundred thousand events."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image

from projects.curve import Point
from projects.eventlog import LAST_WORDS
from projects.job import JobDir
from projects.machine import boot_id, host
from projects.problems import refuse
from projects.project import create_project, new_run_dir, open_project, resolve, write_job
from projects.spec import TrainJob
from projects.status import Status, read_status, write_status
from tui.bench.marks import picture_name

TRIGGER: Final = "inv3nted_cup"
CLASS_WORD: Final = "cup"
SIDE: Final = 64
EVENTS_A_SECOND: Final = 10


def write_project(folder: Path, pictures: int) -> Path:
    """A project on the embedded base with so many little captioned pictures, all different. Returns its folder."""
    images = folder / "images"
    images.mkdir(parents=True)
    for number in range(pictures):
        # Blotches, no two pictures alike: ten thousand plain ones would all be the same to an audit.
        blotches = Image.frombytes("RGB", (8, 8), Random(number).randbytes(3 * 8 * 8))
        blotches.resize((SIDE, SIDE)).save(images / picture_name(number), compress_level=1)
        caption = f"{TRIGGER} {CLASS_WORD}, on table {number}\n"
        (images / picture_name(number)).with_suffix(".txt").write_text(caption, encoding="ascii")
    create_project(folder, "demo", images, TRIGGER, class_word=CLASS_WORD)
    return folder


def write_run(project: Path, events: int, *, name: str = "invented", ended: bool = True) -> JobDir:
    """A run with so many events, nearly all of them steps, and everything else that a run leaves beside pictures.

    ended: whether its last event is its last word; without one it is a run that `live` can go on with.
    """
    steps = 2 * events
    job = new_run_dir(project, name)
    spec = resolve(open_project(project), [f"train.steps={steps}", "sample.every=0"])
    write_job(job, TrainJob(project=str(project.resolve()), spec=spec))
    began = time.time() - events / EVENTS_A_SECOND
    started = {"from_step": 0, "pid": os.getpid(), "host": host(), "boot_id": boot_id()}
    lines = [
        _line(1, began, "started", started),
        _line(2, began, "phase", {"name": "training", "quiet": 900.0}),
    ]
    lines += [
        _line(n, began + n / EVENTS_A_SECOND, "step", step_fields(n - 2, steps))
        for n in range(3, events + (not ended))
    ]
    if ended:
        lines.append(_line(events, began + events / EVENTS_A_SECOND, LAST_WORDS[0], {}))
    job.events.write_bytes(b"".join(lines))
    done = events - 2 - ended
    points = (Point(step, loss_at(step), 1e-4, 0.3) for step in range(1, done + 1))
    job.curve.write_bytes(b"".join(point.pack() for point in points))
    phase = LAST_WORDS[0] if ended else "training"
    write_status(job.status, status_at(done, steps, pid=os.getpid(), phase=phase))
    return job


@contextmanager
def live(job: JobDir) -> Iterator[None]:
    """Another process works on `job` as long as this lasts, and writes ten events a second."""
    before = read_status(job.status).updated
    command = [sys.executable, "-P", "-m", "tui.bench.writer", str(job.path)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30.0
        while read_status(job.status).updated == before:
            if process.poll() is not None or time.monotonic() > deadline:
                raise refuse("The invented run does not begin.", where=job.path)
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


def loss_at(step: int) -> float:
    """A loss that falls and is never quiet, as real ones are."""
    return 0.08 + 0.1 * math.exp(-step / 500) + 0.03 * math.sin(step * 1.7) * math.sin(step / 40)


def step_fields(step: int, steps: int) -> dict[str, object]:
    """What a step event says beside its kind."""
    loss = round(loss_at(step), 5)
    return {
        "step": step,
        "loss": loss,
        "lr": 1e-4,
        "grad": 0.3,
        "epoch": step / 42,
        "seconds": 0.1,
        "steps": steps,
    }


def status_at(step: int, steps: int, *, pid: int, phase: str) -> Status:
    """The snapshot after `step`."""
    now = time.time()
    return Status(
        pid=pid, host=host(), boot_id=boot_id(), attempt=1, phase=phase, step=step, steps=steps, loss=loss_at(step),
        seconds_per_step=0.1, eta_seconds=0.1 * (steps - step), updated=now, quiet_until=now + 900,
    )  # fmt: skip


def _line(n: int, when: float, kind: str, fields: dict[str, object]) -> bytes:
    event = {"n": n, "t": round(when, 3), "kind": kind, "attempt": 1, **fields}
    return json.dumps(event, separators=(",", ":")).encode("ascii") + b"\n"
