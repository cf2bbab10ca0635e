"""Edits of typography: quotes, dashes and commas as a keyboard types them."""

from dataclasses import dataclass
from typing import Final

_QUOTES: Final = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'", "\u201c": '"', "\u201d": '"',
     "\u201e": '"', "\u201f": '"', "\u2033": '"', "\u00ab": '"', "\u00bb": '"', "\u2013": "-", "\u2014": "-",
     "\u2015": "-", "\u2212": "-", "\u2026": "...", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200b": "",
     "\ufeff": ""}
)  # fmt: skip


@dataclass(frozen=True)
class StraightQuotes:
    """Quotes, dashes, dots and spaces as a keyboard types them."""

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return "straighten quotes and dashes"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        return text.translate(_QUOTES)


@dataclass(frozen=True)
class TidyCommas:
    """No comma at the end, and none with nothing before it."""

    @property
    def words(self) -> str:
        """What it does, as people say it."""
        return "remove commas without a phrase"

    def __call__(self, text: str) -> str:
        """The text afterwards."""
        return "\n".join(map(_tidied, text.split("\n"))) if "," in text else text


def _tidied(line: str) -> str:
    parts = line.split(",")
    kept = [part for part in parts if part.strip()]
    if len(kept) == len(parts) or len(parts) == 1:
        return line
    end = "\r" if line.endswith("\r") else ""
    first = kept[0].lstrip() if kept and not parts[0].strip() else "".join(kept[:1])
    joined = ",".join((first, *kept[1:]))
    return joined if parts[-1].strip() else joined.rstrip() + end
