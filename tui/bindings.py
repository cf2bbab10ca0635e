"""The declared actions as Textual's bindings."""

from textual.binding import Binding, BindingType

from tui.actions import ACTIONS


def bindings(place: str) -> list[BindingType]:
    """Textual's bindings of a place; every one goes through `action_act`, where conditions are asked."""
    return [
        Binding(
            action.keys, f"act('{action.id}')", action.words, tooltip=action.words, id=action.id, show=False
        )
        for action in ACTIONS.values()
        if action.place == place
    ]
