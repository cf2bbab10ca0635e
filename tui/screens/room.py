"""What all rooms share: the frame, keys that go through conditions, a filter, and a sentence in the line of keys."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from tui.actions import ACTIONS, Action
from tui.called import as_called
from tui.run_list import RunRow
from tui.widgets.frame import KeyLine, TopLine
from tui.widgets.line_list import LineList

if TYPE_CHECKING:
    from tui.app import Workbench
    from tui.widgets.line_edit import LineEdit

SENTENCE_SECONDS = 5.0


class Room(Screen[None]):
    """A screen of the workbench. It keeps its state while another one is shown."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall"), (50, "-high")]  # noqa: RUF012
    ROOM: ClassVar[str] = ""
    FILTERS: ClassVar[str] = "filter"
    """What a filter may be made of, while nothing is typed."""

    def __init__(self) -> None:
        super().__init__()
        self._silence: Timer | None = None
        self._filtered: LineList | None = None
        self._wanted = ""
        """The filter as it is typed; that of the list a frame later."""

    @property
    def bench(self) -> "Workbench":
        """The app."""
        return cast("Workbench", self.app)

    def compose(self) -> ComposeResult:
        """The frame around the room's body."""
        # Those of its first resize: all of it would be styled and laid out once more for them.
        width, height = self.app.size
        for side, breakpoints in ((width, self.HORIZONTAL_BREAKPOINTS), (height, self.VERTICAL_BREAKPOINTS)):
            self.add_class([name for least, name in breakpoints if least <= side][-1], update=False)
        yield TopLine(self.ROOM)
        yield from self.body()
        yield KeyLine()

    def body(self) -> Iterable[Widget]:
        """What is between the two lines."""
        return ()

    def conditions(self) -> frozenset[str]:
        """What holds here now, as `Action.when` names it."""
        return frozenset()

    def runs_seen(self, rows: tuple[RunRow, ...]) -> None:
        """The runs of the project as they are now, newest first."""

    def flush(self) -> None:
        """Write what must not be lost, at once: the terminal may be going."""
        self.remember()

    def remember(self) -> None:
        """Write what the person will want to know on coming back; called in a thread when the room is left."""

    def applicable(self) -> list[Action]:
        """The actions that apply here now, those of the room first."""
        held = self.conditions() | self.bench.conditions()
        places = (self.ROOM, "app")
        return [
            action
            for place in places
            for action in ACTIONS.values()
            if action.place == place and (not action.when or action.when in held)
        ]

    def action_act(self, action_id: str) -> None:
        """Do what a key means, or say why it means nothing now."""
        action = ACTIONS[action_id]
        if action.when and action.when not in self.conditions() | self.bench.conditions():
            self.say(action.otherwise)
        else:
            getattr(self, action.method)()
        self.refresh_frame()

    def say(self, sentence: str) -> None:
        """Say a sentence in the line of keys, until the next key or for some seconds."""
        self.query_one(KeyLine).say(as_called(sentence))
        if self._silence:
            self._silence.stop()
        self._silence = self.set_timer(SENTENCE_SECONDS, self.calm) if sentence else None

    def calm(self) -> None:
        """Show the keys again."""
        self.query_one(KeyLine).say("")

    def on_key(self) -> None:
        self.calm()

    def on_mount(self) -> None:
        self.refresh_frame()

    def on_screen_resume(self) -> None:
        self.refresh_frame()

    def refresh_frame(self) -> None:
        """Top line and keys as they are now."""
        # News can come after somebody has left: then no screen is shown any more.
        if not self.is_mounted or not self.app.screen_stack:
            return
        self.query_one(TopLine).show(self.bench.about(), self.bench.live(), self.bench.place())
        # While somebody types, no key of the room works.
        if (typing := getattr(self.focused, "keys", None)) is not None:
            self.query_one(KeyLine).show(typing, fixed=0)
            return
        keymap = self.bench.keymap
        keys = [(keymap.shown(action), action.label) for action in self.applicable() if action.label]
        self.query_one(KeyLine).show(keys)

    def on_descendant_focus(self) -> None:
        self.refresh_frame()

    def on_descendant_blur(self) -> None:
        self.refresh_frame()

    def do_side(self) -> None:
        """Show or hide the side pane."""
        self.toggle_class("-side")
        self.call_after_refresh(self.side_turned)

    def side_turned(self) -> None:
        """The side pane has come or gone. The focus never stays on something that is not seen."""
        if self.focused is None:
            self.focus_next()

    def do_next_pane(self) -> None:
        """Go to the next pane."""
        self.focus_next()

    @on(LineList.FilterAsked)
    async def ask_filter(self, event: LineList.FilterAsked) -> None:
        """A line to type the filter into, above the keys."""
        from tui.widgets.line_edit import LineEdit

        self._filtered, self._wanted = event.line_list, event.line_list.filter
        await self.query("#filter").remove()
        keys = (("enter", "keep the filter"), ("esc", "clear it"), ("up down", "move"))
        edit = LineEdit(event.line_list.filter, placeholder=self.FILTERS, id="filter", keys=keys)
        await self.mount(edit, before=self.query_one(KeyLine))
        self.set_focus(edit)
        self.bench.release_keys()

    def on_line_edit_changed(self, event: "LineEdit.Changed") -> None:
        if event.input.id == "filter" and self._filtered:
            event.stop()
            self._wanted = event.value
            # The letter is seen first: what comes of it has to wait for the frame after that anyway.
            self.call_after_refresh(self._filter)

    def _filter(self) -> None:
        if self._filtered and self._filtered.filter != self._wanted:
            self._filtered.set_filter(self._wanted)

    def on_line_edit_left(self, event: "LineEdit.Left") -> None:
        if event.edit.id != "filter" or not self._filtered:
            return
        event.stop()
        if event.way in ("previous", "next"):
            self._filtered.action_act("list.up" if event.way == "previous" else "list.down")
            return
        if event.way == "escape":
            self._wanted = ""
        self._filter()
        event.edit.remove()
        self.set_focus(self._filtered)
