"""The text of the captions room: what is in the editor, and how it comes into its file."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from textual import on
from textual.timer import Timer
from textual.widgets import TextArea

from engine.dataset.captioning.again import Again, again_of
from engine.dataset.captioning.book import Outcome
from engine.dataset.captioning.content import shown
from engine.dataset.captioning.journal import Op
from engine.dataset.tokens import Counts, Place
from projects.spec import trigger_of
from tui.audited import CheckRow
from tui.caption_desk import CaptionDesk
from tui.caption_eyes import CaptionEyes, Learned
from tui.caption_open import Opened, opened
from tui.caption_rows import CaptionRow, Captions
from tui.changes import put
from tui.drafting import Drafting
from tui.screens.room import Room
from tui.widgets.caption_editor import CaptionEditor, Way
from tui.widgets.line_list import LineList
from tui.working import in_thread

_TYPED_SECONDS: Final = 1.0
"""Between two notes of what is being typed: what a power cut can take."""
_PAUSE_SECONDS: Final = 2.0
"""Without a key, after which the caption is saved."""
_LOOK_SECONDS: Final = 1.0
"""Between two looks whether somebody else has written the file that is open."""


class CaptionText(Room):
    """A room with a list of pictures and a field for the caption of one, or for what several share."""

    ROOM: ClassVar[str] = "captions"

    def __init__(self) -> None:
        super().__init__()
        self.captions = Captions()
        self.desk: CaptionDesk | None = None
        self.opened = Opened()
        self.again: Again | None = None
        """The last edit of one caption, to do it elsewhere too."""
        self._eyes: CaptionEyes | None = None
        self._learned = Learned()
        self._variant = 0
        self._writes_next = False
        """A new variant is on its way into the editor."""
        self.drafting: Drafting | None = None
        """The job that drafts captions, while it works or where it ended early."""
        self._kept: dict[str, tuple[str, str]] = {}
        """Caption file -> what was typed and could not be saved, and why."""
        self._handed: dict[str, Opened] = {}
        """Caption file -> what is on its way into it: whoever comes back sooner goes on from there."""
        self._counts: tuple[Sequence[Place], Counts] = ((), ())
        self._noted = ""
        self._saved = ""
        self._pause: Timer | None = None
        self.underway = 0
        """Steps of the journal that were asked for and not yet answered: there may be one to take back."""

    @property
    def editor(self) -> CaptionEditor:
        """The field."""
        return self.query_one(CaptionEditor)

    @property
    def rows(self) -> LineList:
        """The list of pictures."""
        return self.query_one("#caption-list", LineList)

    @property
    def here(self) -> CaptionRow | None:
        """The picture of the cursor."""
        return self.captions.rows.get(str(self.rows.key)) if self.is_mounted else None

    @property
    def checked(self) -> CheckRow | None:
        """The check the cursor is on, while it is among the checks."""
        checks = self.query_one("#checks", LineList)
        return self.captions.checks.get(str(checks.key)) if checks.has_focus else None

    @property
    def meant(self) -> list[CaptionRow]:
        """The pictures that a key is for: those selected, or else the one of the cursor."""
        chosen = [row for name, row in self.captions.rows.items() if name in self.rows.selected]
        return chosen or ([self.here] if self.here else [])

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter or a check leaves only some of the pictures."""
        return bool(self.rows.filter)

    @property
    def trigger_here(self) -> str:
        """The trigger that the caption of the picture under the cursor is to hold, "" for none."""
        row = self.here
        return trigger_of(row.entries[0].dataset, self.captions.spec.trigger) if row else ""

    @property
    def narrowed(self) -> list[CaptionRow]:
        """The pictures that filter and check leave, in the order of the list."""
        return [self.captions.rows[str(name)] for name in self.rows.rows if name in self.captions.rows]

    def draw(self) -> None:
        """All that is not a list."""

    def draw_status(self) -> None:
        """The line under the editor."""

    def show_picture(self) -> None:
        """The picture of the cursor."""

    def led(self, key: str) -> None:
        """The leader was pressed (""), or the key after it."""

    def begin(self) -> None:
        """Wire the editor, and read."""
        editor = self.editor
        editor.leave, editor.lead, editor.nothing_to_undo = self.leave_text, self.led, self._turned
        editor.closed = lambda: self.say(self.opened.why_closed or "There is no picture here to caption.")
        self.set_interval(_TYPED_SECONDS, self._note_typed)
        self.set_interval(_LOOK_SECONDS, self._look_outside)
        project = self.bench.project
        if project is not None:
            self._eyes = CaptionEyes(project, self.post_message)
            self.desk = CaptionDesk(project, self.post_message)
            self.desk.start()

    def flush(self) -> None:
        """The project is closed, or the terminal goes: what is typed is in its file before anything else happens."""
        super().flush()
        if self.desk and self._dirty and self.opened.file:
            value = self.editor.value
            self.desk.now(
                "edit", self.opened.words(value), self.opened.file, value, self.opened.bases[self.opened.file]
            )
            self.opened = self.opened.saved(value)

    def say_done(self, op: Op) -> None:
        """A step of the journal as a sentence."""
        self.say(f"{op.words[:1].upper()}{op.words[1:]}.")

    def put(self, said: Mapping[str, Any], told: str) -> None:
        """Write values into project.toml by their keys, in a thread, and read everything again."""
        project = self.bench.project
        if project is None:
            return

        def work() -> str:
            put(project, said, told)
            if self.desk:
                self.desk.load()
            return told

        in_thread(self.bench, work, self.say)

    # ---- the text

    @property
    def _dirty(self) -> bool:
        closed = not self.opened.entries or self.opened.why_closed
        return not closed and self.editor.value != self.opened.text

    def open_here(self, *, anew: bool = False) -> None:
        """Put the caption of the cursor, or what the selected share, into the editor."""
        row = self.here
        chosen = [each.entries[0] for each in self.meant] if len(self.rows.selected) > 1 else []
        entries = chosen or ([row.entries[min(self._variant, len(row.entries) - 1)]] if row else [])
        if not anew and [each.file for each in entries] == [each.file for each in self.opened.entries]:
            return
        handed = self._handed.get(entries[0].file) if len(entries) == 1 else None
        self.opened = handed or opened(entries)
        self._noted = ""
        kept = self._kept.get(self.opened.file)
        self.editor.open(self.opened.text, read_only=bool(self.opened.why_closed) or not entries)
        if kept:
            self.editor.change(kept[0])
        self.show_picture()
        self._count()
        self.draw()

    def save(self) -> None:
        """Hand on what is typed to be written, whatever comes next."""
        value = self.editor.value if self.is_mounted else ""
        if not self.desk or not self._dirty:
            return
        made = self.opened
        if made.file:
            self.again = again_of(made.text, value) or self.again
        after = made.saved(value) if made.file else opened(made.entries)

        def done(outcome: Outcome) -> None:
            self.underway -= 1
            if self._handed.get(made.file) is after:
                del self._handed[made.file]
            self._after_save(made, value, outcome)

        self.underway += 1
        self.desk.apply("edit", made.words(value), made.texts(value), done, bases=made.bases)
        self.opened = after
        if made.file:
            self._handed[made.file] = after
        self._noted = value

    def _after_save(self, made: Opened, value: str, outcome: Outcome) -> None:
        file = made.file
        if outcome.problems and file:
            self._kept[file] = (value, str(outcome.problems[0]))
        elif file:
            self._kept.pop(file, None)
            self._saved = time.strftime("saved %H:%M", time.localtime(self.bench.clock()))
        if made.several:
            self.say(f"{len(outcome.op.files) if outcome.op else 0:,} captions changed. ^z takes it back.")
            self.open_here(anew=True)
        if outcome.merged:
            self.say("Somebody else changed it too: both edits are kept.")
        self._take_current()
        self.draw_status()

    def leave_text(self, way: Way) -> None:
        """At once, before the next key: save, and go where the key says."""
        self.save()
        if way in ("next", "previous"):
            if self.opened.file in self.captions.drafted and way == "next":
                self.desk_look([self.opened.file])
            self.go_by(1 if way == "next" else -1)
        elif way == "escape":
            self.set_focus(self.rows)
        else:
            self.focus_next()

    def desk_look(self, files: Sequence[str]) -> None:
        """Somebody has looked at these drafts."""
        if self.desk:
            self.desk.look(files)

    def go_by(self, by: int) -> None:
        """The next or previous picture, with its caption in the editor before another key is taken."""
        before = self.rows.key
        self._variant = 0
        self.rows.move(by)
        if self.rows.key == before:
            self.say("This is the last picture." if by > 0 else "This is the first picture.")
        self.open_here()

    @on(TextArea.Changed)
    def typed(self) -> None:
        """Count anew; save once the person pauses."""
        self._count()
        self.draw_status()
        self.refresh_frame()
        if self._pause:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE_SECONDS, self._paused) if self._dirty else None

    def _paused(self) -> None:
        # What several captions share is written when the person is through with it.
        if not self.opened.several:
            self.save()

    def _note_typed(self) -> None:
        if self.desk and self.opened.file and self._dirty and self.editor.value != self._noted:
            self._noted = self.editor.value
            self.desk.type(self.opened.file, self._noted, self.opened.bases[self.opened.file])

    def _look_outside(self) -> None:
        if self.desk and self.opened.file and self.app.screen is self:
            self.desk.refresh([self.opened.file], self.changed_outside)

    def changed_outside(self, files: Sequence[str]) -> None:
        if self.opened.file in files:
            self.say("This caption was changed outside: it is shown as it is now.")
        elif files:
            self.say(f"{len(files):,} captions were changed outside.")

    def take_changes(self, before: Captions) -> None:
        """The caption in the editor is another one on the disk: show it, unless something is being typed into it."""
        row = self.here
        if row is not None and row is not before.rows.get(row.picture):
            self._take_current()

    def _take_current(self) -> None:
        row = self.here
        if row is None or self.opened.several or self.opened.file in self._handed:
            return
        entry = next((each for each in row.entries if each.file == self.opened.file), None)
        if entry is None or self._dirty or shown(entry.text) == self.opened.text:
            return
        self.opened = opened([entry])
        self.editor.read_only = bool(self.opened.why_closed)
        self.editor.take(self.opened.text)
        self._count()

    def _turned(self, way: str) -> None:
        """Nothing typed here is left to take back: the journal goes on."""
        self.save()
        self.action_act(f"captions.{way}")

    def _count(self) -> None:
        if self._eyes:
            self._eyes.count(self.editor.value)
