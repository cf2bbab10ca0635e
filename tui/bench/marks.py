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


ENDED: Final = re.compile(r"stopped: what was|No audit is running")
"""What the pictures room says to the key that stops an audit."""
AUDITED: Final = re.compile(r"usable of")
"""What it says once everything is measured."""
FIRST_PICTURE: Final = re.compile(r"(?:cup-|…)0*0\.png")
"""The first row of the pictures room, its name cut at the front where the columns leave little."""


def picture_name(number: int) -> str:
    """A picture of an invented project."""
    return f"cup-{number:05d}.png"


def row_name(row: int) -> str:
    """A row of the list of ten thousand."""
    return f"IMG_{row:05d}.jpg"
