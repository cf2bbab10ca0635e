"""The words beside a picture. One meaning: a caption is the whole text of its file, exactly as it was written.

NAME.txt is the caption of NAME.jpg, in the same folder; NAME.2.txt, NAME.3.txt ... are further variants of it, of which
each draw takes one. A file that is the caption of a picture of its own (NAME.2.txt beside NAME.2.jpg) is no variant.
Files are UTF-8. One line end at the end of the file (LF or CRLF) belongs to the file, not to the text; so does a byte
order mark at its start, which is noted. Everything else is kept, commas, case and inner line ends included. What cannot
be meant is refused, never repaired: other encodings, control characters, placeholders, files without words.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import lcm
from pathlib import Path
from typing import Literal

from engine.dataset.slots import draw
from projects.problems import refuse

LONGEST = 100_000
"""Bytes. Encoders read 77 to 512 tokens; a longer file is something else."""

ORDERS = 8
"""How many orders of a shuffled caption are trained: each is encoded once, before the training."""

_VARIANT = re.compile("[2-9]|[1-9][0-9]+")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CONTROL = re.compile(r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_PLACEHOLDER = re.compile(
    r"[\[{<]\s*(?:trigger(?:[ _-]?word)?|class(?:[ _-]?word)?|subject|name|token|caption|filewords)\s*[\]}>]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Caption:
    """The text of one caption file."""

    text: str
    """What is trained, to the letter."""
    byte_order_mark: bool
    """The file starts with one; it is no part of the text."""


FaultKind = Literal["empty", "encoding", "placeholder"]


@dataclass(frozen=True)
class Fault:
    """Why a run refuses a caption."""

    kind: FaultKind
    """As the check is called."""
    error: str
    """Behind the file's name."""
    hint: str
    found: str = ""
    """The placeholder."""


def read_caption(path: Path) -> str:
    """The exact text of a caption file. Raises Refused as `read_caption_file` does."""
    return read_caption_file(path).text


def read_caption_file(path: Path) -> Caption:
    """The exact text of a caption file, and whether a byte order mark was left aside.

    Raises Refused with file and position for anything but up to 100 kB of UTF-8 text without control characters
    (tab and line ends are text) and placeholders, and with at least one visible character.
    """
    try:
        if not path.is_file():
            raise refuse("is not there or is no file.", where=path, hint="Write the caption.")
        with path.open("rb") as stream:
            data = stream.read(LONGEST + 1)
    except OSError as error:
        raise refuse(
            f"cannot be read: {error.strerror or error}.", where=path, hint="Check its permissions."
        ) from None
    found = caption_in(data)
    if isinstance(found, Fault):
        raise refuse(found.error, where=path, hint=found.hint)
    return found


def caption_in(data: bytes) -> Caption | Fault:
    """What the bytes of a caption file say, or why a run refuses them."""
    if len(data) > LONGEST:
        return Fault("encoding", f"is larger than {LONGEST // 1000} kB.", "A caption is a sentence or two.")
    marked = data.startswith(_BYTE_ORDER_MARK)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Fault("encoding", "is UTF-16.", "Save it as UTF-8.")
    try:
        text = data.removeprefix(_BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start + (len(_BYTE_ORDER_MARK) if marked else 0)
        what = f"is not UTF-8: byte {at} is 0x{data[at]:02x}, as in Latin-1 or Windows-1252."
        return Fault("encoding", what, "Save it as UTF-8.")
    text = text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
    return _unmeant(text) or Caption(text, marked)


def sidecars(picture: Path, extension: str, files: Collection[str], own: Collection[str]) -> list[Path]:
    """Caption files of a picture, in order: NAME.txt, then NAME.2.txt, NAME.3.txt ... by number.

    files: names in the picture's folder. own: the names among them that are the first caption of some picture.
    Pure; an empty list when there is none.
    """
    if not files:
        return []
    start, end = f"{picture.stem}.", f".{extension}"
    first = f"{picture.stem}.{extension}"
    # No pattern for each picture: of ten thousand, compiling them takes longer than all else about their names.
    numbered = sorted(
        (int(number), name)
        for name in files
        if name not in own
        and name.startswith(start)
        and name.endswith(end)
        and _VARIANT.fullmatch(number := name[len(start) : -len(end)])
    )
    names = ([first] if first in files else []) + [name for _, name in numbered]
    return [picture.with_name(name) for name in names]


def trigger_caption(trigger: str, class_word: str) -> str:
    """What stands in for a missing caption with `--missing trigger`: "TRIGGER, a CLASS_WORD".

    Without a class word it is the trigger alone, without a trigger (regularization) "a CLASS_WORD"; empty if neither
    is known. The article is "a" whatever follows.
    """
    return ", ".join(part for part in (trigger, f"a {class_word}" if class_word else "") if part)


def shuffled(text: str, *, seed: int, picture: str, variant: int, keep_first: int) -> tuple[str, ...]:
    """The orders in which a caption is trained when captions.shuffle is on: as written, and up to `ORDERS` - 1 more.

    Parts are what stands between commas, without the spaces around them, joined again by ", "; the first
    `keep_first` parts stay where they are. Order k (from 1) sorts the others by
    (draw(seed, "shuffle", picture, variant, k, i), i), i = index of the part; equal texts appear once.
    """
    parts = [part.strip() for part in text.split(",")]
    kept, rest = parts[:keep_first], parts[keep_first:]
    texts = [text]
    for k in range(1, ORDERS):
        order = sorted(range(len(rest)), key=lambda i: (draw(seed, "shuffle", picture, variant, k, i), i))
        texts.append(", ".join(kept + [rest[i] for i in order]))
    return tuple(dict.fromkeys(texts)) if len(rest) > 1 else (text,)


def in_all_orders(picture: str, written: Sequence[str], seed: int, keep_first: int) -> list[str]:
    """The orders of each variant, each variant equally often in the list however many orders it has."""
    orders = [
        list(shuffled(text, seed=seed, picture=picture, variant=variant, keep_first=keep_first))
        for variant, text in enumerate(written)
    ]
    length = lcm(*map(len, orders))
    return [order for variant in orders for order in variant * (length // len(variant))]


def holds_word(text: str, word: str) -> bool:
    """Whether `text` holds `word` as a whole word, whatever its case and Unicode form. An empty word is never held."""
    folded = _folded(word)
    return bool(folded) and bool(re.search(rf"(?<!\w){re.escape(folded)}(?!\w)", _folded(text)))


def holds_any(text: str, words: Sequence[str]) -> bool:
    """Whether `text` holds one of `words` as `holds_word` means it."""
    return any(holds_word(text, word) for word in words)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def _unmeant(text: str) -> Fault | None:
    if found := _CONTROL.search(text):
        what = f"holds the control character U+{ord(found[0]):04X}"
        return _fault_at("encoding", text, found, what, "Delete it.")
    if not any(unicodedata.category(char)[0] not in "ZC" for char in text):
        hint = "Write what the picture shows, or delete the file."
        return Fault("empty", "is an empty caption.", hint)
    if found := _PLACEHOLDER.search(text):
        hint = "Write the word itself: captions are trained as they stand, nothing is filled in."
        return _fault_at("placeholder", text, found, f'holds the placeholder "{found[0]}"', hint)
    return None


def _fault_at(kind: FaultKind, text: str, found: re.Match[str], what: str, hint: str) -> Fault:
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    return Fault(kind, f"{what} at line {line}, column {column}.", hint, found[0])
