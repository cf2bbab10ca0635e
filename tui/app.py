"""The workbench: one app, a home and five rooms. It holds what the rooms share and opens them; the rest is theirs."""

import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.app import App
from textual.binding import BindingType
from textual.filter import LineFilter, Monochrome, NoColor
from textual.message import Message
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.types import CSSPathType
from textual.worker import get_current_worker

from projects.job import JobDir
from tui import remembered, theme
from tui.actions import ACTIONS
from tui.bindings import bindings
from tui.hangup import POLL_SECONDS, end_when_hung_up, on_hangup
from tui.keymap import Keymap, config_file, read_keymap
from tui.overview import Facts, facts_of, place_of
from tui.run_jobs import ALIVE
from tui.run_list import RunRow, RunsSeen, watch_runs
from tui.screens.room import Room
from tui.spans import Spans
from tui.widgets.held_keys import HeldKeys

if TYPE_CHECKING:
    from tui.pictures import Pictures

Images = Literal["auto", "half", "kitty", "sixel", "off"]
_SHEETS = tuple(
    Path(__file__).parent / "screens" / f"{name}.tcss"
    for name in (
        "room",
        "modal",
        "home",
        "new",
        "project",
        "pictures",
        "captions",
        "train",
        "review",
        "large",
        "previewing",
        "prompting",
        "duel",
        "blind",
    )
)
_NEVER = 1_000_000
# Textual's own has glyphs for eighths of a cell, which not every terminal has.
ScrollBar.renderer = theme.WholeCells
_LATER = 0.7
"""Seconds after the first paint until rooms that may be next are imported."""
_SWITCH_SECONDS = 0.001
"""Until a thread that computes is asked to let another one go on."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the person wants the workbench."""

    theme: str = ""
    ascii: bool = False
    images: Images = "auto"
    no_color: bool = False
    color_system: str | None = "truecolor"
    """What the terminal can show, as Rich names it."""


class FactsRead(Message):
    """project.toml of the open project was read for the top line."""

    def __init__(self, project: Path, facts: Facts) -> None:
        self.project, self.facts = project, facts
        super().__init__()


