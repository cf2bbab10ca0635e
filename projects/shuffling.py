"""Which pictures a blind round shows, in which order, and names for them that mean nothing."""

import random
from collections.abc import Sequence
from typing import Final

from projects.problems import refuse
from projects.sides import Candidate, Side

MOST: Final = 36
"""Pictures of a round, repeats aside, as far as every side can have one."""
_REPEATED: Final = 0.1
_AT_LEAST: Final = 2


def shuffled(pictures: Sequence[Candidate], chance: random.Random) -> list[Candidate]:
    """What the round shows, in order: every side on the same prompts and seeds, as many as `MOST` allows, and repeats."""
    scenes: dict[tuple[str, int], dict[Side, Candidate]] = {}
    for picture in pictures:
        scenes.setdefault((picture.prompt, picture.seed), {})[picture.side] = picture
    if len({picture.side for picture in pictures}) < 2:
        hint = "R in the review room draws the pictures of several weights."
        raise refuse("A blind round takes pictures of at least two weights or checkpoints.", hint=hint)
    drawn = sorted(scenes.values(), key=lambda there: (-len(there), chance.random()))
    taken = [*drawn[0].values()]
    for there in drawn[1:]:
        if len(taken) + len(there) <= MOST:
            taken += there.values()
    chance.shuffle(taken)
    # Of the first half, and into the last third: nobody judges a picture again while they remember what they said.
    count, early = max(_AT_LEAST, round(_REPEATED * len(taken))), taken[: max(1, len(taken) // 2)]
    repeats = chance.sample(early, min(count, len(early)))
    from_here = len(taken) - len(taken) // 3
    for repeat in repeats:
        taken.insert(chance.randint(from_here, len(taken)), repeat)
    return taken


def opaque_ids(count: int, chance: random.Random) -> list[str]:
    """So many different ids that mean nothing."""
    ids: dict[str, None] = {}
    while len(ids) < count:
        ids[chance.randbytes(4).hex()] = None
    return list(ids)
