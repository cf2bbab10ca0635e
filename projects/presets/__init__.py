"""Starting points: partial tables of the keys of a project, one file a base and goal, with the reason of every number."""

import importlib.resources
import tomllib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from projects.problems import refuse

NAMES = ("sdxl", "sdxl-turbo", "demo")


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


@cache
def _read(name: str) -> Mapping[str, Any]:
    return MappingProxyType(tomllib.loads(text_of(name)))
