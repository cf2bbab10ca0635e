"""safelight keys: every key with its id."""

import click

from tui.actions import ACTIONS
from tui.keymap import config_file, read_keymap
from tui.output import Output, json_option, words_of


@click.command("keys")
@json_option
def command(out: Output) -> int:
    """Every action with its id and its keys. Keys are changed by id in config.toml. Exit 1 when that file has problems."""
    file = config_file()
    keymap = read_keymap(file)
    group = ""
    for action in ACTIONS.values():
        if f"{action.place}, {action.group}" != group:
            group = f"{action.place}, {action.group}"
            out.say(f"\n{group}")
        own = "  (yours)" if action.id in keymap.own else ""
        out.say(f"  {action.id:<22} {keymap.shown(action, all_keys=True):<16} {action.words}{own}")
    out.say(f'\nChange a key in {file}:\n  [keys]\n  "train.stop" = "ctrl+s"')
    for problem in keymap.problems:
        out.say(f"! {words_of(problem)}")
    out.result(
        {
            "file": str(file),
            "keys": [
                {"id": action.id, "keys": keymap.keys(action), "words": action.words, "group": action.group}
                for action in ACTIONS.values()
            ],
            "problems": [problem.table() for problem in keymap.problems],
        }
    )
    return 1 if keymap.problems else 0
