"""Characters of caption files that a text area or a terminal would act on."""

import unicodedata
from typing import Final

# Line ends that Python knows and caption files do not: a text area would make new lines of them.
_HIDDEN: Final = {ord(each): chr(0xF0000 + ord(each)) for each in "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"}
_SHOWN: Final = {ord(there): chr(here) for here, there in _HIDDEN.items()}


def hide(text: str) -> str:
    """The text with a private character in place of each; places in it stay what they are."""
    return text.translate(_HIDDEN)


def seen(text: str) -> str:
    """What `hide` was given."""
    return text.translate(_SHOWN)


def clashes(text: str) -> bool:
    """Whether the text has one of those private characters of its own, so that `seen` would change it."""
    return seen(text) != text


def marked(character: str) -> str:
    """Itself, or one mark in its place: places in the text stay what they are."""
    if character.isprintable() or character in "\t\u200c\u200d" or unicodedata.category(character) == "Zs":
        return character
    number = ord(seen(character))
    return chr(0x2400 + number) if number < 0x20 else "␡" if number == 0x7F else "▯"
