"""Room 3: the captions. The focus is in the text; next, previous and everything else are there without leaving it."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.widget import Widget

from tui import caption_words as words
from tui.audit_words import check_row
from tui.bindings import bindings
from tui.caption_desk import CaptionsDone, CaptionsMoved, CaptionsRefused, DraftingMoved
from tui.caption_eyes import CaptionsLearned, Counted
from tui.caption_rows import ORDERS, Order
from tui.filters import parse
from tui.screens.caption_acts import CaptionActs
from tui.spans import Spans
from tui.widgets.caption_editor import CaptionEditor
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView, none_here

if TYPE_CHECKING:
    from tui.widgets.line_edit import LineEdit


class CaptionsRoom(CaptionActs):
    """Reads when it is first shown; the files stay the truth."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("captions")
    ROOM = "captions"
    FILTERS = "words, is:open  is:draft  tokens>75  finding:NAME, with not, and, or"

    def __init__(self) -> None:
        super().__init__()
        self._order: Order = "name"
        self._check = ""
        self._names_wide = 0

    def body(self) -> Iterable[Widget]:
        """Pictures, the one that is captioned, phrases and checks; below them the text."""
        with Vertical(id="captions"):
            with Horizontal():
                with Vertical(id="caption-list-pane"):
                    yield Lines(id="caption-title")
                    yield LineList(
                        self._row,
                        selectable=True,
                        opens_field=True,
                        matching=self._matching,
                        id="caption-list",
                    )
                yield PictureView(id="caption-picture")
                with Container(id="caption-side", classes="side"):
                    with Vertical(id="phrases-pane"):
                        yield Lines(id="phrases-title")
                        yield LineList(self._phrase_row, quiet=True, id="phrases")
                    with Vertical(id="checks-pane"):
                        yield Lines([[("  CHECKS", "muted")]])
                        yield LineList(self._check_row, quiet=True, finds=False, id="checks")
            yield Lines(id="caption-rule")
            yield CaptionEditor(id="caption-editor")
            yield Lines(id="caption-status")
            yield Lines(id="leader")

    # ---- what holds here

    @property
    def is_narrowed(self) -> bool:
        return bool(self.rows.filter or self._check)

    def conditions(self) -> frozenset[str]:
        """What the caption, the check and the journal let one do."""
        row, check = self.here, self.checked
        held = {
            "picture": row is not None,
            "again": self.again is not None,
            "draft": row is not None and self.captions.is_draft(row),
            "encoded": any(entry.content and not entry.content.editable for entry in self.opened.entries),
            "check": check is not None,
            "fixable": check is not None and any(map(self._learned.fix, check.findings)),
            "undo": bool(self.captions.undo) or self.underway > 0,
            "redo": bool(self.captions.redo) or self.underway > 0,
            "drafting": self.drafting is not None and self.drafting.alive,
            "narrowed": bool(self._check or self.rows.selected),
        }
        return frozenset(name for name, holds in held.items() if holds)

    # ---- reading

    def on_mount(self) -> None:
        super().on_mount()
        self.draw()
        self.editor.focus()
        # To list ten thousand files takes the processor from the room's first drawing, which would stand still for 60 ms.
        self.call_after_refresh(self.begin)

    def on_unmount(self) -> None:
        """Threads end with the room."""
        if self.desk:
            self.desk.stop()
        if self._eyes:
            self._eyes.stop()

    def on_screen_suspend(self) -> None:
        """Another room is shown: what is typed is saved."""
        self.save()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.desk:
            self.desk.refresh((), self.changed_outside)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def side_turned(self) -> None:
        super().side_turned()
        self.call_after_refresh(self.draw)

    def on_captions_moved(self, message: CaptionsMoved) -> None:
        before = self.captions
        self.captions = message.captions.knowing(self._learned.captions)
        if message.names or not before.loaded:
            self._names_wide = words.names_wide(self.captions)
            self._fill()
            if not before.rows:
                self.rows.do_first()
            if self.here and all(each.picture != self.here.picture for each in self.opened.entries):
                self.save()
            # What is being typed stays in the editor, whoever asked for all to be read again.
            self.open_here(anew=not self._dirty)
            if self.captions.problems:
                self.say(str(self.captions.problems[0]))
            if self._writes_next:
                self._writes_next = False
                self.set_focus(self.editor)
                self.bench.release_keys()
        else:
            self.rows.redraw_all(message.changed)
            self.take_changes(before)
        if self._eyes:
            self._eyes.look(self.captions)
        self.draw()

    def on_captions_learned(self, message: CaptionsLearned) -> None:
        self._learned = message.learned
        self.captions = self.captions.knowing(message.learned.captions)
        self.query_one("#checks", LineList).show(list(self.captions.checks))
        self.rows.refresh()
        self.take_phrases()
        self.draw()

    def on_counted(self, message: Counted) -> None:
        self._counts = (message.places, message.counts)
        cuts = [count.cut for count in message.counts if count and count.cut is not None]
        if message.text == self.editor.value:
            self.editor.show_cut(min(cuts, default=None))
        self.draw_status()

    def on_captions_done(self, message: CaptionsDone) -> None:
        message.then(message.outcome)
        if (op := message.outcome.op) and op.kind == "restore":
            # Whoever has begun elsewhere already stays there.
            if not self._dirty and self.rows.at == 0:
                self.stepped(message.outcome)
            else:
                self.say_done(op)
        if message.outcome.problems:
            self.say(str(message.outcome.problems[0]))
        for conflict in message.outcome.conflicts:
            self.settle(conflict)

    def on_drafting_moved(self, message: DraftingMoved) -> None:
        self.drafting = message.drafting
        self.draw()
        if message.sentence:
            self.say(message.sentence)

    def on_captions_refused(self, message: CaptionsRefused) -> None:
        self.say(str(message.problem))

    # ---- lists

    def _fill(self) -> None:
        check = self.captions.checks.get(self._check)
        self._check = self._check if check else ""
        self.rows.show(list(check.pictures) if check else self.captions.ordered(self._order))
        self.count_narrowed()
        self.draw()

    def _row(self, name: str, width: int) -> Spans:
        return words.caption_row(self.captions, name, width, self._names_wide)

    def _check_row(self, name: str, width: int) -> Spans:
        check = self.captions.checks.get(name)
        return check_row(check, width) if check else [(name, "muted")]

    def _matching(self, text: str) -> Callable[[str], bool]:
        """What a filter means."""
        matches, captions = parse(text).matches, self.captions
        return lambda name: matches(captions.filtered_by(name))

    @on(LineList.Moved, "#caption-list")
    def moved(self) -> None:
        """The caption of the cursor; what was typed is saved before."""
        if self.here and not any(each.picture == self.here.picture for each in self.opened.entries):
            self.save()
            self._variant = 0
        self.open_here()

    @on(LineList.Turned, "#caption-list")
    def turned(self) -> None:
        """Other pictures are shown, or selected."""
        self.save()
        self.open_here()
        self.count_narrowed()
        self.draw()
        if self.rows.mistake:
            self.say(self.rows.mistake)

    @on(LineList.Chosen, "#caption-list")
    def chosen(self) -> None:
        """Enter: write. What was typed since belongs into the caption."""
        self.open_here()
        self.set_focus(self.editor)
        self.bench.release_keys()

    @on(LineList.Chosen, "#checks")
    def chosen_check(self, event: LineList.Chosen) -> None:
        """Enter: its pictures, or what it says where it is about none."""
        check = self.captions.checks.get(str(event.key))
        if check is None:
            return
        if not check.pictures:
            self.read_check(check)
            return
        self._check = check.name
        self.rows.set_filter("")
        self._fill()
        self.rows.do_first()
        self.rows.focus()
        self.say(check.findings[0].value + " " + check.findings[0].remedy)

    def do_everything(self) -> None:
        if self._check:
            self._check = ""
            self._fill()
        else:
            self.rows.select_none()

    def do_order(self) -> None:
        if self.query_one("#phrases", LineList).has_focus:
            self.turn_phrases()
            return
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._fill()
        self.draw()

    # ---- drawing

    def draw(self) -> None:
        """All that is not a list."""
        if not self.is_mounted:
            return
        narrowed = len(self.rows.rows) if self.is_narrowed else None
        self.query_one("#caption-title", Lines).show(
            [words.list_title(self.captions, self._order, len(self.rows.selected), narrowed)]
        )
        self.query_one("#caption-rule", Lines).show([[("─" * max(1, self.size.width - 2), "faint")]])
        self.draw_status()
        self.refresh_frame()

    def draw_status(self) -> None:
        """The line under the editor."""
        kept = self._kept.get(self.opened.file)
        problem = kept[1] if kept else self.opened.why_closed
        saved = "not saved yet" if self._dirty else self._saved
        if row := self.here if self._variant else None:
            saved = f"variant {self._variant + 1} of {len(row.entries):,}   {saved}"
        if self.opened.several:
            saved = f"what {len(self.opened.entries):,} captions share"
        if self.drafting is not None:
            saved = f"{self.drafting.words}   {saved}"
        places, counts = self._counts if not self.opened.several else ((), ())
        line = words.status_line(places, counts, saved, problem, self.numbered, self.size.width - 2)
        self.query_one("#caption-status", Lines).show([line])

    def show_picture(self) -> None:
        """The picture of the cursor."""
        row = self.here
        empty = "" if row or not self.captions.loaded else none_here(bool(self.captions.rows))
        self.query_one("#caption-picture", PictureView).show(
            self.bench.pictures, row.path if row else None, empty
        )

    def on_line_edit_left(self, event: "LineEdit.Left") -> None:
        super().on_line_edit_left(event)
        if event.edit.id == "filter" and event.way == "enter":
            self.open_here()
            self.draw()
