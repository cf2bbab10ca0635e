"""A form as a list of fields, each typed into where it stands."""

from collections.abc import Iterable, Mapping
from typing import Any

from textual import on
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from projects.problems import Problem
from tui.form import Form, FormRow, label_of, listed, next_value
from tui.spans import Spans, cell
from tui.widgets.held_keys import HeldKeys
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList

_VALUE = 34
_PAUSE_OF_TYPING = 1.5


class FormPane(Container):
    """Shows a form; what a person types is a message. It saves nothing itself."""

    DEFAULT_CSS = """
    FormPane { layers: base edit; }
    FormPane > LineEdit { layer: edit; }
    """

    class Typed(Message):
        """A value was typed. left: the person is through with it; else it was only a pause."""

        def __init__(self, key: str, value: str, *, left: bool) -> None:
            self.key, self.value, self.left = key, value, left
            super().__init__()

    class Closed(Message):
        """Something should be typed and cannot be, for this reason."""

        def __init__(self, reason: str) -> None:
            self.reason = reason
            super().__init__()

    class Here(Message):
        """The cursor is on another field."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._form = Form({})
        self._refused: Mapping[str, tuple[str, Problem]] = {}
        self._preset = ""
        self._everything = False
        self._editing = ""
        self._pause: Timer | None = None
        self.read_only = ""
        """Why nothing can be typed; "" where it can."""

    def compose(self) -> Iterable[Widget]:
        """The list; the line to type into comes over it."""
        yield LineList(
            self._row,
            text=lambda key: f"{label_of(key)} {key}",
            skip=lambda key: str(key).startswith("#"),
            opens_field=True,
            id="form",
        )

    @property
    def rows(self) -> LineList:
        """The list of fields."""
        return self.query_one("#form", LineList)

    @property
    def field(self) -> FormRow | None:
        """The field that the cursor is on."""
        return self._form.rows.get(str(self.rows.key))

    @property
    def typed(self) -> tuple[str, str] | None:
        """(key, value) of what is being typed right now."""
        edits = self.query("#value").results(LineEdit)
        return next(((self._editing, edit.value) for edit in edits if self._editing), None)

    def show(
        self, form: Form, refused: Mapping[str, tuple[str, Problem]], preset: str, *, everything: bool
    ) -> None:
        """Show these fields. refused: key -> what was typed and why it was not saved."""
        self._form, self._refused, self._preset, self._everything = form, refused, preset, everything
        self.rows.show(listed(form, everything=everything))

    def problem(self, row: FormRow) -> Problem | None:
        """What is wrong with a field."""
        return self._refused[row.key][1] if row.key in self._refused else row.problem

    def _row(self, key: str, width: int) -> Spans:
        if key.startswith("#"):
            return [(key[1:], "muted")]
        row, label_width = self._form.rows.get(key), self._label_width()
        label = row.label if row else label_of(key)
        if row is None:
            return [(f" {cell(label, label_width)}", "muted")]
        typed, problem = self._refused[key][0] if key in self._refused else row.value, self.problem(row)
        mark = ("! ", "bad") if problem else ("• ", "accent") if row.departs else ("  ", "text")
        room = max(8, min(_VALUE, width - label_width - 19))
        remark = (
            problem.error if problem else f"{self._preset or 'default'}: {row.under}" if row.departs else ""
        )
        ink = "text" if row.source == "project" else "muted"
        return [
            (f" {cell(label, label_width)}", "text"),
            mark,
            (cell(typed, room), ink),
            (f"  {remark}", "muted"),
        ]

    def _label_width(self) -> int:
        return 28 if self._everything else 18

    @on(LineList.Moved, "#form")
    def moved(self, event: LineList.Moved) -> None:
        """The cursor is on another field."""
        event.stop()
        self.post_message(self.Here())

    @on(LineList.Chosen, "#form")
    async def chosen(self, event: LineList.Chosen) -> None:
        """Enter: the next of few values, or a line to type into."""
        event.stop()
        row = self.field
        if row is None or self.read_only:
            self.post_message(self.Closed(self.read_only))
        elif (value := next_value(row.key, row.value)) is not None:
            self.post_message(self.Typed(row.key, value, left=True))
        else:
            await self._edit(row)
        if isinstance(self.app, HeldKeys):
            self.app.release_keys()

    async def _edit(self, row: FormRow) -> None:
        rows = self.rows
        self._editing = row.key
        typed = self._refused[row.key][0] if row.key in self._refused else row.value
        edit = LineEdit(typed, placeholder=row.under, id="value")
        edit.styles.offset = (self._label_width() + 4, list(rows.rows).index(row.key) - rows.scroll_offset.y)
        edit.styles.width = max(8, min(60, rows.size.width - self._label_width() - 5))
        await self.mount(edit)
        self.screen.set_focus(edit)

    @on(LineEdit.Changed)
    def changed(self, event: LineEdit.Changed) -> None:
        """A pause of typing saves."""
        event.stop()
        if self._pause:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE_OF_TYPING, self._paused)

    def _paused(self) -> None:
        if (typed := self.typed) and typed[1] != self._value(typed[0]):
            self.post_message(self.Typed(*typed, left=False))

    @on(LineEdit.Left)
    def left(self, event: LineEdit.Left) -> None:
        """Enter and the arrows go on to a neighbour, esc and tab back to the form; all of them save."""
        event.stop()
        if self._pause:
            self._pause.stop()
        key, self._editing = self._editing, ""
        event.edit.remove()
        self.screen.set_focus(self.rows)
        if event.value != self._value(key) or key in self._refused:
            self.post_message(self.Typed(key, event.value, left=True))
        if event.way in ("enter", "next"):
            self.rows.do_down()
        elif event.way == "previous":
            self.rows.do_up()

    def _value(self, key: str) -> str:
        row = self._form.rows.get(key)
        return row.value if row else ""
