"""What stands for a character where only ASCII can be shown: for a mark a plain one, for a letter it without its accent."""

import codecs
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

ERRORS: Final = "safelight-plain"
"""Name of the error handler for streams: marks become plain ones, everything else is written out."""
_MARKS: Final = "▀▌█━─│✓▶…→"


def plain(text: str) -> str:
    """`text` in ASCII, with as many cells as before."""
    return text if text.isascii() else "".join(map(_cells_of, text))


def shows_marks(encoding: str | None) -> bool:
    """Whether a terminal with this encoding can be sent the marks that screens are drawn with."""
    try:
        _MARKS.encode(encoding or "ascii")
    except (UnicodeError, LookupError):
        return False
    return True


@cache
def _cells_of(character: str) -> str:
    if character.isascii():
        return character
    if character in _PLAIN:
        return _PLAIN[character]
    # Only a screen asks this, and has Rich anyway; a verb must not wait for it.
    from rich.cells import cell_len

    width = cell_len(character)
    bare = unicodedata.normalize("NFKD", character)[:1]
    return bare if width == 1 and bare.isascii() and bare.isprintable() else "?" * width


def _written_plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    shown = (_PLAIN.get(each) or each.encode("ascii", "backslashreplace").decode() for each in text)
    return "".join(shown), error.end


codecs.register_error(ERRORS, _written_plainly)


def _braille(code: int) -> str:
    """A braille cell by where its dots are: both halves, the upper, the lower, or none."""
    upper, lower = code & 0b00011011, code & 0b11100100
    return ":" if upper and lower else "'" if upper else "." if lower else " "


_PLAIN: Final[Mapping[str, str]] = {
    **{chr(0x2800 + code): _braille(code) for code in range(256)},
    **dict(zip("·•✓▌▶◂▸━─│…→←▀█–—×±≥≤", ".*+>><>=-|~><##--x+><", strict=True)),
    **dict(zip("\u2018\u2019\u201c\u201d\u2010\u2011", "''\"\"--", strict=True)),
    **dict(zip("╭╮╰╯┌┐└┘├┤┬┴┼", "+" * 13, strict=True)),
}
