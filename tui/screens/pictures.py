"""Room 2: is this a data set? What an audit found, picture by picture, where in it, and what one key does about it."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.widget import Widget

from tui import audit_words as words
from tui.actions import ACTIONS
from tui.audited import CheckRow, Row, Seen
from tui.bindings import bindings
from tui.filtered import AUDITED, Filtered
from tui.filters import parse
from tui.judging import AuditMoved, Judging
from tui.saving import Saving
from tui.screens import looking
from tui.screens.declaring import Declaring
from tui.screens.room import Room
from tui.spans import Span, Spans
from tui.widgets.audited_picture import AuditedPicture
from tui.widgets.findings import FindingsPane
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.widgets.tiles import Tiles

if TYPE_CHECKING:
    from tui.widgets.line_edit import LineEdit


class PicturesRoom(Room):
    """Starts an audit when it is first shown, and again when project.toml says something else."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("pictures")
    ROOM = "pictures"

    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()
        self._judging = Judging(self, lambda: self.seen)
        self._saving = Saving(self._judging.saving, lambda told: self.say(told), lambda: self.refresh_frame())
        self._check = ""
        """The check whose pictures alone are listed."""
        self._names: list[str] = []
        self._columns: Sequence[str] = ()
        self._placed = 0
        """0: whole pictures are shown; n: what is trained of them at the n-th resolution."""
        self._at_checks = False

    def body(self) -> Iterable[Widget]:
        """What the set holds, what was found, the pictures, and one of them with its facts."""
        yield Lines(id="coverage")
        with Horizontal(id="pictures"):
            with Container(id="finder"):
                yield FindingsPane(id="findings-pane")
                with Vertical(id="list-pane"):
                    yield Lines(id="list-title")
                    rows = LineList(self._row, selectable=True, matching=self._matching, id="list")
                    yield rows
                    yield Tiles(rows, self._tile, id="tiles")
            yield AuditedPicture(id="picture-pane", classes="side")

    def conditions(self) -> frozenset[str]:
        """What the picture and the audit let one do."""
        row = self._here
        held = {
            "picture": row is not None,
            "placed": row is not None and bool(row.placements),
            # Of any picture, so that the line of keys stays as it is from row to row.
            "found": bool(self.seen.of or self._checked),
            "running": self.seen.running,
            "over": not self.seen.running,
            "narrowed": bool(self._check),
        }
        return self._saving.conditions() | {name for name, holds in held.items() if holds}

    def on_mount(self) -> None:
        super().on_mount()
        self._list.focus()
        self._draw()
        # An audit begins with the names of all pictures: the room is there before that takes the processor.
        self.call_after_refresh(self.do_again)

    def flush(self) -> None:
        """The project is closed, or the terminal goes: what an audit has measured is kept as it ends."""
        super().flush()
        self._judging.stop()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._judging.look_again()

    def on_resize(self) -> None:
        self.call_after_refresh(self._give_room)
        self.call_after_refresh(self._draw)

    def side_turned(self) -> None:
        """Rows and facts are laid out for the room they have."""
        super().side_turned()
        self.call_after_refresh(self._draw)

    def on_audit_moved(self, message: AuditMoved) -> None:
        if message.auditing is not self._judging.auditing:
            return
        before, self.seen = self.seen, message.seen
        first = not before.audited and self.seen.audited
        self._columns = words.columns_of(self.seen)
        self._fill()
        if first:
            # Until then the cursor could only stand on what is left out.
            self._list.do_first()
        if before.running and not self.seen.running:
            self._judging.look_again()

    def _fill(self) -> None:
        check = self.seen.checks.get(self._check)
        if check is None:
            self._check = ""
        self._names = list(check.pictures if check else self.seen.rows)
        self._list.show(self._names)
        self._give_room()
        self._draw()

    def _give_room(self) -> None:
        """Where the findings stand over the list, they get the lines that they need, and leave it most of them."""
        most = self.size.height // 3 if self.has_class("-narrow") else None
        self._findings.show(self.seen.checks, most)

    def _draw(self) -> None:
        """All that is not a list."""
        if not self.is_mounted:
            return
        stop = self.bench.keymap.shown(ACTIONS["pictures.stop"])
        self.query_one("#coverage", Lines).show(
            words.coverage_lines(self.seen, stop, max(20, self.size.width - 2))
        )
        check, rows = self.seen.checks.get(self._check), self._list
        title = words.list_title(self.seen, check, len(rows.selected), rows.size.width, self._columns)
        self.query_one("#list-title", Lines).show([title])
        self._show_picture()
        self.refresh_frame()

    def _show_picture(self) -> None:
        self.query_one(Tiles).update(self.bench.pictures)
        pane = self.query_one("#picture-pane", AuditedPicture)
        pane.show(self.bench.pictures, self.seen, self._here, self._checked, placed=self._placed)

    @property
    def _findings(self) -> FindingsPane:
        return self.query_one(FindingsPane)

    @property
    def _list(self) -> LineList:
        return self.query_one("#list", LineList)

    @property
    def _checked(self) -> CheckRow | None:
        """The check the cursor is on, while it is among the findings."""
        return self._findings.check if self._at_checks else None

    @property
    def _here(self) -> Row | None:
        """The picture that is shown: the cursor's, or the first that the check is about."""
        check = self._checked
        name = check.pictures[0] if check and check.pictures else str(self._list.key)
        return self.seen.rows.get(name)

    @property
    def _meant(self) -> list[str]:
        """The pictures that a key is for: those selected, or else the one of the cursor."""
        chosen = [name for name in self.seen.rows if name in self._list.selected]
        return chosen or ([self._here.name] if self._here else [])

    def _row(self, name: str, width: int) -> Spans:
        return words.picture_row(self.seen, name, width, self._columns)

    def _tile(self, name: str) -> tuple[Path, Span, str]:
        return words.tile(self.seen, name)

    def _matching(self, text: str) -> Callable[[str], bool]:
        """What a filter means."""
        matches, seen = parse(text).matches, self.seen
        return lambda name: matches(Filtered(AUDITED, seen, seen.rows[name]))

    @on(LineList.Moved)
    def moved(self) -> None:
        """The picture or the check the cursor is on."""
        self._show_picture()
        self.refresh_frame()

    def on_descendant_focus(self) -> None:
        super().on_descendant_focus()
        focused = getattr(self.focused, "id", "")
        if focused in ("findings", "list", "tiles") and self._at_checks != (focused == "findings"):
            self._at_checks = focused == "findings"
            self._show_picture()

    @on(LineList.Chosen, "#findings")
    def chosen_check(self, event: LineList.Chosen) -> None:
        """Enter: its pictures, or where it is about none, what it says."""
        check = self.seen.checks.get(str(event.key))
        if check is None:
            return
        if not check.pictures:
            looking.read(self.bench, check.title, words.why_lines(check.findings))
            return
        self._check = check.name
        self._list.set_filter("")
        self._fill()
        self._list.do_first()
        self._focus_pictures()

    @on(LineList.Chosen, "#list")
    def chosen_picture(self, event: LineList.Chosen) -> None:
        """Enter: why and where."""
        name = str(event.key)
        looking.read(self.bench, name, words.why_lines(self.seen.of.get(name, ()), name))

    def do_everything(self) -> None:
        self._check = ""
        self._fill()

    def do_again(self) -> None:
        self._judging.start()

    def do_stop(self) -> None:
        self._judging.stop()
        self.say("Stopping: what was measured is kept.")

    @property
    def _declaring(self) -> Declaring:
        return Declaring(self.bench, self._saving)

    def do_leave_out(self) -> None:
        self._declaring.leave_out(self.seen, self._meant)

    def do_ignore(self) -> None:
        if self._checked:
            self._declaring.ignore_check(self._checked)
        elif self._here and (found := self.seen.of.get(self._here.name)):
            titles = {name: check.title for name, check in self.seen.checks.items()}
            self._declaring.ignore(found, titles)
        else:
            self.say(ACTIONS["pictures.ignore"].otherwise)

    def do_crop(self) -> None:
        row = self._here
        if row is not None:
            looking.crop(self.bench, row, lambda point: self._declaring.crop(row.name, point))

    def do_undo(self) -> None:
        if self.bench.project:
            self._saving.undo(self.bench.project)

    def do_redo(self) -> None:
        if self.bench.project:
            self._saving.redo(self.bench.project)

    def do_tiles(self) -> None:
        self.toggle_class("-tiles")
        self.call_after_refresh(self._tiles_turned)

    def _tiles_turned(self) -> None:
        self._focus_pictures()
        self._draw()

    def _focus_pictures(self) -> None:
        (self.query_one(Tiles) if self.has_class("-tiles") else self._list).focus()

    def on_line_edit_left(self, event: "LineEdit.Left") -> None:
        super().on_line_edit_left(event)
        if self.has_class("-tiles") and event.way not in ("previous", "next"):
            self._focus_pictures()

    def do_model(self) -> None:
        row = self._here
        self._placed = (self._placed + 1) % (len(row.placements) + 1) if row else 0
        self._show_picture()

    def do_large(self) -> None:
        names = [str(name) for name in self._list.rows] or self._meant
        looking.large(self.bench, self.seen, names, self._here.name if self._here else "")

    def do_distance(self) -> None:
        self._declaring.distance(self._meant)

    def do_light(self) -> None:
        self._declaring.words("light", self._meant, self.seen)

    def do_wardrobe(self) -> None:
        self._declaring.words("wardrobe", self._meant, self.seen)

    def do_external(self) -> None:
        if self._here:
            looking.elsewhere(self.bench, self._here.path, self._here.name)
