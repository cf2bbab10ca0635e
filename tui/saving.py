"""The way of a form's values into project.toml and back: one at a time, in threads, never over what nobody has seen."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from projects.problems import Problem, Refused
from tui.changes import Change, ChangedOutside, Changes, again, save
from tui.form import label_of, next_value, not_saved

if TYPE_CHECKING:
    from projects.project import Project

Outcome = Change | Problem | ChangedOutside
InThread = Callable[[Callable[[], Outcome], Callable[[Outcome], object]], object]
"""(work, what is done with its outcome on the loop)"""


class Saving:
    """What is on its way, what was changed, and what could not be saved."""

    def __init__(
        self, in_thread: InThread, say: Callable[[str], object], written: Callable[[], object]
    ) -> None:
        """written: called on the loop when a change was made or refused."""
        self._in_thread, self._say, self._written = in_thread, say, written
        self._lock = threading.Lock()
        self.changes = Changes()
        self.pending = 0
        """Values on their way into the file."""
        self.reopened = ""
        """The field to open again once the file was read, as it was changed outside."""

    def save(self, project: "Project", key: str, typed: str | None, seen: str | None) -> None:
        """Write a value (None: take the key out) where the file still says what was `seen`."""

        def then(change: Change) -> None:
            self.changes.refused.pop(key, None)
            self.changes.keep(change)

        self._write(project, key, lambda: save(project, key, typed, seen), then, typed)

    def undo(self, project: "Project") -> None:
        """Take the newest change back. There must be one."""
        self._turn(project, self.changes.done, self.changes.undone)

    def redo(self, project: "Project") -> None:
        """Do again what was taken back last. There must be one."""
        self._turn(project, self.changes.undone, self.changes.done)

    def _turn(self, project: "Project", source: list[Change], target: list[Change]) -> None:
        change = source.pop().back()

        def then(made: Change) -> None:
            target.append(made)
            value = made.after or ("left out" if made.after is None else "empty")
            self._say(f"{made.key} is {value} again.")

        self._write(project, change.key, lambda: again(project, change), then)

    def _write(
        self,
        project: "Project",
        key: str,
        work: Callable[[], Change],
        then: Callable[[Change], object],
        typed: str | None = None,
    ) -> None:
        """typed: what stays in the field where it cannot be saved; None for nothing."""
        self.pending += 1

        def guarded() -> Outcome:
            with self._lock:
                try:
                    return work()
                except Refused as refused:
                    return refused.problems[0]
                except OSError as error:
                    return Problem(error=f"{error.strerror or error}.", where=str(project.file))
                except ChangedOutside as changed:
                    return changed

        def done(outcome: Outcome) -> None:
            self.pending -= 1
            if isinstance(outcome, Change):
                then(outcome)
            elif isinstance(outcome, ChangedOutside):
                self._outside(outcome, typed)
            elif typed is not None:
                self.changes.refused[key] = (typed, not_saved(outcome))
            else:
                self._say(str(outcome))
            self._written()

        self._in_thread(guarded, done)

    def _outside(self, changed: ChangedOutside, typed: str | None) -> None:
        """Say that nothing was written over what somebody else wrote, and let the person decide."""
        key, now = changed.key, comes_to(changed.key, changed.now)
        if typed is None or next_value(key, typed) is not None:
            self._say(f"{now}, changed outside: nothing was written over it.")
            return
        hint = "Enter writes yours over it, esc takes it."
        self.changes.refused[key] = (typed, Problem(error=f"Not saved: {now}.", hint=hint))
        self.reopened = key
        self._say(f"{now}: enter writes yours over it, esc takes it.")


def comes_to(key: str, said: str | None) -> str:
    """What the file says by now, for a sentence."""
    return (
        f"{label_of(key)} is {said} in the file by now"
        if said
        else f"{label_of(key)} is gone from the file by now"
    )
