"""One picture alone, as large as the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.pictures import Pictures
from tui.widgets.lines import Lines
from tui.widgets.picture_row import PictureRow


class Large(ModalScreen[None]):
    """Goes through pictures one by one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,z,enter", "leave", "leave", show=False),
        Binding("left_square_bracket,left,up,k", "go(-1)", "previous", show=False),
        Binding("right_square_bracket,right,down,j,space", "go(1)", "next", show=False),
    ]

    def __init__(self, store: Pictures | None, pictures: Sequence[tuple[Path, str]], at: int = 0) -> None:
        """pictures: file and what stands under it."""
        super().__init__()
        self._store, self._pictures, self._at = store, pictures, at

    def compose(self) -> ComposeResult:
        """The picture over a line of words."""
        yield PictureRow(captions=False)
        yield Lines(id="large-words")

    def on_mount(self) -> None:
        self.action_go(0)

    def action_go(self, by: int) -> None:
        """The picture `by` further on."""
        self._at = max(0, min(self._at + by, len(self._pictures) - 1))
        path, words = self._pictures[self._at]
        self.query_one(PictureRow).show(self._store, [path])
        keys = f"{self._at + 1} of {len(self._pictures)}   [ ] previous and next, esc leaves"
        self.query_one(Lines).show([[(f" {words}", "text"), (f"   {keys}", "muted")]])

    def action_leave(self) -> None:
        """Back to the room."""
        self.dismiss(None)
