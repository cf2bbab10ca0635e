"""What the measured programs show and the measuring one looks for."""

import re
from typing import Final

TICK_SECONDS: Final = 0.003
NUMBERS: Final = re.compile(r"step [12]\d\d,\d{3}")
"""The train room's numbers of a run of 200,000 events."""
WHOLE_CURVE: Final = re.compile(r" {2,}\d{1,3}(?:,\d{3})?(?: +\d{2,3},\d{3})* +(?:199|2\d\d),\d{3}")
"""The axis under the curve of such a run, up to its last step."""
FIRST_ROW: Final = re.compile(r"trigger +inv3nted_cup")
"""The first row of the project room, of an invented project."""


def row_name(row: int) -> str:
    """A row of the list of ten thousand."""
    return f"IMG_{row:05d}.jpg"
