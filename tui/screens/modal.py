"""What stands for a moment over a room: a question of one line, a list to pick from, a text to read."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.spans import Spans, cell, ends, folded
from tui.widgets.held_keys import HeldKeys
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines

_ROOM_FOR_KEYS = 70
_LEAVE: list[BindingType] = [Binding("escape,q", "leave", "leave", show=False)]


class Ask(ModalScreen[str | None]):
    """A question answered with one line; None when the person left it."""

    def __init__(self, question: str, value: str = "") -> None:
        super().__init__()
        self._question, self._value = question, value

    def compose(self) -> ComposeResult:
        """The question over the line."""
        with Vertical(id="ask"):
            yield Lines([[(f" {self._question}", "text"), ("   enter goes on, esc leaves", "muted")]])
            yield LineEdit(self._value)

    @on(LineEdit.Left)
    def answered(self, event: LineEdit.Left) -> None:
        """Enter answers, esc and tab leave."""
        if event.way in ("previous", "next"):
            return
        self.dismiss(event.value.strip() if event.way == "enter" else None)


@dataclass(frozen=True)
class Choice:
    """One row to pick."""

    key: str
    words: str
    right: str = ""
    """What stands at the right end, e.g. a key."""


class Pick(ModalScreen[str | None]):
    """A list that typing narrows; gives the key of the row, None when the person left."""

    BINDINGS: ClassVar[list[BindingType]] = _LEAVE

    def __init__(self, title: str, choices: Sequence[Choice], *, at: str = "", typing: bool = True) -> None:
        """at: the row to begin on. typing: without it the keys move in the list, for one that needs no narrowing."""
        super().__init__()
        self._title, self._choices = title, {choice.key: choice for choice in choices}
        self._at, self._typing = at, typing

    def compose(self) -> ComposeResult:
        """A line to type into, or the title, and the list."""
        with Vertical(id="pick"):
            if self._typing:
                yield LineEdit(placeholder=self._title)
            else:
                yield Lines([[(self._title, "bold"), ("   enter takes it, esc leaves", "muted")]])
            yield LineList(
                self._row, text=lambda key: self._choices[key].words, clears="", finds=self._typing
            )

    def on_mount(self) -> None:
        rows = self.query_one(LineList)
        rows.show(list(self._choices))
        rows.go_to(self._at)
        if self._typing:
            rows.can_focus = False
            self.query_one(LineEdit).focus()
        else:
            rows.focus()

    def _row(self, key: str, width: int) -> Spans:
        choice = self._choices[key]
        room = max(1, width - len(choice.right) - 2)
        return [(f" {cell(choice.words, room - 1)}", "text"), (f" {choice.right}", "muted")]

    @on(LineEdit.Changed)
    def narrow(self, event: LineEdit.Changed) -> None:
        """Show what holds the words."""
        self.query_one(LineList).set_filter(event.value)

    @on(LineEdit.Left)
    def left(self, event: LineEdit.Left) -> None:
        """Enter takes the row, up and down move, esc leaves."""
        rows = self.query_one(LineList)
        if event.way == "enter":
            self.dismiss(str(rows.key) if rows.key is not None else None)
        elif event.way == "previous":
            rows.do_up()
        elif event.way == "next":
            rows.do_down()
        else:
            self.dismiss(None)

    @on(LineList.Chosen)
    def chosen(self, event: LineList.Chosen) -> None:
        """Enter, or a click on the row that the cursor is on."""
        self.dismiss(str(event.key))

    def action_leave(self) -> None:
        """Nothing is picked."""
        self.dismiss(None)


class Reading(ModalScreen[None]):
    """Lines to read: the help, a log. The end is shown first where that is what matters."""

    BINDINGS: ClassVar[list[BindingType]] = _LEAVE
    KEYS: ClassVar[str] = "esc leaves, / filters, n N next and previous"

    def __init__(
        self, title: str, lines: Sequence[Spans], *, from_end: bool = False, folded: bool = False
    ) -> None:
        """folded: lines that are longer than the screen is wide go on below; else they are cut."""
        super().__init__()
        self._title, self._lines, self._from_end, self._folded = title, lines, from_end, folded
        self._rows: list[tuple[int, Spans]] = []
        """Number of the line, and what of it stands on the row."""

    def compose(self) -> ComposeResult:
        """A title over a list of lines."""
        with Vertical(id="reading"):
            yield Lines(id="title")
            yield LineList(self._line, text=self._text)
            yield LineEdit(placeholder="filter")

    def on_mount(self) -> None:
        self.query_one(LineEdit).display = False
        self.query_one(LineList).focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        lines, first = self.query_one(LineList), not self._rows
        width = lines.scrollable_content_region.width - 2
        if width <= 0:
            return
        self._rows = [(at, part) for at, line in enumerate(self._lines) for part in self._parts(line, width)]
        lines.show(range(len(self._rows)))
        if first and self._from_end:
            self.call_after_refresh(lines.do_last)
        self.call_after_refresh(self.show_title)

    def show_title(self) -> None:
        """What this is, the keys, and which part of the lines is seen where not all of them are."""
        lines, title = self.query_one(LineList), self.query_one("#title", Lines)
        top, height, count = lines.scroll_offset.y, lines.size.height, len(lines.rows)
        seen = f"{top + 1}-{min(count, top + height)} of {count}" if count > height else ""
        keys = f"   {self.KEYS}" if title.size.width > _ROOM_FOR_KEYS else "   esc leaves"
        title.show([ends([(self._title, "bold"), (keys, "muted")], [(seen, "text")], title.size.width)])

    def _parts(self, line: Spans, width: int) -> list[Spans]:
        """The rows of a line: folded text has the one ink of its beginning."""
        if not self._folded or not line:
            return [line]
        return [[(part, line[0][1])] for part in folded("".join(text for text, _ in line), width)]

    def _line(self, at: int, _width: int) -> Spans:
        return self._rows[at][1]

    def _text(self, at: Hashable) -> str:
        """The whole line, so that a filter keeps all rows of it."""
        return "".join(text for text, _ in self._lines[self._rows[at][0]]) if isinstance(at, int) else ""

    @on(LineList.Moved)
    def moved(self) -> None:
        """Another part may be seen."""
        self.call_after_refresh(self.show_title)

    @on(LineList.FilterAsked)
    def ask_filter(self) -> None:
        """Type a filter."""
        edit = self.query_one(LineEdit)
        edit.value = self.query_one(LineList).filter
        edit.display = True
        self.set_focus(edit)
        if isinstance(self.app, HeldKeys):
            self.app.release_keys()

    @on(LineEdit.Changed)
    def narrow(self, event: LineEdit.Changed) -> None:
        """Show what holds the words."""
        self.query_one(LineList).set_filter(event.value)
        self.call_after_refresh(self.show_title)

    @on(LineEdit.Left)
    def left(self, event: LineEdit.Left) -> None:
        """Back to the lines; esc drops the filter."""
        if event.way == "escape":
            event.edit.value = ""
        event.edit.display = False
        self.query_one(LineList).focus()

    def action_leave(self) -> None:
        """Back to the room."""
        self.dismiss(None)
