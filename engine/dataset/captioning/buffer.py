"""Captions in one text for an editor, each below a line that names its file, and back: read strictly, or not at all.

    === images/IMG_0034.txt
    aurelia, a woman in a linen jacket

A caption's own lines that begin with === have a backslash in front there. All else is as it is, blanks and empty lines too.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from projects.problems import Problem, Refused

MARK: Final = "==="
"""What a line that names a caption begins with."""
FIRST: Final = "# Each caption stands below its === line. Leave those lines, and their order, as they are."
_OWN: Final = re.compile(rf"\\*{MARK}")
"""The beginning of a caption's own line that could be taken for one that names a caption."""


@dataclass(frozen=True)
class _Header:
    line: int
    """From 1."""
    name: str
    """As it stands there."""
    text: str
    """Of the caption below it."""


def buffer_of(texts: Mapping[str, str]) -> str:
    """The text to edit: captions by file, in their order."""
    parts = [f"{MARK} {_said(file)}\n{_kept(text)}\n" for file, text in texts.items()]
    return f"{FIRST}\n{''.join(parts)}"


def changed_in(buffer: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The captions that say something else now, by file. texts: what `buffer_of` was given.

    Raises Refused with every line that is not where it belongs; then nothing is to be changed.
    """
    before, headers = _split(_plain(buffer))
    problems = _stray(before)
    names = {_said(file): file for file in texts}
    order = {name: at for at, name in enumerate(names)}
    seen: dict[str, _Header] = {}
    last: _Header | None = None
    for header in headers:
        if header.name not in names:
            near = get_close_matches(header.name, names, n=1)
            hint = (
                f"Did you mean {MARK} {near[0]}?"
                if near
                else f"Of a caption's own line, write it as \\{MARK}."
            )
            problems.append(_at(header.line, f"names no caption of these: {MARK} {header.name}", hint))
        elif header.name in seen:
            hint = "Take one of them out, with its caption."
            error = f"names {header.name} again; line {seen[header.name].line} did."
            problems.append(_at(header.line, error, hint))
        else:
            seen[header.name] = header
            if last and order[header.name] < order[last.name]:
                hint = "Put it back where it was."
                problems.append(_at(header.line, f"{header.name} stood before {last.name}.", hint))
            else:
                last = header
    hint = f"Put its {MARK} line back. To empty a caption, empty the lines below it."
    problems += [_at(0, f"{name} is not there any more.", hint) for name in names if name not in seen]
    if problems:
        raise Refused(problems)
    return {file: seen[name].text for name, file in names.items() if seen[name].text != texts[file]}


def _split(buffer: str) -> tuple[str, list[_Header]]:
    """What stands before the first header, and every header with what stands below it."""
    groups: list[tuple[int, str, list[str]]] = [(0, "", [])]
    lines = buffer.split("\n")
    if lines[-1] == "":
        # The end of the last line; an editor may have left it out.
        lines.pop()
    for number, line in enumerate(lines, 1):
        if line.startswith(MARK):
            groups.append((number, line.removeprefix(MARK).removeprefix(" "), []))
        else:
            groups[-1][2].append(line.removeprefix("\\") if _OWN.match(line) else line)
    return "\n".join(groups[0][2]), [_Header(at, name, "\n".join(below)) for at, name, below in groups[1:]]


def _stray(before: str) -> list[Problem]:
    hint = f"A caption stands below its {MARK} line."
    return [
        _at(number, "belongs to no caption.", hint)
        for number, line in enumerate(before.split("\n"), 1)
        if line.strip() and not line.startswith("#")
    ]


def _kept(text: str) -> str:
    return "\n".join("\\" + line if _OWN.match(line) else line for line in text.split("\n"))


def _said(file: str) -> str:
    """A file's name on one line, also one that would be several."""
    return (
        file if file.isprintable() and not file.startswith('"') and file == file.strip() else json.dumps(file)
    )


def _plain(buffer: str) -> str:
    """Without what an editor may have made of it as a whole: a byte order mark, other line ends."""
    buffer = buffer.removeprefix("\ufeff")
    return buffer.replace("\r\n", "\n") if buffer.startswith(f"{FIRST}\r\n") else buffer


def _at(line: int, error: str, hint: str) -> Problem:
    return Problem(error=error, where=f"line {line}" if line else "", hint=hint)
