"""From what a model says to words of a caption. Pure; the same for every machine and every run."""

import csv
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from projects.problems import refuse
from projects.spec import FillJob

GENERAL: Final = 0
CHARACTER: Final = 4
RATING: Final = 9
"""Categories of selected_tags.csv, numbered as Danbooru does."""

FACES: Final = frozenset((
    "0_0", "(o)_(o)", "+_+", "+_-", "._.", "<o>_<o>", "<|>_<|>", "=_=", ">_<", "3_3", "6_9", ">_o", "@_@", "^_^", "o_o",
    "u_u", "x_x", "|_|", "||_||",
))  # fmt: skip
"""Tags whose underscore is a mouth."""


@dataclass(frozen=True)
class Tag:
    """One line of selected_tags.csv."""

    name: str
    """As Danbooru writes it, with underscores."""
    category: int


def read_tags(file: Path) -> list[Tag]:
    """The tags of a WD Tagger, in the order of its scores. Raises Refused for a file that is none of that kind."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            tags = [Tag(row["name"], int(row["category"])) for row in csv.DictReader(lines)]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        tags = []
    if not tags:
        hint = "Download the model again, complete."
        raise refuse("This is no list of tags with name and category.", where=file, hint=hint)
    return tags


def chosen(tags: Sequence[Tag], scores: Sequence[float], job: FillJob) -> str:
    """The tags above their threshold as a caption, comma-separated. Ratings are never among them."""
    least = {GENERAL: job.general_threshold, CHARACTER: job.character_threshold}
    barred = {_plain(each) for each in job.blacklist}
    taken = [
        (score, index)
        for index, (tag, score) in enumerate(zip(tags, scores, strict=True))
        if score > least.get(tag.category, 2.0) and _plain(tag.name) not in barred
    ]
    if job.order == "name":
        ordered = sorted(index for _, index in taken)
        ordered.sort(key=lambda index: tags[index].name.casefold())
    else:
        ordered = [index for _, index in sorted(taken, key=lambda pair: (-pair[0], pair[1]))]
    return ", ".join(worded(tags[index].name, job) for index in ordered)


def worded(name: str, job: FillJob) -> str:
    """A tag as the caption says it."""
    text = name if job.underscores or name in FACES else name.replace("_", " ")
    return re.sub(r"([\\()])", r"\\\1", text) if job.escape else text


def _plain(name: str) -> str:
    """A tag as it is compared: whatever its case, underscores and backslashes."""
    return name.strip().replace("\\", "").replace("_", " ").casefold()


def sentence(text: str, blacklist: Sequence[str]) -> str:
    """What a model wrote, on one line, without the words of the blacklist and what that leaves of commas."""
    line = " ".join("".join(_kept(char) for char in text).split())
    for phrase in filter(None, (each.strip() for each in blacklist)):
        line = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", "", line, flags=re.IGNORECASE)
    line = re.sub(r"\s+([,.;:])", r"\1", line)
    line = re.sub(r"(,\s*)+,", ",", line)
    return re.sub(r"\s+", " ", line).strip(" ,")


def _kept(char: str) -> str:
    """A character that a caption may hold; a blank for what steers a terminal or cannot be written down."""
    return " " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char
