"""Keys as a person has them: the declared ones, and their own of ~/.config/safelight/config.toml.

    [keys]
    "train.stop" = "ctrl+s"

`safelight keys` prints every id.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from projects.problems import Problem
from tui.actions import ACTIONS, Action

_SHOWN: Final = {
    "slash": "/", "backslash": "\\", "question_mark": "?", "asterisk": "*", "left_square_bracket": "[",
    "right_square_bracket": "]", "pagedown": "pgdn", "pageup": "pgup", "escape": "esc", "delete": "del",
    "full_stop": ".", "comma": ",", "plus": "+", "minus": "-", "equals_sign": "=",
}  # fmt: skip


@dataclass(frozen=True)
class Keymap:
    """What a person's file says, as far as it can be used."""

    own: Mapping[str, str] = field(default_factory=dict)
    """Id -> keys, instead of the declared ones."""
    problems: tuple[Problem, ...] = ()

    def keys(self, action: Action) -> str:
        """The keys of an action, in Textual's names, separated by commas."""
        return self.own.get(action.id, action.keys)

    def shown(self, action: Action, *, all_keys: bool = False) -> str:
        """The keys as people know them; the first alone, or all."""
        names = [shown(key.strip()) for key in self.keys(action).split(",")]
        return " ".join(names) if all_keys else names[0]


def config_file() -> Path:
    """$XDG_CONFIG_HOME/safelight/config.toml, else ~/.config/safelight/config.toml."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "safelight" / "config.toml"


def read_keymap(file: Path) -> Keymap:
    """The person's keys; what cannot be used is left out and named. Never raises: a bad file must not lock anybody out."""
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return Keymap()
    except (OSError, ValueError, RecursionError) as error:
        return Keymap(
            {}, (Problem(error=f"The keys cannot be read: {error}.", where=str(file), hint="Mend it."),)
        )
    said = table.get("keys", {})
    if not isinstance(said, dict):
        return Keymap(
            {}, (Problem(error="keys is no table.", where=str(file), hint='Write [keys], "id" = "key".'),)
        )
    own: dict[str, str] = {}
    problems = []
    for name, keys in said.items():
        problem = _problem(name, keys)
        if problem:
            problems.append(Problem(error=problem[0], where=f"{file}: keys.{name}", hint=problem[1]))
        else:
            own[name] = keys
    problems += [Problem(error=words, where=str(file), hint=hint) for words, hint in _clashes(own)]
    return Keymap(own, tuple(problems))


def shown(key: str) -> str:
    """One key as people know it: `/` for slash, ^p for ctrl+p."""
    *modifiers, last = key.split("+")
    last = _SHOWN.get(last, last)
    if modifiers == ["ctrl"]:
        return f"^{last}"
    return "+".join((*modifiers, last))


def _problem(name: str, keys: object) -> tuple[str, str] | None:
    if name not in ACTIONS:
        near = difflib.get_close_matches(name, ACTIONS, 1)
        hint = f"Did you mean {near[0]}?" if near else "safelight keys lists the ids."
        return "There is no action of this id.", hint
    if not isinstance(keys, str) or not keys.strip():
        return "This is no key.", 'Write a text, for example "ctrl+s" or "s,S".'
    named = _named()
    for key in keys.split(","):
        last = key.strip().split("+")[-1]
        if len(last) != 1 and last not in named:
            return (
                f'There is no key "{last}".',
                "Keys are single characters, or names as safelight keys shows them.",
            )
    return None


def _named() -> frozenset[str]:
    """Names of keys that are more than one character."""
    # Only somebody with keys of their own needs the screen library's list.
    from textual.keys import KEY_TO_UNICODE_NAME, REPLACED_KEYS

    return frozenset((
        "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "enter", "escape", "space", "tab",
        "backspace", "delete", "insert", *(f"f{number}" for number in range(1, 25)), *_SHOWN, *KEY_TO_UNICODE_NAME,
        *KEY_TO_UNICODE_NAME.values(), *REPLACED_KEYS.values(),
    ))  # fmt: skip


def _clashes(own: Mapping[str, str]) -> list[tuple[str, str]]:
    """Own keys that another action of the same place has already."""
    found = []
    for name in own:
        place = ACTIONS[name].place
        for other in ACTIONS.values():
            if other.id == name or other.place != place:
                continue
            both = _each(own[name]) & _each(own.get(other.id, other.keys))
            if both:
                found.append(
                    (f"{name} and {other.id} share {', '.join(sorted(both))}.", "Give one of them another.")
                )
    return list(dict.fromkeys(found))


def _each(keys: str) -> set[str]:
    return {key.strip() for key in keys.split(",")}
