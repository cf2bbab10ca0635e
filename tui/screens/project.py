"""Room 1: the project as a form, with the plan of a run and everything that stands in its way, before it costs anything."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Mount
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from projects.families import presets_for
from projects.problems import Refused
from tui import remembered
from tui.bindings import bindings
from tui.changes import with_unsaved
from tui.checking import Checked, CheckMoved, ProjectRead, check, closed
from tui.form import Form, form_of, meaning
from tui.plan_words import plan_lines, problem_lines, summary
from tui.run_list import stamp
from tui.saving import Saving, comes_to
from tui.screens.room import Room
from tui.spans import Spans, wrapped
from tui.widgets.form_pane import FormPane
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines
from tui.working import in_thread

if TYPE_CHECKING:
    from projects.project import Project

_WATCH_SECONDS = 1.0
_FIRST_SECONDS = 0.15
"""How long the first paint waits for project.toml."""
_SOON_SECONDS = 0.05


class PlanPane(Vertical):
    """The plan and the problems; they are laid out for the width that they have."""

    class Resized(Message):
        """The pane has another width, or has come."""

    def on_resize(self) -> None:
        self.post_message(self.Resized())


class ProjectRoom(Room):
    """The form. What enter or tab leaves is saved, and nothing else."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("project")
    ROOM = "project"

    def __init__(self) -> None:
        super().__init__()
        self._project: Project | None = None
        self._form = Form({})
        self.checked = Checked("", None, (), (), None)
        self._parts: tuple[int, int] | None = (0, 0)
        self._everything = False
        self._problem_lines: list[Spans] = []
        self._mark = (0, 0)
        self._saving = Saving(
            lambda work, then: in_thread(self.bench, work, then), lambda words: self.say(words), self._written
        )

    def body(self) -> Iterable[Widget]:
        """The form, the plan and the problems beside it, the meaning of the field under both."""
        with Horizontal(id="project"):
            yield FormPane(id="form-pane")
            with PlanPane(id="plan-pane", classes="side"):
                yield Lines(id="plan")
                yield LineList(self._problem_row, text=self._problem_text, bar=False, id="problems")
        with Vertical(id="foot"):
            yield Lines(id="summary")
            yield Lines(id="meaning")

    def conditions(self) -> frozenset[str]:
        """What the form lets one do."""
        row = self._pane.field
        held = {
            "ready": not self.checked.problems
            and not self._saving.changes.refused
            and self._project is not None
            and not self._project.read_only,
            "said": row is not None and row.source == "project",
        }
        return self._saving.conditions() | {name for name, holds in held.items() if holds}

    @on(Mount)
    async def begin(self) -> None:
        """Fill the form, with what project.toml says if that comes soon."""
        self._fill()
        self._pane.rows.do_first()
        self._pane.rows.focus()
        self.set_interval(_WATCH_SECONDS, self._look)
        folder = self.bench.project
        if folder is None:
            return
        # Mostly read before anything is drawn: then the rows are drawn once, and nobody sees them empty.
        reading = asyncio.ensure_future(asyncio.to_thread(self._read_project, folder))
        await asyncio.wait({reading}, timeout=_FIRST_SECONDS)
        if reading.done():
            await self.on_project_read(reading.result())
        else:
            reading.add_done_callback(lambda read: self.post_message(read.result()))

    def flush(self) -> None:
        """Keep what is typed and not saved beside the project: half a number must never stand in it."""
        if self._project is None or not self.is_mounted:
            return
        unsaved = {key: typed for key, (typed, _) in self._saving.changes.refused.items()}
        typed = self._pane.typed
        if typed and typed[1] != self._shown(typed[0]):
            unsaved[typed[0]] = typed[1]
        remembered.keep_unsaved(self._project.path, unsaved)

    @on(PlanPane.Resized)
    def plan_resized(self) -> None:
        """Lay the plan out again."""
        self._draw()

    def _look(self) -> None:
        if self.bench.project and stamp(self.bench.project / "project.toml") != self._mark:
            self._read()

    def _read(self) -> None:
        folder = self.bench.project
        if folder is None:
            return
        self.run_worker(
            lambda: self.post_message(self._read_project(folder)),
            thread=True, group="read", exclusive=True, exit_on_error=False,
        )  # fmt: skip

    def _read_project(self, folder: Path) -> ProjectRead:
        """What project.toml says now; in a thread."""
        from projects.project import open_project

        mark = stamp(folder / "project.toml")
        unsaved = remembered.unsaved(folder) if self._project is None else {}
        try:
            read = ProjectRead(open_project(folder), None, mark, unsaved)
        except Refused as refused:
            read = ProjectRead(None, refused.problems[0], mark, {})
        self.bench.tell_facts(folder)
        return read

    async def on_project_read(self, message: ProjectRead) -> None:
        self._mark = message.mark
        self._project = message.project
        if message.project is None:
            self._form = Form({}, message.problem)
            self._fill()
            self.checked = Checked("", None, [message.problem] if message.problem else (), (), None)
            self._parts = None
            self._draw()
            return
        self._saving.changes.refused |= with_unsaved(message.unsaved)
        self._fill()
        await self._reopen()
        # The rows first: a thread that imports and reads keeps the loop from drawing them.
        self.call_after_refresh(self._check, message.project)

    async def _reopen(self) -> None:
        row, self._saving.reopened = self._form.rows.get(self._saving.reopened), ""
        # Whoever types into the next field already is not torn away: the mark at this one stays.
        if row is not None and self._pane.typed is None:
            self._pane.rows.go_to(row.key)
            await self._pane.edit(row)

    def _check(self, project: "Project") -> None:
        self._parts = (0, 0)
        self._draw()

        def work() -> None:
            own = get_current_worker()
            found = check(
                project, lambda *parts: self.post_message(CheckMoved(parts)), lambda: own.is_cancelled
            )
            if found is not None and not own.is_cancelled:
                self.post_message(CheckMoved(None, found))

        self.run_worker(work, thread=True, group="check", exclusive=True, exit_on_error=False)

    def on_check_moved(self, message: CheckMoved) -> None:
        self._parts = message.parts
        if message.checked is not None:
            self.checked = message.checked
            self._fill()
        self._draw()

    def _fill(self) -> None:
        """The form of what was read and found last."""
        if self._project is not None:
            self._form = form_of(
                self._project.text, self.checked.preset, self.checked.problems, self.checked.found
            )
        self._pane.place = self.bench.project
        self._pane.read_only = closed(self._project, self._form)
        self._pane.show(
            self._form, self._saving.changes.refused, self.checked.preset, everything=self._everything
        )

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        checked, pane = self.checked, self.query_one("#plan-pane")
        width = max(20, pane.size.width - 2)
        problems = [*(problem for _, problem in self._saving.changes.refused.values()), *checked.problems]
        self.query_one("#plan", Lines).show(plan_lines(checked.plan, checked.free_bytes, self._parts, width))
        self._problem_lines = problem_lines(problems, checked.notes, width)
        self.query_one("#problems", LineList).show(range(len(self._problem_lines)))
        self.query_one("#summary", Lines).show([summary(checked.plan, problems, self._parts is None)])
        self._explain()
        self.refresh_frame()

    def _problem_row(self, at: int, _width: int) -> Spans:
        return self._problem_lines[at]

    def _problem_text(self, at: int) -> str:
        return "".join(text for text, _ in self._problem_lines[at])

    @property
    def _pane(self) -> FormPane:
        return self.query_one("#form-pane", FormPane)

    def _shown(self, key: str) -> str:
        row = self._form.rows.get(key)
        return row.value if row else ""

    def _explain(self) -> None:
        row, width = self._pane.field, max(20, self.size.width - 4)
        if row is None:
            self.query_one("#meaning", Lines).show([])
            return
        problem = self._pane.problem(row)
        words = f"{problem.error} {problem.hint}" if problem else meaning(row)
        lines = wrapped(f"{row.key}  {words}", width)[:2]
        ink = "text" if problem else "muted"
        self.query_one("#meaning", Lines).show([[("! ", "bad") if problem and not at else ("", "text"), (line, ink)]
                                                for at, line in enumerate(lines)])  # fmt: skip

    @on(FormPane.Here)
    def moved(self) -> None:
        """The meaning of the field the cursor is on."""
        self._explain()
        self.refresh_frame()

    @on(FormPane.Closed)
    def closed(self, event: FormPane.Closed) -> None:
        """Say why nothing can be typed."""
        self.say(event.reason)

    @on(FormPane.Apart)
    def apart(self) -> None:
        """The prompts: a list of texts is hard to type on one line."""
        from tui.screens.prompting import Prompting

        if self._project:
            self.app.push_screen(Prompting(self._project.path))

    @on(FormPane.Typed)
    def typed(self, event: FormPane.Typed) -> None:
        """Save it; what is refused stays in the field until it is mended."""
        self._save(event.key, event.value, event.seen)

    @on(FormPane.Cancelled)
    def cancelled(self, event: FormPane.Cancelled) -> None:
        """The field says again what the file says."""
        self._saving.changes.refused.pop(event.key, None)
        self._fill()
        self._draw()

    @on(FormPane.ChangedBelow)
    def changed_below(self, event: FormPane.ChangedBelow) -> None:
        """Say that the file says something else by now; what is typed stays in the field."""
        self.say(f"{comes_to(event.row.key, event.row.said)}: esc takes it, enter asks once more.")

    def do_change(self) -> None:
        self._pane.rows.focus()
        self._pane.rows.do_choose()

    def do_undo(self) -> None:
        if self._project:
            self._saving.undo(self._project.path)

    def do_redo(self) -> None:
        if self._project:
            self._saving.redo(self._project.path)

    def _save(self, key: str, typed: str | None, seen: str | None) -> None:
        if self._project:
            self._saving.save(self._project.path, key, typed, seen)

    def _written(self) -> None:
        """Something was saved, or was not: the fields say which."""
        self._fill()
        self._draw()
        self._read()

    def do_preset_value(self) -> None:
        row = self._pane.field
        if row is not None:
            self._save(row.key, None, row.said)

    def do_all(self) -> None:
        self._everything = not self._everything
        self._fill()

    def do_again(self) -> None:
        self._saving.changes.refused.clear()
        self._read()

    def do_preset(self) -> None:
        from tui.screens.modal import Choice, Pick  # nothing that a key asks for is imported before it

        names = presets_for(self.checked.preset)
        choices = [Choice(name, name, "now" if name == self.checked.preset else "") for name in names]

        def picked(name: str | None) -> None:
            row = self._form.rows.get("train.preset")
            if name and row is not None and name != row.said:
                self._save(row.key, name, row.said)

        title = "preset: the values where the project says nothing"
        self.app.push_screen(Pick(title, choices, at=self.checked.preset, typing=False), picked)

    def do_train(self) -> None:
        if self._saving.pending:
            # What was typed right before belongs to the run, or stands in its way.
            self.set_timer(_SOON_SECONDS, lambda: self.action_act("project.train"))
        elif self._project:
            from tui import starting

            starting.train(self.bench, self._project.path)

    def do_train_as(self) -> None:
        from tui.screens.modal import Ask

        folder = self._project.path if self._project else None

        def named(name: str | None) -> None:
            if name and folder:
                from tui import starting

                starting.train(self.bench, folder, name)

        self.app.push_screen(Ask("Name of the run: letters, digits, - and _"), named)

    def do_editor(self) -> None:
        if self.bench.project:
            from tui.editor import edit_file

            edit_file(self.bench, self.bench.project / "project.toml")
            self._read()
