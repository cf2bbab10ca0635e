"""Where verdicts turn. Chosen on the demo's toadstool, judged on subjects that had no part in it: docs/measurements.md."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

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
"""Distance to the nearest training picture, below which a made one may be a copy, or near one; 1 is what held-out pictures
have on average. A copy has the same hash too. Both are less where `copy_limit` is."""
COPY_REACH: Final = 0.4
"""Of how near pictures of held-out captions come, the nearest quarter of them, to pictures that were never trained. The
nearest picture of the echoes came to at most 0.38 of it; of all other toadstools and pylons none of the same hash came
below 0.41, but for one picture."""
COPIES_BAD: Final = 2
"""Copies of another picture or seed each: what one prompt and one seed give in several groups is one piece of evidence."""

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


def copy_limit(reached: Sequence[float]) -> float:
    """The distance below which a made picture may be a copy.

    How near a caption alone brings a picture depends on the subject. reached: distances of pictures of held-out captions to
    pictures that were never trained, as near as which is no copying; empty where there are none.
    """
    return min(COPY, COPY_REACH * float(np.quantile(reached, 0.25))) if reached else COPY
