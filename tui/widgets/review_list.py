"""The sheets of a review and every one of its pictures as a list, with the one under the cursor beside it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textual import on
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from tui.pictures import Pictures
from tui.review_grid import weight_name
from tui.review_words import full_words
from tui.reviewed import Made, Review, Sheet
from tui.screens.large import Alone
from tui.spans import Spans, cell, wrapped
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView

_WORDS = 4
"""Lines that a picture's words take at most."""
_HEADING = "#"
"""In front of the key of a heading's row: no path begins with it, as paths here are absolute."""


class ReviewList(Horizontal):
    """A list to filter by words of prompts, groups and tests; a picture's key is its path."""

    DEFAULT_CSS = """
    ReviewList { height: 1fr; width: 1fr; }
    ReviewList > LineList { width: 30; margin: 0 1 0 0; }
    """

    class Moved(Message):
        """The cursor is on another picture."""

    class Chosen(Message):
        """Enter was pressed on a picture."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._store: Pictures | None = None
        self._shown: Mapping[str, Sheet | Made] = {}

    def compose(self) -> Iterable[Widget]:
        """The list, and the picture over its words."""
        yield LineList(
            self._row, text=self._text, skip=lambda key: str(key).startswith(_HEADING), id="sheets"
        )
        with Vertical():
            yield PictureView(id="review-picture")
            yield Lines(id="review-words")

    def show(self, store: Pictures | None, review: Review | None) -> None:
        """Show these; the cursor stays on its picture."""
        before, self._store = self._shown, store
        sheets = {str(sheet.path): sheet for sheet in review.sheets} if review else {}
        pictures = {str(made.path): made for made in review.pictures} if review else {}
        self._shown = {**sheets, **pictures}
        rows: list[str] = []
        for title, group in (("SHEETS", sheets), ("PICTURES", pictures)):
            rows += [f"{_HEADING}{title}", *group] if group else []
        self.rows.show(rows)
        if self._shown and not before:
            self.rows.do_first()
        self._show_picture()

    @property
    def rows(self) -> LineList:
        """The list."""
        return self.query_one("#sheets", LineList)

    @property
    def made(self) -> Made | None:
        """The picture under the cursor; None for a sheet."""
        found = self._shown.get(str(self.rows.key))
        return found if isinstance(found, Made) else None

    def alone(self) -> tuple[list[Alone], int]:
        """Those that the filter leaves, and which of them the cursor is on."""
        keys = [str(key) for key in self.rows.rows if str(key) in self._shown]
        alone = [Alone(self._shown[key].path, self._words(key)) for key in keys]
        here = str(self.rows.key)
        return alone, keys.index(here) if here in keys else 0

    def _row(self, key: str, width: int) -> Spans:
        if key.startswith(_HEADING):
            return [(key[1:], "muted")]
        shown = self._shown.get(key)
        if isinstance(shown, Sheet):
            return [(f" {cell(shown.title, width - 1)}", "text")]
        if shown is None:
            return []
        place = shown.cell
        seed = f" seed {place.seed}" if place.seed is not None else ""
        step = f" at {place.checkpoint:,}" if place.checkpoint is not None else ""
        return [
            (f" {cell(weight_name(place.weight), 5)}", "text"),
            (f"{seed}{step}  {shown.group} {place.prompt}", "muted"),
        ]

    def _text(self, key: str) -> str:
        shown = self._shown.get(key)
        return f"{self._words(key)} {' '.join(shown.tests)}" if isinstance(shown, Made) else self._words(key)

    def _words(self, key: str) -> str:
        shown = self._shown.get(key)
        if shown is None:
            return ""
        return full_words(shown) if isinstance(shown, Made) else shown.title

    def _show_picture(self) -> None:
        key = str(self.rows.key)
        shown = self._shown.get(key)
        path: Path | None = shown.path if shown else None
        empty = "" if shown else "Sheets and pictures of the review would be here: R draws them."
        self.query_one("#review-picture", PictureView).show(self._store, path, empty)
        lines, told = self.query_one("#review-words", Lines), self._words(key)
        width = max(20, lines.size.width)
        lines.show([[(line, "muted")] for line in wrapped(told, width)[:_WORDS]] if told else [])

    @on(LineList.Moved)
    def moved(self, event: LineList.Moved) -> None:
        """The picture the cursor is on."""
        event.stop()
        self._show_picture()
        self.post_message(self.Moved())

    @on(LineList.Chosen)
    def chosen(self, event: LineList.Chosen) -> None:
        """Enter on a picture."""
        event.stop()
        self.post_message(self.Chosen())
