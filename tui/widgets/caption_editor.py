"""The field that captions are written in. Keys act at once and in order, whatever is typed ahead of the screen."""

from collections.abc import Callable
from typing import Any, ClassVar, Final, Literal, Self

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import TextArea

from tui import clipboard
from tui.hidden import hide, marked, seen
from tui.printable import printable
from tui.widgets.lines import inks

Way = Literal["next", "previous", "escape", "tab"]
_LEAST: Final = 2
"""Letters from which on a phrase is offered."""
_ENDS: Final = ",\n"
_LONGEST: Final = 2.0
"""Seconds after which kept keys are typed whatever happened to the text that they were meant for."""


class CaptionEditor(TextArea):
    """A text area that says how it is left, leads keys to the room, and offers the project's own phrases."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,pagedown", "leave('next')", "save and next", show=False),
        Binding("pageup", "leave('previous')", "save and previous", show=False),
        Binding("escape", "leave('escape')", "leave the text", show=False),
        Binding("tab", "leave('tab')", "next pane", show=False),
        Binding("ctrl+o", "new_line", "new line", show=False),
        Binding("ctrl+g", "lead", "more keys", show=False),
        Binding("alt+b", "cursor_word_left", "word left", show=False),
        Binding("alt+f", "cursor_word_right", "word right", show=False),
        Binding("ctrl+c,super+c", "copy", "copy", show=False),
        Binding("ctrl+home", "document_start", "start of the text", show=False),
        Binding("ctrl+end", "document_end", "end of the text", show=False),
    ]

    def __init__(self, **options: Any) -> None:
        # Before the text area's own, which moves the cursor.
        self.leave: Callable[[Way], object] = lambda _way: None
        """Called at once when the text is left, before the next key is taken."""
        self.lead: Callable[[str], object] = lambda _key: None
        """Called with "" when the leader was pressed, and with the key after it."""
        self.nothing_to_undo: Callable[[Literal["undo", "redo"]], object] = lambda _way: None
        """Called when nothing that was typed here is left to take back or to do again."""
        self.complete: Callable[[str], str | None] = lambda _words: None
        """A phrase of the project for what was begun, or None."""
        self.begin: Callable[[], str] = lambda: ""
        """What a caption without a word is begun with."""
        self.closed: Callable[[], object] = lambda: None
        """Called when somebody types into a text that cannot be changed."""
        self._leading = False
        self._cut: int | None = None
        self._whole = ""
        """The phrase that is offered in place of what was begun; "" where only its rest is."""
        self._marking = False
        self._painted: dict[int, Strip] = {}
        """Lines as they were drawn last, by their place on the screen."""
        self._comparing = False
        self._waits = False
        self._patience: Timer | None = None
        self._ahead: list[events.Key | events.Paste] = []
        """What was typed while it waits."""
        super().__init__(
            soft_wrap=True, highlight_cursor_line=False, compact=True, max_checkpoints=200, **options
        )
        self.cursor_blink = False
        self.match_cursor_bracket = False

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Draw again the lines that say something else now: the whole field would be sent for every letter."""
        if regions or layout or recompose or not self._painted:
            return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        if not self._comparing:
            self._comparing = True
            self.call_next(self._draw_changed)
        return self

    def _draw_changed(self) -> None:
        self._comparing = False
        changed = [y for y, painted in self._painted.items() if TextArea.render_line(self, y) != painted]
        if changed:
            super().refresh(*(Region(0, y, self.outer_size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One line, kept to be compared with what it says later."""
        strip = super().render_line(y)
        self._painted[y] = strip
        return strip

    @property
    def keys(self) -> list[tuple[str, str]]:
        """(key, word) for the line of keys while somebody types here."""
        offered = [("right", "take over")] if self.suggestion else []
        return [
            *offered, ("enter", "save and next"), ("pgup", "previous"), ("^g", "more keys"), ("^o", "new line"),
            ("^z", "undo"), ("esc", "to the list"), ("^p", "palette"),
        ]  # fmt: skip

    @property
    def value(self) -> str:
        """The text, to the letter."""
        return seen(self.text)

    def open(self, text: str, *, read_only: bool = False) -> None:
        """Show another text, with the cursor at its end. What was done to the last one cannot be taken back here."""
        self._cut, self._marking = None, False
        self.read_only = read_only
        self.load_text(hide(text))
        self.move_cursor(self.document.end)
        if text:
            self.suggestion = ""

    def take(self, text: str) -> None:
        """Show the same caption as somebody else has changed it; the cursor stays where it can."""
        at = self.cursor_location
        self.load_text(hide(text))
        self.move_cursor(self.clamp_visitable(at))

    def change(self, text: str) -> None:
        """Make the text another one, as if it were typed: undo takes it back."""
        start, end = (0, 0), self.document.end
        self.replace(hide(text), start, end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def put_in(self, phrase: str) -> None:
        """A phrase at the cursor, with the comma that it needs on either side."""
        before, behind = self._around()
        words = phrase
        if before.strip() and not before.rstrip().endswith(","):
            words = f", {words}"
        elif before and not before[-1].isspace():
            words = f" {words}"
        if behind.strip() and not behind.lstrip().startswith(","):
            words = f"{words}, " if not behind[:1].isspace() else f"{words},"
        self._replace_via_keyboard(words, *self.selection)

    def phrase_here(self) -> str:
        """What is selected, else the phrase that the cursor is in."""
        if self.selected_text.strip():
            return seen(self.selected_text).strip()
        before, behind = self._around()
        start = max(before.rfind(each) for each in _ENDS) + 1
        ends = [at for at in (behind.find(each) for each in _ENDS) if at >= 0]
        return (before[start:] + behind[: min(ends, default=len(behind))]).strip()

    def show_cut(self, at: int | None) -> None:
        """Draw what is behind this character as not read by the model; None: all is read."""
        if at != self._cut:
            self._cut = at
            self._line_cache.clear()
            self.refresh()

    def get_line(self, line_index: int) -> Text:
        """A line with every character that a terminal would act on as a mark of one cell, and the cut."""
        line = self.document.get_line(line_index)
        shown = line if line.isprintable() else "".join(map(marked, line))
        text = Text(shown, end="", no_wrap=True)
        if self._cut is not None:
            start = self._cut - sum(len(self.document.get_line(each)) + 1 for each in range(line_index))
            if start < len(line):
                text.stylize(inks(self)["faint"], max(0, start))
                if start >= 0:
                    text.stylize(inks(self)["bad"], start, start + 1)
        return text

    def wait(self) -> None:
        """Another text is on its way: what is typed from now on is meant for it, and kept until `go_on`."""
        self._end_patience()
        self._waits, self._patience = True, self.set_timer(_LONGEST, self.go_on)

    def go_on(self) -> None:
        """The text is there, or will not come: what was kept is typed now, before any other key."""
        self._waits = False
        self._end_patience()
        self.call_next(self._catch_up)

    def _end_patience(self) -> None:
        if self._patience:
            self._patience.stop()

    async def _catch_up(self) -> None:
        while self._ahead and not self._waits:
            event = self._ahead.pop(0)
            if isinstance(event, events.Key):
                await self._act(event)
            else:
                self._insert(event.text)

    def _kept(self, event: events.Key | events.Paste) -> bool:
        """Whether it was kept for the text that is on its way."""
        if not (self._waits or self._ahead):
            return False
        _take(event)
        self._ahead.append(event)
        return True

    async def _on_key(self, event: events.Key) -> None:
        """Keys that edit or leave act at once: on the usual way over the screen, letters typed after them overtake them."""
        own = self._leading or event.is_printable or event.key in self._bindings.key_to_bindings
        if not (own and self._kept(event)):
            await self._act(event)

    async def _act(self, event: events.Key) -> None:
        if self._leading:
            self._leading = False
            _take(event)
            self.lead(event.key)
            return
        if found := self._bindings.key_to_bindings.get(event.key):
            _take(event)
            await self.run_action(found[0].action)
            return
        if self.read_only and event.is_printable:
            # Letters meant for a caption must not become commands of the room.
            _take(event)
            self.closed()
            return
        await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        if not self._kept(event):
            _take(event)
            self._insert(event.text)

    def on_resize(self) -> None:
        """The text area is drawn before it is wrapped anew, and not again where it has as many rows as before."""
        self.refresh()

    def update_suggestion(self) -> None:
        """Offer the commonest phrase of the project that what was begun is a part of. It never forces itself."""
        self.suggestion, self._whole = "", ""
        before, behind = self._around()
        if not self.selection.is_empty or self.read_only or behind[:1] not in ("", *_ENDS):
            return
        begun = before[max(before.rfind(each) for each in _ENDS) + 1 :].lstrip()
        if not self.text:
            self.suggestion = printable(self.begin())
            return
        if len(begun) < _LEAST or not (phrase := self.complete(begun)):
            return
        if phrase.startswith(begun):
            self.suggestion = printable(phrase[len(begun) :])
        else:
            self.suggestion, self._whole = printable(f"  → {phrase}"), phrase

    def action_cursor_right(self, select: bool = False) -> None:
        """One character to the right; at the end of what was begun it takes the phrase that is offered."""
        if self.suggestion and self._whole and not select:
            before, _ = self._around()
            begun = before[max(before.rfind(each) for each in _ENDS) + 1 :].lstrip()
            row, column = self.cursor_location
            self._replace_via_keyboard(self._whole, (row, column - len(begun)), (row, column))
            return
        if self._marking:
            select, self.suggestion = True, ""
        super().action_cursor_right(select)

    def move_cursor(
        self, location: tuple[int, int], select: bool = False, center: bool = False, record_width: bool = True
    ) -> None:
        """Every motion goes on with a selection that was begun by key."""
        super().move_cursor(location, select or self._marking, center, record_width)
        self.update_suggestion()

    def action_cursor_line_start(self, select: bool = False) -> None:
        """The start of the row on the screen, and from there the start of the text."""
        before = self.cursor_location
        super().action_cursor_line_start(select)
        if self.cursor_location == before:
            self.move_cursor((0, 0), select)

    def action_cursor_line_end(self, select: bool = False) -> None:
        """The end of the row on the screen, and from there the end of the text."""
        before = self.cursor_location
        super().action_cursor_line_end(select)
        if self.cursor_location == before:
            self.move_cursor(self.document.end, select)

    def action_document_start(self) -> None:
        """The start of the text."""
        self.move_cursor((0, 0))

    def action_document_end(self) -> None:
        """The end of the text."""
        self.move_cursor(self.document.end)

    def mark(self) -> None:
        """Begin a selection that motions go on with, or end it."""
        self._marking = not self._marking

    def action_leave(self, way: Way) -> None:
        """Say at once that the text is left."""
        self._marking = False
        self.leave(way)

    def action_lead(self) -> None:
        """The next key is one of the room."""
        self._leading = True
        self.lead("")

    def action_new_line(self) -> None:
        """A line end in the caption."""
        self._replace_via_keyboard("\n", *self.selection)

    def action_undo(self) -> None:
        """Take back what was typed here, and beyond that what was done before."""
        if self.history.undo_stack:
            super().action_undo()
        else:
            self.nothing_to_undo("undo")

    def action_redo(self) -> None:
        """Do again what was taken back."""
        if self.history.redo_stack:
            super().action_redo()
        else:
            self.nothing_to_undo("redo")

    def action_copy(self) -> None:
        """The selection, else the whole caption, to the terminal's clipboard."""
        clipboard.copy(self.app, seen(self.selected_text or self.text))
        self._marking = False

    def action_cut(self) -> None:
        """Take the selection, else the line, out and to the clipboard."""
        if self.read_only:
            return
        self._marking = False
        start, end = self.selection
        result = self._delete_cursor_line() if start == end else self._delete_via_keyboard(start, end)
        if result is not None:
            clipboard.copy(self.app, seen(result.replaced_text))

    def action_paste(self) -> None:
        """What was copied last."""
        self._insert(clipboard.pasted(self.app))

    def _insert(self, text: str) -> None:
        """What comes from outside: its last line end is a matter of where it came from."""
        self._marking = False
        # Terminals send what is pasted with carriage returns for its line ends.
        words = hide(text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n"))
        if words and (result := self._replace_via_keyboard(words, *self.selection)):
            self.move_cursor(result.end_location)

    def _around(self) -> tuple[str, str]:
        """The line before and behind the cursor."""
        row, column = self.cursor_location
        line = self.document.get_line(row)
        return line[:column], line[column:]


def _take(event: events.Event) -> None:
    event.stop()
    event.prevent_default()
