"""What marks a project as a replay: the copy of a recorded run that is played again, in which nothing may be started."""

import json
from pathlib import Path
from typing import Final

from projects import atomic
from projects.problems import refuse

MARK: Final = "replay.json"
FORMAT: Final = 1


def mark_replay(project: Path, run: Path, speed: int) -> None:
    """Make the project in a folder a replay of `run`, at `speed` times its pace. Raises OSError."""
    told = {"format": FORMAT, "run": str(run), "speed": speed}
    atomic.write_text(project / MARK, json.dumps(told) + "\n")


def in_replay(path: Path) -> bool:
    """Whether a project, or a job or folder inside one, is a replay's."""
    return any((folder / MARK).is_file() for folder in (path, *path.parents))


def refuse_in_replay(path: Path) -> None:
    """Raise Refused where something is about to be started in a replay."""
    if in_replay(path):
        raise refuse(
            "This is a replay of what was recorded: nothing is started in it.",
            hint="Leave it, and open the project itself.",
        )
