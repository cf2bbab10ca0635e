"""A worker without torch: the real lock, desk, queue and last word, around work that only pretends. Run as a script."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from engine.__main__ import work
from engine.desk import Desk
from projects.bases import describe
from projects.job import JobDir
from projects.machine import device_model
from projects.measured import Measured, base_stamp, key_of, save
from projects.spec import FillJob, JobSpec

KINDS = ("train", "sample", "review", "grid", "export", "proof", "measure", "fill")


def run(desk: Desk, spec: JobSpec) -> str:
    """Each kind leaves what the real one leaves."""
    desk.phase("pretending")
    if os.environ.get("STAND_IN_FAILS") == spec.kind:
        raise ValueError("the stand-in was told to fail")
    runners = (train, sample, review, grid, export, proof, measure, fill)
    return next(runner for runner in runners if runner.__name__ == spec.kind)(desk, spec)


def train(desk: Desk, spec: JobSpec) -> str:
    if desk.verify:
        desk.emit("verified", verdict=os.environ.get("STAND_IN_VERDICT", "bit-equal"), difference=0.0)
    steps = spec.spec.train.steps or 1
    desk.add_facts(processes=desk.processes)
    for step in range(desk.from_step + 1, steps + 1):
        time.sleep(float(os.environ.get("STAND_IN_STEP", "0.002")))
        desk.step(step, loss=1 / step, lr=1e-4, grad=0.5, epoch=0.0, seconds=0.01, steps=steps)
        if step == steps or desk.stop_asked:
            folder = desk.job.checkpoint(step)
            folder.mkdir(parents=True)
            (folder / "manifest.json").write_text("{}")
            (folder / "adapter.safetensors").write_bytes(b"")
            desk.set_status(checkpoint=step)
            desk.emit("saved", step=step, path=f"checkpoints/{folder.name}")
            break
    return "stopped" if desk.stop_asked else "done"


def sample(desk: Desk, spec: JobSpec) -> str:
    end = time.monotonic() + float(os.environ.get("STAND_IN_PAUSE", "0"))
    while time.monotonic() < end:
        if desk.stop_asked:
            return "stopped"
        time.sleep(0.02)
    place = desk.job.path.relative_to(spec.project)
    desk.result(pictures=[f"{place}/pictures/001.png"], settings=spec.spec.sample.steps)
    return "done"


def review(desk: Desk, spec: JobSpec) -> str:
    run_folder = JobDir(Path(spec.run))
    run_folder.review.mkdir()
    place = run_folder.review.relative_to(spec.project)
    tests = [{"test": "sweep", "verdict": "unknown"}]
    record = {"run": str(place.parent), "case": "unknown", "recommended": None, "tests": tests}
    (run_folder.review / "review.json").write_text(json.dumps({**record, "sheets": [f"{place}/sweep.png"]}))
    return "done"


def grid(desk: Desk, spec: JobSpec) -> str:
    place = desk.job.path.relative_to(spec.project)
    desk.result(
        sheets=[f"{place}/grid/grid.png"],
        pictures=["grid/pictures/0.png"],
        seconds_per_picture=0.5,
        memory_gb=0.6,
    )
    return "done"


def export(desk: Desk, spec: JobSpec) -> str:
    place = JobDir(Path(spec.run)).export.relative_to(spec.project)
    desk.result(
        files=[
            {
                "path": f"{place}/x-{name}.safetensors",
                "format": name,
                "keys": 8,
                "unmatched": 0,
                "difference": 0.0,
            }
            for name in spec.formats
        ]
    )
    return "done"


def proof(desk: Desk, spec: JobSpec) -> str:
    desk.result(pairs=24, positive=24, p=6e-8)
    return "done"


def fill(desk: Desk, spec: JobSpec) -> str:
    """The real job around a model that says the same of every picture."""
    from engine.fill import model
    from engine.fill import run as filling
    from engine.fill.method import Opened

    opened = Opened(
        ask=lambda pictures, seed: ["white, with a handle"] * len(pictures), device="cpu", most=64
    )
    model.load = lambda facts, job: opened
    assert isinstance(spec, FillJob)
    return filling.run(desk, spec)


def measure(desk: Desk, spec: JobSpec) -> str:
    project = Path(spec.project)
    found = Measured(
        steps=spec.steps, seconds_per_step=0.5, faster_half=0.4, slower_half=0.6, evaluation_seconds=0.0,
        preview_seconds=0.0, preview_steps=1, memory_gb=14.8, device_memory_gb=79.2, fingerprint="f", measured=1.0,
    )  # fmt: skip
    save(project, key_of(spec.spec, base_stamp(describe("demo", project)), device_model(), [(64, 64)]), found)
    return "done"


if __name__ == "__main__":
    sys.modules["stand_in"] = sys.modules["__main__"]
    options: dict[str, Any] = {"take_over": "--take-over" in sys.argv, "verify": "--verify" in sys.argv}
    if "--processes" in sys.argv:
        options["processes"] = int(sys.argv[sys.argv.index("--processes") + 1])
    sys.exit(work(JobDir(Path(sys.argv[1])), runners=dict.fromkeys(KINDS, "stand_in"), **options))
