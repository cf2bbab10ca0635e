"""Recorded runs: job directories with the files that a worker leaves, written from a few numbers and a frozen clock."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from projects.curve import Point
from projects.events import Event
from projects.job import JobDir
from projects.project import open_project, resolve, write_job
from projects.spec import TrainJob

NOW = 1_795_000_000.0
"""2026-11-18 11:06:40 UTC: what every clock of these tests says."""
PROJECT = """format = 1
name = "aurelia"
trigger = "aur3lia_portrait"
class_word = "woman"

[base]
source = "demo"

[data]
images = "images"
regularization = "reg"

[train]
steps = 2000
learning_rate = 2e-4  # tried 1e-4 first

[sample]
prompts = ["aur3lia_portrait, reading in a café", "aur3lia_portrait, soft window light"]
"""


def write_project(folder: Path, pictures: int = 6) -> Path:
    """A project with captioned pictures of the demo's size."""
    for name, count in (("images", pictures), ("reg", 2)):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture(folder / name / f"IMG_{number:04}.png", number, 64)
            words = "aur3lia_portrait woman" if name == "images" else "a woman"
            (folder / name / f"IMG_{number:04}.txt").write_text(f"{words}, on bench {number}")
    (folder / "project.toml").write_text(PROJECT)
    return folder


def picture(file: Path, seed: int, size: int) -> None:
    """A picture with something to see in it: a ground, a disc and a bar, all from `seed`."""
    image = Image.new("RGB", (size, size), (40 + 17 * seed % 90, 60, 80 + 29 * seed % 120))
    draw = ImageDraw.Draw(image)
    left = size * (seed % 4) // 8
    draw.ellipse((left, size // 5, left + size // 2, size * 7 // 10), fill=(225, 150, 60 + 40 * seed % 190))
    draw.rectangle((size // 8, size * 3 // 4, size * 7 // 8, size * 4 // 5), fill=(230, 230, 210))
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file)


def write_run(
    project: Path, name: str, *, to_step: int, last_word: str = "", every: int = 250, previews: int = 4
) -> JobDir:
    """A run of the project that has come to `to_step` of its 2,000 steps, and said `last_word` where it ended."""
    job = JobDir(project / "runs" / name)
    job.path.mkdir(parents=True)
    write_job(job, TrainJob(project=str(project), spec=resolve(open_project(project))))
    events = list(events_of(job, to_step, last_word, every=every, previews=previews))
    job.events.write_bytes(
        b"".join(json.dumps(event, separators=(",", ":")).encode() + b"\n" for event in events)
    )
    job.curve.write_bytes(b"".join(_point(step).pack() for step in range(1, to_step + 1)))
    job.log.write_text("loaded the base\n2000 steps to go\n")
    for step in range(every, to_step + 1, every):
        job.checkpoint(step).mkdir(parents=True)
        (job.checkpoint(step) / "manifest.json").write_text("{}")
    job.status.write_text(json.dumps(status_of(to_step, last_word)) + "\n")
    return job


def status_of(step: int, last_word: str = "") -> dict[str, object]:
    """status.json as the worker would have left it."""
    return {
        "format": 1, "pid": 4242, "host": "bench", "boot_id": "recorded", "attempt": 1,
        "phase": last_word or "training", "step": step, "steps": 2000, "loss": loss_at(step),
        "seconds_per_step": 0.7, "eta_seconds": (2000 - step) * 0.7, "checkpoint": step // 250 * 250,
        "memory_gb": 14.8, "updated": NOW - 0.3,
    }  # fmt: skip


def events_of(job: JobDir, to_step: int, last_word: str, *, every: int, previews: int) -> Iterator[Event]:
    """What the worker says: every step, saves and previews, one evaluation and one warning."""
    told: list[tuple[str, dict[str, object]]] = [
        ("started", {"from_step": 0, "pid": 4242, "host": "bench", "boot_id": "recorded"}),
        ("phase", {"name": "encoding-pictures"}),
        ("progress", {"what": "pictures", "done": 6, "total": 6}),
        ("phase", {"name": "training"}),
    ]
    for step in range(1, to_step + 1):
        told.append(("step", _step(step)))
        if step == 50:
            told.append(("health", {"ok": True, "checked": 280, "problems": []}))
        if step % every == 0:
            told.append(("saved", {"step": step, "path": f"checkpoints/step-{step:06d}", "removed": []}))
            files = [f"previews/step-{step:06d}-{at + 1:02d}-seed1.png" for at in range(previews)]
            for at, file in enumerate(files):
                picture(job.path / file, step // every + at, 64)
            told.append(("sampled", {"step": step, "files": files}))
            told.append(("evaluated", {"step": step, "subject": 0.09, "holdout": 0.11 + step * 1e-6}))
        if step == 870:
            told.append(
                ("warning", {"text": "The loss jumped to 0.41.", "files": ["IMG_0003.png"], "step": 870})
            )
    if last_word == "failed":
        told.append(
            (
                "failed",
                {"error": "The disk is full.", "where": "checkpoints", "hint": "Free 1.1 GB, then resume."},
            )
        )
    elif last_word:
        told.append((last_word, {}))
    began = NOW - len(told) * 0.7
    for number, (kind, fields) in enumerate(told, 1):
        yield {"n": number, "t": round(began + number * 0.7, 3), "kind": kind, "attempt": 1, **fields}


def loss_at(step: int) -> float:
    """A loss that falls and jitters, the same every time."""
    jitter = ((step * 2654435761) % 1000) / 1000 - 0.5
    spike = 0.25 if step == 870 else 0.0
    return 0.08 + 0.14 * math.exp(-step / 300) + 0.06 * jitter + spike


def write_review(run: JobDir, project: Path) -> None:
    """A review with three sheets and their pictures."""
    place = run.review.relative_to(project)
    names = ("sweep", "isolation", "before_after")
    for at, name in enumerate(names):
        picture(project / place / f"{name}.png", at, 320)
    prompts = ("aur3lia_portrait, in a café", "aur3lia_portrait, by a window")
    drawn = [(prompt, weight) for prompt in prompts for weight in (0.0, 0.5, 1.0)]
    shots = [
        {"path": f"{place}/pictures/{at:03}.png", "sheets": ["sweep"], "prompt": prompt, "seed": 1, "weight": weight}
        for at, (prompt, weight) in enumerate(drawn, 1)
    ]  # fmt: skip
    for number, shot in enumerate(shots):
        picture(project / str(shot["path"]), number, 64)
    figures = {"verdict": "unknown", "low": 0.1, "high": 0.4, "n": 6, "advice": "Look at the sheet."}
    tests = [
        {"test": name, "value": value, **figures} for name, value in (("sweep", 0.31), ("isolation", 0.02))
    ]
    record = {
        "format": 1, "run": str(run.path.relative_to(project)), "checkpoint": 2000, "case": "unknown", "recommended": None,
        "tests": tests, "sheets": [f"{place}/{name}.png" for name in names], "pictures": shots,
    }  # fmt: skip
    (project / place / "review.json").write_text(json.dumps(record))


def append(job: JobDir, told: Sequence[Event]) -> None:
    """More events at the end."""
    with job.events.open("ab") as file:
        for event in told:
            file.write(json.dumps(event, separators=(",", ":")).encode() + b"\n")


def _step(step: int) -> dict[str, object]:
    return {
        "step": step, "steps": 2000, "loss": loss_at(step), "lr": 1e-4, "grad": 0.31, "epoch": step / 42, "seconds": 0.7,
    }  # fmt: skip


def _point(step: int) -> Point:
    return Point(step, loss_at(step), 1e-4, 0.31)
