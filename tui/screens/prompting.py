"""The prompts of a project, built from their parts: new ones, changed ones, those of captions, and the negative prompt.

What is saved goes into project.toml, one step each, and is undone from there. No run is touched.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType

from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.parts import phrase_texts
from engine.dataset.captioning.prompt_parts import split
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.prompts import NEGATIVE, PROMPTS, Prompts, captions_of
from tui.saving import Saving
from tui.screens.prompt_view import PromptView
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList
from tui.widgets.parts_form import PartsForm
from tui.working import in_thread


class Prompting(PromptView):
    """Shows and changes what is drawn."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("prompting")
    ROOM: ClassVar[str] = "prompting"
    """Place whose keys the help shows first."""

    def __init__(self, folder: Path) -> None:
        """folder: of the project."""
        super().__init__(folder)
        self._saving = Saving(
            lambda work, then: in_thread(self.bench, work, then, self._say), self._say, self._written
        )
        self._kept = 0
        """Changes that were made before the one that is on its way."""
        self._negative_seen: str | None = None
        """What the file said of the negative prompt when somebody began to type into it; None for nothing."""
        self._told = False
        """Somebody was told that nothing was written; what the file says now is what is written over next."""

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A letter that was typed in one burst with the key that opened a field belongs into that."""
        typing = self._mode in ("editing", "negative")
        return not typing or action != "act" or "prompting.help" in parameters

    @on(LineList.Chosen, "#prompts")
    def chosen(self) -> None:
        """Enter: change the prompt, or take the caption."""
        if self._mode == "captions":
            self._begin(None)
        else:
            self.do_edit()
        self.bench.release_keys()

    # ---- changing a prompt

    def _begin(self, changed: str | None) -> None:
        """Type into the parts that are shown."""
        self._changed, self._mode = changed, "editing"
        self._list.show(range(len(self._read.prompts) if self._read else 0))
        self._form.open()
        self._draw()

    @on(PartsForm.Typed)
    def typed(self) -> None:
        """Show what the parts make."""
        self._draw_composed()

    @on(PartsForm.Ended)
    def ended(self, event: PartsForm.Ended) -> None:
        """Save the prompt, or leave it as it was."""
        read, text = self._read, self._composed
        if not event.kept or read is None:
            self._browse()
            return
        if self._saving.pending:
            return
        if not text:
            self._say("A prompt needs a word. esc leaves it as it was.")
            return
        at, prompts = self._at_changed(), list(read.prompts)
        if at is None:
            prompts.append(text)
        elif phrase_texts(prompts[at]) == phrase_texts(text):
            self._browse()
            return
        else:
            prompts[at] = text
        row = len(prompts) - 1 if at is None else at
        told = f"prompt {row + 1} {'added' if at is None else 'changed'}"
        self._put({PROMPTS: prompts}, read.prompts_said, told, row)

    def _put(self, said: Mapping[str, Any], seen: Any, told: str, row: int | None = None) -> None:
        """Write one value, where the file still says what was `seen`. row: to go to when it is written."""
        self._kept, self._go_to = len(self._saving.changes.done), row
        undo = f": {self._key('undo')} takes it back"
        self._saving.put(self._folder, said, told, undo, dict.fromkeys(said, seen))

    def _written(self) -> None:
        """Something was saved, or was not: then what is typed stays where it is."""
        if not self.is_attached:
            return
        if len(self._saving.changes.done) <= self._kept:
            self._go_to, self._told = None, True
        elif self._mode in ("editing", "negative"):
            self._browse()
        self._read_again()

    def _take(self, read: Prompts) -> None:
        super()._take(read)
        if self._told:
            self._negative_seen, self._told = read.negative_said, False

    def _browse(self) -> None:
        """Back to the list of prompts."""
        self._mode, self._changed, read = "browse", None, self._read
        self._form.close()
        self._list.show(range(len(read.prompts) if read else 0))
        self.set_focus(self._list)
        self._show_parts()
        self._draw()

    # ---- keys

    def _ready(self) -> Prompts | None:
        """The project as it was read; why there is nothing is said."""
        if self._read is None:
            self._say(self._wrong or "project.toml is still being read.")
        return self._read

    def do_new(self) -> None:
        """A new one begins with the trigger."""
        read = self._ready()
        if read is None or self._mode != "browse":
            return
        first = read.triggers[:1]
        self._show_pieces(split(", ".join(first), first))
        self._begin(None)

    def do_edit(self) -> None:
        """Change the prompt under the cursor."""
        if self._mode != "browse":
            return
        text = self._texts_of(self._list.key)
        if text:
            self._begin(text)
        else:
            self._say(f"There is no prompt yet: {self._key('new')} writes one.")

    def do_take(self) -> None:
        """Show the captions; then the next one."""
        if self._mode == "captions":
            self._list.do_down()
        elif read := self._ready():
            self._say("reading the captions ...")
            in_thread(self.bench, lambda: captions_of(read), self._take_captions, self._say)

    def _take_captions(self, captions: Sequence[Entry]) -> None:
        if self.is_attached and self._mode == "browse":
            self._say("")
            self._captions, self._mode = captions, "captions"
            self._list.display = True
            self._list.show(range(len(captions)))
            self._list.do_first()
            self._list.refresh()
            self._show_parts()
            self._draw()

    def do_remove(self) -> None:
        """Take the prompt under the cursor out."""
        read, at = self._ready(), self._list.key
        if self._mode != "browse" or read is None or self._saving.pending:
            return
        if not isinstance(at, int) or at >= len(read.prompts):
            self._say("There is no prompt to take out.")
            return
        left = [*read.prompts[:at], *read.prompts[at + 1 :]]
        told, row = f"prompt {at + 1} taken out", max(0, min(at, len(left) - 1))
        self._put({PROMPTS: left or None}, read.prompts_said, told, row)

    def do_negative(self) -> None:
        """Type into the negative prompt."""
        read = self._ready()
        if read is None or self._mode != "browse":
            return
        self._mode, self._negative_seen = "negative", read.negative_said
        self._draw()
        self._negative.value = str(read.negative.value)
        self._negative.cursor_position = len(self._negative.value)
        self.set_focus(self._negative)

    @on(LineEdit.Left, "#prompts-negative-edit")
    def negative_left(self, event: LineEdit.Left) -> None:
        """Enter saves it; esc, tab and the arrows leave it as it was."""
        event.stop()
        if self._read is None or event.way != "enter" or event.value.strip() == self._read.negative.value:
            self._browse()
        elif not self._saving.pending:
            self._put({NEGATIVE: event.value.strip()}, self._negative_seen, "negative prompt changed")

    def do_preset_value(self) -> None:
        """Let the preset say the negative prompt again."""
        read = self._ready()
        if self._mode != "browse" or read is None or self._saving.pending:
            return
        if read.negative_said is None:
            self._say("project.toml says no negative prompt of its own.")
        else:
            self._put({NEGATIVE: None}, read.negative_said, "the negative prompt is the preset's")

    def do_undo(self) -> None:
        self._turn(undo=True)

    def do_redo(self) -> None:
        self._turn(undo=False)

    def _turn(self, *, undo: bool) -> None:
        changes = self._saving.changes
        if self._mode != "browse" or self._saving.pending:
            return
        if not (changes.done if undo else changes.undone):
            self._say("Nothing was changed here yet." if undo else "Nothing was taken back.")
        elif undo:
            self._saving.undo(self._folder)
        else:
            self._saving.redo(self._folder)

    def do_help(self) -> None:
        self.bench.do_help()

    def do_leave(self) -> None:
        if self._mode == "captions":
            self._browse()
        else:
            self.dismiss(None)
