"""The bytes of a caption file and the words in them, both ways, so that what nobody edited stays what it is to the byte."""

import difflib
from dataclasses import dataclass
from typing import Final, Literal

Encoding = Literal["utf-8", "utf-16", "windows-1252", "latin-1"]
_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Content:
    """What a caption file holds."""

    data: bytes
    """All of it."""
    text: str
    """The caption: without a byte order mark and without the one line end at the end of the file, which are the file's."""
    encoding: Encoding
    """Anything but utf-8 is shown with a mark, trains nothing, and is converted only when somebody asks for it."""
    mark: bool = False
    """A UTF-8 byte order mark stands in front."""
    end: str = ""
    """The line end at the end of the file: "\\n", "\\r\\n" or none."""

    @property
    def editable(self) -> bool:
        """Whether an edit keeps all that it does not touch. Of another encoding nobody knows that."""
        return self.encoding == "utf-8"


NEW: Final = Content(b"", "", "utf-8", end="\n")
"""A caption file that is not there yet."""


def content_of(data: bytes) -> Content:
    """What these bytes say. All bytes say something: what is no UTF-8 is read as an older encoding."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _other(data, data.decode("utf-16", errors="replace"), "utf-16")
    mark = data.startswith(_MARK)
    try:
        whole = data.removeprefix(_MARK).decode("utf-8")
    except UnicodeDecodeError:
        return _other(data, *_older(data))
    end = _end(whole)
    return Content(data, whole[: len(whole) - len(end)], "utf-8", mark, end)


def _end(whole: str) -> str:
    return "\r\n" if whole.endswith("\r\n") else "\n" if whole.endswith("\n") else ""


def _other(data: bytes, whole: str, encoding: Encoding) -> Content:
    end = _end(whole)
    return Content(data, whole[: len(whole) - len(end)], encoding, end=end)


def _older(data: bytes) -> tuple[str, Encoding]:
    try:
        return data.decode("windows-1252"), "windows-1252"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def data_of(text: str, before: Content = NEW) -> bytes:
    """The bytes that say `text` in the manner of the file as it was: its byte order mark, its line ends, its last line end.

    The same text gives the same bytes. Lines that were there keep the ends they had; new ones take the most usual of the
    file. What was no UTF-8 becomes UTF-8.
    """
    if before.editable and text in (before.text, shown(before.text)):
        return before.data
    styled = _with_ends(text, before.text)
    return (_MARK if before.mark else b"") + (styled + before.end).encode("utf-8", errors="surrogatepass")


def shown(text: str) -> str:
    """The text with plain line ends, as an editor holds it; `data_of` gives the file's own ones back."""
    return text.replace("\r\n", "\n")


def _with_ends(text: str, before: str) -> str:
    """`text`, whose line ends may have become plain in an editor, with those of `before` where its lines still stand."""
    if "\r\n" not in before or "\n" not in text:
        return text
    old, new = _lines(before), _lines(text)
    usual = "\r\n" if 2 * before.count("\r\n") >= before.count("\n") else "\n"
    ends = [usual if end else "" for _, end in new]
    matcher = difflib.SequenceMatcher(
        None, [line for line, _ in old], [line for line, _ in new], autojunk=False
    )
    for match in matcher.get_matching_blocks():
        for offset in range(match.size):
            if ends[match.b + offset] and old[match.a + offset][1]:
                ends[match.b + offset] = old[match.a + offset][1]
    return "".join(line + end for (line, _), end in zip(new, ends, strict=True))


def _lines(text: str) -> list[tuple[str, str]]:
    """Lines and their ends; a lone carriage return is part of its line."""
    found = []
    for line in text.split("\n"):
        end = "\r\n" if line.endswith("\r") else "\n"
        found.append((line.removesuffix("\r"), end))
    last, end = found[-1]
    found[-1] = (last + ("\r" if end == "\r\n" else ""), "")
    return found
