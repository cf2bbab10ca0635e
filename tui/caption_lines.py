"""Edits of captions in lines of text: what goes and what comes marked by signs alone, and the steps of the journal."""

import time
from typing import Final

from engine.dataset.captioning.history import Step
from engine.dataset.captioning.preview import pieces
from tui.printable import printable

_AROUND: Final = 28
"""Letters that are kept of what does not change, on each side of what does."""


def change_line(before: str, after: str) -> str:
    """An edit on one line: [-what goes-]{+what comes+}, with some of what stands around."""
    found = pieces(before, after)
    told = []
    for at, (old, new) in enumerate(found):
        if old == new:
            told.append(_shortened(printable(old), first=at == 0, last=at == len(found) - 1))
            continue
        told.append(f"[-{printable(old)}-]" if old else "")
        told.append(f"{{+{printable(new)}+}}" if new else "")
    return "".join(told)


def step_line(step: Step) -> str:
    """One step of the journal: number, time, what was done, to how many captions, whether it stands."""
    op = step.op
    what = op.files[0] if len(op.files) == 1 else f"{len(op.files):,} captions"
    state = "" if step.state == "done" else f"  ({step.state})"
    drafted = "  (by a model)" if op.drafted else ""
    return f"{op.id:>5}  {when(op.at)}  {printable(op.words)}: {printable(what)}{drafted}{state}"


def when(at: float) -> str:
    """A moment in the time of this machine."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _shortened(text: str, *, first: bool, last: bool) -> str:
    head, tail = ("" if first else text[:_AROUND]), ("" if last else text[-_AROUND:])
    return text if len(text) <= len(head) + len(tail) + 1 else f"{head}…{tail}"
