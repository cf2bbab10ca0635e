"""The blind round of a run: first impression, the wait, one unlabelled picture at a time, both verdicts at the end."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen

from projects import blind
from projects.blind import First
from projects.job import JobDir
from projects.sides import Side
from projects.unsealed import opened
from tui import blind_words
from tui.actions import ACTIONS
from tui.bare_picture import bare_png
from tui.bindings import bindings
from tui.blind_stage import KEYS, Read, Stage, read_stage
from tui.spans import Spans, marked
from tui.widgets.frame import KeyLine
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.widgets.picture_view import PictureView
from tui.working import in_thread

if TYPE_CHECKING:
    from tui.app import Workbench

_TICK: Final = 20.0
"""Seconds between two looks at the clock."""


class BlindRound(ModalScreen[None]):
    """One screen for all stages of the round; each begins where the last sitting ended."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("blind")
    ROOM: ClassVar[str] = "blind"
    """Place whose keys the help shows first."""

    def __init__(self, run: JobDir, project: Path) -> None:
        super().__init__()
        self._run, self._project = run, project
        self._read: Read | None = None
        self._again = False
        """The person wants another round in the place of the opened one."""
        self._rating: int | None = None
        self._wrong = ""
        """Why nothing could be read."""
        self._lines: Sequence[Spans] = ()
        self._busy = True
        """Something is read or written. A key that comes meanwhile is about a picture that nobody has seen yet."""
        self._sure = False
        """The next press of `open` opens although something is left."""

    def compose(self) -> ComposeResult:
        """Words, the list or the picture, a line for the note, the keys."""
        yield Lines(id="blind-title")
        with Horizontal(id="blind-body"):
            yield LineList(self._side_row, finds=False, id="blind-sides")
            yield LineList(lambda at, _width: self._lines[at], bar=False, finds=False, id="blind-told")
            yield PictureView(id="blind-picture")
        yield LineEdit(placeholder="a note beside it, if you like: e", id="blind-note")
        yield KeyLine()

    @property
    def bench(self) -> "Workbench":
        """The app."""
        return cast("Workbench", self.app)

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(_TICK, self._draw)
        self._do(lambda: None)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def on_key(self) -> None:
        self.query_one(KeyLine).say("")

    def on_descendant_focus(self) -> None:
        self._draw_keys(self.stage)

    def on_descendant_blur(self) -> None:
        self._draw_keys(self.stage)

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        if action_id != "blind.open":
            self._sure = False
        getattr(self, ACTIONS[action_id].method)()

    @property
    def stage(self) -> Stage:
        """Where the round stands by the files and the clock."""
        return "reading" if self._read is None else self._read.stage(self.bench.clock())

    # ---- reading and writing, in a thread

    def _do(self, write: Callable[[], object]) -> None:
        """Write something, then read all of it again and show it."""
        self._busy, again, now = True, self._again, self.bench.clock()

        def work() -> Read:
            write()
            return read_stage(self._run, self._project, now, again=again)

        in_thread(self.bench, work, self._take, self._failed)

    def _take(self, read: Read) -> None:
        self._busy = False
        if not self.is_attached:
            return
        before, self._read = self.stage, read
        self._say("")
        if read.sweep is not None and before != "asking":
            self.query_one("#blind-sides", LineList).show(read.sweep.sides)
        self._draw()

    def _failed(self, sentence: str) -> None:
        self._busy = False
        if self.is_attached and self._read is None:
            # Nothing else is shown then, and a key must not take the sentence away.
            self._wrong = sentence
            self._draw()
        elif self.is_attached:
            self._say(sentence)

    def _say(self, sentence: str) -> None:
        self.query_one(KeyLine).say(sentence)

    # ---- drawing

    def _draw(self) -> None:
        stage, read = self.stage, self._read
        shown = {
            "#blind-sides": stage == "asking", "#blind-note": stage == "asking",
            "#blind-told": stage in ("waiting", "rated", "opened"), "#blind-picture": stage in ("asking", "rating"),
        }  # fmt: skip
        for name, holds in shown.items():
            self.query_one(name).display = holds
        title = blind_words.title_lines(stage, read.round if read else None, self._rating)
        wrong = marked("!", "bad", self._wrong, self.size.width - 1) if self._wrong else []
        self.query_one("#blind-title", Lines).show([*title, *wrong])
        self._draw_told(stage, read)
        self._draw_picture(stage, read)
        self._focus(stage)
        self._draw_keys(stage)

    def _draw_keys(self, stage: Stage) -> None:
        if self.query_one("#blind-note").has_focus:
            self.query_one(KeyLine).show([("enter", "back to the list")], fixed=0)
            return
        mine = [ACTIONS[f"blind.{name}"] for name in (*KEYS[stage], "help", "leave")]
        self.query_one(KeyLine).show([(self.bench.keymap.shown(each), each.label) for each in mine])

    def _draw_told(self, stage: Stage, read: Read | None) -> None:
        width = max(20, self.size.width - 4)
        lines = blind_words.told_lines(read, self.bench.clock(), width) if read and stage != "asking" else []
        self._lines = lines
        told = self.query_one("#blind-told", LineList)
        told.show(range(len(lines)))
        told.refresh()

    def _draw_picture(self, stage: Stage, read: Read | None) -> None:
        file: Path | None = None
        if stage == "asking" and read and read.sweep:
            side = self.query_one("#blind-sides", LineList).key
            file = next((each.file for each in read.sweep.pictures if each.side == side), None)
        elif stage == "rating" and read and read.round:
            file = self._run.blind_pictures / f"{read.round.open_ids[0]}.png"
        self.query_one("#blind-picture", PictureView).show(self.bench.pictures, file)

    def _focus(self, stage: Stage) -> None:
        """The list of what is shown has the keys; while somebody writes a note, that has them."""
        wanted = {"asking": "#blind-sides", "rating": "", "reading": ""}.get(stage, "#blind-told")
        note = self.query_one("#blind-note", LineEdit)
        if not (note.has_focus and stage == "asking"):
            self.set_focus(self.query_one(wanted) if wanted else None)

    def _side_row(self, side: Side, _width: int) -> Spans:
        return [(f" {side.words}", "text")]

    # ---- keys

    def _rate(self, rating: int) -> None:
        stage, read = self.stage, self._read
        if stage == "asking":
            self._rating = rating
            self._draw()
        elif stage == "rating" and read and read.round and not self._busy:
            pictures, view = self.bench.pictures, self.query_one("#blind-picture", PictureView)
            if pictures is not None and not pictures.off and not view.complete:
                self._say("The picture is not drawn yet.")
                return
            opaque, now = read.round.open_ids[0], self.bench.clock()
            self._do(lambda: blind.rate(self._run, opaque, rating, now))

    def do_one(self) -> None:
        self._rate(1)

    def do_two(self) -> None:
        self._rate(2)

    def do_three(self) -> None:
        self._rate(3)

    def do_four(self) -> None:
        self._rate(4)

    def do_five(self) -> None:
        self._rate(5)

    def do_note(self) -> None:
        if self.stage == "asking":
            self.set_focus(self.query_one("#blind-note"))

    @on(LineEdit.Left, "#blind-note")
    def noted(self) -> None:
        """Back to the list; the note stays in its line until it is sealed."""
        self.set_focus(self.query_one("#blind-sides"))

    def do_seal(self) -> None:
        """Write down the first impression, and seal the round with it."""
        read, side = self._read, self.query_one("#blind-sides", LineList).key
        if (
            self.stage != "asking"
            or self._busy
            or read is None
            or read.sweep is None
            or not isinstance(side, Side)
        ):
            return
        if self._rating is None:
            self._say("Rate it first: 1 to 5.")
            return
        first = First(
            rating=self._rating, side=side, note=self.query_one("#blind-note", LineEdit).value.strip()
        )
        pictures, now = read.sweep.pictures, self.bench.clock()
        self._again = False
        self._say("Sealing the round ...")
        self._do(lambda: blind.begin(self._run, pictures, first, now, bare=bare_png))

    def do_undo(self) -> None:
        read = self._read
        if self._busy or self.stage not in ("rating", "rated") or read is None or read.round is None:
            return
        if not read.round.verdicts:
            self._say("There is no verdict to take back.")
            return
        now = self.bench.clock()
        self._do(lambda: blind.take_back(self._run, now))

    def do_open(self) -> None:
        """Show the labels: at once where everything is rated, else when it is asked twice."""
        stage, read = self.stage, self._read
        if self._busy or stage not in ("waiting", "rating", "rated") or read is None or read.round is None:
            return
        left = len(read.round.open_ids)
        if left and not self._sure:
            self._sure = True
            key = self.bench.keymap.shown(ACTIONS["blind.open"])
            self._say(
                f"{left} are not rated, and cannot be once the labels are seen. {key} again opens it now."
            )
            return
        now = self.bench.clock()
        self._do(lambda: opened(self._run, now, early=True))

    def do_again(self) -> None:
        """Ask for another first impression; the opened round is put away when the new one is sealed."""
        if self.stage == "opened" and not self._busy:
            self._again, self._rating = True, None
            self._do(lambda: None)

    @on(LineList.Moved, "#blind-sides")
    def moved(self) -> None:
        """The picture of the side that the cursor is on."""
        self._draw_picture(self.stage, self._read)

    @on(LineList.Chosen)
    def chosen(self) -> None:
        """Enter: the obvious thing, which is never to open early."""
        if self.stage == "asking":
            self.do_seal()
        elif self.stage == "rated":
            self.do_open()

    def do_help(self) -> None:
        self.bench.do_help()

    def do_leave(self) -> None:
        if self._again and self.stage == "asking":
            self._again = False
            self._do(lambda: None)
        else:
            self.dismiss(None)
