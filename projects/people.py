"""What people said of a review's pictures, as lines to stand beside what was measured. The two are never mixed."""

import time
from collections.abc import Sequence

from projects.blind import read_round
from projects.duels import read_duels
from projects.job import JobDir
from projects.problems import Refused
from projects.strengths import ranking


def said_by_people(run: JobDir) -> Sequence[tuple[str, str]]:
    """(what, in words): duels and the blind round, as far as there are any. Reads files: for a thread."""
    told = []
    duels = read_duels(run.duels)
    if duels:
        told.append(("duels", f"{len(duels)}: {ranking([duel.compared for duel in duels]).words}"))
    try:
        blind = read_round(run)
    except Refused as refused:
        told.append(("blind", str(refused.problems[0])))
    else:
        if blind:
            told.append(("blind", blind.words(time.time())))
    return told
