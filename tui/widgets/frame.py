"""The frame of every screen: the line on top and the line of keys at the bottom."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.strip import Strip
from textual.widget import Widget

from tui.spans import Span, Spans, cropped, ends, length, strip, wrapped
from tui.widgets.lines import Lines, inks

_MOST_LINES = 3
ROOMS = ("project", "pictures", "captions", "train", "review")


class TopLine(Horizontal):
    """Project, trigger and base; the rooms; the live run, always. The run is apart, as it changes every second."""

    DEFAULT_CSS = """
    TopLine { height: 1; width: 1fr; dock: top; }
    TopLine > #live { width: 1; }
    """

    def __init__(self, room: str) -> None:
        super().__init__()
        self._room = room
        self._about: list[str] = []
        self._live: list[Span] = []
        self._place = ""

    def compose(self) -> ComposeResult:
        """What stays, and what changes."""
        yield Lines(id="about")
        yield Lines(id="live")

    def show(self, about: Sequence[str], live: Spans, place: str = "") -> None:
        """about: what the line says of the project, the most important first. live: the run that is at work.

        place: the project's folder, for a line with room for it.
        """
        self._about, self._live, self._place = list(about), list(live), place
        shown = self.query_one("#live", Lines)
        width = length(live) + 1 if live else 1
        if shown.styles.width is None or shown.styles.width.value != width:
            shown.styles.width = width
        shown.show([live])
        self._show_about()

    def on_resize(self) -> None:
        self._show_about()

    def _show_about(self) -> None:
        """As much as fits: rooms lose their names before the project loses its own."""
        width = self.size.width - (length(self._live) + 1 if self._live else 1)
        about: list[Span] = [(" ", "text")]
        for at, words in enumerate(self._about):
            about += [(" · ", "muted")] * (at > 0) + [(words, "bold" if at == 0 else "muted")]
        rooms = self._rooms(short=False)
        place = [(f"  {self._place}", "muted")] if self._place else []
        if length(about) + length(place) + length(rooms) + 6 <= width:
            about += place
        elif length(about) + length(rooms) + 6 > width:
            rooms = self._rooms(short=True)
        about = cropped(about, max(12, width - length(rooms) - 4))
        self.query_one("#about", Lines).show(
            [[*about, ("   ", "text"), *rooms] if self._room != "home" else about]
        )

    def _rooms(self, *, short: bool) -> list[Span]:
        spans: list[Span] = []
        for number, name in enumerate(ROOMS, 1):
            here = name == self._room
            words = f"{number} {name.capitalize()}" if here or not short else str(number)
            ink = "accent" if here else "muted"
            spans += [("  ", "text")] * (number > 1) + [(words, ink)]
        return spans


class KeyLine(Widget):
    """The keys that work here and now, or a sentence in their place until the next key."""

    DEFAULT_CSS = "KeyLine { height: 1; width: 1fr; dock: bottom; }"

    def __init__(self) -> None:
        super().__init__()
        self._keys: Sequence[tuple[str, str]] = ()
        self._fixed = 2
        self.sentence = ""

    def show(self, keys: Sequence[tuple[str, str]], *, fixed: int = 2) -> None:
        """keys: (key, word), the important ones first; the last `fixed` stand at the right end whatever fits."""
        if keys != self._keys or fixed != self._fixed:
            self._keys, self._fixed = list(keys), fixed
            self.refresh()

    def say(self, sentence: str) -> None:
        """Show a sentence, or with "" the keys again."""
        if sentence != self.sentence:
            self.sentence = sentence
            height = min(_MOST_LINES, len(self._lines()))
            if self.styles.height is None or self.styles.height.value != height:
                self.styles.height = height
            self.refresh()

    def _lines(self) -> list[str]:
        """The sentence in as many lines as it takes."""
        return wrapped(self.sentence, max(20, self.size.width - 1))

    def render_line(self, y: int) -> Strip:
        """The line."""
        width, styles = self.size.width, inks(self)
        if self.sentence:
            lines = self._lines()
            # What is beyond the last line is cut there.
            words = " ".join(lines[y:]) if y == _MOST_LINES - 1 else lines[y] if y < len(lines) else ""
            return strip([(f" {words}", "text")], width, styles)
        last = len(self._keys) - self._fixed
        important, fixed = self._keys[:last], self._keys[last:]
        right = [span for key, word in fixed for span in _pair(key, word)]
        left: list[Span] = [(" ", "text")]
        for key, word in important:
            pair = _pair(key, word)
            if length(left) + length(pair) + length(right) > width:
                break
            left += pair
        return strip(ends(left, right, width), width, styles)


def _pair(key: str, word: str) -> list[Span]:
    return [(key, "text"), (f" {word}   ", "muted")]
