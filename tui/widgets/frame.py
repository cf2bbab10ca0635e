"""The frame of every screen: the line on top and the line of keys at the bottom."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.strip import Strip
from textual.widget import Widget

from tui.actions import ACTIONS
from tui.spans import Span, Spans, cropped, ends, length, strip
from tui.theme import SHADES
from tui.widgets.lines import Lines, inks

ROOMS = ("project", "pictures", "captions", "train", "review")


class TopLine(Horizontal):
    """Project, trigger and base; the rooms; the live run, always. The run is apart, as it changes every second."""

    DEFAULT_CSS = """
    TopLine { height: 1; width: 1fr; dock: top; }
    TopLine > #live { width: 1; }
    """

    def __init__(self, room: str, *, bracketed: bool = False) -> None:
        """bracketed: rooms that are not there yet stand in brackets, as they do where there is no colour."""
        super().__init__()
        self._room, self._bracketed = room, bracketed
        self._about: list[str] = []
        self._live: list[Span] = []

    def compose(self) -> ComposeResult:
        """What stays, and what changes."""
        yield Lines(id="about")
        yield Lines(id="live")

    def show(self, about: Sequence[str], live: Spans) -> None:
        """about: what the line says of the project, the most important first. live: the run that is at work."""
        self._about, self._live = list(about), list(live)
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
        if length(about) + length(rooms) + 6 > width:
            rooms = self._rooms(short=True)
        about = cropped(about, max(12, width - length(rooms) - 4))
        self.query_one("#about", Lines).show(
            [[*about, ("   ", "text"), *rooms] if self._room != "home" else about]
        )

    def _rooms(self, *, short: bool) -> list[Span]:
        spans: list[Span] = []
        shades = SHADES.get(self.app.theme)
        bracketed = self._bracketed or shades is None or not shades.ground
        for number, name in enumerate(ROOMS, 1):
            here = name == self._room
            words = f"{number} {name.capitalize()}" if here or not short else str(number)
            ink = "accent" if here else "muted"
            if ACTIONS[f"app.{name}"].instead:
                words, ink = f"({words})" if bracketed else words, "faint"
            spans += [("  ", "text")] * (number > 1) + [(words, ink)]
        return spans


class KeyLine(Widget):
    """The keys that work here and now, or a sentence in their place until the next key."""

    DEFAULT_CSS = "KeyLine { height: 1; width: 1fr; dock: bottom; }"

    def __init__(self) -> None:
        super().__init__()
        self._keys: Sequence[tuple[str, str]] = ()
        self.sentence = ""

    def show(self, keys: Sequence[tuple[str, str]]) -> None:
        """keys: (key, word), the important ones first; the last two stand at the right end whatever fits."""
        if keys != self._keys:
            self._keys = list(keys)
            self.refresh()

    def say(self, sentence: str) -> None:
        """Show a sentence, or with "" the keys again."""
        if sentence != self.sentence:
            self.sentence = sentence
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        width, styles = self.size.width, inks(self)
        if self.sentence:
            return strip([(f" {self.sentence}", "text")], width, styles)
        important, fixed = self._keys[:-2], self._keys[-2:]
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
