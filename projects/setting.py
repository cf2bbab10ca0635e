"""Values set in the text of a project.toml that people wrote: comments, order and everything else stay."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
import tomlkit.exceptions

from projects.checking import Checker
from projects.problems import Refused, refuse
from projects.spec import RunSpec
from projects.table import Assignment, assign, lines_of, read_assignments, refuse_newer, value_at
from projects.toml import read_toml


def set_values(text: str, assignments: Sequence[str], *, without: Sequence[str] = ()) -> str:
    """`text` with `KEY=VALUE`s set, comments and order kept. Each value is checked by itself.

    `KEY=` takes a key out, or empties it where it holds text; a key of `without` is taken out whatever it holds. A key
    that stands in its section commented out (`# steps = 1300`) comes to stand there.
    Raises Refused when the text is not TOML or an assignment names no key or a value the key cannot have.
    """
    table = read_toml(text, "project.toml")
    refuse_newer(table, "project.toml")
    read = [
        *read_assignments(assignments),
        *(dataclasses.replace(one, value=None) for one in read_assignments([f"{key}=" for key in without])),
    ]
    assign(table, read)
    assigned = {one.path: one.text for one in read}
    checker = Checker(lines_of(text, "project.toml", assigned))
    checker.table(table, RunSpec)
    wrong = [problem for problem in checker.problems if problem.where.startswith("--set ")]
    if wrong:
        raise Refused(wrong, usage=True)
    for one in read:
        text = _uncommented(text, one) or text
    document = tomlkit.parse(text)
    # A value that was uncommented is there already: written again it could lose the comment beside it.
    assign(document, [one for one in read if one.value is None or value_at(document, one.path) != one.value])
    return _checked(tomlkit.dumps(document), table)


def _uncommented(text: str, one: Assignment) -> str:
    """`text` with the line on which the key of `one` is commented out made into what it says; "" where there is none."""
    *outer, name = one.path
    # Most keys are commented out nowhere, and thousands of pictures may be named at once.
    if (
        not isinstance(name, str)
        or name not in text
        or not re.search(rf"(?m)^#\s*{re.escape(name)}\s*=", text)
    ):
        return ""
    table = read_toml(text, "project.toml")
    if one.value is None or value_at(table, one.path) is not None:
        return ""
    wanted, section = ".".join(map(str, outer)), ""
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        header, shown = re.match(r"\s*\[([^\[\]]+)\]", line), re.match(r"#\s*(?=[\w-]+\s*=)", line)
        if header:
            section = header[1].strip()
        elif shown and section == wanted:
            try:
                said = tomlkit.parse(line[shown.end() :])
            except (ValueError, tomlkit.exceptions.TOMLKitError):
                continue
            if list(said) != [name]:
                continue
            said[name] = one.value
            after = "".join([*lines[:at], tomlkit.dumps(said), *lines[at + 1 :]])
            assign(table, [one])
            try:
                # What looks like a comment may be a line inside a text.
                return after if read_toml(after, "project.toml") == table else ""
            except Refused:
                return ""
    return ""


def _checked(text: str, table: Mapping[str, Any]) -> str:
    """`text`, once it is sure that it reads as `table`: a file with comments is never traded for a broken one."""
    if read_toml(text, "project.toml") != table:
        raise refuse("The value could not be written without touching others.", hint="Edit the file by hand.")
    return text
