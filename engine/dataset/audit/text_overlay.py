"""Text that was laid over a picture: credits, watermarks, dates of cameras, subtitles. And text in the scene."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from engine.dataset.audit.look import SMALLEST
from engine.dataset.audit.reading import CLIP, LETTERS, RELEASE, SIDE, SURE, TEXT
from engine.dataset.audit.shapes import Audited, Check, Collection
from engine.dataset.findings import Box, Finding

MARGIN: Final = 0.15
"""Share of a side from an edge within which the middle of a line lies that runs along that edge."""
LEVEL: Final = 2.5
"""Degrees by which a line that was laid over is off level or upright at most."""
REPEATED: Final = 3
"""Lines that share RUN letters, if they are half of all at least, from which on they are a watermark, whatever it says."""
RUN: Final = 4
SHOWN: Final = 60
"""Characters of a line that are told."""
Kind = Literal["watermark", "date", "edge", "scene"]

# Readings lose spaces and full stops: what is long enough may stand inside a word.
_CREDIT: Final = re.compile(
    r"©|\(c\)|@\s?\w{3}|yright|rights\s?reserved|atermar|photo|fotograf|getty|shutterstock|alamy|dreamstime|istock"
    r"|adobe\s?stock|\bstock\b|stock\s?image|\bsample\b|preview|\bproofs?\b|\bdraft\b|not\s?for\s?(sale|print)|do\s?not\s?copy"
    r"|\bwww|https?\b|\w\.(com|net|org|info|io|co|photo|art|de|fr|uk|it|es|nl|pl|ru|jp|cn)\b|instagram|facebook|patreon"
    r"|deviantart|artstation|pixiv|tiktok|midjourney|dall.?e\b",
    re.IGNORECASE,
)
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2})?|[ap]\.?m\.?", re.IGNORECASE)
_MONTHS: Final = re.compile(r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE)
_WORDS: Final[Mapping[Kind, tuple[str, str]]] = {
    "watermark": ("carries a credit or a watermark", "carry the same credit or watermark"),
    "date": ("carries the date of a camera", "carry the date of a camera"),
    "edge": (
        "has text along its edge, as subtitles and credits stand",
        "have the same text along their edge",
    ),
    "scene": ("shows text", "show text"),
}
"""Of one picture, and of several: the worst kind first."""
_REMEDIES: Final = (
    "Get the pictures without it, or cut it off: letters are learned like all else in a picture, and drawn again.",
    "Say in the caption that it is there and what it says, or else it is learned as part of the subject.",
)
"""For what was laid over, and for what is in the scene."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of text in a picture."""

    box: Box
    """Its label is the text, cut short."""
    slope: float
    """Degrees from level or upright."""
    score: float
    text: str
    """Without what a terminal would act on."""


def lines_of(one: Audited) -> list[Line]:
    """The lines that were read in it; none where there are none or none were looked for."""
    return [
        Line(
            box=Box(left=left, top=top, right=right, bottom=bottom, label=_clean(text, 24)),
            slope=slope, score=score, text=_clean(text, SHOWN),
        )
        for left, top, right, bottom, slope, score, text in one.value("text", "lines") or ()
    ]  # fmt: skip


def kind_of(line: Line) -> Kind:
    """What a line is by its words, its form and its place."""
    if _CREDIT.search(line.text):
        return "watermark"
    if line.slope > LEVEL or not _outer(line.box):
        return "scene"
    return "date" if _is_date(line.text) else "edge"


def _outer(box: Box) -> bool:
    """Whether it runs along an edge: a level line near the upper or lower one, an upright line near a side."""
    across, down = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    upright = box.bottom - box.top > 2 * (box.right - box.left)
    place = across if upright else down
    return min(place, 1 - place) < MARGIN


def _is_date(text: str) -> bool:
    """Digits of a day, the month in letters or not, a time or not; a reading may have lost what stands between them."""
    day = _CLOCK.sub("", text)
    month = _MONTHS.search(day)
    rest = _MONTHS.sub("", day)
    digits = sum(map(str.isdigit, rest))
    return not any(map(str.isalpha, rest)) and (3 if month else 4) <= digits <= 8


