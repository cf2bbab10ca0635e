"""What is found out about captions beside reading them: tokens, phrases, findings. In a thread, the newest wish first."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from textual.message import Message

from engine.dataset.captioning.phrases import count_phrases
from engine.dataset.findings import Finding
from engine.dataset.tokens import Count, Encoder, Place, encoders_of
from projects.problems import Refused
from projects.spec import Base
from tui.caption_rows import Captions

_CALM: Final = 0.4
"""Seconds after the last change until all captions are looked at again."""
_AT_ONCE: Final = 200
"""Captions between two looks for something more urgent."""

Counts = Sequence[tuple[Encoder | Place, Count | None]]
"""By encoder of the base; None where its vocabulary is not here."""


class Counted(Message):
    """The tokens of the text in the editor."""

    def __init__(self, text: str, counts: Counts) -> None:
        self.text, self.counts = text, counts
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """What was typed since is all that matters."""
        return isinstance(message, Counted)


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What all captions come to."""

    tokens: Mapping[str, int] = field(default_factory=dict)
    phrases: Mapping[str, int] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    titles: Mapping[str, str] = field(default_factory=dict)


class CaptionsLearned(Message):
    """All captions were looked at."""

    def __init__(self, learned: Learned) -> None:
        self.learned = learned
        super().__init__()


class CaptionEyes:
    """Looks at captions for one room."""

    def __init__(self, project: Path, post: Callable[[Message], object]) -> None:
        self._project, self._post = project, post
        self._wake = threading.Condition()
        self._text: str | None = None
        self._captions: Captions | None = None
        self._stopped = False
        self._base: Base | None = None
        self._encoders: Sequence[Encoder | Place] = ()
        self._known: dict[str, int] = {}
        """Text -> tokens of the encoder that is fullest."""
        threading.Thread(target=self._work, name="caption-eyes", daemon=True).start()

    def count(self, text: str) -> None:
        """Count the tokens of the text in the editor."""
        with self._wake:
            self._text = text
            self._wake.notify()

    def look(self, captions: Captions) -> None:
        """Look at all captions, in a moment."""
        with self._wake:
            self._captions = captions
            self._wake.notify()

    def stop(self) -> None:
        """End."""
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(
                    lambda: self._stopped or self._text is not None or self._captions is not None
                )
                if self._stopped:
                    return
            self._count_typed()
            with self._wake:
                if self._captions is None or self._wake.wait_for(
                    lambda: self._stopped or self._text is not None, _CALM
                ):
                    continue
                captions, self._captions = self._captions, None
            if (learned := self._learned(captions)) is not None:
                self._post(CaptionsLearned(learned))

    def _count_typed(self) -> None:
        with self._wake:
            text, self._text = self._text, None
            captions = self._captions
        if captions is not None:
            self._load(captions.spec.base)
        if text is not None:
            self._post(Counted(text, self._counts(text)))

    def _load(self, base: Base) -> None:
        if base == self._base:
            return
        self._base, self._known = base, {}
        try:
            self._encoders = encoders_of(base, self._project)
        except (Refused, OSError):
            # What is wrong with the base is said where it is chosen; here it means "-".
            self._encoders = ()

    def _counts(self, text: str) -> Counts:
        return [(each, each.count(text) if isinstance(each, Encoder) else None) for each in self._encoders]

    def _learned(self, captions: Captions) -> Learned | None:
        """None where something newer came in between."""
        self._load(captions.spec.base)
        texts = [entry.text for row in captions.rows.values() for entry in row.entries]
        phrases = count_phrases(texts)
        for at, text in enumerate(texts):
            if text not in self._known:
                self._known[text] = max(
                    (count.tokens for _, count in self._counts(text) if count), default=-1
                )
            if at % _AT_ONCE == 0:
                self._count_typed()
                if self._captions is not None or self._stopped:
                    return None
        tokens = {
            name: most for name, row in captions.rows.items()
            if (most := max(self._known[entry.text] for entry in row.entries)) >= 0
        }  # fmt: skip
        findings, titles = findings_of(captions, tokens)
        return Learned(tokens=tokens, phrases=phrases, findings=findings, titles=titles)


def findings_of(captions: Captions, tokens: Mapping[str, int]) -> tuple[Sequence[Finding], Mapping[str, str]]:
    """What the checks of captions say, and their titles."""
    return (), {}
