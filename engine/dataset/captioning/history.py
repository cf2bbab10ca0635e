"""What was done to the captions, step by step, and what of it still stands."""

from dataclasses import dataclass
from typing import Literal

from engine.dataset.captioning.content import content_of, shown
from engine.dataset.captioning.journal import Journal, Op

State = Literal["done", "taken back", "gone", "unfinished"]


@dataclass(frozen=True)
class Step:
    """One operation of the journal."""

    op: Op
    state: State
    """done: as it says. taken back: redo does it again. gone: taken back, and something else was done since. unfinished:
    cut off; its files are finished when the captions are opened next, or a file of it could not be written."""


def steps(journal: Journal, file: str = "") -> list[Step]:
    """All of them, the newest first; with `file` those that changed this caption file."""
    done, undone = set(journal.done), set(journal.undone)

    def state(op: Op) -> State:
        if op.id in journal.open:
            return "unfinished"
        if op.id in undone:
            return "taken back"
        return "done" if op.id in done or op.kind in ("undo", "redo") else "gone"

    found = (op for op in reversed(journal.ops.values()) if not file or file in op.files)
    return [Step(op, state(op)) for op in found]


def texts_of(journal: Journal, op: Op) -> dict[str, tuple[str, str]]:
    """Caption file -> what stood there before and after an operation; "" for no file. Reads the journal."""
    return {one.file: (_text(one.before), _text(one.after)) for one in journal.changes(op.id)}


def _text(data: bytes | None) -> str:
    return shown(content_of(data).text) if data is not None else ""
