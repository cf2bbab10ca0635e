"""When an audit runs for a room: at first, when a person asks, and again once project.toml says something else."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.message import Message
from textual.timer import Timer

from tui.audited import Seen
from tui.audits import Auditing
from tui.changes import Change
from tui.declared import read_declared
from tui.run_list import stamp
from tui.saving import Outcome
from tui.working import in_thread

if TYPE_CHECKING:
    from tui.screens.room import Room

_AGAIN_SECONDS: Final = 1.5
"""After the last change of project.toml."""


class AuditMoved(Message):
    """An audit has found more."""

    def __init__(self, auditing: Auditing, seen: Seen) -> None:
        self.auditing, self.seen = auditing, seen
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """A later state has all that an earlier one had."""
        return isinstance(message, AuditMoved) and message.auditing is self.auditing


class Judging:
    """The audits of one room, one after the other; what they find is posted to it."""

    def __init__(self, room: "Room", seen: Callable[[], Seen]) -> None:
        """seen: what was found so far, which the next audit goes on from."""
        self._room, self._seen = room, seen
        self.auditing: Auditing | None = None
        """The newest: only what this one says counts."""
        self._mark = (0, 0)
        self._again: Timer | None = None

    def start(self) -> None:
        """Begin an audit; nothing where no project is open."""
        project = self._room.bench.project
        if project is None:
            return
        self._mark = stamp(project / "project.toml")
        auditing: Auditing

        def tell(seen: Seen) -> None:
            self._room.post_message(AuditMoved(auditing, seen))

        auditing = self.auditing = Auditing(project, tell, before=self._seen())
        auditing.start()

    def stop(self) -> None:
        """Let the audit end; what it has measured is kept."""
        if self.auditing:
            self.auditing.stop()

    def saving(self, work: Callable[[], Outcome], then: Callable[[Outcome], object]) -> None:
        """Do `work` in a thread; what it has changed in project.toml is shown at once, and judged anew in a moment."""
        bench = self._room.bench

        def whole() -> Outcome:
            outcome = work()
            if isinstance(outcome, Change) and self.auditing and bench.project:
                self.auditing.declared(read_declared(bench.project))
                bench.call_from_thread(self.look_again)
            return outcome

        in_thread(bench, whole, then)

    def look_again(self) -> None:
        """Judge anew once project.toml has not changed for a moment, if it says something else and no audit runs."""
        if self._again:
            self._again.stop()
        self._again = self._room.set_timer(_AGAIN_SECONDS, self._judge_anew) if self._changed else None

    @property
    def _changed(self) -> bool:
        project: Path | None = self._room.bench.project
        return (
            self.auditing is not None
            and project is not None
            and stamp(project / "project.toml") != self._mark
        )

    def _judge_anew(self) -> None:
        if self._changed and not self._seen().running:
            self.start()
