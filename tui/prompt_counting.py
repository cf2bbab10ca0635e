"""The tokens of a prompt while somebody types it: counted in a process of its own, a moment after the last letter."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from textual.message import Message

from engine.dataset.captioning.counting import Counting
from engine.dataset.tokens import Counts, Place
from projects.spec import Base

_KEPT: Final = 1_000
"""Texts whose counts are kept."""


class Tokens(Message):
    """What was asked last is counted."""


class PromptCounting:
    """Counts what it is asked for last. Nothing is known where the base or its vocabulary is not there."""

    def __init__(self, project: Path, post: Callable[[Message], object]) -> None:
        self._project, self._post = project, post
        self._wake = threading.Condition()
        self._base: Base | None = None
        self._asked = ""
        self._found: dict[str, tuple[Sequence[Place], Counts]] = {}
        self._closed = False
        self._thread: threading.Thread | None = None

    def use(self, base: Base | None) -> None:
        """The base whose encoders read the prompts; None where that is not known."""
        with self._wake:
            if base != self._base:
                self._base, self._found = base, {}
                self._wake.notify()

    def of(self, text: str) -> tuple[Sequence[Place], Counts]:
        """(encoders, their counts) of a text that was counted; else nothing yet, and it is counted."""
        with self._wake:
            if text and text not in self._found:
                self._asked = text
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="prompt-tokens", daemon=True)
                    self._thread.start()
                self._wake.notify()
            return self._found.get(text, ((), ()))

    def close(self) -> None:
        """End, and the process too."""
        with self._wake:
            self._closed = True
            self._wake.notify()

    def _work(self) -> None:
        counting, base = None, None
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or (self._base and self._asked not in self._found))
                closed, text, wanted = self._closed, self._asked, self._base
            if counting is not None and (closed or wanted != base):
                counting.close()
                counting = None
            if closed or wanted is None:
                return
            if counting is None:
                base, counting = wanted, Counting(self._project, wanted, should_stop=lambda: self._closed)
            found = counting.places, counting.counts([text])[0]
            with self._wake:
                if len(self._found) >= _KEPT:
                    self._found.clear()
                if wanted == self._base:
                    self._found[text] = found
            self._post(Tokens())
