"""safelight explain: what a key of project.toml means, or a word of the trade."""

import textwrap
from dataclasses import asdict

import click

from projects import presets
from projects.table import Explanation, explain, keys
from tui import terms
from tui.output import Output, json_option


@click.command("explain")
@click.argument("key", default="")
@json_option
def command(key: str, out: Output) -> None:
    """What KEY of project.toml means: type, bounds, default, what presets say and why; without KEY the list of keys.

    "words" explains the words of the trade in a sentence each; epoch, loss and so on one of them.
    """
    if not key:
        for name in keys():
            out.say(name)
        out.result({"keys": keys()})
        return
    if key not in keys() and (words := terms.find(key)):
        for word, text in words.items():
            out.say(
                textwrap.fill(
                    text, 100, initial_indent=f"{word:<{terms.WIDTH}}", subsequent_indent=" " * terms.WIDTH
                )
            )
        out.result({"words": words})
        return
    found = explain(key)
    out.say(described(found))
    out.result(asdict(found))


def described(found: Explanation) -> str:
    """An explanation as lines."""
    lines = [f"{found.key}: {found.type}", f"  {found.text}"]
    if found.bounds:
        lines.append(f"  from {found.bounds[0]:g} to {found.bounds[1]:g}")
    if found.default:
        lines.append(f"  default: {found.default}")
    for name in presets.NAMES:
        value, reason = found.presets.get(name, ""), found.reasons.get(name, "")
        if value or reason:
            lines.append(f"  preset {name}: {value}".rstrip())
        if reason:
            lines.append(textwrap.fill(reason, 100, initial_indent="    ", subsequent_indent="    "))
    if found.key == "train.preset":
        lines.append("  A preset's number and its reason: safelight explain KEY")
    return "\n".join(lines)
