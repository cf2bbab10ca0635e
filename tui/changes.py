"""What a person changed in a form, to take back and to do again, and what was refused."""

from dataclasses import dataclass, field

from projects.problems import Problem


@dataclass(frozen=True)
class Change:
    """One value that was saved."""

    key: str
    before: str
    """As it is typed; "" where the file said nothing."""
    after: str


@dataclass
class Changes:
    """The history of a form, newest last."""

    done: list[Change] = field(default_factory=list)
    undone: list[Change] = field(default_factory=list)
    refused: dict[str, tuple[str, Problem]] = field(default_factory=dict)
    """Key -> what was typed and why it could not be saved; it stays in the field until it is mended."""

    def keep(self, change: Change) -> None:
        """A new change; what was undone before it is gone."""
        self.done.append(change)
        self.undone.clear()

    def undo(self) -> Change:
        """The change to take back. There must be one."""
        self.undone.append(self.done.pop())
        return self.undone[-1]

    def redo(self) -> Change:
        """The change to do again. There must be one."""
        self.done.append(self.undone.pop())
        return self.done[-1]
