"""Lines as spans, (text, ink) pairs: the one way from words to cells, and the one place where they are made harmless."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.printable import printable
from tui.theme import Inks

Span = tuple[str, str]
"""A text and the name of its ink. Texts from files may stand here as they are: `strip` writes escapes out."""
Spans = Sequence[Span]


def strip(spans: Spans, width: int, inks: Inks, under: Style | None = None) -> Strip:
    """Spans as exactly `width` cells; what is longer ends in an ellipsis. `under` lies below all of them."""
    parts: list[list[str]] = []
    left = width
    ground = under or inks["ground"]
    for text, ink in spans:
        if left <= 0:
            break
        text = printable(text)
        cells = len(text) if text.isascii() else cell_len(text)
        if cells > left:
            text, cells = _cut(text, left), left
        # Every change of ink costs some forty bytes on the line, and a blank looks the same in all of them.
        if parts and (parts[-1][1] == ink or text.isspace()):
            parts[-1][0] += text
        elif parts and parts[-1][0].isspace():
            parts[-1] = [parts[-1][0] + text, ink]
        elif text:
            parts.append([text, ink])
        left -= cells
    if left > 0:
        if parts:
            parts[-1][0] += " " * left
        else:
            parts.append([" " * left, "text"])
    return Strip([Segment(text, ground + inks[ink]) for text, ink in parts], width)


def length(spans: Iterable[Span]) -> int:
    """Cells that the spans take."""
    return sum(cell_len(printable(text)) for text, _ in spans)


def ends(left: Spans, right: Spans, width: int) -> Spans:
    """`left` at the left end and `right` at the right one; the left is cut when both do not fit."""
    room = width - length(right)
    taken = length(left)
    if taken < room:
        return [*left, (" " * (room - taken), "text"), *right]
    return [*cropped(left, max(0, room - 1)), (" ", "text"), *right]


def cropped(spans: Spans, width: int) -> list[Span]:
    """The spans that fit into `width` cells, the last of them cut with an ellipsis."""
    kept: list[Span] = []
    left = width
    for text, ink in spans:
        text = printable(text)
        cells = cell_len(text)
        if cells <= left:
            kept.append((text, ink))
            left -= cells
            continue
        if left > 0:
            kept.append((_cut(text, left), ink))
        break
    return kept


def cell(text: object, width: int, *, right: bool = False) -> str:
    """A text as exactly `width` cells, flush left or right, cut with an ellipsis."""
    words = printable(str(text))
    cells = cell_len(words)
    if cells > width:
        return _cut(words, width)
    return " " * (width - cells) + words if right else words + " " * (width - cells)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken between words."""
    lines, line = [], ""
    for word in printable(text).split():
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        while cell_len(word) > width > 0:
            lines.append(set_cell_size(word, width))
            word = word[len(lines[-1]) :]
        line = word
    return [*lines, line] if line or not lines else lines


def marked(mark: str, ink: str, text: str, width: int) -> list[Spans]:
    """The text in lines of at most `width` cells with a mark before the first, in its own ink."""
    lines = wrapped(text, max(20, width - 2))
    return [[(f"{'' if at else mark:<2}", ink), (line, "text")] for at, line in enumerate(lines)]


def folded(text: str, width: int) -> list[str]:
    """A line in as many as it takes at `width` cells, with its blanks; what goes on is indented by four."""
    rest, lines = printable(text), list[str]()
    while cell_len(rest) > width > 8:
        part = set_cell_size(rest, width)
        if part != rest[: len(part)]:
            # Half of a wide character does not fit.
            part = part[:-1]
        words = part.rstrip().rfind(" ")
        if words > 0 and rest[len(part)] != " " and part[:words].strip():
            part = part[: words + 1]
        lines.append(part)
        rest = "    " + rest[len(part) :].lstrip()
    return [*lines, rest]


def _cut(text: str, width: int) -> str:
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def difference(before: Spans, after: Spans) -> tuple[int, int] | None:
    """First cell that differs and the one behind the last; None where nothing does. Behind a line there are blanks."""
    old, new = _cells(before), _cells(after)
    width = max(len(old), len(new))
    blank = [(" ", "")]
    old += blank * (width - len(old))
    new += blank * (width - len(new))
    first = next((at for at in range(width) if old[at] != new[at]), None)
    if first is None:
        return None
    last = next(at for at in range(width - 1, -1, -1) if old[at] != new[at])
    return first, last + 1


def _cells(spans: Spans) -> list[tuple[str, str]]:
    """One entry a cell; blanks look the same in every ink."""
    cells: list[tuple[str, str]] = []
    for text, ink in spans:
        for character in printable(text):
            cells.append((character, "" if character == " " else ink))
            cells += [("", ink)] * (cell_len(character) - 1)
    return cells
