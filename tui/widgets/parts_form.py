"""The parts of a prompt, one a line: read where they stand, typed into when a prompt is changed."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from textual import on
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from engine.dataset.captioning.prompt_parts import PARTS, Part
from tui.widgets.line_edit import LineEdit
from tui.widgets.lines import Lines

_MEANT: Final[Mapping[Part, str]] = {
    "trigger": "the word that calls what was learned",
    "subject": "who or what, and what it does",
    "clothing": "what it wears",
    "place": "where it is",
    "light": "what light falls on it",
    "camera": "distance, lens, film",
}
"""What an empty line stands for."""


class PartsForm(Vertical):
    """Six lines. It knows nothing of the prompt that they make."""

    DEFAULT_CSS = """
    PartsForm { height: 6; }
    PartsForm Horizontal { height: 1; }
    PartsForm Lines { width: 12; height: 1; }
    PartsForm LineEdit { width: 1fr; margin: 0 1 0 0; }
    """

    class Typed(Message):
        """Another letter stands in one of the lines."""

    class Ended(Message):
        """The person is through. kept: what is typed is to be saved."""

        def __init__(self, *, kept: bool) -> None:
            self.kept = kept
            super().__init__()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._open = False

    def compose(self) -> Iterable[Widget]:
        """Names and lines."""
        for part in PARTS:
            with Horizontal():
                yield Lines([[(f" {part}", "muted")]])
                yield LineEdit(id=f"part-{part}")

    def on_mount(self) -> None:
        self.close()

    @property
    def texts(self) -> Mapping[Part, str]:
        """What stands in each line."""
        return {part: self._edit(part).value for part in PARTS}

    def show(self, texts: Mapping[Part, str]) -> None:
        """Put these into the lines."""
        for part in PARTS:
            edit = self._edit(part)
            if edit.value != texts[part]:
                edit.value = texts[part]
                # Of a long text the beginning is seen.
                edit.cursor_position = len(edit.value) if edit.has_focus else 0

    def open(self) -> None:
        """Let somebody type, into the first line that is empty behind the trigger, else into that of the trigger."""
        self._open = True
        for part in PARTS:
            self._edit(part).can_focus = True
            self._edit(part).placeholder = _MEANT[part]
        texts = self.texts
        self._go_to(next((part for part in PARTS[1:] if not texts[part]), PARTS[0]))

    def close(self) -> None:
        """Nothing is typed any more."""
        self._open = False
        for part in PARTS:
            self._edit(part).can_focus = False
            self._edit(part).placeholder = ""

    @on(LineEdit.Changed)
    def changed(self, event: LineEdit.Changed) -> None:
        """Another letter."""
        event.stop()
        if self._open:
            self.post_message(self.Typed())

    @on(LineEdit.Left)
    def left(self, event: LineEdit.Left) -> None:
        """Enter and esc end it; tab and the arrows go through the lines."""
        event.stop()
        if event.way in ("enter", "escape"):
            self.post_message(self.Ended(kept=event.way == "enter"))
            return
        here = next(number for number, part in enumerate(PARTS) if self._edit(part) is event.edit)
        self._go_to(PARTS[(here + (-1 if event.way == "previous" else 1)) % len(PARTS)])

    def _go_to(self, part: Part) -> None:
        edit = self._edit(part)
        edit.cursor_position = len(edit.value)
        self.screen.set_focus(edit)

    def _edit(self, part: Part) -> LineEdit:
        return self.query_one(f"#part-{part}", LineEdit)
