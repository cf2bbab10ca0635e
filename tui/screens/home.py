"""Home: the projects of this machine, and the ways to begin one."""

import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from tui import remembered
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.overview import Overview, overview_of, place_of, told_apart, with_counts
from tui.run_jobs import ALIVE
from tui.run_list import PAUSE, Standings
from tui.run_words import short
from tui.screens.room import Room
from tui.spans import Span, Spans, cell, wrapped
from tui.widgets.line_list import LineList
from tui.widgets.lines import Lines

_EVERY_SECONDS = 5.0
_EMPTY = (
    "Safelight fine-tunes image models on your own pictures: set up, train, review, export, all by keyboard.",
    "It trains exactly what it says it trains: every number can be read before a run and checked after it.",
    "What runs goes on without this terminal; nothing in your folders of pictures is ever changed.",
)
_BEGIN = (
    ("d", "the demo: some minutes, its own base model, nothing to download"),
    ("n", "a new project of a folder of pictures"),
)


class OverviewRead(Message):
    """A project of the list was looked at."""

    def __init__(self, path: Path, overview: Overview) -> None:
        self.path, self.overview = path, overview
        super().__init__()


class HomeRoom(Room):
    """The list of projects."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("home")
    ROOM = "home"

    def __init__(self) -> None:
        super().__init__()
        self._opened: dict[Path, float] = {}
        self._known: dict[Path, Overview] = {}
        self._apart: dict[Path, str] = {}
        """Folders of projects that share their name with another one."""
        self._taken: list[tuple[Path, float]] = []
        """Taken off the list, newest last, and when each was opened."""

    def body(self) -> Iterable[Widget]:
        """A heading over the list, or what this is."""
        with Vertical(id="home"):
            yield Lines(id="home-head")
            yield LineList(self._row, text=self._text, id="projects")
            yield Lines(id="home-place")
            yield Lines(id="home-empty")

    def conditions(self) -> frozenset[str]:
        """row: there is a project to open. taken: one can be put back."""
        held = {"row": self.query_one(LineList).key is not None, "taken": bool(self._taken)}
        return frozenset(name for name, holds in held.items() if holds)

    def on_mount(self) -> None:
        super().on_mount()
        self._reload()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._reload()

    def on_screen_suspend(self) -> None:
        self.workers.cancel_group(self, "overview")

    def _reload(self) -> None:
        self._opened = remembered.recent_projects()
        projects = self.query_one(LineList)
        projects.show(list(self._opened))
        projects.display = bool(self._opened)
        self._tell_apart()
        self._show_words()
        self.refresh_frame()
        if self._opened:
            projects.focus()
            self.run_worker(self._look, thread=True, group="overview", exclusive=True, exit_on_error=False)

    def _show_words(self) -> None:
        titles = ["PROJECTS", "", "trigger", "pictures", "captions", "last run", "opened"]
        head: Spans = _columns(self.size.width - 3, titles)
        self.query_one("#home-head", Lines).show(
            [[(text, "muted") for text, _ in head]] if self._opened else []
        )
        self._show_place()
        empty = self.query_one("#home-empty", Lines)
        begin: list[Spans] = [[(f"{key}  ", "text"), (words, "muted")] for key, words in _BEGIN]
        if self._opened:
            empty.show([])
            return
        words = [line for sentence in _EMPTY for line in wrapped(sentence, max(20, self.size.width - 6))]
        empty.show([*([(line, "text")] for line in words), [("", "text")], *begin])

    def on_resize(self) -> None:
        self._show_words()

    def _look(self) -> None:
        """Names and runs of all rows first, then the counts, which look at every file; runs again every few seconds."""
        worker, standings = get_current_worker(), Standings()
        known = dict(self._known)
        for step in count():
            for path in list(self._opened):
                if worker.is_cancelled:
                    return
                if step == 1:
                    known[path] = with_counts(known[path], path)
                else:
                    known[path] = overview_of(path, standings, known.get(path))
                self.post_message(OverviewRead(path, known[path]))
            if step > 0:
                deadline = time.monotonic() + _EVERY_SECONDS
                while time.monotonic() < deadline and not worker.is_cancelled:
                    time.sleep(PAUSE)

    def on_overview_read(self, message: OverviewRead) -> None:
        if self._known.get(message.path) != message.overview:
            self._known[message.path] = message.overview
            for path in {message.path, *self._tell_apart()}:
                self.query_one(LineList).redraw(path)

    def _named(self, path: Path) -> str:
        overview = self._known.get(path)
        return overview.facts.name if overview else path.name

    def _tell_apart(self) -> list[Path]:
        """Find projects of one name again. Gives those that are shown in another way now."""
        before, self._apart = self._apart, told_apart({path: self._named(path) for path in self._opened})
        return [path for path in self._opened if before.get(path) != self._apart.get(path)]

    def _row(self, path: Path, width: int) -> Spans:
        overview = self._known.get(path)
        opened = _ago(self.bench.clock() - self._opened.get(path, 0.0))
        if overview is None:
            return _columns(width, [path.name, "", "", "", "", "", opened])
        facts = overview.facts
        if facts.error:
            return [(f"{cell(path.name, 18)} ", "text"), ("! ", "bad"), (f"{facts.error}   {path}", "muted")]
        pictures = "-" if overview.pictures is None else f"{overview.pictures}"
        captions = "-" if overview.captions is None else f"{overview.captions}/{overview.pictures}"
        # Whoever has two of one name looks for the folder, and both have the same trigger as a rule.
        third = self._apart.get(path, facts.trigger)
        spans = list(_columns(width, [facts.name, facts.base, third, pictures, captions, "", opened]))
        if overview.newest:
            ink: list[Span] = list(short(overview.newest))
            room = len(spans[5][0])
            words = "".join(text for text, _ in ink[1:])
            spans[5:6] = [ink[0], (cell(words, room - 2) + " ", ink[1][1])]
        return spans

    def _text(self, path: Path) -> str:
        overview = self._known.get(path)
        facts = overview.facts if overview else None
        return f"{facts.name} {path} {facts.trigger} {facts.base}" if facts else str(path)

    @on(LineList.Chosen)
    def chosen(self) -> None:
        """Enter opens."""
        self.action_act("home.open")

    @on(LineList.Moved)
    def moved(self) -> None:
        """Keys that need a row, and where the project of the row is."""
        self._show_place()
        self.refresh_frame()

    def _show_place(self) -> None:
        path = self.query_one(LineList).key
        place = self.query_one("#home-place", Lines)
        place.display = isinstance(path, Path)
        if isinstance(path, Path):
            place.show([[(place_of(path, self.size.width - 3), "muted")]])

    def do_open(self) -> None:
        path = self.query_one(LineList).key
        if isinstance(path, Path):
            overview = self._known.get(path)
            alive = overview and overview.newest and overview.newest.standing in ALIVE
            self.bench.open_project(path, "train" if alive else "project")

    def do_forget(self) -> None:
        path = self.query_one(LineList).key
        if isinstance(path, Path):
            name, when = self._named(path), self._opened.get(path, 0.0)
            remembered.forget(path)
            self._taken.append((path, when))
            self._reload()
            undo = self.bench.keymap.shown(ACTIONS["home.undo"])
            self.say(f"{name} is off the list; its files stay: {undo} takes it back.")

    def do_undo(self) -> None:
        path, when = self._taken.pop()
        remembered.opened(path, when)
        self._reload()
        self.query_one(LineList).go_to(path)
        self.say(f"{self._named(path)} is on the list again.")

    def do_new(self) -> None:
        from tui.screens.new import NewProject

        def made(path: Path | None) -> None:
            if path is not None:
                self.bench.open_project(path)

        self.app.push_screen(NewProject(), made)

    def do_demo(self) -> None:
        from tui.starting import start_demo

        self.say("Drawing the demo's pictures and starting its jobs; this takes some seconds.")
        start_demo(self.bench)


def _columns(width: int, texts: list[str]) -> Spans:
    """name, base, trigger, pictures, captions, last run, opened: as many as the width has room for."""
    wide = width >= 108
    widths, gap = ([18, 12, 18, 8, 8, 20, 10], 2) if wide else ([14, 0, 14, 8, 8, 14, 9], 1)
    widths[0] += max(0, min(24, width - sum(widths) - gap * len(widths)))
    inks = ["text", "muted", "muted", "text", "text", "text", "muted"]
    return [
        (cell(text, size, right=at in (3, 4)) + " " * gap if size else "", inks[at])
        for at, (text, size) in enumerate(zip(texts, widths, strict=True))
    ]


def _ago(seconds: float) -> str:
    if seconds < 120:
        return "now"
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return "yesterday" if name == "day" and count == 1 else f"{count} {name}{'s' * (count > 1)}"
    return ""
