"""The header of a .safetensors file: names, types and shapes of its tensors. Nothing of the weights is read."""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from projects.problems import Refused, refuse

LARGEST_HEADER = 100_000_000
"""Bytes; the format's own limit. A longer one is an attack or another kind of file."""

BYTES = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U16": 2,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}


@dataclass(frozen=True)
class Header:
    """What stands in front of the weights."""

    shapes: Mapping[str, tuple[int, ...]]
    """Tensor name -> shape."""
    metadata: Mapping[str, str]
    """The file's own words (`__metadata__`)."""
    bytes: int
    """Size of the file."""


def read_header(path: Path) -> Header:
    """Read and check the header. Raises Refused for a file that is missing, truncated, damaged or no safetensors."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(8)
            if len(first) < 8:
                raise _damaged(
                    path, f"The file is {size} bytes long; a .safetensors file starts with 8 bytes of length"
                )
            length = struct.unpack("<Q", first)[0]
            if length > LARGEST_HEADER:
                raise _damaged(path, "This is not a .safetensors file: its header would be over 100 MB")
            raw = file.read(length)
    except OSError as error:
        raise refuse(
            f"The file cannot be read: {error.strerror}.", where=path, hint="Check the path.", usage=True
        ) from None
    if len(raw) < length:
        raise _damaged(path, f"The file ends inside its header ({size} of at least {8 + length} bytes)")
    try:
        table = json.loads(raw)
    except (ValueError, RecursionError):
        raise _damaged(path, "The header of this .safetensors file is not readable JSON") from None
    if not isinstance(table, dict):
        raise _damaged(path, "The header of this .safetensors file is not a table")
    metadata = table.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise _damaged(path, "The metadata of this .safetensors file is not a table")
    entries = [(name, *_entry(path, name, entry)) for name, entry in table.items()]
    _check_places(path, [(begin, end, name) for name, _, begin, end in entries], size - 8 - length)
    words = {name: text for name, text in metadata.items() if isinstance(text, str)}
    return Header({name: shape for name, shape, _, _ in entries}, words, size)


def _entry(path: Path, name: str, entry: Any) -> tuple[tuple[int, ...], int, int]:
    """Shape, first byte and end of one tensor, each checked by itself."""
    fields = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = fields.get("dtype"), fields.get("shape"), fields.get("data_offsets")
    if not isinstance(dtype, str) or not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2:
        raise _damaged(
            path, f"The header says nothing usable of the tensor {name[:80]!r}: a wrong or negative number"
        )
    begin, end = offsets
    if end < begin:
        raise _damaged(path, f"The tensor {name[:80]!r} ends before it begins")
    if dtype in BYTES and end - begin != BYTES[dtype] * math.prod(shape):
        raise _damaged(path, f"The tensor {name[:80]!r} is not as long as its shape says")
    return tuple(shape), begin, end


def _check_places(path: Path, places: list[tuple[int, int, str]], available: int) -> None:
    """Tensors follow each other without overlap or gap and fill the file."""
    reached = 0
    for begin, end, name in sorted(places):
        if begin < reached:
            raise _damaged(path, f"The tensor {name[:80]!r} overlaps another one")
        if begin > reached:
            raise _damaged(path, f"There is a gap of {begin - reached} bytes before the tensor {name[:80]!r}")
        reached = end
    if reached > available:
        raise _damaged(path, f"The file is truncated: {reached - available} bytes of its tensors are missing")
    if reached < available:
        raise _damaged(
            path, f"{available - reached} bytes stand behind the last tensor, where nothing belongs"
        )


def _naturals(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(each) is int and each >= 0 for each in value)


def _damaged(path: Path, what: str) -> Refused:
    return refuse(f"{what}.", where=path, hint="Copy or download it again.", usage=True)
