"""A step that a review advises, as a new run: what it would change, key by key, before anything starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from projects.job import JobDir
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.prepared import Prepared, name_for, prepare, room_for
from tui.reviewed import Step, Test
from tui.run_list import short_name
from tui.spans import Spans, cell, wrapped
from tui.widgets.frame import KeyLine
from tui.widgets.line_edit import LineEdit
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.working import in_thread

if TYPE_CHECKING:
    from tui.app import Workbench

_KEY = 30
_MOST = 12
"""Differences that are shown; the others are counted."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the person decided."""

    assignments: Sequence[str] = ()
    """Of a new run, as `train --set` takes them."""
    name: str = ""
    """End of its folder's name."""
    room: str = ""
    """The room to go to instead, where no key does what is advised; else ""."""


class Preparing(ModalScreen[Wanted | None]):
    """Gives the run to start, or the room to go to; None where the person left. project.toml is never written."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("preparing")

    def __init__(self, run: JobDir, test: Test) -> None:
        """test: one with steps."""
        super().__init__()
        self._run, self._test = run, test
        self._prepared: dict[int, Prepared] = {}
        """Step -> what came of it, once that is known."""

    def compose(self) -> ComposeResult:
        """What to do, what would differ, and under which name."""
        with Vertical(id="preparing"):
            yield Lines([[("NEXT STEP", "bold"), (f"   {self._test.name}", "muted")]])
            yield LineList(self._step_row, finds=False, id="steps")
            yield Lines(id="differences")
            yield Lines([[("name of the new run", "muted")]], id="name-label")
            yield LineEdit(name_for(self._run, self._test.steps[0]), id="name")
        yield KeyLine()

    def on_mount(self) -> None:
        keymap = cast("Workbench", self.app).keymap
        mine = [each for each in ACTIONS.values() if each.place == "preparing" and each.label]
        self.query_one(KeyLine).show([(keymap.shown(each), each.label) for each in mine], fixed=1)
        steps = self.query_one("#steps", LineList)
        steps.styles.height = len(self._test.steps)
        steps.show(range(len(self._test.steps)))
        steps.focus()
        for at, step in enumerate(self._test.steps):
            if step.set:
                self._prepare(at, step)
        self._draw()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _prepare(self, at: int, step: Step) -> None:
        def then(prepared: Prepared) -> None:
            self._prepared[at] = prepared
            if self.is_mounted:
                self._draw()

        in_thread(cast("Workbench", self.app), lambda: prepare(self._run, step), then)

    @property
    def _at(self) -> int:
        return self.query_one("#steps", LineList).at

    @property
    def _step(self) -> Step:
        return self._test.steps[self._at]

    def _step_row(self, at: int, _width: int) -> Spans:
        return [(self._test.steps[at].words, "text")]

    @on(LineList.Moved, "#steps")
    def moved(self) -> None:
        """Another step."""
        self.query_one("#name", LineEdit).value = name_for(self._run, self._step)
        self._draw()

    def _draw(self) -> None:
        sets = bool(self._step.set)
        for name in ("#name", "#name-label"):
            self.query_one(name).display = sets
        width = max(30, self.query_one("#differences").size.width)
        self.query_one("#differences", Lines).show(self._lines(width))

    def _lines(self, width: int) -> list[Spans]:
        # In the list above a long step is cut.
        lines: list[Spans] = [[], *([(line, "text")] for line in wrapped(self._step.words, width)), []]
        if not self._step.set:
            room = room_for(self._step.words)
            key = cast("Workbench", self.app).keymap.shown(ACTIONS[f"app.{room}"])
            words = f"No value of project.toml does that alone. enter goes to room {key}, {room}, to do it."
            return [*lines, *([(line, "muted")] for line in wrapped(words, width))]
        prepared = self._prepared.get(self._at)
        if prepared is None:
            return [*lines, [("reading both specifications …", "muted")]]
        if prepared.problems:
            return lines + [
                [("! " if not at else "  ", "bad"), (line, "text")]
                for problem in prepared.problems
                for at, line in enumerate(wrapped(str(problem), width - 2))
            ]
        return lines + difference_lines(prepared, short_name(self._run), width)

    @on(LineList.Chosen, "#steps")
    def chosen(self) -> None:
        """Enter on a step."""
        self.do_start()

    @on(LineEdit.Left)
    def left(self, event: LineEdit.Left) -> None:
        """Enter in the name starts too; esc leaves it all."""
        event.stop()
        if event.way == "enter":
            self.do_start()
        elif event.way == "escape":
            self.do_leave()
        else:
            self.query_one("#steps", LineList).focus()

    def action_act(self, action_id: str) -> None:
        """Do what a key means here."""
        getattr(self, ACTIONS[action_id].method)()

    def do_start(self) -> None:
        if not self._step.set:
            self.dismiss(Wanted(room=room_for(self._step.words)))
            return
        prepared = self._prepared.get(self._at)
        # What stands in the way is on the screen; before it is known nothing starts.
        if prepared is not None and not prepared.problems:
            self.dismiss(
                Wanted(assignments=prepared.assignments, name=self.query_one("#name", LineEdit).value.strip())
            )

    def do_name(self) -> None:
        if self._step.set:
            self.query_one("#name", LineEdit).focus()

    def do_leave(self) -> None:
        self.dismiss(None)


def difference_lines(prepared: Prepared, name: str, width: int) -> list[Spans]:
    """A table of keys: the value in the run that was judged, and in the new one."""
    key = min(_KEY, width // 3)
    room = (width - key - 5) // 2
    lines: list[Spans] = [[(f"  {cell('', key)} {cell(name, room)} {cell('new run', room)}", "muted")]]
    for each in prepared.differences[:_MOST]:
        mark = ("▶ ", "accent") if each.said else ("· ", "muted")
        now, then = cell(each.now, room), cell(each.then, room)
        ink = "bold" if each.said else "text"
        lines.append([mark, (f"{cell(each.key, key)} ", "text"), (f"{now} ", "muted"), (then, ink)])
    more = len(prepared.differences) - _MOST
    if more > 0:
        lines.append([(f"· {more} more", "muted")])
    if any(not each.said for each in prepared.differences):
        words = "▶ is the step; · is what project.toml says otherwise since that run."
        lines += [[], *([(line, "muted")] for line in wrapped(words, width))]
    if all(each.now == each.then for each in prepared.differences if each.said):
        words = "That run had these values already: the new one would be the same."
        lines += [[], *([(line, "warn")] for line in wrapped(words, width))]
    return lines


def prepare_next(bench: "Workbench", run: JobDir, test: Test) -> None:
    """Ask what becomes of a test's steps, and do that."""

    def ended(wanted: Wanted | None) -> None:
        if wanted is None or bench.project is None:
            return
        if wanted.room:
            bench.go(wanted.room)
            return
        from tui import starting

        starting.train(bench, bench.project, wanted.name, wanted.assignments)

    bench.push_screen(Preparing(run, test), ended)
