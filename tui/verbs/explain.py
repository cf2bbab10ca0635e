"""safelight explain: what a key of project.toml means."""

from dataclasses import asdict

import click

from projects.table import Explanation, explain, keys
from tui.output import Output, json_option


@click.command("explain")
@click.argument("key", default="")
@json_option
def command(key: str, out: Output) -> None:
    """What KEY of project.toml means, its type, bounds, default and presets; without KEY the list of all keys."""
    if not key:
        for name in keys():
            out.say(name)
        out.result({"keys": keys()})
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
    lines += [f"  preset {name}: {value}" for name, value in found.presets.items()]
    return "\n".join(lines)
