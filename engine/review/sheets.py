"""Review sheets: what is to be drawn side by side, and the picture of it with readable labels."""

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar

from PIL import Image, ImageDraw, ImageFont

from engine.draw import Shot
from engine.picture_file import encode_png, write_png
from engine.review.markup import printable
from engine.review.shots import Group, Plan
from engine.review.store import Pictures
from engine.sample import Origin

GROUND, TEXT, MUTED, ACCENT = "#14100e", "#e8ddd4", "#8a7c72", "#ff6a3d"
_MARGIN, _GAP, _APART, _NARROWEST = 36, 14, 48, 640
_CELL_LEAST, _CELL_MOST = 220, 420
"""Longer side of a picture on a sheet in pixels: small bases are enlarged, large pictures stand at full size beside it."""
_TITLE, _NOTE, _HEAD, _LABEL = 30, 17, 18, 17
_LINE = 1.35
_LABEL_LINES, _HEAD_LINES, _FOOT_LINES = 3, 3, 6
USUAL_WEIGHT = 0.75
"""Between 0.7 and 0.8 people start (a rule of thumb)."""
SWEEP_NOTE = (
    "Take the lowest weight at which the subject is right and the prompt is still obeyed; most photographic adapters "
    "peak between 0.7 and 0.85."
)
ISOLATION_NOTE = (
    "None of these prompts says the trigger. Where the right picture shows the subject and the left one does not, the "
    "adapter leaks."
)
ECHO_NOTE = (
    "The trigger alone, and captions of training pictures word for word: where an adapter copies, it copies here. Right "
    "pictures that all have one framing, or that you know, are copies."
)
ISOLATED: Mapping[Group, str] = {
    "named": "another thing", "deleted": "without the trigger", "nonsense": "a nonsense word in its place",
    "class": "the class word alone",
}  # fmt: skip
ECHOED: Mapping[Group, str] = {"bare": "the trigger alone", "verbatim": "a training caption"}


Key = TypeVar("Key", bound=Hashable)
"""What names a picture of a sheet: its shot, where one base draws all of them."""


@dataclass(frozen=True, kw_only=True)
class Row(Generic[Key]):
    """One prompt with one seed, drawn in every column."""

    label: str
    shots: tuple[Key, ...]
    """One a column."""
    remark: str = ""
    """What is to be said of the prompt; "" for nothing."""


@dataclass(frozen=True, kw_only=True)
class Sheet(Generic[Key]):
    """One test's pictures, in rows and columns."""

    name: str
    """Of the file, without ending."""
    title: str
    note: str
    """What to look at, in a sentence or two."""
    columns: tuple[str, ...]
    rows: tuple[Row[Key], ...]


def written(
    folder: Path, plan: Plan, newest: int, usual: float, pictures: Pictures, origin: Origin, foot: str
) -> list[str]:
    """Lay the sheets of `plan` out in `folder`, of the newest checkpoint; gives the names of the files.

    usual: the weight of before and after. Raises Refused.
    """
    names = []
    for sheet in (_sweep(plan, newest), _isolation(plan), _before_after(plan, newest, usual), _echo(plan)):
        if sheet is None:
            continue
        shots = dict.fromkeys(shot for row in sheet.rows for shot in row.shots)
        facts = {"sheet": asdict(sheet), "run": origin.run, "step": origin.step, "base": origin.base.name}
        drawn = compose(sheet, {shot: pictures.read(shot) for shot in shots}, foot)
        write_png(folder / f"{sheet.name}.png", encode_png(drawn, facts))
        names.append(f"{sheet.name}.png")
    return names


def _sweep(plan: Plan, newest: int) -> Sheet | None:
    """The newest checkpoint, one column a weight, beside the base."""
    cells = sorted(
        (cell for cell in plan.sweep if cell.checkpoint == newest),
        key=lambda cell: cell.weight,
    )
    if not cells:
        return None
    first = min((plan.sweep[cell] for cell in cells), key=lambda pairs: len(pairs.plain))
    adapted = [dict(plan.sweep[cell]) for cell in cells]
    return Sheet(
        name="sweep", title="Weight sweep", note=SWEEP_NOTE,
        columns=("base", *(f"weight {cell.weight:g}" for cell in cells)),
        rows=tuple(Row(label=label_of(shot), shots=(shot, *(each[shot] for each in adapted))) for shot in first.plain),
    )  # fmt: skip


