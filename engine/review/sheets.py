"""Review sheets: what is to be drawn side by side, and the picture of it with readable labels."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from engine.draw import Shot

GROUND, TEXT, MUTED, ACCENT = "#14100e", "#e8ddd4", "#8a7c72", "#ff6a3d"
_MARGIN, _GAP, _APART, _NARROWEST = 36, 14, 48, 640
_CELL_LEAST, _CELL_MOST = 220, 420
"""Longer side of a picture on a sheet in pixels: small bases are enlarged, large pictures stand at full size beside it."""
_TITLE, _NOTE, _HEAD, _LABEL = 30, 17, 18, 17
_LINE = 1.35
_LABEL_LINES = 3


@dataclass(frozen=True, kw_only=True)
class Row:
    """One prompt with one seed, drawn in every column."""

    label: str
    shots: tuple[Shot, ...]
    """One a column."""
    remark: str = ""
    """What is to be said of the prompt; "" for nothing."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One test's pictures, in rows and columns."""

    name: str
    """Of the file, without ending."""
    title: str
    note: str
    """What to look at, in a sentence or two."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def label_of(shot: Shot) -> str:
    """A row's label: its prompt as it was given, and its seed."""
    return f"{shot.prompt}   seed {shot.seed}"


def compose(sheet: Sheet, pictures: Mapping[Shot, Image.Image], foot: str) -> Image.Image:
    """The sheet as one RGB picture; `foot` stands in its last line. Two columns with many rows stand two rows abreast."""
    cell_w, cell_h = _cell([pictures[shot].size for row in sheet.rows for shot in row.shots])
    abreast = 2 if len(sheet.columns) == 2 and len(sheet.rows) > 3 else 1
    row_w = len(sheet.columns) * (cell_w + _GAP) - _GAP
    inner = max(abreast * (row_w + _APART) - _APART, _NARROWEST)
    title, note = _wrapped(sheet.title, _TITLE, inner, 2), _wrapped(sheet.note, _NOTE, inner, 4)
    tail = _wrapped(foot, _NOTE, inner, 3)
    bands = [sheet.rows[start : start + abreast] for start in range(0, len(sheet.rows), abreast)]
    label_w = row_w if abreast > 1 else inner
    labels = [[_wrapped(_said(row), _LABEL, label_w, _LABEL_LINES) for row in band] for band in bands]
    heights = [max(_height(lines, _LABEL) for lines in band) for band in labels]
    top = _MARGIN + _height(title, _TITLE) + 8 + _height(note, _NOTE) + 24 + _height([""], _HEAD) + 10
    height = top + sum(label_h + 6 + cell_h + 26 for label_h in heights) + _height(tail, _NOTE) + _MARGIN
    image = Image.new("RGB", (inner + 2 * _MARGIN, height), GROUND)
    draw = ImageDraw.Draw(image)
    y = _text(draw, _MARGIN, _MARGIN, title, _TITLE, TEXT) + 8
    y = _text(draw, _MARGIN, y, note, _NOTE, MUTED) + 24
    lefts = [_MARGIN + place * (row_w + _APART) for place in range(abreast)]
    for left in lefts:
        _heads(draw, left, y, sheet.columns, cell_w)
    y = top
    for band, texts, label_h in zip(bands, labels, heights, strict=True):
        for left, row, lines in zip(lefts, band, texts, strict=False):
            _text(draw, left, y + label_h - _height(lines, _LABEL), lines, _LABEL, TEXT)
            for place, shot in enumerate(row.shots):
                picture = _fitted(pictures[shot], cell_w, cell_h)
                image.paste(picture, (left + place * (cell_w + _GAP), y + label_h + 6))
        y += label_h + 6 + cell_h + 26
    _text(draw, _MARGIN, y, tail, _NOTE, MUTED)
    return image


def _said(row: Row) -> str:
    return f"({row.remark})   {row.label}" if row.remark else row.label


def _heads(draw: ImageDraw.ImageDraw, left: int, y: int, columns: Sequence[str], cell_w: int) -> None:
    """The names of the columns, each under a line as wide as its pictures."""
    for place, column in enumerate(columns):
        x = left + place * (cell_w + _GAP)
        draw.rectangle((x, y - 8, x + cell_w - 1, y - 7), ACCENT)
        _text(draw, x, y, _wrapped(column, _HEAD, cell_w, 1), _HEAD, ACCENT)


def _cell(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Width and height that every picture of the sheet has on it; small ones grow by a whole factor."""
    width, height = max(size[0] for size in sizes), max(size[1] for size in sizes)
    longer = max(width, height)
    if longer < _CELL_LEAST:
        factor: float = -(-_CELL_LEAST // longer)
    else:
        factor = min(1.0, _CELL_MOST / longer)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    scale = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.LANCZOS)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _height(lines: Sequence[str], size: int) -> int:
    return round(len(lines) * size * _LINE)


def _text(draw: ImageDraw.ImageDraw, x: int, y: int, lines: Sequence[str], size: int, colour: str) -> int:
    """Write `lines` from (x, y) down; gives the y below them."""
    for place, line in enumerate(lines):
        draw.text((x, y + round(place * size * _LINE)), line, fill=colour, font=_font(size))
    return y + _height(lines, size)


def _wrapped(text: str, size: int, width: int, most: int) -> list[str]:
    """`text` in at most `most` lines of `width` pixels. Labels are data: what cannot be printed is shown escaped."""
    font = _font(size)
    words = _printable(text)[: most * width // 3].split(
        " "
    )  # no mark is narrower: the rest would be cut anyway
    lines = [""]
    while words:
        word = words.pop(0)
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if font.getlength(longer) <= width:
            lines[-1] = longer
        elif lines[-1]:
            lines.append("")
            words.insert(0, word)
        else:
            fits = max(
                1, bisect_right(range(1, len(word)), float(width), key=lambda n: font.getlength(word[:n]))
            )
            lines[-1] = word[:fits]
            words.insert(0, word[fits:])
        if len(lines) > most:
            return [*lines[: most - 1], _cut(lines[most - 1], size, width)]
    return lines


def _cut(line: str, size: int, width: int) -> str:
    font = _font(size)
    fits = bisect_right(range(len(line) + 1), float(width), key=lambda n: font.getlength(f"{line[:n]}..."))
    return f"{line[: max(0, fits - 1)]}..."


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)
