"""Room 2: is this a data set? What an audit found, picture by picture, where in it, and what one key does about it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from tui.declared import Kind
from tui.external import open_with, opener
from tui.filters import parse
from tui.follow_lines import shown
from tui.judging import AuditMoved, Judging
from tui.screens.declaring import Declaring
from tui.screens.room import Room
from tui.spans import Span, Spans
from tui.widgets.audited_picture import AuditedPicture
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.widgets.tiles import Tiles

_ABOVE = 2
"""Lines of the findings' pane that are not findings: its title, and one between it and the list."""


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
        self._check = ""
        """The check whose pictures alone are listed."""
        self._names: list[str] = []
        self._columns: Sequence[str] = ()
        self._filtered_by: dict[str, Mapping[str, object]] = {}
        self._as_trained = False
        self._at_checks = False

    def body(self) -> Iterable[Widget]:
        """What the set holds, what was found, the pictures, and one of them with its facts."""
        yield Lines(id="coverage")
        with Horizontal(id="pictures"):
            with Container(id="finder"):
                with Vertical(id="findings-pane"):
                    yield Lines([[("  FINDINGS", "muted")]], id="findings-title")
                    yield LineList(self._check_row, finds=False, id="findings")
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
            "found": bool(self._checked or (row and self.seen.of.get(row.name))),
            "running": self.seen.running,
            "over": not self.seen.running,
            "narrowed": bool(self._check),
        }
        return frozenset(name for name, holds in held.items() if holds)

    def on_mount(self) -> None:
        super().on_mount()
        self._list.focus()
        self._draw()
        self.do_again()

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
        self._filtered_by = {}
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
        self.query_one("#findings", LineList).show(list(self.seen.checks))
        self._list.show(self._names)
        self._give_room()
        self._draw()

    def _give_room(self) -> None:
        """Where the findings stand over the list, they get the lines that they need, and leave it most of them."""
        pane, rows = self.query_one("#findings-pane"), len(self.seen.checks) + _ABOVE
        height = min(rows, self.size.height // 3) if self.has_class("-narrow") else None
        if pane.styles.inline.height is None or height is None or pane.styles.height.cells != height:  # type: ignore[union-attr]
            pane.styles.height = height

    def _draw(self) -> None:
        """All that is not a list."""
        if not self.is_mounted:
            return
        stop = self.bench.keymap.shown(ACTIONS["pictures.stop"])
        self.query_one("#coverage", Lines).show(
            words.coverage_lines(self.seen, stop, max(20, self.size.width - 2))
        )
        check, chosen, width = (
            self.seen.checks.get(self._check),
            len(self._list.selected),
            self._list.size.width,
        )
        title = words.list_title(self.seen, check, chosen, width, self._columns)
        self.query_one("#list-title", Lines).show([title])
        self._show_picture()
        self.refresh_frame()

    def _show_picture(self) -> None:
        self.query_one(Tiles).update(self.bench.pictures)
        pane = self.query_one("#picture-pane", AuditedPicture)
        pane.show(self.bench.pictures, self.seen, self._here, self._checked, as_trained=self._as_trained)

    @property
    def _list(self) -> LineList:
        return self.query_one("#list", LineList)

    @property
    def _checked(self) -> CheckRow | None:
        """The check the cursor is on, while it is among the findings."""
        if not self._at_checks:
            return None
        return self.seen.checks.get(str(self.query_one("#findings", LineList).key))

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

    def _check_row(self, name: str, width: int) -> Spans:
        check = self.seen.checks.get(name)
        return words.check_row(check, width) if check else [(name, "muted")]

    def _matching(self, text: str) -> Callable[[str], bool]:
        """What a filter means; pictures are put together for it once."""
        matches, known = parse(text).matches, self._filtered_by

        def holds(name: str) -> bool:
            row = known.get(name)
            if row is None:
                row = known[name] = self.seen.filtered_by(name)
            return matches(row)

        return holds

    @on(LineList.Moved)
    def moved(self) -> None:
        """The picture or the check the cursor is on."""
        self._show_picture()

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
            self._read(check.title, words.why_lines(check.findings))
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
        self._read(name, words.why_lines(self.seen.of.get(name, ()), name))

    def _read(self, title: str, lines: Sequence[Spans]) -> None:
        from tui.screens.modal import Reading  # nothing that a key asks for is imported before it

        self.app.push_screen(Reading(title, lines, folded=True))

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
        return Declaring(self.bench, self._judging.declared)

    def do_leave_out(self) -> None:
        self._declaring.leave_out(self.seen, self._meant)

    def do_ignore(self) -> None:
        if self._checked:
            self._declaring.ignore_check(self._checked)
        elif self._here:
            titles = {name: check.title for name, check in self.seen.checks.items()}
            self._declaring.ignore(self.seen.of[self._here.name], titles)

    def do_crop(self) -> None:
        from tui.screens.cropping import Cropping

        row = self._here
        if row is None:
            return

        def moved(point: tuple[float, float] | None) -> None:
            if point is not None:
                self._declaring.crop(row.name, point)

        self.app.push_screen(Cropping(self.bench.pictures, row.path, row.placements[0]), moved)

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
        self._as_trained = not self._as_trained
        self._show_picture()

    def do_large(self) -> None:
        from tui.screens.large import Large

        names = [str(name) for name in self._list.rows] or self._meant
        here = self._here.name if self._here else ""
        told = [(self.seen.rows[name].path, self._line(name)) for name in names if name in self.seen.rows]
        self.app.push_screen(Large(self.bench.pictures, told, names.index(here) if here in names else 0))

    def _line(self, name: str) -> str:
        found = self.seen.of.get(name, ())
        return f"{name}: {words.without(name, found[0].value)}" if found else name

    def do_distance(self) -> None:
        self._declaring.distance(self._meant)

    def do_light(self) -> None:
        self._words("light")

    def do_wardrobe(self) -> None:
        self._words("wardrobe")

    def _words(self, kind: Kind) -> None:
        names = self._meant
        now = getattr(self.seen.declared, kind).get(names[0], "") if names else ""
        self._declaring.words(kind, names, now)

    def do_external(self) -> None:
        row, program = self._here, opener()
        if row is None:
            return
        if not program:
            self.say(
                f"No display here. It is {shown(row.path)}; safelight look shows it in a browser elsewhere."
            )
            return
        self.run_worker(lambda: open_with(program, row.path), thread=True, exit_on_error=False)
