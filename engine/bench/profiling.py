"""Where the loop's own time goes: a profile of the real loop in which only our functions are named."""

import cProfile
import pstats
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.bench.loop import CallingDesk, new_run, run_on_the_device

STEPS = 100
LINES = 15
_HERE = Path(__file__).resolve().parents[2]
# Whatever our own lines call in these files is forward, backward, clip or optimizer.
_MODEL = (
    "torch/nn/modules/module.py",
    "accelerate/accelerator.py",
    "torch/nn/utils/clip_grad.py",
    "torch/optim/",
)

Function = tuple[str, int, str]
"""File, line and name, as pstats has them."""


def profile(project: Path, steps: int = STEPS) -> list[str]:
    """Lines of the most expensive calls that the loop's own functions make, milliseconds a step first."""
    job, spec = new_run(project, steps, "profile")
    watched = cProfile.Profile()

    def on_step(done: int) -> None:
        if done == steps:
            watched.disable()

    with CallingDesk.open(job) as desk:
        desk.on_training, desk.on_step = watched.enable, on_step
        run_on_the_device(desk, spec)
    stats: Any = pstats.Stats(watched)
    return lines_of(costs(stats.stats), steps)


def costs(stats: Mapping[Function, tuple[Any, ...]]) -> dict[tuple[Function, Function | None], float]:
    """Seconds of every (function of ours, foreign function it calls), and of (function of ours, None) by itself.

    A foreign function counts with all it calls in turn, so the sum is the whole time; what the model costs is left out.
    """
    found: dict[tuple[Function, Function | None], float] = {}
    for function, (_, _, own, _, callers) in stats.items():
        if _is_ours(function):
            found[function, None] = own
            continue
        if any(file in function[0] for file in _MODEL):
            continue
        for caller, (_, _, _, cumulative) in callers.items():
            if _is_ours(caller):
                found[caller, function] = cumulative
    return found


def lines_of(found: Mapping[tuple[Function, Function | None], float], steps: int) -> list[str]:
    """The largest costs as lines."""
    largest = sorted(found.items(), key=lambda entry: -entry[1])[:LINES]
    return [
        f"{seconds / steps * 1e3:7.3f} ms a step  {_words(ours)}" + (f" -> {_words(other)}" if other else "")
        for (ours, other), seconds in largest
    ]


def _is_ours(function: Function) -> bool:
    path = Path(function[0])
    return path != Path(__file__) and any(
        path.is_relative_to(_HERE / name) for name in ("engine", "projects")
    )


def _words(function: Function) -> str:
    file, line, name = function
    if not line:
        return name.strip("<>")
    path = Path(file)
    for root in (_HERE, Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("stdlib"))):
        if path.is_relative_to(root):
            path = path.relative_to(root)
    return f"{path}:{line} {name}"
