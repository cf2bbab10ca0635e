"""Replaces words in many captions: two lines to type into, and what becomes of every caption while they are typed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui.bindings import bindings
from tui.caption_changes import Asked, Replacement, Scope
from tui.screens.previewing import Previewing
from tui.spans import Span, Spans
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines

_HOW = (("regex", "regular expression"), ("phrase", "whole phrase"), ("word", "whole word"))


class Replacing(Previewing):
    """Old and new words, how they are meant, and in which captions."""

    PLACE: ClassVar[str] = "replacing"
    TITLE_WORDS: ClassVar[str] = "REPLACE"
    BINDINGS: ClassVar[list[BindingType]] = bindings("replacing")

    def __init__(self, scopes: Sequence[Scope], *, at: int = 0, begin: Replacement | None = None) -> None:
        """begin: what stands there at first, for example the words that were selected."""
        super().__init__(scopes, at=at)
        self.typed = begin or Replacement()

    def fields(self) -> Iterable[Widget]:
        """Old words, new words."""
        for name, value in (("old", self.typed.old), ("new", self.typed.new)):
            with Horizontal(classes="row"):
                yield Lines([[(f"    {name}", "muted")]])
                yield LineEdit(
                    value, id=f"{name}-words", at_once=self._on if name == "old" else lambda _way: False
                )

    def on_mount(self) -> None:
        self.query_one("#old-words", LineEdit).focus()

    def question(self) -> Callable[[], Asked | None]:
        return self.typed.asked

    def choices(self) -> list[Spans]:
        """How the old words are meant."""
        spans: list[Span] = [(" ", "text")]
        told = [*((name, words, self.typed.how == name) for name, words in _HOW),
                ("case", "Aa the same", self.typed.ignore_case)]  # fmt: skip
        for name, words, on_now in told:
            shown = f"[{words}]" if on_now else f" {words} "
            spans += [(self._key(name), "text"), (f" {shown} ", "text" if on_now else "muted")]
        return [spans]

    @on(LineEdit.Changed)
    def changed(self, event: LineEdit.Changed) -> None:
        """Other words."""
        event.stop()
        values = {each.id: each.value for each in self.query(LineEdit)}
        typed = replace(self.typed, old=values.get("old-words", ""), new=values.get("new-words", ""))
        if typed != self.typed:
            self.typed = typed
            self.renew()

    def _on(self, way: str) -> bool:
        """From the old words to the new ones, before another key is taken."""
        if way not in ("enter", "tab"):
            return False
        self.set_focus(self.query_one("#new-words"))
        return True

    @on(LineEdit.Left)
    def left(self, event: LineEdit.Left) -> None:
        """Enter goes from the old words to the new ones and then writes; the arrows go through the table."""
        event.stop()
        rows = self.query_one("#hits", LineList)
        if event.way == "escape":
            self.do_leave()
        elif event.way in ("previous", "next"):
            rows.move(-1 if event.way == "previous" else 1)
        elif event.way == "tab":
            self.focus_next()
        else:
            self.do_write()

    def do_regex(self) -> None:
        self._turn("regex")

    def do_phrase(self) -> None:
        self._turn("phrase")

    def do_word(self) -> None:
        self._turn("word")

    def do_case(self) -> None:
        self.typed = replace(self.typed, ignore_case=not self.typed.ignore_case)
        self.renew()

    def _turn(self, how: Literal["regex", "phrase", "word"]) -> None:
        self.typed = replace(self.typed, how="" if self.typed.how == how else how)
        self.renew()
