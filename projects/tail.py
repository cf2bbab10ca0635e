"""The end of a file of lines, without reading all of it."""

import os
from collections.abc import Iterator

WINDOW = 1 << 16


def lines_from_the_end(descriptor: int, size: int) -> Iterator[bytes]:
    """The lines before byte `size`, last one first and empty ones left out; a last line without newline is one too."""
    rest = b""
    at = size
    while at > 0:
        start = max(0, at - WINDOW)
        data = os.pread(descriptor, at - start, start) + rest
        rest, *lines = data.split(b"\n")
        yield from (line for line in reversed(lines) if line)
        at = start
    if rest:
        yield rest


def end_of_lines(descriptor: int, size: int) -> int:
    """The offset behind the last newline before byte `size`; 0 where there is none."""
    at = size
    while at > 0:
        start = max(0, at - WINDOW)
        newline = os.pread(descriptor, at - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        at = start
    return 0