class Workbench(HeldKeys, App[tuple[Path, ...]]):
    """Gives, when it ends, the runs and jobs that go on without it."""

    ENABLE_COMMAND_PALETTE = False
    # All of them at once: a sheet that comes with a screen makes Textual read every other one again.
    CSS_PATH: ClassVar[CSSPathType | None] = [*_SHEETS]
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")

    def __init__(
        self, project: Path | None = None, *, room: str = "", options: Options | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """project: opened at once, in `room` (one of the five); without one the home screen is shown."""
        self.options = options or Options()
        super().__init__()
        # So long at most the loop waits, several times a key, for a thread that computes: it would be 5 ms each time.
        sys.setswitchinterval(_SWITCH_SECONDS)
        self.clock = clock
        self.keymap: Keymap = read_keymap(config_file())
        self.project: Path | None = None
        self.facts = Facts("")
        self.rows: tuple[RunRow, ...] = ()
        self._pictures: Pictures | None = None
        self.chosen: JobDir | None = None
        """The run that train and review room show; None until one of them chose."""
        self._rooms: dict[str, Room] = {}
        self._first = (project, room)
        self._ascii = theme.Ascii() if self.options.ascii else None
        for each in theme.themes():
            self.register_theme(each)
        asked = self.options.theme or str(remembered.habits().get("theme", ""))
        # Before the sheets are read for the first time, or they are read again for it.
        self.theme = theme.choose(
            asked, no_color=self.options.no_color, color_system=self.options.color_system
        )
        self.stylesheet.set_variables(self.get_css_variables())

    def get_default_screen(self) -> Screen[None]:
        """The first room itself: an empty screen below it would be laid out, styled and sent for nothing."""
        project, name = self._first
        first = self._room_made(
            (name or "project") if project is not None and self._opened(project) else "home"
        )
        # What push_screen would have done: switch_screen takes it away again, and fails where there is nothing.
        first._push_result_callback(first, None)
        return first

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and ASCII for what is left."""
        filters = super().get_line_filters()
        if self.native_ansi_color:
            # Greys on black are colours too: where the ground is the terminal's, no colour means none.
            filters = [NoColor() if isinstance(each, Monochrome) else each for each in filters]
        return [*filters, self._ascii] if self._ascii else filters

    def on_mount(self) -> None:
        self.set_keymap(dict(self.keymap.own))
        if self.keymap.problems:
            self.say(str(self.keymap.problems[0]))
        if not self.is_headless:
            on_hangup(self.flush, self.leave)
            self.set_interval(POLL_SECONDS, lambda: end_when_hung_up(self.flush))

    def on_ready(self) -> None:
        # A pass over everything that lives would hold up keys for a fifth of a second; what is young is still collected.
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, _NEVER)
        gc.freeze()
        gc.enable()
        self.set_timer(_LATER, lambda: self.run_worker(_import_rooms, thread=True, exit_on_error=False))

    def open_project(self, path: Path, room: str = "") -> None:
        """Open the project in a folder, in a room."""
        if self._opened(path):
            self.go(room or "project")
        else:
            self.say(f"There is no project in {path}.")

    def _opened(self, path: Path) -> bool:
        """Take the project in a folder as the open one, if there is one."""
        if not (path / "project.toml").is_file():
            return False
        path = path.resolve()
        if path != self.project:
            self._close_project()
            self.project, self.facts = path, Facts(path.name)
            self._pictures = None
            self.chosen = None
            remembered.opened(path, self.clock())
            self.call_after_refresh(self._begin_watch)
        return True

    def go(self, name: str) -> None:
        """Show a room; rooms are made when they are first shown and keep their state."""
        if self.screen is self._room_made(name):
            return
        if isinstance(self.screen, Room):
            self.run_worker(self.screen.remember, thread=True, exit_on_error=False)
            self.switch_screen(name)
        else:
            self.push_screen(name)

    def room(self, name: str) -> Room | None:
        """A room that was shown already."""
        return self._rooms.get(name)

    def say(self, sentence: str) -> None:
        """Say a sentence in the line of keys of the room that is shown."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Room):
                self.call_after_refresh(screen.say, sentence)
                return

    def conditions(self) -> frozenset[str]:
        """What holds in every room."""
        held = {"project"} if self.project else set()
        return frozenset(held | ({"side"} if self.screen.query(".side") else set()))

    def about(self) -> Sequence[str]:
        """What the top line says of the project."""
        if self.project is None or self.screen is self._rooms.get("home"):
            return ["safelight"]
        return [words for words in (self.facts.name, self.facts.trigger, self.facts.base) if words]

    def place(self) -> str:
        """The folder of the open project, as a person writes it, for the top line; "" where it is not said there."""
        # The project room says it over its form.
        elsewhere = self.screen not in (self._rooms.get("home"), self._rooms.get("project"))
        return place_of(self.project, self.size.width) if elsewhere and self.project else ""

    def live(self) -> Spans:
        """What is at work, for the top line."""
        if not self.rows:
            return ()
        # What the first paint does without is imported after it.
        from tui.run_words import live

        return live(self.rows, self.clock())

    @property
    def pictures(self) -> "Pictures | None":
        """The pictures of the open project, once a room draws some."""
        if self._pictures is None and self.project is not None:
            from tui.pictures import Pictures

            # Of another strip with the same styles: a whole one keeps all it says to the terminal.
            self._pictures = Pictures(
                self.project / "cache", off=self._pictures_off(),
                coded=lambda strip: Strip(strip).render(self.console),
            )  # fmt: skip
        return self._pictures

    def action_act(self, action_id: str) -> None:
        """Do what a key means everywhere; the room that is shown may do it in its own way."""
        action, screen = ACTIONS[action_id], self.screen
        if action.when and action.when not in self.conditions():
            self.say(action.otherwise)
            return
        # A room's action of the same name is another one: app.train goes to the room, project.train starts a run.
        another = f"{getattr(screen, 'ROOM', '')}.{action_id.partition('.')[2]}" in ACTIONS
        target = screen if hasattr(screen, action.method) and not another else self
        getattr(target, action.method)()

    def flush(self) -> None:
        """Write what must not be lost."""
        for room in self._rooms.values():
            room.flush()

    def leave(self) -> None:
        """End the workbench, not the runs and their jobs."""
        self.flush()
        working = [row.job.path for row in self.rows if row.standing in ALIVE]
        working += [each.job.path for row in self.rows for each in row.jobs if each.standing in ALIVE]
        self.exit(tuple(working))

    def on_runs_seen(self, message: RunsSeen) -> None:
        self.rows = message.rows
        for room in self._rooms.values():
            if room.is_mounted:
                room.runs_seen(message.rows)
                room.refresh_frame()

    def on_facts_read(self, message: FactsRead) -> None:
        if message.project == self.project:
            self.facts = message.facts
            # Whoever leaves at once is gone before the facts come: then there is no screen any more.
            if self.screen_stack and isinstance(self.screen, Room):
                self.screen.refresh_frame()

    def tell_facts(self, project: Path) -> None:
        """Read the top line's facts again, from a thread."""
        self.post_message(FactsRead(project, facts_of(project)))

    def do_home(self) -> None:
        self.go("home")

    def do_project(self) -> None:
        self.go("project")

    def do_pictures(self) -> None:
        self.go("pictures")

    def do_captions(self) -> None:
        self.go("captions")

    def do_train(self) -> None:
        self.go("train")

    def do_review(self) -> None:
        self.go("review")

    def do_side(self) -> None:
        """Nothing, where no room is shown."""

    def do_next_pane(self) -> None:
        self.screen.focus_next()

    def do_help(self) -> None:
        from tui.screens.help import Help, help_lines

        if isinstance(self.screen, Help):
            return

        def keys(action_id: str) -> str:
            return self.keymap.shown(ACTIONS[action_id], all_keys=True)

        width = max(20, self.size.width - 10)
        self.push_screen(Help(help_lines(keys, width, getattr(self.screen, "ROOM", "")), width))

    def do_palette(self) -> None:
        from tui.screens.palette import offer

        if isinstance(self.screen, Room):
            offer(self, self.screen)

    def do_theme(self) -> None:
        names = ["safelight", "daylight", "ansi", "mono"]
        self.theme = names[(names.index(self.theme) + 1) % len(names)]
        remembered.keep_habit("theme", self.theme)
        self.say(f"Theme: {self.theme}.")

    def do_redraw(self) -> None:
        self.refresh(layout=True, repaint=True)

    def do_leave(self) -> None:
        self.leave()

    def follow_run(self, job: JobDir) -> None:
        """Show a run in the train room."""
        from tui.screens.train import TrainRoom

        self.go("train")
        room = self._rooms["train"]
        if isinstance(room, TrainRoom):
            room.follow(job)

    def _room_made(self, name: str) -> Room:
        if name not in self._rooms:
            # A room's module is imported when the room is first shown: home and help never need Pillow.
            made = getattr(import_module(f"tui.screens.{name}"), f"{name.capitalize()}Room")()
            assert isinstance(made, Room)
            self._rooms[name] = made
            self.install_screen(made, name)
        return self._rooms[name]

    def _begin_watch(self) -> None:
        self.run_worker(self._watch, thread=True, group="runs", exclusive=True, exit_on_error=False)

    def _watch(self) -> None:
        project, worker = self.project, get_current_worker()
        if project:
            self.tell_facts(project)
            watch_runs(project, lambda rows: self.post_message(RunsSeen(rows)), lambda: worker.is_cancelled)

    def _close_project(self) -> None:
        self.flush()
        self.rows = ()
        for name in [name for name in self._rooms if name != "home"]:
            room = self._rooms.pop(name)
            if self.screen is room:
                self.go("home")
            self.uninstall_screen(room)

    def _pictures_off(self) -> str:
        """Why no pictures are drawn; "" where they are."""
        options = self.options
        reasons = {
            "--images off": options.images == "off",
            "NO_COLOR": options.no_color,
            "--ascii": options.ascii,
            "no colours here": options.color_system is None,
        }
        return next((reason for reason, holds in reasons.items() if holds), "")


def _import_rooms() -> None:
    """Import what the keys may ask for next."""
    for name in ("project", "pictures", "captions", "train", "review", "modal"):
        import_module(f"tui.screens.{name}")
