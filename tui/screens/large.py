"""One picture alone, as large as the terminal, and closer than that."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.pictures import Pictures
from tui.spans import Spans, length, wrapped
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView

if TYPE_CHECKING:
    from tui.app import Workbench


_WORDS = 6
"""Lines that words take at most."""


class Large(ModalScreen[None]):
    """Goes through pictures one by one. Arrows go to the next one, and over the picture where only a part is seen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("large")

    def __init__(self, store: Pictures | None, pictures: Sequence[tuple[Path, str]], at: int = 0) -> None:
        """pictures: file and what stands under it."""
        super().__init__()
        self._store, self._pictures, self._at = store, pictures, at

    def compose(self) -> ComposeResult:
        """The picture over its words and the keys."""
        yield PictureView()
        yield Lines(id="large-words")

    def on_mount(self) -> None:
        self._go(0)

    def on_resize(self) -> None:
        self._say()

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    def _go(self, by: int) -> None:
        self._at = max(0, min(self._at + by, len(self._pictures) - 1))
        self._view.show(self._store, self._pictures[self._at][0])
        self._say()

    def _say(self) -> None:
        """The picture's words, and the keys on the same line where both fit."""
        width, words = self.size.width - 2, self._pictures[self._at][1]
        keymap = cast("Workbench", self.app).keymap

        def key(name: str) -> str:
            return keymap.shown(ACTIONS[f"large.{name}"])

        keys: Spans = [
            (f"{self._at + 1} of {len(self._pictures)}   ", "muted"),
            (f"{key('zoom-in')} {key('zoom-out')}", "text"), (" zoom, then arrows   ", "muted"),
            (f"{key('earlier')} {key('later')}", "text"), (" previous, next   ", "muted"),
            (key("help"), "text"), (" help   ", "muted"), (key("leave"), "text"), (" back", "muted"),
        ]  # fmt: skip
        one: Spans = [(f" {words}   ", "text"), *keys]
        # Who goes closer wants to see the picture.
        lines: list[Spans] = (
            [] if self._view.zoomed else [[(f" {line}", "text")] for line in wrapped(words, width)]
        )
        shown = [one] if length(one) <= width else [*lines[:_WORDS], [(" ", "text"), *keys]]
        self.query_one(Lines).show(shown)

    @property
    def _view(self) -> PictureView:
        return self.query_one(PictureView)

    def do_leave(self) -> None:
        self.dismiss(None)

    def do_help(self) -> None:
        cast("Workbench", self.app).do_help()

    def do_earlier(self) -> None:
        self._go(-1)

    def do_later(self) -> None:
        self._go(1)

    def do_zoom_in(self) -> None:
        self._view.closer()
        self._say()

    def do_zoom_out(self) -> None:
        self._view.farther()
        self._say()

    def do_left(self) -> None:
        self._arrow(-1, 0)

    def do_right(self) -> None:
        self._arrow(1, 0)

    def do_up(self) -> None:
        self._arrow(0, -1)

    def do_down(self) -> None:
        self._arrow(0, 1)

    def _arrow(self, across: int, down: int) -> None:
        if self._view.zoomed:
            self._view.pan(across, down)
        else:
            self._go(across + down)
