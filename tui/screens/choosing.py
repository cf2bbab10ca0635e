"""Two edits of one caption that touch each other: what both began with, mine, theirs, and which of them is written."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from engine.dataset.captioning.book import Conflict
from engine.dataset.captioning.content import shown
from engine.dataset.captioning.merge import both
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.caption_marks import laid_out, sides
from tui.spans import Spans
from tui.widgets.frame import KeyLine
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.app import Workbench


class Choosing(ModalScreen[str | None]):
    """Gives the text to write, or None where the person decides later. Theirs is in the file, and stays until then."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("choosing")

    def __init__(self, conflict: Conflict) -> None:
        super().__init__()
        self._file = conflict.file
        self._base, self._mine = shown(conflict.base), shown(conflict.mine)
        self._theirs = shown(conflict.theirs.text)
        self._lines: Sequence[Spans] = ()

    def compose(self) -> ComposeResult:
        """The three texts, one below the other, over the keys."""
        yield Lines(id="choosing-title")
        yield LineList(lambda at, _width: self._lines[at], bar=False, finds=False, id="texts")
        yield KeyLine()

    def on_mount(self) -> None:
        keymap = cast("Workbench", self.app).keymap
        mine = [each for each in ACTIONS.values() if each.place == "choosing"]
        self.query_one(KeyLine).show([(keymap.shown(each), each.label) for each in mine], fixed=1)
        title: Spans = [(f" {self._file}", "bold"), ("   somebody else changed it while you wrote", "muted")]
        words = " What differs from before is underlined. Theirs is in the file now."
        self.query_one("#choosing-title", Lines).show([title, [(words, "muted")]])
        self.query_one("#texts", LineList).focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        width = max(10, self.size.width - 6)
        base, mine = sides(self._base, self._mine)
        _, theirs = sides(self._base, self._theirs)
        lines: list[Spans] = []
        told = (
            ("MINE", self._key("mine"), mine, self._mine),
            ("THEIRS", self._key("theirs"), theirs, self._theirs),
            ("BEFORE", "", [("".join(text for text, _ in base), "muted")], self._base),
            ("BOTH", self._key("both"), [(both(self._mine, self._theirs), "text")], "x"),
        )
        for title, key, spans, text in told:
            lines += [[(f" {title}  ", "bold"), (key, "accent")]]
            lines += (
                [[("   ", "text"), *line] for line in laid_out(spans, width)]
                if text
                else [[("   (no words)", "muted")]]
            )
            lines.append([("", "text")])
        self._lines = lines
        rows = self.query_one("#texts", LineList)
        rows.show(range(len(lines)))
        rows.refresh()

    def _key(self, name: str) -> str:
        return cast("Workbench", self.app).keymap.shown(ACTIONS[f"choosing.{name}"])

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    def do_mine(self) -> None:
        self.dismiss(self._mine)

    def do_theirs(self) -> None:
        self.dismiss(self._theirs)

    def do_both(self) -> None:
        self.dismiss(both(self._mine, self._theirs))

    def do_leave(self) -> None:
        self.dismiss(None)
