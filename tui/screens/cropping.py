"""Moves the point that the crop of a picture keeps, over the picture, as large as the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from engine.dataset.items import Placement
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.overlay import Overlay, frame_of, moved_to
from tui.pictures import Pictures
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView

if TYPE_CHECKING:
    from tui.app import Workbench

Point = tuple[float, float]
_STEP = 0.02
"""Share of the picture by which one key moves."""


class Cropping(ModalScreen[Point | None]):
    """Gives the point, as shares of width and height; None when the person left it as it was."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("crop")

    def __init__(self, store: Pictures | None, path: Path, placement: Placement) -> None:
        super().__init__()
        self._store, self._path, self._placement = store, path, placement
        left, top, right, bottom = frame_of(placement)
        self.point: Point = ((left + right) / 2, (top + bottom) / 2)

    def compose(self) -> ComposeResult:
        """The picture over its words."""
        yield PictureView()
        yield Lines(id="crop-words")

    def on_mount(self) -> None:
        self._show()

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    def _show(self) -> None:
        frame = moved_to(self._placement, self.point)
        self.query_one(PictureView).show(self._store, self._path, overlay=Overlay(frame))
        keymap = cast("Workbench", self.app).keymap
        keys = [
            (keymap.shown(ACTIONS[f"crop.{name}"]), word)
            for name, word in (("take", "keeps this"), ("leave", "leaves"))
        ]
        free = [word for word, at in (("left and right", 0), ("up and down", 1)) if self._free(at)]
        words = f"{' and '.join(free)}" if free else "the whole picture is trained: there is nothing to move"
        spans = [
            (f" {self._path.name}   ", "text"),
            (f"arrows move the frame {words}   " if free else f"{words}   ", "muted"),
        ]
        for key, word in keys:
            spans += [(key, "text"), (f" {word}   ", "muted")]
        self.query_one(Lines).show([spans])

    def _free(self, at: int) -> bool:
        return self._placement.scaled[at] > self._placement.bucket[at]

    def _move(self, across: int, down: int) -> None:
        moved = []
        for at, by in enumerate((across, down)):
            half = self._placement.bucket[at] / self._placement.scaled[at] / 2
            moved.append(min(max(self.point[at] + by * _STEP, half), max(half, 1 - half)))
        self.point = (moved[0], moved[1])
        self._show()

    def do_left(self) -> None:
        self._move(-1, 0)

    def do_right(self) -> None:
        self._move(1, 0)

    def do_up(self) -> None:
        self._move(0, -1)

    def do_down(self) -> None:
        self._move(0, 1)

    def do_take(self) -> None:
        self.dismiss((round(self.point[0], 3), round(self.point[1], 3)))

    def do_leave(self) -> None:
        self.dismiss(None)
