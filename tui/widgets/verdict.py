"""The verdict of a review: what is the matter, what to use, its tests one by one, and who judged."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from textual import on
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from tui import review_words as words
from tui.reviewed import Review, Test
from tui.spans import Spans
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines


class VerdictPane(Vertical):
    """A list of tests with the one under the cursor below; what finds no room is said to be elsewhere."""

    class Moved(Message):
        """The cursor is on another test."""

    class Chosen(Message):
        """Enter was pressed on a test."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._review: Review | None = None
        self._people: Sequence[Spans] = ()
        self._key: Callable[[str], str] = lambda name: name

    def compose(self) -> Iterable[Widget]:
        """Verdict, tests, and the one of the cursor."""
        yield Lines(id="verdict-head")
        yield LineList(self._row, finds=False, id="tests")
        yield Lines(id="test-words")

    def show(self, review: Review | None, people: Sequence[Spans], key: Callable[[str], str]) -> None:
        """people: what people said. key: the key of an action of the room."""
        self._review, self._people, self._key = review, people, key
        self.rows.show([test.name for test in review.tests] if review else [])
        self._draw()

    def focus_tests(self) -> None:
        """The focus goes to the list."""
        self.rows.focus()

    @property
    def rows(self) -> LineList:
        """The tests."""
        return self.query_one("#tests", LineList)

    @property
    def test(self) -> Test | None:
        """The test under the cursor."""
        return self._review.test(str(self.rows.key)) if self._review else None

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        review, width = self._review, max(20, self.size.width - 1)
        head: list[Spans] = [[("VERDICT", "muted")]]
        if review is None:
            head += [[("None yet: a review makes it.", "muted")]]
        else:
            head = words.verdict_lines(review, self._key("refine"), width)
        tests = len(review.tests) if review else 0
        self.query_one("#verdict-head", Lines).show([*head, []])
        self.rows.styles.height = max(1, tests)
        self.query_one("#test-words", Lines).show(
            self._below(width, self.size.height - len(head) - tests - 2)
        )

    def _below(self, width: int, room: int) -> list[Spans]:
        """The test, then people's verdicts, then the judges, as far as there is room for them."""
        review, test = self._review, self.test
        if review is None:
            return []
        lines: list[Spans] = words.lines_of_test(test, self._key("prepare"), width) if test else []
        lines += [[], *self._people] if self._people else []
        trust = words.trust_lines(review, width)
        lines += [[], [("JUDGED BY", "muted")], *trust] if trust else []
        if len(lines) > room > 0:
            lines = [*lines[: room - 1], [(f"… all of it: {self._key('read')}", "muted")]]
        return lines

    def _row(self, name: str, width: int) -> Spans:
        test = self._review.test(name) if self._review else None
        return words.row_of_test(test, width) if test else []

    @on(LineList.Moved)
    def moved(self, event: LineList.Moved) -> None:
        """Another test."""
        event.stop()
        self._draw()
        self.post_message(self.Moved())

    @on(LineList.Chosen)
    def chosen(self, event: LineList.Chosen) -> None:
        """Enter on a test."""
        event.stop()
        self.post_message(self.Chosen())
