"""How many tokens a text has, and where the encoder stops reading. Without torch, from the base's tokenizer.json."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from projects.problems import refuse

WINDOW = 77
"""Tokens that CLIP reads, its start and end marks among them."""
MARKS = 2


def count_tokens(text: str, tokenizer_json: Path, window: int = WINDOW) -> tuple[int, int | None] | None:
    """(tokens with the two marks, index of the first character that is not read any more or None).

    None, shown as "-", where the `tokenizers` package is not installed. Raises Refused for a file that is none.
    """
    tokenizer = _tokenizer(tokenizer_json, _modified(tokenizer_json))
    if tokenizer is None:
        return None
    offsets = tokenizer.encode(text, add_special_tokens=False).offsets
    own = window - MARKS
    return len(offsets) + MARKS, offsets[own][0] if len(offsets) > own else None


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise refuse(
            f"cannot be read: {error.strerror}.", where=path, hint="The base is not complete."
        ) from None


@lru_cache(maxsize=4)
def _tokenizer(path: Path, modified: int) -> Any | None:
    """`modified` is part of the key only: a replaced file is read again."""
    try:
        from tokenizers import Tokenizer
    except ImportError:
        return None
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # The package raises plain Exception for whatever it cannot parse.
        raise refuse(f"is no tokenizer: {error}.", where=path, hint="The base is not complete.") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
