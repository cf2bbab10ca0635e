"""Text from files on a terminal: names, captions and prompts are data and must never move the cursor or change colours."""

import unicodedata

# Format characters that only join letters, which names in several scripts and emoji need.
_JOINERS = "\u200c\u200d"


def printable(text: str, *, lines: bool = False) -> str:
    """`text` with everything a terminal would act on written out, e.g. an escape as `\\x1b`.

    Written out are control and format characters (bidirectional overrides among them), line and paragraph separators
    and undecodable bytes of file names. With `lines`, line feeds and tabs stay, for text of several lines.
    """
    if text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(character if _harmless(character, kept) else _written_out(character) for character in text)


def _harmless(character: str, kept: str) -> bool:
    return (
        character.isprintable()
        or character in kept
        or character in _JOINERS
        or unicodedata.category(character) == "Zs"
    )


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
