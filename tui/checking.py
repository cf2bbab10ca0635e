"""The check of a project while its form is shown: in a thread, with progress, and given up when a newer one begins."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from projects.problems import Problem, Refused

if TYPE_CHECKING:
    from projects.plan import Plan
    from projects.project import Project
    from tui.form import Form


@dataclass(frozen=True)
class Checked:
    """What a check found."""

    preset: str
    plan: "Plan | None"
    problems: Sequence[Problem]
    notes: Sequence[str]
    free_bytes: int | None
    found: Mapping[str, str] = field(default_factory=dict)
    """Key -> what it comes to where the project says nothing, in words."""


class Overtaken(Exception):
    """A newer check has begun."""


class ProjectRead(Message):
    """project.toml was read again. unsaved: what was typed when the workbench was left, at the first reading."""

    def __init__(
        self,
        project: "Project | None",
        problem: Problem | None,
        mark: tuple[int, int],
        unsaved: Mapping[str, str],
    ) -> None:
        self.project, self.problem, self.mark, self.unsaved = project, problem, mark, unsaved
        super().__init__()


class CheckMoved(Message):
    """The check of the project has come further, or is done."""

    def __init__(self, parts: tuple[int, int] | None, checked: Checked | None = None) -> None:
        self.parts, self.checked = parts, checked
        super().__init__()


def check(
    project: "Project", tell: Callable[[int, int], object], overtaken: Callable[[], bool]
) -> Checked | None:
    """Check everything that a start checks; None where a newer check has begun. tell: (done, total), at most 10 a s."""
    # Opening pictures takes Pillow, which is loaded by this thread and not before the first paint.
    from projects.resolving import preset_under
    from tui.found import TRIGGER, found_values, trigger_words
    from tui.readiness import examine

    last = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal last
        if overtaken():
            raise Overtaken
        if time.monotonic() - last >= 0.1:
            last = time.monotonic()
            tell(done, total)

    free = free_bytes(project.path)
    preset = preset_under(project.text, project.path)
    try:
        found = examine(project, on_progress=progress)
    except Overtaken:
        return None
    except Refused as refused:
        return Checked(preset, None, refused.problems, (), free)
    except OSError as error:
        words = Problem(error=f"{error.strerror or error}.", where=str(error.filename or project.path))
        return Checked(preset, None, [words], (), free)
    values = found_values(found.spec, found.plan)
    if said := trigger_words(project.path, found.spec.base, found.spec.trigger, overtaken):
        values[TRIGGER] = said
    return Checked(preset, found.plan, found.problems, found.notes, free, values)


def free_bytes(folder: Path) -> int | None:
    """Bytes that are free on the disk of a folder; None where that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def closed(project: "Project | None", form: "Form") -> str:
    """Why nothing can be typed; "" where it can."""
    if project is None or form.unreadable:
        return "project.toml cannot be read: E opens it in an editor."
    newer = "This project was written by a newer Safelight: it can be read here, not changed."
    return newer if project.read_only else ""
