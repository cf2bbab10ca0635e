"""One line of text to type into: enter takes it and goes on, esc and tab leave it, no key of the room works meanwhile."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

Way = Literal["enter", "escape", "tab", "previous", "next"]


class LineEdit(Input):
    """A field without a frame. What is in it is data: nothing is highlighted, nothing completed."""

    DEFAULT_CSS = """
    LineEdit, LineEdit:focus {
        height: 1; border: none; padding: 0; background: $panel; color: $foreground;
    }
    LineEdit.-ansi { text-style: underline; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave('escape')", "leave the text", show=False),
        Binding("tab", "leave('tab')", "leave the text", show=False),
        Binding("pageup,up", "leave('previous')", "previous field", show=False),
        Binding("pagedown,down", "leave('next')", "next field", show=False),
        Binding("enter", "leave('enter')", "take it", show=False),
    ]

    class Changed(Input.Changed):
        """Another text stands there."""

        def can_replace(self, message: Message) -> bool:
            """What was typed since is all that matters: a filter of ten thousand rows is not worked out for every letter of
            a word that came at once."""
            return isinstance(message, LineEdit.Changed) and message.input is self.input

    class Left(Message):
        """The person is through with the text."""

        def __init__(self, edit: "LineEdit", value: str, way: Way) -> None:
            self.edit, self.value, self.way = edit, value, way
            super().__init__()

        @property
        def control(self) -> "LineEdit":
            """The field."""
            return self.edit

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        id: str | None = None,
        keys: Sequence[tuple[str, str]] = (),
        at_once: Callable[[Way], bool] = lambda _way: False,
    ) -> None:
        """keys: (key, word) of what leaves this field, for the line of keys while somebody types.

        at_once: called before Left is sent, and in its place where it returns true.
        """
        super().__init__(value, placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self.keys = keys
        self._at_once = at_once

    async def _on_key(self, event: events.Key) -> None:
        """Keys that edit or leave act at once: on the usual way over the screen, letters typed after them overtake them."""
        focused = self.screen.focused
        if focused is not self and isinstance(focused, LineEdit):
            # Typed in one burst with the key that went to the next field.
            event.stop()
            event.prevent_default()
            focused.post_message(events.Key(event.key, event.character))
            return
        found = self._bindings.key_to_bindings.get(event.key)
        if found:
            event.stop()
            event.prevent_default()
            await self.run_action(found[0].action)

    def action_leave(self, way: Way) -> None:
        """Say that the text is left."""
        if not self._at_once(way):
            self.post_message(self.Left(self, self.value, way))