def _clean(text: str, most: int) -> str:
    """On one line, without control and format characters, cut short."""
    plain = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _same(text: str) -> str:
    """What two readings of the same words share."""
    return "".join(filter(str.isalnum, text.casefold()))


def _runs(text: str) -> set[str]:
    letters = _same(text)
    return {letters[at : at + RUN] for at in range(len(letters) - RUN + 1)}


def _kinds(lines: Sequence[Line]) -> dict[Kind, list[Line]]:
    runs = [_runs(line.text) for line in lines]
    often = Counter(run for each in runs for run in each)
    least = max(REPEATED, sum(map(bool, runs)) / 2)
    repeated = {run for run, times in often.items() if times >= least}
    kinds: dict[Kind, list[Line]] = defaultdict(list)
    for line, each in zip(lines, runs, strict=True):
        kinds["watermark" if each & repeated else kind_of(line)].append(line)
    # A page, a package, a shop front: what is full of text has some along its edges too.
    if len(kinds["scene"]) > len(kinds["edge"]):
        kinds["scene"] += kinds.pop("edge", [])
    return {kind: found for kind, found in kinds.items() if found}


def _judge(collection: Collection) -> Iterator[Finding]:
    groups: dict[tuple[Kind, str], dict[str, tuple[Line, list[Line]]]] = defaultdict(dict)
    for one in collection.of("subject", "regularization"):
        kinds = _kinds(lines_of(one))
        if not kinds:
            continue
        kind = next(each for each in _WORDS if each in kinds)
        leading = max(kinds[kind], key=lambda line: (len(line.text), line.score))
        # Dates differ, and are one fault; what the scene shows is another thing in every picture.
        alike = {"date": "", "scene": one.name}.get(kind, _same(leading.text))
        shown = kinds[kind]
        if kind != "scene":
            shown = [line for each, lines in kinds.items() if each != "scene" for line in lines]
        groups[kind, alike][one.name] = leading, shown
    for (kind, _), pictures in groups.items():
        yield _finding(kind, pictures)


def _finding(kind: Kind, pictures: Mapping[str, tuple[Line, list[Line]]]) -> Finding:
    one, many = _WORDS[kind]
    name, (leading, shown) = next(iter(pictures.items()))
    more = len(shown) - 1
    said = f"“{leading.text}”" + (f" and {more} more" if more and len(pictures) == 1 else "")
    return Finding(
        check="text-overlay", severity="note" if kind == "scene" else "warning", pictures=tuple(pictures),
        value=f"{name} {one}: {said}." if len(pictures) == 1 else f"{len(pictures)} pictures {many}: {said}.",
        number=max(line.score for line, _ in pictures.values()), threshold=SURE, confidence="heuristic",
        method=TEXT_OVERLAY.method,
        remedy=_REMEDIES[kind == "scene"],
        boxes={each: tuple(line.box for line in lines) for each, (_, lines) in pictures.items()},
    )  # fmt: skip


_READER: Final = f"RapidOCR {RELEASE}".strip()
TEXT_OVERLAY: Final = Check(
    name="text-overlay", title="text overlays", measures=(TEXT,), judge=_judge,
    method=f"{_READER} (PP-OCRv6) at {SIDE} pixels, as it is and with its contrast stretched (CLAHE {CLIP:g}): "
    f"lines of {LETTERS} letters or more, score {SURE:g}; told apart by their words, and by being level (within {LEVEL:g} "
    f"degrees) and near an edge (within {MARGIN:.0%}); short side from {SMALLEST} pixels on (version 2)",
    known="Planted into 13 photographs each, at 10, 30 and 50 % opacity: read a credit in a corner in 2, 11 and 12, an "
    "address of 2 % height in 1, 5 and 9, a subtitle in 5, 11 and 13, a word across the middle in 3, 9 and 11 (a third of "
    "them half, and so as text of the scene). Of 51 photographs without it read text in 12, in one wrongly, and warned of "
    "3. See docs/audit.md.",
)  # fmt: skip
