"""Changes many captions otherwise than by replacing: put in front or behind, remove, move, sort, merge twins."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from projects.spec import RunSpec
from tui.bindings import bindings
from tui.caption_changes import Asked, Change, Offered, Option, Scope, asked_of, offered
from tui.screens.previewing import Previewing
from tui.spans import Span, Spans
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines


class Changing(Previewing):
    """A list of changes, the field of the one under the cursor, and what else there is to choose."""

    PLACE: ClassVar[str] = "changing"
    TITLE_WORDS: ClassVar[str] = "CHANGE MANY"
    BINDINGS: ClassVar[list[BindingType]] = bindings("changing")

    class Found(Message):
        """What there is to choose beside the field was found in a thread."""

        def __init__(self, change: Change, scope: Scope, options: Sequence[Option]) -> None:
            self.change, self.scope, self.options = change, scope, options
            super().__init__()

    def __init__(
        self,
        scopes: Sequence[Scope],
        spec: RunSpec,
        *,
        at: int = 0,
        change: Change = "trigger",
        text: str = "",
    ) -> None:
        """change and text: what it begins with."""
        super().__init__(scopes, at=at)
        self._spec, self._offered = spec, {each.change: each for each in offered()}
        self.change: Change = change
        self.text = text
        self._options: Sequence[Option] = ()
        self._option = 0
        self._looks = False
        """Whether what there is to choose is still looked for."""

    def fields(self) -> Iterable[Widget]:
        """The changes at the left, what belongs to the one under the cursor at the right."""
        with Horizontal(id="changing-top"):
            yield LineList(self._change_row, finds=False, id="changes")
            with Vertical(id="changing-fields"):
                with Horizontal(classes="row"):
                    yield Lines(id="field-label")
                    yield LineEdit(self.text, id="field")
                yield Lines(id="option")

    def on_mount(self) -> None:
        rows = self.query_one("#changes", LineList)
        rows.show(list(self._offered))
        rows.go_to(self.change)
        self._take(self.change, keep=True)
        (self._field if self._one.label and self.text else rows).focus()

    def question(self) -> Callable[[], Asked | None]:
        change, text, option, spec = self.change, self.text, self._chosen, self._spec
        everything = max((scope.entries for scope in self.everything), key=len)
        return lambda: asked_of(change, text, option, everything, spec)

    @property
    def _one(self) -> Offered:
        return self._offered[self.change]

    @property
    def _field(self) -> LineEdit:
        return self.query_one("#field", LineEdit)

    @property
    def _chosen(self) -> Option | None:
        return self._options[self._option] if self._options else None

    def _change_row(self, change: Change, _width: int) -> Spans:
        return [(self._offered[change].words, "text")]

    def _take(self, change: Change, *, keep: bool = False) -> None:
        """Another change is under the cursor. keep: what the field holds stays."""
        self.change, self._option = change, 0
        if not keep:
            self.text = ""
        self._field.value = self.text
        self._field.display = bool(self._one.label)
        self.query_one("#field-label", Lines).show([[(f" {self._one.label}", "muted")]])
        self._look_for_options()
        self.renew()

    def _look_for_options(self) -> None:
        """Twins are counted in all captions, so in a thread."""
        change, scope, options = self.change, self.scope, self._one.options
        self._options, self._looks = (), True
        if change != "twins":
            self._options, self._looks = options(()), False
        else:
            threading.Thread(
                target=lambda: self.post_message(self.Found(change, scope, options(scope.entries))),
                name="twins", daemon=True,
            ).start()  # fmt: skip
        self._draw_option()

    @on(Found)
    def found(self, event: Found) -> None:
        """Choose among them, where they are still what is asked for."""
        if (event.change, event.scope) != (self.change, self.scope):
            return
        self._options, self._looks = event.options, False
        self._option = min(self._option, max(0, len(self._options) - 1))
        if self._chosen and self._chosen.text and not self.text:
            self.text = self._field.value = self._chosen.text
        self._draw_option()
        self.renew()

    def _draw_option(self) -> None:
        lines: list[Spans] = []
        if self.change == "twins" and not self._options:
            words = "looking for twins" if self._looks else "No phrase stands here in two spellings."
            lines = [[(f" {words}", "muted")]]
        elif self._chosen:
            number = f"{self._option + 1} of {len(self._options)}"
            spans: list[Span] = [
                (f" {self._key('option')} {self._key('option-back')} ", "text"),
                (f"[{self._chosen.words}]", "text"),
            ]
            lines = [[*spans, (f"   {number}", "muted")]]
        self.query_one("#option", Lines).show(lines)

    @on(LineList.Moved, "#changes")
    def moved_to(self, event: LineList.Moved) -> None:
        """The change under the cursor."""
        event.stop()
        if event.key in self._offered and event.key != self.change:
            self._take(event.key)

    @on(LineList.Chosen, "#changes")
    def take(self, event: LineList.Chosen) -> None:
        """To its field; it is written at once where it has none."""
        event.stop()
        if self._one.label:
            self._field.focus()
        else:
            self.do_write()

    @on(LineEdit.Changed)
    def changed(self, event: LineEdit.Changed) -> None:
        """Another text."""
        event.stop()
        if event.value != self.text:
            self.text = event.value
            self.renew()

    @on(LineEdit.Left)
    def left(self, event: LineEdit.Left) -> None:
        """Enter writes; the arrows go through the table."""
        event.stop()
        if event.way == "escape":
            self.do_leave()
        elif event.way in ("previous", "next"):
            self.query_one("#hits", LineList).move(-1 if event.way == "previous" else 1)
        elif event.way == "tab":
            self.focus_next()
        else:
            self.do_write()

    def do_scope(self) -> None:
        """The next of the scopes; what is to choose depends on it."""
        super().do_scope()
        self._look_for_options()

    def do_option(self) -> None:
        self._turn(1)

    def do_option_back(self) -> None:
        self._turn(-1)

    def _turn(self, by: int) -> None:
        if not self._options:
            return
        self._option = (self._option + by) % len(self._options)
        if self._chosen and self._chosen.text:
            self.text = self._field.value = self._chosen.text
        self._draw_option()
        self.renew()
