"""Pictures of a review one at a time, each beside what it is compared with."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.pictures import Pictures
from tui.review_pairs import Pair
from tui.review_words import full_words
from tui.spans import Spans, wrapped
from tui.widgets.lines import Lines
from tui.widgets.picture_row import PictureRow

_MOST = 4
"""Lines that the words of a picture take at most."""


class Evidence(Vertical, can_focus=True, can_focus_children=False):
    """Goes through pairs of pictures."""

    DEFAULT_CSS = """
    Evidence { height: 1fr; width: 1fr; }
    Evidence > #evidence-words { margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("evidence")

    class Moved(Message):
        """Another pair is shown."""

    class Chosen(Message):
        """Enter was pressed on a pair."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._store: Pictures | None = None
        self._title: Spans = ()
        self._pairs: Sequence[Pair] = ()
        self._empty = ""
        self._at = 0

    def compose(self) -> Iterable[Widget]:
        """What is shown, the two pictures, and what is known of the first."""
        yield Lines(id="evidence-title")
        yield PictureRow(id="evidence-pictures")
        yield Lines(id="evidence-words")

    def show(self, store: Pictures | None, title: Spans, pairs: Sequence[Pair], empty: str) -> None:
        """Show these pairs, the same place of them where there is one; `empty` stands there when there are none."""
        here = self.pair.made.id if self.pair else ""
        self._store, self._title, self._pairs, self._empty = store, title, pairs, empty
        self.go_to(here)

    def go_to(self, picture: str) -> None:
        """Show the pair of the picture of this id, else the first."""
        ids = [pair.made.id for pair in self._pairs]
        self._at = ids.index(picture) if picture in ids else 0
        self._draw()

    @property
    def pair(self) -> Pair | None:
        """What is shown."""
        return self._pairs[self._at] if self._at < len(self._pairs) else None

    @property
    def pairs(self) -> Sequence[Pair]:
        """All that can be gone through."""
        return self._pairs

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    def do_earlier(self) -> None:
        self._go(-1)

    def do_later(self) -> None:
        self._go(1)

    def do_first(self) -> None:
        self._go(-len(self._pairs))

    def do_last(self) -> None:
        self._go(len(self._pairs))

    def do_choose(self) -> None:
        self.post_message(self.Chosen())

    def _go(self, by: int) -> None:
        self._at = max(0, min(self._at + by, len(self._pairs) - 1))
        self._draw()
        self.post_message(self.Moved())

    def _draw(self) -> None:
        pair, row = self.pair, self.query_one("#evidence-pictures", PictureRow)
        count = f"   {self._at + 1} of {len(self._pairs)}" if pair else ""
        self.query_one("#evidence-title", Lines).show([[*self._title, (count, "muted")]])
        row.empty = self._empty
        paths = [path for path in (pair.made.path, pair.beside) if path] if pair else []
        row.show(self._store, paths, [pair.name, pair.beside_name] if pair else [])
        row.refresh()
        lines: list[Spans] = []
        if pair:
            alone = f" · {pair.beside_name}" if pair.beside is None and pair.beside_name else ""
            words = full_words(pair.made) + alone
            lines = [[(line, "muted")] for line in wrapped(words, max(20, self.size.width))[:_MOST]]
        self.query_one("#evidence-words", Lines).show(lines)
