"""The picture of room 2: the frame that the trainer cuts, the places that findings name, and the facts under it."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Vertical

from engine.dataset.findings import Finding
from tui.audit_words import check_facts, facts
from tui.audited import CheckRow, Row, Seen
from tui.overlay import Cut, Overlay, frame_of
from tui.pictures import Pictures
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView

_LEAST = 8
"""Lines that the picture keeps whatever there is to say under it."""


class AuditedPicture(Vertical):
    """One picture with what is known of it, or the picture of a check with what that says."""

    def compose(self) -> ComposeResult:
        """The picture over its facts."""
        yield PictureView(id="picture")
        yield Lines(id="facts")

    def show(
        self, store: Pictures | None, seen: Seen, row: Row | None, check: CheckRow | None, *, as_trained: bool
    ) -> None:
        """row: the picture. check: say what it found instead of what is known of the picture."""
        width, room = max(20, self.size.width), max(3, self.size.height - _LEAST)
        cut = (
            Cut(row.placements[0], seen.declared.background)
            if as_trained and row and row.placements
            else None
        )
        if check is not None:
            lines = check_facts(check, width, room)
        elif row is not None:
            lines = facts(seen, row.name, width, room, as_trained=cut is not None)
        else:
            lines = []
        self.query_one("#facts", Lines).show(lines)
        found = check.findings if check else seen.of.get(row.name, ()) if row else ()
        empty = "" if seen.running or row else "No pictures here: data.images says where they are."
        self.query_one("#picture", PictureView).show(
            store,
            row.path if row else None,
            empty,
            cut=cut,
            overlay=_overlay(row, found) if row and not cut else None,
        )


def _overlay(row: Row, found: Iterable[Finding]) -> Overlay | None:
    boxes = tuple(
        (box.left, box.top, box.right, box.bottom) for each in found for box in each.boxes.get(row.name, ())
    )
    frame = frame_of(row.placements[0]) if row.placements else None
    return Overlay(frame, boxes) if frame or boxes else None
