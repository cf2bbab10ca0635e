"""What is in the editor of the captions room: one caption, or what several share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.dataset.captioning.content import Content, content_of, data_of, shown
from engine.dataset.captioning.entries import Entry, style
from engine.dataset.captioning.parts import phrase_texts
from engine.dataset.captioning.shared import shared, with_shared
from tui.hidden import clashes


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Never changed: what is opened next is another one."""

    entries: tuple[Entry, ...] = ()
    """None: there is nothing to edit."""
    text: str = ""
    """What was put into the editor."""
    bases: Mapping[str, Content | None] = field(default_factory=dict)
    """By caption file: what the text was made from."""

    @property
    def file(self) -> str:
        """The caption file, "" where there is none or are several."""
        return self.entries[0].file if len(self.entries) == 1 else ""

    @property
    def several(self) -> bool:
        """Whether it is what several captions share."""
        return len(self.entries) > 1

    @property
    def why_closed(self) -> str:
        """Why it cannot be edited; "" where it can."""
        for entry in self.entries:
            if entry.problem:
                return f"{Path(entry.file).name} {entry.problem.error} {entry.problem.hint}"
            if entry.content and not entry.content.editable:
                return (
                    f"{Path(entry.file).name} is {entry.content.encoding}: U makes it UTF-8, as it is shown."
                )
            if clashes(entry.text):
                return f"{Path(entry.file).name} holds characters that this editor uses itself: edit it in $EDITOR."
        return ""

    def texts(self, value: str) -> dict[str, str]:
        """The captions that the editor's text means."""
        if not self.several:
            return {self.file: value} if self.file else {}
        before, after = phrase_texts(self.text), phrase_texts(value)
        return {entry.file: with_shared(shown(entry.text), before, after) for entry in self.entries}

    def words(self, value: str) -> str:
        """What was done, for the journal."""
        if self.several:
            return f"edited what {len(self.entries):,} captions share"
        return f"edited {Path(self.file).name}"

    def saved(self, value: str) -> "Opened":
        """After its text was handed on to be written: what comes next starts from there."""
        if self.several or not self.entries:
            return self
        (entry,) = self.entries
        base = self.bases.get(self.file)
        written = content_of(data_of(value, base or style(entry))) if value or base else None
        return replace(self, text=value, bases={self.file: written})


def opened(entries: Sequence[Entry]) -> Opened:
    """Open one caption, or what several share."""
    bases = {entry.file: entry.content for entry in entries}
    if len(entries) == 1:
        return Opened(entries=tuple(entries), text=shown(entries[0].text), bases=bases)
    together = ", ".join(shared([shown(entry.text) for entry in entries]))
    return Opened(entries=tuple(entries), text=together, bases=bases)
