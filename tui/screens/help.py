"""The help: every key, those of the room that is shown first, and behind a key the words of the trade."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui import terms
from tui.actions import ACTIONS, Action
from tui.filters import NUMBERS, OPEN, WORDS
from tui.keymap import shown
from tui.screens.modal import Reading
from tui.spans import Spans, cell, wrapped

_TITLES = {
    "home": "Home", "project": "1 Project", "pictures": "2 Pictures", "captions": "3 Captions",
    "leader": "While you type a caption, after ^g", "train": "4 Train", "review": "5 Review",
    "list": "In every list", "app": "Everywhere", "large": "A picture alone, large", "tiles": "Tiles of pictures",
    "crop": "A crop that is moved", "replacing": "Replacing in captions", "changing": "Changing many captions",
    "choosing": "Two edits of one caption", "seeing": "What the model sees", "duel": "A duel of two pictures",
    "blind": "A blind round", "prompting": "The prompts of a project",
    "grid": "The grid of a review",
    "evidence": "Evidence of a review", "preparing": "A next step of a review",
}  # fmt: skip

_WRITING = (
    "In a caption: enter or pgdn saves it and goes on, pgup goes back, ^o is a new line, esc or tab leaves; it is saved "
    "by itself. The right arrow at the end takes what is offered. ^z ^y undo and redo, ^c ^x ^v copy, cut and paste; "
    "ctrl+left ctrl+right go by words (^g h, ^g l), shift+arrows select (^g space).",
    "The filter takes words, and is:open is:draft is:empty finding:NAME tokens>75 name:WORD set:WORD, with not, and, or.",
)
"""What no table of keys says about writing captions."""


_FILTERS = (
    ("words", 'in names and findings, also "in quotes"; not, and, or, ( )'),
    ("sharp<100", f"a number, with < <= > >= = !=: {', '.join(NUMBERS)}"),
    ("finding:blur", "a whole word: finding, kind, distance"),
    *((f"{name}:{words[0]}", ", ".join(words)) for name, words in WORDS.items()),
    ("light:window", f"a part of it: {', '.join(OPEN)}"),
)


class Help(Reading):
    """Keys to read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("w", "words", "words", show=False)]
    KEYS: ClassVar[str] = "esc leaves, / filters, w explains words"

    def __init__(self, lines: Sequence[Spans], width: int) -> None:
        """width: cells that a line has."""
        super().__init__("Keys", lines)
        self._width = width

    def action_words(self) -> None:
        """What the words of the trade mean."""
        self.app.push_screen(Reading("Words", word_lines(self._width)))


def help_lines(keys: Callable[[str], str], width: int, room: str) -> list[Spans]:
    """All actions by place and group, with their keys: first what works in `room`, then what the other rooms have."""
    lines: list[Spans] = []
    for place in dict.fromkeys((room, "list", "app", *_TITLES)):
        actions = [action for action in ACTIONS.values() if action.place == place]
        if not actions:
            continue
        lines += [[("", "text")], [(_TITLES[place], "bold")]]
        lines += [
            [(f"  {cell(_pressed(keys, each), 12)}", "text"), (each.words, "muted")] for each in actions
        ]
        if place == "captions":
            lines += [
                [("", "text")],
                *([(line, "muted")] for words in _WRITING for line in wrapped(words, width)),
            ]
    if room == "pictures":
        lines += [[("", "text")], [("Filters of pictures", "bold")]]
        for fields, words in _FILTERS:
            first, *more = wrapped(words, max(20, width - 20))
            lines.append([(f"  {cell(fields, 18)}", "text"), (first, "muted")])
            lines += [[(f"{' ' * 20}{each}", "muted")] for each in more]
    text = "In a text: enter or tab saves it and goes on, up and down too; esc leaves it as it was."
    return [*lines[1:], [("", "text")], *([(words, "muted")] for words in wrapped(text, width - 4))]


def _pressed(keys: Callable[[str], str], action: Action) -> str:
    """The keys of an action, and behind them those that do it while somebody types a caption."""
    if action.place == "captions" and action.leader:
        return f"{cell(keys(action.id), 3)}  ^g {shown(action.leader)}"
    return keys(action.id)


def word_lines(width: int) -> list[Spans]:
    """The words of the trade, one a paragraph."""
    lines: list[Spans] = []
    for word, text in terms.TERMS.items():
        first, *more = wrapped(text, max(20, width - terms.WIDTH - 1))
        lines.append([(cell(word, terms.WIDTH), "text"), (f" {first}", "muted")])
        lines += [[(" " * terms.WIDTH, "text"), (f" {each}", "muted")] for each in more]
    return lines
