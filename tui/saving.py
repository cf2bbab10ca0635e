"""The way of a room's values into project.toml and back: one at a time, in threads, undone never over other people's."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from projects.problems import Problem, Refused
from tui.changes import WRITING, Change, ChangedOutside, Changes, again, put, save
from tui.form import label_of, next_value, not_saved, typed_as

Outcome = Change | Problem | ChangedOutside | None
"""None: the file said it already."""
InThread = Callable[[Callable[[], Outcome], Callable[[Outcome], object]], object]
"""(work, what is done with its outcome on the loop)"""


class Saving:
    """What is on its way, what was changed, and what could not be saved."""

    def __init__(
        self, in_thread: InThread, say: Callable[[str], object], written: Callable[[], object]
    ) -> None:
        """written: called on the loop when a change was made or refused."""
        self._in_thread, self._say, self._written = in_thread, say, written
        self.changes = Changes()
        self.pending = 0
        """Values on their way into the file."""
        self.reopened = ""
        """The field to open again once the file was read, as it was changed outside."""

    def conditions(self) -> frozenset[str]:
        """Whether there is something to undo and to redo, as `Action.when` names it."""
        held = {"undo": self.changes.done, "redo": self.changes.undone}
        return frozenset(name for name, holds in held.items() if holds)

    def save(self, folder: Path, key: str, typed: str | None, seen: str | None) -> None:
        """Write a value (None: take the key out) where the file still says what was `seen`."""

        def then(change: Change) -> None:
            self.changes.refused.pop(key, None)
            self.changes.keep(change)

        self._write(folder, key, lambda: save(folder, key, typed, seen), then, typed)

    def put(
        self, folder: Path, said: Mapping[str, Any], told: str, hint: str = "",
        seen: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Write values by their keys, None takes one out: one step, however many they are.

        told: what that does, as a clause without its end; hint: what follows it when it is said. seen: what the file must
        still say at some keys, None for nothing; where it does not, nothing is written.
        """

        def then(change: Change) -> None:
            self.changes.keep(change)
            self._say(f"{told}{hint}.")

        self._write(folder, next(iter(said)), lambda: put(folder, said, told, seen), then)

    def undo(self, folder: Path) -> None:
        """Take the newest change back. There must be one."""
        self._turn(folder, self.changes.done, self.changes.undone, "No longer so")

    def redo(self, folder: Path) -> None:
        """Do again what was taken back last. There must be one."""
        self._turn(folder, self.changes.undone, self.changes.done, "Again")

    def _turn(self, folder: Path, source: list[Change], target: list[Change], what: str) -> None:
        change = source.pop().back()

        def then(made: Change) -> None:
            target.append(made)
            self._say(f"{what}: {made.told}." if made.told else f"{made.key} is {_value(made)} again.")

        self._write(folder, change.key, lambda: again(folder, change), then)

    def _write(
        self,
        folder: Path,
        key: str,
        work: Callable[[], Change | None],
        then: Callable[[Change], object],
        typed: str | None = None,
    ) -> None:
        """typed: what stays in the field where it cannot be saved; None for nothing."""
        self.pending += 1

        def guarded() -> Outcome:
            with WRITING:
                try:
                    return work()
                except Refused as refused:
                    return refused.problems[0]
                except OSError as error:
                    return Problem(error=f"{error.strerror or error}.", where=str(folder / "project.toml"))
                except ChangedOutside as changed:
                    return changed

        def done(outcome: Outcome) -> None:
            self.pending -= 1
            if isinstance(outcome, Change):
                then(outcome)
            elif outcome is None:
                self._say("project.toml says that already.")
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


def _value(change: Change) -> str:
    """What its one value is now, as it is typed."""
    after = change.values[0].after
    return "left out" if after is None else typed_as(after) or "empty"


def comes_to(key: str, said: str | None) -> str:
    """What the file says by now, for a sentence."""
    return (
        f"{label_of(key)} is {said} in the file by now"
        if said
        else f"{label_of(key)} is gone from the file by now"
    )
