"""Starting points: partial tables of the keys of a project, one file a base and goal, with the reason of every number."""

import importlib.resources
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from projects.problems import refuse

NAMES = ("sdxl", "sdxl-turbo", "sd15", "flux", "demo")


def preset(name: str) -> Mapping[str, Any]:
    """The table of presets/NAME.toml. Raises Refused (usage) with the list of names."""
    if name not in NAMES:
        listed = ", ".join(f'"{known}"' for known in NAMES)
        raise refuse(
            f'There is no preset "{name}".', where="train.preset", hint=f"Use one of: {listed}.", usage=True
        )
    return _read(name)


def text_of(name: str) -> str:
    """The file itself, comments included."""
    return (importlib.resources.files("projects.presets") / f"{name}.toml").read_text("utf-8")


def heading(name: str) -> str:
    """What the preset is for: the comment that its file begins with, on one line."""
    lines = text_of(name).splitlines()
    return " ".join(_words(line) for line in lines[: next(i for i, line in enumerate(lines) if not line)])


@cache
def reasons(name: str) -> Mapping[str, str]:
    """Key path -> the comment of presets/NAME.toml on it, on one line; keys without one are left out.

    A comment is beside its key or right above it; "KEY is left out: ..." speaks for a key that the file does not say.
    """
    # Values are read before the first screen, reasons when somebody asks: it need not wait for this.
    import tomlkit
    from tomlkit.items import Comment, Table

    found: dict[str, str] = {}
    for section, table in tomlkit.parse(text_of(name)).items():
        assert isinstance(table, Table)
        above: list[str] = []
        for key, item in table.value.body:
            if isinstance(item, Comment):
                words = _words(item.as_string())
                if left_out := re.match(r"(\w+) is (left out: .*)", words):
                    found[f"{section}.{left_out[1]}"] = left_out[2]
                else:
                    above.append(words)
            elif key is not None:
                words = " ".join([*above, _words(item.trivia.comment)]).strip()
                above.clear()
                if words:
                    found[f"{section}.{key.key}"] = words
    return MappingProxyType(found)


def _words(comment: str) -> str:
    return comment.strip().removeprefix("#").strip()


@cache
def _read(name: str) -> Mapping[str, Any]:
    return MappingProxyType(tomllib.loads(text_of(name)))
