"""The share of a training that is not the model: measured by the engine in a process of its own, read from its lines."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from projects.problems import refuse
from tui.bench.figures import Figure

Say = Callable[[str], None]


def measure(project: Path, say: Say) -> list[Figure]:
    """The loop's figures, on a project with the embedded base; a missed budget comes with its profile, said by line."""
    return read_lines([sys.executable, "-P", "-m", "engine.bench", str(project)], say)


def read_lines(command: Sequence[str], say: Say) -> list[Figure]:
    """Run a measuring process and take its figures. Raises Refused with its last words when it fails."""
    figures = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stderr
        for line in process.stdout:
            told = json.loads(line) if line.startswith("{") else {}
            if "say" in told:
                say(told["say"])
            if "figure" in told:
                figures.append(Figure(**told["figure"]))
            for row in told.get("profile", ()):
                say(f"  {row}")
        said = process.stderr.read().strip().splitlines()
    if process.returncode:
        hint = "safelight doctor tells what is missing."
        raise refuse(f"This could not be measured. {said[-1] if said else ''}".strip(), hint=hint)
    return figures
