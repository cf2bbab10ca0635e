"""One picture alone, as large as the terminal, and closer than that."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.overlay import Cut, Overlay, placed_words
from tui.pictures import Pictures
from tui.spans import Spans, length, wrapped
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView

if TYPE_CHECKING:
    from tui.app import Workbench


_WORDS = 6
"""Lines that words take at most."""


@dataclass(frozen=True)
class Alone:
    """A picture that is looked at."""

    path: Path
    words: str
    """What stands under it."""
    overlay: Overlay | None = None
    """Frame and boxes, which a key takes away."""
    cuts: tuple[Cut, ...] = ()
    """What is trained of it, one a resolution."""


class Large(ModalScreen[None]):
    """Goes through pictures one by one. Arrows go to the next one, and over the picture where only a part is seen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("large")

    def __init__(self, store: Pictures | None, pictures: Sequence[Alone], at: int = 0) -> None:
        """at: where it begins."""
        super().__init__()
        self._store, self._pictures, self._at = store, pictures, at
        self._bare = False
        self._placed = 0
        """0: the whole picture; n: what is trained of it at the n-th resolution."""

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
        one, cut = self._pictures[self._at], self._cut
        self._view.show(self._store, one.path, cut=cut, overlay=None if self._bare or cut else one.overlay)
        self._say()

    @property
    def _cut(self) -> Cut | None:
        cuts = self._pictures[self._at].cuts
        return cuts[self._placed - 1] if 0 < self._placed <= len(cuts) else None

    def _say(self) -> None:
        """The picture's words, and the keys on the same line where both fit."""
        width, one, cut = self.size.width - 2, self._pictures[self._at], self._cut
        words = f"{one.words}   as it is trained: {placed_words(cut.placement)}" if cut else one.words
        keys: Spans = [(f"{self._at + 1} of {len(self._pictures)}   ", "muted"), *self._keys(one)]
        line: Spans = [(f" {words}   ", "text"), *keys]
        # Who goes closer wants to see the picture.
        lines: list[Spans] = (
            [] if self._view.zoomed else [[(f" {line}", "text")] for line in wrapped(words, width)]
        )
        shown = [line] if length(line) <= width else [*lines[:_WORDS], [(" ", "text"), *keys]]
        self.query_one(Lines).show(shown)

    def _keys(self, one: Alone) -> Spans:
        keymap = cast("Workbench", self.app).keymap

        def key(name: str, word: str, other: str = "") -> Spans:
            keys = [keymap.shown(ACTIONS[f"large.{each}"]) for each in (name, other) if each]
            return [(" ".join(keys), "text"), (f" {word}   ", "muted")]

        told = [*key("zoom-in", "zoom, arrows move" if self._view.zoomed else "zoom", "zoom-out")]
        if one.overlay:
            told += key("boxes", "frame" if not one.overlay.boxes else "boxes")
        if one.cuts:
            told += key("model", "as trained")
        if len(self._pictures) > 1:
            told += key("earlier", "previous, next", "later")
        return [*told, *key("help", "help"), *key("leave", "back")[:1], (" back", "muted")]

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

    def do_boxes(self) -> None:
        self._bare = not self._bare
        self._go(0)

    def do_model(self) -> None:
        self._placed = (self._placed + 1) % (len(self._pictures[self._at].cuts) + 1)
        self._go(0)

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
