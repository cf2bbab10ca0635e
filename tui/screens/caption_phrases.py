"""The phrases of the captions room: the panel, the numbers after the leader, what is offered while somebody types."""

from collections.abc import Sequence
from itertools import islice, takewhile
from typing import Final

from textual import on
from textual.timer import Timer

from engine.dataset.captioning.phrases import Order, count_phrases, ordered
from tui import caption_words as words
from tui.screens.caption_text import CaptionText
from tui.spans import Spans
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.working import in_thread

_NUMBERS = 9
_TWICE = 2
"""Captions that must hold a phrase before it gets a number by itself."""
_ORDERS: Final[Sequence[Order]] = ("count", "name", "rarity")
_CALM = 0.15
"""Seconds after the last change of the filter until its phrases are counted."""


class CaptionPhrases(CaptionText):
    """Phrases are counted in what the filter leaves; the numbers stay where they are while the room is open."""

    def __init__(self) -> None:
        super().__init__()
        self.common: Sequence[str] = ()
        """The phrases of all captions, the commonest first."""
        self._numbered: list[str] = []
        """Common phrases with a number, in its order; the project's own stand before them."""
        self._in_filter: dict[str, int] | None = None
        """Phrase -> captions among those of the filter; None where all are shown."""
        self._calm: Timer | None = None
        self._phrase_order: Order = "count"

    def begin(self) -> None:
        super().begin()
        self.editor.complete, self.editor.begin = self._completion, self._beginning

    # ---- the panel

    def take_phrases(self) -> None:
        """All phrases were counted anew."""
        counts = self.captions.phrases
        self.common = self._learned.common
        own, trigger = self.captions.spec.captions.phrases, self.captions.spec.trigger
        stay = [each for each in self._numbered if each in counts and each not in own]
        room = max(0, _NUMBERS - len(own))
        # The commonest stand in front: of ten thousand a handful has to be looked at.
        several = takewhile(lambda each: counts[each] >= _TWICE, self.common)
        fresh = (each for each in several if each not in own and each not in stay and each != trigger)
        self._numbered = [*stay, *islice(fresh, room)][:room]
        self.count_narrowed()

    def count_narrowed(self) -> None:
        """Count the phrases of what filter and check leave, a moment after the last change of them."""
        if self._calm:
            self._calm.stop()
        if not self.is_narrowed:
            self._in_filter = None
            self._show_phrases()
        else:
            self._calm = self.set_timer(_CALM, self._count_narrowed)

    def _count_narrowed(self) -> None:
        texts = [entry.text for row in self.narrowed for entry in row.entries]

        def then(counts: dict[str, int]) -> None:
            if self.is_mounted and self.is_narrowed:
                self._in_filter = counts
                self._show_phrases()

        in_thread(self.bench, lambda: dict(count_phrases(texts)), then)

    def _show_phrases(self) -> None:
        phrases = self.query_one("#phrases", LineList)
        if self._in_filter is None and self._phrase_order == "count":
            # Sorted in the thread that counted them.
            phrases.show(self.common)
        else:
            counts = self.captions.phrases if self._in_filter is None else self._in_filter
            phrases.show([phrase for phrase, _ in ordered(counts, self._phrase_order)])
        phrases.refresh()
        shown = len(self.captions.rows if self._in_filter is None else self.rows.rows)
        empty = self.captions.loaded and not phrases.rows
        self.query_one("#phrases-title", Lines).show(
            words.phrases_title(
                shown, self._phrase_order, narrowed=self._in_filter is not None, empty=bool(empty)
            )
        )

    def turn_phrases(self) -> None:
        """Sort the phrases by count, by name, or the rarest first."""
        self._phrase_order = _ORDERS[(_ORDERS.index(self._phrase_order) + 1) % len(_ORDERS)]
        self._show_phrases()

    def _phrase_row(self, phrase: str, width: int) -> Spans:
        counts = self.captions.phrases if self._in_filter is None else self._in_filter
        return words.phrase_row(phrase, counts.get(phrase, 0), width)

    @on(LineList.Chosen, "#phrases")
    def chosen_phrase(self, event: LineList.Chosen) -> None:
        """Enter: put it in."""
        self.editor.put_in(str(event.key))
        self.editor.focus()

    # ---- numbers

    @property
    def numbered(self) -> list[tuple[str, str]]:
        """The phrases of the numbers after the leader: the project's own, then common ones."""
        own = self.captions.spec.captions.phrases
        return [(str(number), phrase) for number, phrase in enumerate([*own, *self._numbered][:_NUMBERS], 1)]

    def put_phrase(self, number: int) -> None:
        """The phrase of that number at the cursor."""
        phrase = dict(self.numbered).get(str(number))
        if phrase is None:
            self.say(f"No phrase has the number {number}: ^g a keeps the one at the cursor.")
        elif self.opened.entries and not self.opened.why_closed:
            self.editor.put_in(phrase)

    def do_add_phrase(self) -> None:
        phrase, own = self.editor.phrase_here(), list(self.captions.spec.captions.phrases)
        if not phrase:
            self.say("The cursor is in no phrase.")
        elif phrase in own:
            self.say(f'"{phrase}" is kept already.')
        else:
            told = f"is ^g {len(own) + 1} from now on" if len(own) < _NUMBERS else "is kept"
            self.put({"captions.phrases": [*own, phrase]}, f'"{phrase}" {told}.')

    # ---- while somebody types

    def _completion(self, begun: str) -> str | None:
        folded = begun.casefold()
        for phrase in [*self.captions.spec.captions.phrases, *self.common]:
            if folded in phrase.casefold() and phrase != begun:
                return phrase
        return None

    def _beginning(self) -> str:
        """What a caption without a word is begun with: the trigger, where the picture is to have it."""
        trigger = self.trigger_here
        return f"{trigger}, " if trigger and not self.opened.several else ""
