"""TOML as text: read strictly, with the line of every key, and written value by value."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from projects.problems import refuse

Key = tuple[str | int, ...]
"""A key path; a number counts the tables of an array from 0."""

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{}=\n]"
    r"|[^\[\]{}=\n\"'\#]+"
    r"|.",
    re.DOTALL,
)


def read_toml(text: str, file: str) -> dict[str, Any]:
    """The table in `text`. The standard reader is used because each of its errors has a line and a column.

    Raises Refused with the place of the first thing that is not TOML.
    """
    try:
        return tomllib.loads(text)
    except ValueError as error:
        message = str(error)
        at = re.search(r" \(at line (\d+), column (\d+)\)| \(at end of document\)", message)
        what = message[: at.start()] if at else message
        place = (
            f" (line {at[1]}, column {at[2]})"
            if at and at[1]
            else f" (line {text.count(chr(10)) + 1}, at the end)"
        )
        raise refuse(
            f"This is not valid TOML: {what[:1].lower()}{what[1:]}.",
            where=f"{file}{place}",
            hint='Text stands in double quotes, a section in brackets: [train], name = "value".',
            usage=True,
        ) from None
    except RecursionError:
        raise refuse("This is nested too deeply to be read.", where=file, usage=True) from None


def key_lines(text: str) -> dict[Key, int]:
    """Line (from 1) at which each key and section of valid TOML is written; inline tables count as their key."""
    lines: dict[Key, int] = {}
    counts: dict[Key, int] = {}
    section: Key = ()
    for line, tokens in _statements(text):
        if tokens[0] == "[":
            array = tokens[1] == "["
            inside = "".join(tokens[2:-2] if array else tokens[1:-1])
            names = split_key(inside)
            section = _counted(names[:-1], counts) + names[-1:]
            if array:
                lines.setdefault(section, line)
                counts[section] = counts.get(section, -1) + 1
                section += (counts[section],)
            else:
                section = _counted(section, counts)
            lines.setdefault(section, line)
        else:
            names = split_key("".join(tokens[: tokens.index("=")]))
            for end in range(1, len(names) + 1):
                lines.setdefault(section + names[:end], line)
    return lines


def split_key(text: str) -> tuple[str, ...]:
    """`data.excluded."a.jpg"` as its parts. Raises ValueError for what is no key."""
    if "=" in _without_strings(text) or "\n" in text:
        raise ValueError(text)
    table: Any = tomllib.loads(f"{text} = 0")
    parts: list[str] = []
    while isinstance(table, dict):
        [(name, table)] = table.items()
        parts.append(name)
    return tuple(parts)


def split_assignment(text: str) -> tuple[str, str]:
    """`KEY=VALUE` cut at the first equals sign outside of quotes. Raises ValueError where there is none."""
    at = 0
    for token in _TOKEN.findall(text):
        if token == "=":
            return text[:at].strip(), text[at + 1 :].strip()
        at += len(token)
    raise ValueError(text)


def value_of(text: str) -> Any:
    """A TOML value, or, where it is none, the text as it stands: `sdxl` needs no quotes on a command line."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if set(table) == {"value"} else text


def write_value(value: Any) -> str:
    """One value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return write_text(value)
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{write_key(name)} = {write_value(each)}" for name, each in value.items()) + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(write_value(each) for each in value) + "]"
    return repr(value)


def write_text(text: str) -> str:
    """A basic string. JSON's escapes are TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_key(name: str) -> str:
    """One part of a key, quoted where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else write_text(name)


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line, tokens) of each `key = value` and `[section]`; comments and white space are dropped."""
    line, begin, depth = 1, 1, 0
    tokens: list[str] = []
    for token in _TOKEN.findall(text.replace("\r\n", "\n")):
        if token == "\n" and depth == 0 and tokens:
            yield begin, tokens
            tokens = []
        elif token.strip() and not token.startswith("#"):
            begin = begin if tokens else line
            depth += (token in "[{") - (token in "]}")
            tokens.append(token)
        line += token.count("\n")
    if tokens:
        yield begin, tokens


def _counted(names: Key, counts: Mapping[Key, int]) -> Key:
    """The path with the number of the last table wherever an array of tables was opened."""
    path: Key = ()
    for name in names:
        path += (name,)
        if path in counts:
            path += (counts[path],)
    return path


def _without_strings(text: str) -> str:
    return "".join(token for token in _TOKEN.findall(text) if token[0] not in "\"'")