def _before_after(plan: Plan, newest: int, usual: float) -> Sheet | None:
    """Large, at the weight that people start with, or the one nearest to it."""
    cells = [cell for cell in plan.sweep if cell.checkpoint == newest]
    if not cells:
        return None
    cell = min(cells, key=lambda each: abs(each.weight - usual))
    return Sheet(
        name="before-after", title="Before and after",
        note=f"Left the base, right the adapter at weight {cell.weight:g}: same prompt, same seed.",
        columns=("before: base", f"after: weight {cell.weight:g}"),
        rows=tuple(Row(label=label_of(pair[0]), shots=pair) for pair in plan.sweep[cell]),
    )  # fmt: skip


def _isolation(plan: Plan) -> Sheet | None:
    """Prompts without the trigger, base beside adapter, group by group."""
    rows = tuple(
        Row(label=label_of(pair[0]), shots=pair, remark=remark)
        for group, remark in ISOLATED.items()
        for pair in plan.groups.get(group, ())
    )
    return Sheet(
        name="isolation", title="Isolation: prompts without the trigger", note=ISOLATION_NOTE,
        columns=("base", "adapter, weight 1.0"), rows=rows,
    ) if rows else None  # fmt: skip


def _echo(plan: Plan) -> Sheet | None:
    """The bare trigger, and training captions word for word."""
    rows = tuple(
        Row(label=label_of(pair[0]), shots=pair, remark=remark)
        for group, remark in ECHOED.items()
        for pair in plan.groups.get(group, ())
    )
    return Sheet(
        name="echo", title="Echo: what it may know by heart", note=ECHO_NOTE, columns=("base", "adapter, weight 1.0"),
        rows=rows,
    ) if rows else None  # fmt: skip


def label_of(shot: Shot) -> str:
    """A row's label: its prompt as it was given, and its seed."""
    return f"{shot.prompt}   seed {shot.seed}"


def compose(sheet: Sheet[Key], pictures: Mapping[Key, Image.Image], foot: str) -> Image.Image:
    """The sheet as one RGB picture; `foot` stands below it. Two columns with many rows stand two rows abreast."""
    cell_w, cell_h = _cell([pictures[shot].size for row in sheet.rows for shot in row.shots])
    abreast = 2 if len(sheet.columns) == 2 and len(sheet.rows) > 3 else 1
    row_w = len(sheet.columns) * (cell_w + _GAP) - _GAP
    inner = max(abreast * (row_w + _APART) - _APART, _NARROWEST)
    title, note = _wrapped(sheet.title, _TITLE, inner, 2), _wrapped(sheet.note, _NOTE, inner, 4)
    tail = _wrapped(foot, _NOTE, inner, _FOOT_LINES)
    heads = [_wrapped(column, _HEAD, cell_w, _HEAD_LINES) for column in sheet.columns]
    head_h = max(_height(lines, _HEAD) for lines in heads)
    bands = [sheet.rows[start : start + abreast] for start in range(0, len(sheet.rows), abreast)]
    label_w = row_w if abreast > 1 else inner
    labels = [[_wrapped(_said(row), _LABEL, label_w, _LABEL_LINES) for row in band] for band in bands]
    heights = [max(_height(lines, _LABEL) for lines in band) for band in labels]
    top = _MARGIN + _height(title, _TITLE) + 8 + _height(note, _NOTE) + 24 + head_h + 10
    height = top + sum(label_h + 6 + cell_h + 26 for label_h in heights) + _height(tail, _NOTE) + _MARGIN
    image = Image.new("RGB", (inner + 2 * _MARGIN, height), GROUND)
    draw = ImageDraw.Draw(image)
    y = _text(draw, _MARGIN, _MARGIN, title, _TITLE, TEXT) + 8
    y = _text(draw, _MARGIN, y, note, _NOTE, MUTED) + 24
    lefts = [_MARGIN + place * (row_w + _APART) for place in range(abreast)]
    for left in lefts:
        _heads(draw, left, y, heads, cell_w)
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


def _said(row: Row[Key]) -> str:
    return f"({row.remark})   {row.label}" if row.remark else row.label


def _heads(draw: ImageDraw.ImageDraw, left: int, y: int, heads: Sequence[Sequence[str]], cell_w: int) -> None:
    """The names of the columns, each under a line as wide as its pictures."""
    for place, lines in enumerate(heads):
        x = left + place * (cell_w + _GAP)
        draw.rectangle((x, y - 8, x + cell_w - 1, y - 7), ACCENT)
        _text(draw, x, y, lines, _HEAD, ACCENT)


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
    words = printable(text)[: most * width // 3].split(
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
