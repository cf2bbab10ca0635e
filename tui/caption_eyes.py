"""What is found out about captions beside reading them: tokens, phrases, findings. In a thread, the newest wish first."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from textual.message import Message

from engine.dataset.captioning import known
from engine.dataset.captioning.checks.shapes import Collection, Fix, collection_of
from engine.dataset.captioning.checks.shelf import fix_of, judged, titles
from engine.dataset.captioning.counting import Counting
from engine.dataset.captioning.phrases import count_phrases, ordered
from engine.dataset.captioning.trigger_word import worst
from engine.dataset.findings import Finding
from engine.dataset.tokens import Counts, Place
from projects.spec import Base
from tui.caption_rows import Captions

_CALM: Final = 0.4
"""Seconds after the last change until all captions are looked at again."""
_AT_ONCE: Final = 400
"""Captions between two looks for something more urgent."""


class Counted(Message):
    """The tokens of the text in the editor."""

    def __init__(self, text: str, places: Sequence[Place], counts: Counts) -> None:
        self.text, self.places, self.counts = text, places, counts
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """What was typed since is all that matters."""
        return isinstance(message, Counted)


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What all captions come to."""

    captions: Captions = field(default_factory=Captions)
    """As they were looked at: with tokens, phrases and findings."""
    common: Sequence[str] = ()
    """Phrases, those first that most captions hold."""
    collection: Collection | None = None

    def fix(self, finding: Finding) -> Fix | None:
        """What one key does about a finding."""
        return fix_of(self.collection, finding) if self.collection else None


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
        self.counting: Counting | None = None
        """Asked from threads only: the answer may take a moment."""
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
        if self.counting:
            self.counting.close()

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
            if captions.loaded and (learned := self._learned(captions)) is not None:
                self._post(CaptionsLearned(learned))

    def _count_typed(self) -> None:
        with self._wake:
            text, captions = self._text, self._captions
            self._text = None
        if captions is not None and captions.loaded:
            self._ready(captions.spec.base)
        if text is not None and self.counting is not None:
            self._post(Counted(text, self.counting.places, self.counting.counts([text])[0]))

    def _ready(self, base: Base) -> Counting:
        if self.counting is None or base != self._base:
            if self.counting is not None:
                self.counting.close()
            self._base, self.counting = base, Counting(self._project, base)
        return self.counting

    def _learned(self, captions: Captions) -> Learned | None:
        """None where something newer came in between."""
        counting, spec = self._ready(captions.spec.base), captions.spec
        entries = [entry for row in captions.rows.values() for entry in row.entries]
        texts = list(dict.fromkeys(entry.text for entry in entries))
        counts: dict[str, Counts] = {}
        for start in range(0, len(texts), _AT_ONCE):
            part = texts[start : start + _AT_ONCE]
            counts.update(zip(part, counting.counts(part), strict=True))
            self._count_typed()
            if self._captions is not None or self._stopped:
                return None
        words, _ = counting.trigger(spec.trigger) if spec.trigger else ([], [])
        collection = collection_of(
            spec, entries, orphans=captions.orphans, places=counting.places, counts=counts,
            word=worst(words) if words else None,
            known=known.measured(self._project, {row.path: name for name, row in captions.rows.items()}),
        )  # fmt: skip
        phrases = count_phrases(entry.text for entry in entries)
        findings = []
        for each in judged(collection, spec.captions.ignored):
            findings.append(each)
            self._count_typed()
            if self._captions is not None or self._stopped:
                return None
        looked = replace(captions, tokens=_fullest(captions, counts), phrases=phrases)
        return Learned(
            captions=looked.with_findings(findings, titles()),
            common=[phrase for phrase, _ in ordered(phrases)],
            # Without what the checks have put together in it: of ten thousand captions that is 20 MB.
            collection=replace(collection),
        )  # fmt: skip


def _fullest(captions: Captions, counts: Mapping[str, Counts]) -> dict[str, int]:
    """Tokens of each picture's longest caption; pictures of which nothing is counted are left out."""
    found = {}
    for name, row in captions.rows.items():
        each = [count.tokens for entry in row.entries for count in counts.get(entry.text, ()) if count]
        if each:
            found[name] = max(each)
    return found
