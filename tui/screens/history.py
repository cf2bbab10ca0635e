"""What was done to the captions of a project, or to one of them, to read: the newest first, with what still stands."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from engine.dataset.captioning.history import Step, steps, texts_of
from engine.dataset.captioning.journal import Journal
from tui.caption_lines import when
from tui.caption_marks import sides
from tui.screens.modal import Reading
from tui.spans import Span, Spans
from tui.working import in_thread

if TYPE_CHECKING:
    from tui.app import Workbench

_MOST: Final = 1000
"""Steps that are shown."""
_INKS: Final = {"done": "text", "taken back": "muted", "gone": "faint", "unfinished": "warn"}


def show_history(bench: "Workbench", journal: Journal, file: str = "") -> None:
    """Read the journal in a thread and show it; with `file`, what was done to this caption, and its words."""

    def then(lines: list[Spans]) -> None:
        bench.push_screen(Reading(f"Steps of {file}" if file else "Steps, the newest first", lines))

    in_thread(bench, lambda: history_lines(journal, file), then)


def history_lines(journal: Journal, file: str = "") -> list[Spans]:
    """One line a step, and with `file` two more with what stood there before and after."""
    found = steps(journal, file)
    lines = [line for step in found[:_MOST] for line in _lines(journal, step, file)]
    if len(found) > _MOST:
        words = f"{len(found) - _MOST:,} older ones: safelight captions DIR log -n {len(found)}"
        lines.append([(words, "muted")])
    return lines or [[("Nothing was done yet.", "muted")]]


def _lines(journal: Journal, step: Step, file: str) -> Sequence[Spans]:
    op = step.op
    what = op.files[0] if len(op.files) == 1 else f"{len(op.files):,} captions"
    # Most steps name the one caption they are about.
    what = "" if op.words.endswith(what.rpartition("/")[2]) else f"   {what}"
    head: list[Span] = [
        (f"{when(op.at)}  ", "muted"), (op.words, _INKS[step.state]), (what, "muted"),
    ]  # fmt: skip
    head += [("   by a model", "muted")] if op.drafted else []
    head += [(f"   {step.state}", "muted")] if step.state != "done" else []
    if not file:
        return [head]
    before, after = sides(*texts_of(journal, op)[file])
    return [head, [("    before  ", "muted"), *_one(before)], [("    after   ", "muted"), *_one(after)]]


def _one(side: Sequence[Span]) -> Sequence[Span]:
    return side or [("(no words)", "muted")]
