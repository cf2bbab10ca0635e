"""`python -P -m engine.bench PROJECT`: measure the loop on a project, and say it in JSON lines on stdout.

{"say": text} on the way, {"figure": {name, value, unit, budget, method}} for each figure, {"profile": [line]} on a miss.
"""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.bench.loop import alternate
from engine.bench.pairs import median_interval, shares_beside
from engine.bench.profiling import STEPS as PROFILE_STEPS
from engine.bench.profiling import profile
from projects.problems import Refused

BUDGET: Final = 0.02
"""Share of wall time that the loop may take beside the model."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and profile where the budget is missed. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -P -m engine.bench", description="Measure the training loop."
    )
    parser.add_argument("project", type=Path, help="a project's folder; a run is made in it")
    parser.add_argument("--steps", type=int, default=300, help="of the real run (default: 300)")
    parser.add_argument("--block", type=int, default=5, help="steps a block (default: 5)")
    parser.add_argument(
        "--runs", type=int, default=3, help="such runs, whose pairs are put together (default: 3)"
    )
    given = parser.parse_args(arguments)
    if given.block < 1 or given.steps < given.block or given.runs < 1:
        parser.error("--steps must be at least --block, and --block and --runs at least 1.")
    real: list[float] = []
    bare: list[float] = []
    try:
        for number in range(1, given.runs + 1):
            _say(
                f"Run {number} of {given.runs}: {given.steps} steps, in turn with the bare step on the same slots."
            )
            one, other = alternate(given.project.resolve(), steps=given.steps, block=given.block)
            real += one
            bare += other
        found = figures(real, bare, given.block)
        for figure in found:
            _line({"figure": figure})
        if float(str(found[0]["value"])) > 100 * BUDGET:
            _say(f"More than {BUDGET:.0%}: {PROFILE_STEPS} steps with a profile.")
            _line({"profile": profile(given.project.resolve())})
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


def figures(real: Sequence[float], bare: Sequence[float], block: int) -> list[dict[str, object]]:
    """What the seconds of the real and of the bare blocks say."""
    shares = shares_beside(real, bare)
    low, high = median_interval(shares)
    whole = 1 - sum(bare) / sum(real)
    method = (
        f"median of {len(shares)} pairs of {block} steps, 95 % interval {100 * low:.2f} to {100 * high:.2f}, "
        f"{100 * whole:.2f} over all; {len(os.sched_getaffinity(0))} cores"
    )
    return [
        _figure("loop.outside", 100 * statistics.median(shares), "%", 100 * BUDGET, method),
        _figure(
            "loop.step", _milliseconds(real, block), "ms", None, f"real run, median of {len(real)} blocks"
        ),
        _figure(
            "loop.step_bare", _milliseconds(bare, block), "ms", None, "forward, backward, clip, optimizer"
        ),
    ]


def _milliseconds(seconds: Sequence[float], block: int) -> float:
    return statistics.median(seconds) / block * 1e3


def _figure(name: str, value: float, unit: str, budget: float | None, method: str) -> dict[str, object]:
    return {"name": name, "value": round(value, 3), "unit": unit, "budget": budget, "method": method}


def _say(text: str) -> None:
    _line({"say": text})


def _line(value: dict[str, object]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    sys.exit(main())
