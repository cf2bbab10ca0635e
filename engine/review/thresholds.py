"""Where verdicts turn. Chosen on the demo's toadstool, judged on subjects that had no part in it: docs/measurements.md."""

import math
from collections.abc import Mapping
from typing import Final

LEAKS: Final[Mapping[str, tuple[float, float]]] = {
    "named": (0.25, 0.45), "deleted": (0.35, 0.6), "nonsense": (0.7, math.inf), "class": (0.7, math.inf),
}  # fmt: skip
"""Likeness that comes without the trigger, as a share of what comes with it: where a group of prompts is suspect, and bad.
Without the trigger good toadstools came to 0.04 to 0.29, those whose captions never said it to 0.93 and 1.03; where other
things were named to at most 0.08, the echoes to 0.57 and more. A nonsense word came to 0.12 to 0.74 in the good ones: an
invented trigger is one too, so that alone is never bad; nor is the class word, which stood beside the trigger in every
caption."""
ACTS: Final = 0.15
"""Likeness with the trigger, below which an adapter does too little to be tested."""
CHANCE: Final = 0.05
"""p-value after correction, above which a difference may be chance."""

GAP_SUSPECT: Final = 0.08
GAP_BAD: Final = 0.2
"""How much more the training pictures gained than the held-out ones, as a share of the base's loss on them."""
COPY: Final = 0.25
NEAR: Final = 0.3
"""Distance to the nearest training picture, below which a made one is a copy, or near one; 1 is what held-out pictures have
on average, and none of 12 came below 0.3. A copy has the same hash too."""
COPIES_BAD: Final = 2

OBEYS_SUSPECT: Final = 0.8
OBEYS_BAD: Final = 0.6
"""How well prompts are kept at full weight, as a share of how well the base keeps them: 0.22 and 0.32 in the broken
toadstools, 0.85 to 1.02 in all others."""

WAVERS_SUSPECT: Final = 1.4
WAVERS_BAD: Final = 1.8
"""Spread of the shifts of warmth, over what another seed changes at the base: 0.5 to 1.26 in the toadstools of one look,
1.7 to 2.8 in those of two. Where the audit finds two looks in the training pictures, bad begins with suspect."""

LIKE_ENOUGH: Final = 0.95
"""Of the best likeness: weights that reach it are as like."""
FACES: Final = 0.2
"""Share of pictures, of those where the base draws one face, that may surely show none or several."""
CLIPPED: Final = 0.05
"""Share of the picture that black or white may swallow more than at the base."""
