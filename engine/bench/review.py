"""`python -P -m engine.bench.review PROJECT`: what a review costs, and how much of it is neither denoiser nor VAE.

A run of a few steps is trained, which is as dear to review as a long one, then reviewed by the job that people run. Time is
taken around every pass of the denoiser, and around encoding and decoding by the VAE; what is left of drawing and measuring
is the rest. JSON lines on stdout, as `python -m engine.bench` prints them.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import torch

from engine.bench.loop import new_run, run_on_the_device
from engine.desk import Desk
from engine.review import run as review
from engine.sample import Easel, easel_for_job
from projects.job import JobDir
from projects.problems import Refused
from projects.project import write_job
from projects.spec import ReviewJob

STEPS: Final = 4
BUDGETS: Final = {"coarse": 180.0, "refined": 480.0}
"""Seconds, on two cores with the demo's base."""
OUTSIDE: Final = 5.0
"""Percent of drawing and measuring that may be neither denoiser nor VAE."""
_WORKING: Final = ("drawing", "measuring")


class Clock:
    """Seconds inside the models."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def watch(self, module: Any, name: str) -> None:
        """Take the time of every call of a method of `module`, from outside of all it calls in turn."""
        inner: Callable[..., Any] = getattr(module, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return inner(*arguments, **named)
            finally:
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                self.seconds += time.perf_counter() - started

        setattr(module, name, timed)


class TimedDesk(Desk):
    """A desk that notes when each phase began."""

    phases: list[tuple[str, float]]

    def phase(self, name: str, quiet: float = 60.0, **fields: object) -> None:
        super().phase(name, quiet, **fields)
        self.phases.append((name, time.perf_counter()))


def measure(project: Path, depth: str) -> dict[str, float]:
    """Seconds of the whole job, of drawing and measuring, of the models in these, and pictures."""
    run, spec = new_run(project, STEPS, "review")
    with Desk.open(run) as desk:
        run_on_the_device(desk, spec)
    return _reviewed(ReviewJob(project=str(project), run=str(run.path), depth=depth, spec=spec.spec))  # type: ignore[arg-type]


def _reviewed(job: ReviewJob) -> dict[str, float]:
    clock, place = Clock(), JobDir(Path(job.run) / "jobs" / "review-1")
    place.path.mkdir(parents=True)
    write_job(place, job)

    def set_up(*arguments: Any, **named: Any) -> Easel:
        easel = easel_for_job(*arguments, **named)
        clock.watch(easel.denoiser, "forward")
        for name in ("encode", "decode"):
            clock.watch(easel.vae, name)
        return easel

    started = time.perf_counter()
    with TimedDesk.open(place) as desk:
        desk.phases = []
        review.run(desk, job, set_up)
        ended = time.perf_counter()
        phases = [*desk.phases, ("", ended)]
    spans = dict.fromkeys(_WORKING, 0.0)
    for (name, began), (_, until) in pairwise(phases):
        if name in spans:
            spans[name] += until - began
    pictures = len(list((Path(job.run) / "review" / "pictures").glob("*.png")))
    return {
        "whole": ended - started, "working": sum(spans.values()), "drawing": spans["drawing"], "models": clock.seconds,
        "pictures": float(pictures),
    }  # fmt: skip


def figures(found: dict[str, float], depth: str) -> list[dict[str, object]]:
    """What the seconds say."""
    outside = 100 * (1 - found["models"] / found["working"])
    many = f"{found['pictures']:.0f} pictures"
    told = [
        (f"review.{depth}", found["whole"], "s", BUDGETS[depth], f"whole {depth} review of the demo's base, {many}"),
        ("review.pictures", found["pictures"] / found["drawing"], "/s", None, f"drawing alone, {many}"),
        ("review.outside", outside, "%", OUTSIDE, "of drawing and measuring, neither denoiser nor VAE; one review"),
    ]  # fmt: skip
    return [
        {"name": name, "value": round(value, 3), "unit": unit, "budget": budget, "method": method}
        for name, value, unit, budget, method in told
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a coarse review of the project in `arguments`. Returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        for figure in figures(measure(Path(given[0]).resolve(), "coarse"), "coarse"):
            print(json.dumps({"figure": figure}), flush=True)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
