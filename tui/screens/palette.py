"""The palette: verbs and nouns of what applies now, the room's own first, and of these those used last in front."""

from typing import TYPE_CHECKING

from tui import remembered
from tui.actions import ACTIONS
from tui.screens.modal import Choice, Pick
from tui.screens.room import Room

if TYPE_CHECKING:
    from tui.app import Workbench

_RECENT = 8


def choices(bench: "Workbench", room: Room) -> list[Choice]:
    """What the palette offers in a room."""
    last = _last()
    offered = [action for action in room.applicable() if action.palette]
    offered.sort(
        key=lambda action: (action.place == "app", last.index(action.id) if action.id in last else len(last))
    )
    return [Choice(action.id, action.words, bench.keymap.shown(action)) for action in offered]


def offer(bench: "Workbench", room: Room) -> None:
    """Show the palette and do what is picked."""

    def done(picked: str | None) -> None:
        if picked is None:
            return
        remembered.keep_habit("actions", [picked, *(name for name in _last() if name != picked)][:_RECENT])
        (bench if ACTIONS[picked].place == "app" else room).action_act(picked)

    bench.push_screen(Pick("what to do", choices(bench, room)), done)


def _last() -> list[str]:
    told = remembered.habits().get("actions")
    return [name for name in told if name in ACTIONS] if isinstance(told, list) else []
