"""The first project.toml of a project: what was asked for, and beside it the keys people change first, each explained."""

from collections.abc import Mapping
from textwrap import wrap

from projects.families import FAMILIES
from projects.plan import LEAST_STEPS
from projects.table import explain
from projects.toml import write_value

HEAD = """\
# What is said here wins over the preset of the base; everything that is left out comes from there.
# Lines with a # in front show what stood there when this was written. `safelight explain adapter.rank` tells
# about any key, `safelight plan` what follows from all of them.
"""

KEYS: Mapping[str, tuple[str, ...]] = {
    "": ("format", "name", "trigger", "class_word", "rating"),
    "base": ("source", "family"),
    "data": ("images", "regularization", "holdout"),
    "adapter": ("rank",),
    "train": ("learning_rate", "steps", "resolution"),
    "sample": ("prompts",),
}


FAMILY_OPEN = """\
# The base is not on this machine yet, and nothing here can tell its kind: take the # away where this is it. Known: {}.
# family = {}
"""


def first_text(said: Mapping[str, str], preset: str, *, family_open: bool = False) -> str:
    """TOML with the values of `said` (key path -> text) and, commented out, what the preset or the default gives.

    family_open: the project still has to say what its base is.
    """
    parts = [HEAD]
    for section, names in KEYS.items():
        parts.append(f"\n[{section}]\n" if section else "\n")
        keys = [f"{section}.{name}" if section else name for name in names]
        # Where the base itself tells its family, a line on it would only be in the way.
        parts += [_entry(key, said, preset) for key in keys if key != "base.family" or key in said]
        if section == "base" and family_open:
            known = [write_value(family) for family in FAMILIES]
            parts.append(FAMILY_OPEN.format(", ".join(known), known[0]))
    return "".join(parts)


def _entry(key: str, said: Mapping[str, str], preset: str) -> str:
    meaning = explain(key)
    name = key.rsplit(".", 1)[-1]
    comment = "".join(f"# {line}\n" for line in wrap(meaning.text, 100))
    if key == "format":
        return f"{name} = {meaning.default}\n"
    if key in said:
        return f"{comment}{name} = {write_value(said[key])}\n"
    value = meaning.presets.get(preset, meaning.default) or str(LEAST_STEPS)
    return f"{comment}# {name} = {value}\n"
