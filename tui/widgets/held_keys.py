"""Keys that are typed for a text field while it is being opened: held, and given to it. Never taken for commands.

Over a slow line keys come in bursts: `/rate` reaches the program at once, and the t of it must not start a training.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.widgets import Input

if TYPE_CHECKING:
    from textual.app import App

    Base = App[tuple[Path, ...]]
else:
    Base = object

_LONGEST = 1.0
"""Seconds after which keys are let go whatever happened to the field."""


class HeldKeys(Base):
    """An app that can hold keys."""

    _held: list[events.Key] | None = None

    def hold_keys(self) -> None:
        """From this key on, keep keys until `release_keys`."""
        if self._held is None:
            self._held = []
            self.set_timer(_LONGEST, self.release_keys)

    def release_keys(self) -> None:
        """The field has the focus, or there will be none: the kept keys are typed now."""
        held, self._held = self._held, None
        for event in held or ():
            # As from the terminal: a key that a widget had sent would go no further than to that widget's parent.
            self.post_message(events.Key(event.key, event.character).set_sender(self))

    def on_key(self, event: events.Key) -> None:
        """A printable key that comes here while a field has the focus was sent on before it had."""
        if self._held is not None:
            event.prevent_default()
            self._held.append(event)
        elif event.is_printable and event.character and isinstance(self.focused, Input):
            event.prevent_default()
            self.focused.insert_text_at_cursor(event.character)
