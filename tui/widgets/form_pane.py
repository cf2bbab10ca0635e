"""A form as a list of fields, each typed into where it stands."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textual import on
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from projects.problems import Problem
from tui.form import Form, FormRow, label_of, listed, next_value
from tui.overview import place_of
from tui.spans import Spans, cell
from tui.widgets.held_keys import HeldKeys
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList

_VALUE = 34
_APART = ("sample.prompts",)
"""Fields with a screen of their own in the place of a line."""
_KEYS = (
    ("enter", "save"),
    ("esc", "cancel"),
    ("tab", "next"),
    ("", "nothing is saved before; ^q keeps it here"),
)


class FormPane(Container):
    """Shows a form; what a person types is a message. It saves nothing itself."""

    DEFAULT_CSS = """
    FormPane { layers: base edit; }
    FormPane > LineEdit { layer: edit; }
    """

    class Typed(Message):
        """A value was typed and is to be saved. seen: what the file said when the person began; None for nothing."""

        def __init__(self, key: str, value: str, seen: str | None) -> None:
            self.key, self.value, self.seen = key, value, seen
            super().__init__()

    class Cancelled(Message):
        """What was typed is not to be saved."""

        def __init__(self, key: str) -> None:
            self.key = key
            super().__init__()

    class ChangedBelow(Message):
        """While somebody types, the file has come to say something else at this field."""

        def __init__(self, row: FormRow) -> None:
            self.row = row
            super().__init__()

    class Closed(Message):
        """Something should be typed and cannot be, for this reason."""

        def __init__(self, reason: str) -> None:
            self.reason = reason
            super().__init__()

    class Apart(Message):
        """A field is to be changed that has a screen of its own."""

        def __init__(self, key: str) -> None:
            self.key = key
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
        self._began = ""
        """The value that stood in the edited field when the person began."""
        self._seen: str | None = None
        """What the file said of it then."""
        self._told: str | None = None
        """What it has come to say since, as far as the person was told."""
        self.read_only = ""
        """Why nothing can be typed; "" where it can."""
        self.place: Path | None = None
        """The folder of the project."""

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
        for edit in self.query("#value").results(LineEdit):
            self._place(edit)
        row = form.rows.get(self._editing)
        if row is not None and row.said != self._told:
            self._told = row.said
            self.post_message(self.ChangedBelow(row))

    def problem(self, row: FormRow) -> Problem | None:
        """What is wrong with a field."""
        return self._refused[row.key][1] if row.key in self._refused else row.problem

    def _row(self, key: str, width: int) -> Spans:
        if key.startswith("#"):
            where = place_of(self.place, width - 21) if key == "#WHAT" and self.place else ""
            return [(f"{key[1:]:<21}" if where else key[1:], "muted"), (where, "muted")]
        row, label_width = self._form.rows.get(key), self._label_width()
        label = row.label if row else label_of(key)
        if row is None:
            return [(f" {cell(label, label_width)}", "muted")]
        typed, problem = self._refused[key][0] if key in self._refused else row.value, self.problem(row)
        mark = ("! ", "bad") if problem else ("• ", "accent") if row.departs else ("  ", "text")
        departs = f"{self._preset or 'default'}: {row.under}" if row.departs else ""
        remark = problem.error if problem else departs or row.beside
        most = width - label_width - 3
        room = max(8, min(_VALUE, most - 16) if remark else most)
        if remark and remark == row.beside:
            room = max(len(typed), min(_VALUE, most - len(remark) - 2))
        ink = "text" if row.source == "project" else "muted"
        return [
            (f" {cell(label, label_width)}", "text"),
            mark,
            (cell(typed or row.found, room), ink),
            (f"  {remark}", "muted"),
        ]

    def _label_width(self) -> int:
        return 28 if self._everything else 18

    @on(LineList.Moved, "#form")
    def moved(self, event: LineList.Moved) -> None:
        """The cursor is on another field; a click that put it there leaves what was typed as tab does."""
        event.stop()
        for edit in list(self.query("#value").results(LineEdit)):
            if self._editing and event.key not in (None, self._editing):
                self._leave(edit, saves=True)
        self.post_message(self.Here())

    @on(LineList.Chosen, "#form")
    async def chosen(self, event: LineList.Chosen) -> None:
        """Enter: the next of few values, or a line to type into."""
        event.stop()
        row = self.field
        if row is None or self.read_only:
            self.post_message(self.Closed(self.read_only))
        elif row.key in _APART and row.key not in self._refused and row.problem is None:
            self.post_message(self.Apart(row.key))
        elif (value := next_value(row.key, row.value)) is not None:
            self.post_message(self.Typed(row.key, value, row.said))
        else:
            await self.edit(row)
        if isinstance(self.app, HeldKeys):
            self.app.release_keys()

    async def edit(self, row: FormRow) -> None:
        """Open a field to type into, with what was typed last and is not saved, or with its value."""
        self._editing, self._began, self._seen, self._told = row.key, row.value, row.said, row.said
        typed = self._refused[row.key][0] if row.key in self._refused else row.value
        await self.query("#value").remove()
        edit = LineEdit(typed, placeholder=row.found or row.under, id="value", keys=_KEYS)
        self._place(edit)
        await self.mount(edit)
        self.screen.set_focus(edit)

    def _place(self, edit: LineEdit) -> None:
        rows = self.rows
        if self._editing in rows.rows:
            at = list(rows.rows).index(self._editing) - rows.scroll_offset.y
            edit.styles.offset = (self._label_width() + 4, at)
        edit.styles.width = max(8, min(60, rows.size.width - self._label_width() - 5))

    @on(LineEdit.Left)
    def left(self, event: LineEdit.Left) -> None:
        """Enter, tab and the arrows save and go on to a neighbour; esc leaves all as it was."""
        event.stop()
        self._leave(event.edit, saves=event.way != "escape")
        if event.way in ("enter", "tab", "next"):
            self.rows.do_down()
        elif event.way == "previous":
            self.rows.do_up()

    def _leave(self, edit: LineEdit, *, saves: bool) -> None:
        key, self._editing = self._editing, ""
        edit.remove()
        self.screen.set_focus(self.rows)
        if not saves:
            self.post_message(self.Cancelled(key))
        elif edit.value != self._began or key in self._refused:
            self.post_message(self.Typed(key, edit.value, self._seen))
