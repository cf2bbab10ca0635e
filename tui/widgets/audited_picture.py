"""The picture of room 2: the frame that the trainer cuts, the places that findings name, and the facts under it."""

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.audit_words import check_facts, facts
from tui.audited import CheckRow, Row, Seen
from tui.overlay import Cut, overlay_of
from tui.pictures import Pictures
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView, none_here

_LEAST = 8
"""Lines that the picture keeps whatever there is to say under it."""


class AuditedPicture(Vertical):
    """One picture with what is known of it, or the picture of a check with what that says."""

    def compose(self) -> ComposeResult:
        """The picture over its facts."""
        yield PictureView(id="picture")
        yield Lines(id="picture-facts")

    def show(
        self, store: Pictures | None, seen: Seen, row: Row | None, check: CheckRow | None, *, placed: int
    ) -> None:
        """row: the picture. check: say what it found instead of what is known of the picture.

        placed: 0 shows the whole picture, n what is trained of it at the n-th resolution.
        """
        width, room = max(20, self.size.width), max(3, self.size.height - _LEAST)
        cut = (
            Cut(row.placements[placed - 1], seen.declared.background)
            if row and 0 < placed <= len(row.placements)
            else None
        )
        if check is not None:
            lines = check_facts(check, width, room)
        elif row is not None:
            lines = facts(seen, row.name, width, room, placed=placed if cut else 0)
        else:
            lines = []
        self.query_one("#picture-facts", Lines).show(lines)
        found = check.findings if check else seen.of.get(row.name, ()) if row else ()
        empty = "" if seen.running or row else none_here(bool(seen.rows))
        self.query_one("#picture", PictureView).show(
            store,
            row.path if row else None,
            empty,
            cut=cut,
            overlay=overlay_of(row.name, row.placements, found) if row and not cut else None,
        )
