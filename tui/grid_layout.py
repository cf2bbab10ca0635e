"""How the places of a review's grid lie in the room there is: as large as they can be, none too small to see."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

LABEL: Final = 8
"""Cells of a checkpoint's step at the left."""
_LEAST: Final = (8, 3)
"""Cells and lines below which a picture shows nothing; places that find no room are scrolled to instead."""


@dataclass(frozen=True)
class Layout:
    """Places of one size."""

    label: int
    """Cells in front of each line; 0 where there is one checkpoint."""
    width: int
    height: int
    """Cells of a picture; a line with its figure stands under it."""
    across: int
    """Places beside each other."""
    lines: int
    """Lines of places that fit below each other."""

    @property
    def top(self) -> int:
        """Lines over the first picture."""
        return 1 if self.label else 0


@lru_cache(64)
def layout_of(size: tuple[int, int], rows: int, columns: int) -> Layout:
    """For a room of `size` (cells, lines). One checkpoint fills it: its weights flow over several lines."""
    width, height = size
    columns = max(1, columns)
    if rows <= 1:
        return max((_flowed(width, height, columns, lines) for lines in range(1, columns + 1)), key=_size)
    tall = max(_LEAST[1], (height - 1) // rows - 1)
    wide = max(_LEAST[0], min(2 * tall, (width - LABEL) // columns - 1))
    # Two pixels stand in a cell, one above the other: a square of an odd width leaves a line empty.
    wide -= wide % 2
    tall = max(_LEAST[1], min(tall, wide // 2))
    across = max(1, min(columns, (width - LABEL) // (wide + 1)))
    return Layout(LABEL, wide, tall, across, max(1, (height - 1) // (tall + 1)))


def _flowed(width: int, height: int, columns: int, lines: int) -> Layout:
    """So many lines, each place as large as it can be."""
    across = -(-columns // lines)
    high, wide = height // lines - 1, (width + 1) // across - 1
    side = max(_LEAST[0], min(wide - wide % 2, 2 * high))
    tall = max(_LEAST[1], side // 2)
    return Layout(0, side, tall, max(1, min(across, (width + 1) // (side + 1))), max(1, height // (tall + 1)))


def _size(layout: Layout) -> tuple[int, int]:
    """The largest pictures, and of equals those that fill fewer lines."""
    return layout.width * layout.height, layout.across
