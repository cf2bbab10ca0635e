"""Duels: which of two pictures a person takes, kept in duels.jsonl, and which two to show next.

The two are of one prompt and seed and differ by weight and checkpoint only. What they come to is `strengths.ranking`.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from projects import atomic
from projects.replay import refuse_in_replay
from projects.sides import Candidate, Side, number, side_of
from projects.strengths import Compared, strengths

FORMAT: Final = 1
Won = Literal["left", "right", "neither"]
_WON: Final[tuple[Won, ...]] = ("left", "right", "neither")


@dataclass(frozen=True, kw_only=True)
class Duel:
    """One verdict."""

    left: Side
    """What stood left, or above."""
    right: Side
    """What stood right, or below; another side than `left`."""
    prompt: str
    seed: int
    won: Won
    time: float
    """When it was decided, seconds since 1970."""

    @property
    def compared(self) -> Compared:
        """As the ranking counts it: a tie is half a win of each."""
        return Compared(
            one=self.left, other=self.right, won={"left": 1.0, "right": 0.0, "neither": 0.5}[self.won]
        )


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two pictures to decide between."""

    left: Candidate
    right: Candidate


def read_duels(file: Path) -> list[Duel]:
    """The duels that stand, oldest first. A line that is damaged is left out, as is what was taken back."""
    standing: list[Duel] = []
    for told in json_lines(file):
        if "undoes" in told:
            back = next(
                (at for at in reversed(range(len(standing))) if standing[at].time == told["undoes"]), None
            )
            if back is not None:
                del standing[back]
        elif (duel := _duel(told)) is not None:
            standing.append(duel)
    return standing


def add(file: Path, duel: Duel) -> None:
    """Write down a duel, so that it outlives a power cut. Raises OSError, and Refused in a replay."""
    refuse_in_replay(file)
    told = {"format": FORMAT, **asdict(duel), "left": duel.left.table(), "right": duel.right.table()}
    atomic.append_line(file, json.dumps(told).encode("ascii"), synced=True)


def take_back(file: Path, now: float) -> Duel | None:
    """Take back the last duel that stands, by a line that says so, and give it; None where none stands. Raises OSError."""
    standing = read_duels(file)
    if not standing:
        return None
    told = {"format": FORMAT, "undoes": standing[-1].time, "time": now}
    atomic.append_line(file, json.dumps(told).encode("ascii"), synced=True)
    return standing[-1]


def next_pair(candidates: Sequence[Candidate], duels: Sequence[Duel], seed: int) -> Pair | None:
    """The two pictures to show next; None where no two share a prompt and seed. The same for the same arguments.

    Sides that met least often come first, of those the closest in strength, then what was shown least; a draw decides
    the rest, and which one stands left.
    """
    chance = random.Random(f"{seed}/{len(duels)}")
    scenes: dict[tuple[str, int], dict[Side, Candidate]] = {}
    for candidate in candidates:
        scenes.setdefault((candidate.prompt, candidate.seed), {})[candidate.side] = candidate
    sides = sorted({candidate.side for candidate in candidates})
    strong = strengths([duel.compared for duel in duels])
    met = Counter(frozenset((duel.left, duel.right)) for duel in duels)
    seen = Counter((duel.prompt, duel.seed) for duel in duels)
    seen_with = Counter((frozenset((duel.left, duel.right)), duel.prompt, duel.seed) for duel in duels)
    found: list[tuple[tuple[float, ...], Pair]] = []
    for at, one in enumerate(sides):
        for other in sides[at + 1 :]:
            both, gap = frozenset((one, other)), abs(strong.get(one, 0.0) - strong.get(other, 0.0))
            for scene, there in scenes.items():
                if one in there and other in there:
                    order = (met[both], gap, seen_with[(both, *scene)], seen[scene], chance.random())
                    found.append((order, Pair(left=there[one], right=there[other])))
    if not found:
        return None
    pair = min(found, key=lambda entry: entry[0])[1]
    return Pair(left=pair.right, right=pair.left) if chance.random() < 0.5 else pair


def json_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The tables of a journal that people's verdicts stand in; what is no whole line of JSON is passed over."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return
    for line in data.split(b"\n"):
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict):
            yield told


def _duel(told: dict[str, Any]) -> Duel | None:
    left, right = side_of(told.get("left")), side_of(told.get("right"))
    prompt, seed, time = told.get("prompt"), told.get("seed"), number(told.get("time"))
    won = next((each for each in _WON if each == told.get("won")), None)
    if left is None or right is None or left == right or won is None:
        return None
    if not isinstance(prompt, str) or type(seed) is not int or time is None:
        return None
    return Duel(left=left, right=right, prompt=prompt, seed=seed, won=won, time=time)
