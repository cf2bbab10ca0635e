"""The 48-hour rule: a first impression now, and two days later the same pictures again, shuffled and without labels.

The labels are sealed. `blind.key.json` says which opaque id is which picture; its sha256 stands in `blind.json` and is
shown on the day the round is made, so that everybody can see later (`sha256sum`) that the key is still the same. The key
is not encrypted: it lies in a file of its own with a salt, so that the hash alone tells nothing. Whoever opens that file
before judging has cheated, and the seal says nothing about it; it only says that nobody changed the labels afterwards.
What the verdicts come to is `unsealed.opened`.
"""

import hashlib
import json
import random
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from projects import atomic
from projects.duels import json_lines
from projects.job import JobDir
from projects.problems import Problem, refuse
from projects.replay import refuse_in_replay
from projects.shuffling import opaque_ids, shuffled
from projects.sides import Candidate, Side, number, side_of

FORMAT: Final = 1
WAIT: Final = 48 * 3600.0
"""Seconds between the first impression and the blind round."""
_ID: Final = re.compile("[0-9a-f]{8}")
_JITTER: Final = 60.0
"""Seconds by which clocks may go back, as they do when they are set by the network."""


@dataclass(frozen=True, kw_only=True)
class First:
    """What a person thought before the round was sealed."""

    rating: int
    """Of the adapter at its best, 1 to 5."""
    side: Side
    """What they would take."""
    note: str = ""

    def table(self) -> dict[str, object]:
        """As it stands in files."""
        return {"rating": self.rating, "side": self.side.table(), "note": self.note}


@dataclass(frozen=True, kw_only=True)
class Round:
    """A blind round as it stands on the disk."""

    created: float
    """When it was sealed, seconds since 1970."""
    not_before: float
    """When it opens."""
    order: tuple[str, ...]
    """Opaque ids, in the order in which they are shown."""
    sha256: str
    """Of the key's bytes, when it was sealed."""
    first: First
    verdicts: Mapping[str, int]
    """Opaque id -> 1 to 5, as they stand, in the order in which they were given."""
    latest: float
    """The latest time that the round's files say."""
    opened: float | None
    """When the labels were shown; nothing is rated from then on."""

    @property
    def open_ids(self) -> list[str]:
        """What is still to be rated, in order."""
        return [each for each in self.order if each not in self.verdicts]

    def clock_problem(self, now: float) -> Problem | None:
        """A clock that has gone back, named; None where it has not."""
        if now >= self.latest - _JITTER:
            return None
        error = f"This machine's clock says {_day(now)}, and the round was used {_day(self.latest)}."
        return Problem(error=error, hint="Set the clock; nothing of the round is lost.")

    def words(self, now: float) -> str:
        """How it stands, e.g. opens in 31 h 4 min (first impression: 4 of 5)."""
        done = f"{len(self.verdicts)} of {len(self.order)} rated"
        if self.opened is not None:
            how = f"opened {_day(self.opened)}"
        elif now < self.not_before:
            how = f"opens in {time_left(self.not_before - now)}"
        else:
            how = f"open: {done}" if self.open_ids else "all rated, its labels still sealed"
        return f"{how} (first impression: {self.first.rating} of 5)"


def read_round(run: JobDir) -> Round | None:
    """The round of a run's review, None where there is none. Raises Refused for a damaged blind.json."""
    try:
        told = json.loads(run.blind.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        told = None
    found = _round(told, run) if isinstance(told, dict) else None
    if found is None:
        hint = "Put a copy of it back, or move it away to begin a new round. Verdicts and key stay where they are."
        raise refuse("The blind round cannot be read.", where=run.blind, hint=hint)
    return found


def begin(
    run: JobDir, pictures: Sequence[Candidate], first: First, now: float, *, bare: Callable[[Path], bytes],
    chance: random.Random | None = None,
) -> Round:  # fmt: skip
    """Write down the first impression and seal a round of `pictures`; one that was opened is put into blind-earlier/.

    bare: a picture's pixels as a PNG and nothing else, for the metadata would give it away. chance: what shuffles; left
    out, the system's own source. Raises Refused (a round that is not opened yet, fewer than two sides, a rating outside
    1 to 5, a side without a picture) and OSError; until blind.json stands there is no round. Earlier ones are kept.
    """
    refuse_in_replay(run.review)
    before = read_round(run)
    if before is not None and before.opened is None:
        raise refuse("There is a blind round already.", where=run.blind, hint=f"It {before.words(now)}.")
    if first.rating not in range(1, 6):
        raise refuse("A rating is 1 to 5.", where="first impression", usage=True)
    if first.side not in {picture.side for picture in pictures}:
        raise refuse(f"There is no picture of {first.side.words}.", where="first impression", usage=True)
    chance = chance or random.SystemRandom()
    shown = shuffled(pictures, chance)
    ids = opaque_ids(len(shown), chance)
    copies = {picture.file: bare(picture.file) for picture in shown}
    head = {"format": FORMAT, "created": now, "not_before": now + WAIT, "order": ids, "first": first.table()}
    labels = {name: _label(one, copies[one.file]) for name, one in zip(ids, shown, strict=True)}
    sealed = (
        json.dumps({**head, "salt": chance.randbytes(32).hex(), "pictures": labels}, indent=1) + "\n"
    ).encode("ascii")
    _put_away(run)
    # In the order of their names, which are drawn: times of files tell nothing either.
    by_name = sorted(zip(ids, shown, strict=True), key=lambda entry: entry[0])
    _write_pictures(run, [(name, copies[picture.file]) for name, picture in by_name])
    atomic.write_bytes(run.blind_key, sealed)
    told = {**head, "sha256": hashlib.sha256(sealed).hexdigest()}
    atomic.write_text(run.blind, json.dumps(told, indent=1) + "\n")
    found = read_round(run)
    assert found is not None
    return found


def rate(run: JobDir, opaque: str, rating: int, now: float) -> None:
    """Write down a verdict, 1 to 5, on the picture of an opaque id. A later one counts, until the round is opened.

    Raises Refused before the round opens (with the time left), once the labels were shown, for an id that is none of it,
    and in a replay; and OSError.
    """
    refuse_in_replay(run.review)
    found = _there(run)
    if found.opened is not None:
        raise refuse("The labels were shown already: no verdict is blind any more.", where=run.blind_verdicts)
    if now < found.not_before:
        problem = found.clock_problem(now)
        error = problem.error if problem else f"The round opens in {time_left(found.not_before - now)}."
        raise refuse(error, where=run.blind, hint=problem.hint if problem else "Come back with fresh eyes.")
    if opaque not in found.order:
        raise refuse(f"There is no picture {opaque} in this round.", where=run.blind, usage=True)
    if rating not in range(1, 6):
        raise refuse("A rating is 1 to 5.", where=opaque, usage=True)
    journal(run, {"id": opaque, "rating": rating, "time": now})


def take_back(run: JobDir, now: float) -> str | None:
    """Take back the last verdict that stands, by a line that says so, and give its opaque id; None where none stands.

    Raises Refused once the labels were shown, and OSError.
    """
    found = _there(run)
    if found.opened is not None:
        raise refuse("The labels were shown already: verdicts stay as they are.", where=run.blind_verdicts)
    if not found.verdicts:
        return None
    last = list(found.verdicts)[-1]
    journal(run, {"undoes": last, "time": now})
    return last


def journal(run: JobDir, told: Mapping[str, object]) -> None:
    """Append a line to blind.jsonl, so that it outlives a power cut. Raises OSError."""
    atomic.append_line(
        run.blind_verdicts, json.dumps({"format": FORMAT, **told}).encode("ascii"), synced=True
    )


def time_left(seconds: float) -> str:
    """Time as a person says it, rounded up: 31 h 4 min, 12 min."""
    minutes = max(1, -int(-seconds // 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def first_of(told: object) -> First | None:
    """A first impression from its table; None for anything else."""
    if not isinstance(told, dict):
        return None
    side, rating, note = side_of(told.get("side")), told.get("rating"), told.get("note")
    if side is None or type(rating) is not int or not isinstance(note, str):
        return None
    return First(rating=rating, side=side, note=note)


def _there(run: JobDir) -> Round:
    found = read_round(run)
    if found is None:
        raise refuse(
            "There is no blind round of this review.",
            where=run.blind,
            hint="B in the review room begins one.",
        )
    return found


def _round(told: Mapping[str, Any], run: JobDir) -> Round | None:
    created, not_before = number(told.get("created")), number(told.get("not_before"))
    order, sha256, first = told.get("order"), told.get("sha256"), first_of(told.get("first"))
    if created is None or not_before is None or first is None or not isinstance(sha256, str):
        return None
    if not isinstance(order, list) or not all(
        isinstance(each, str) and _ID.fullmatch(each) for each in order
    ):
        return None
    verdicts: dict[str, int] = {}
    latest, opened = created, None
    for line in json_lines(run.blind_verdicts):
        when, name, rating = number(line.get("time")), line.get("id"), line.get("rating")
        if when is None:
            continue
        latest = max(latest, when)
        if "undoes" in line:
            verdicts.pop(str(line["undoes"]), None)
        elif line.get("opened") is True:
            opened = when if opened is None else opened
        elif isinstance(name, str) and name in order and type(rating) is int and 1 <= rating <= 5:
            verdicts.pop(name, None)
            verdicts[name] = rating
    return Round(
        created=created, not_before=not_before, order=tuple(order), sha256=sha256, first=first,
        verdicts=verdicts, latest=latest, opened=opened,
    )  # fmt: skip


def _label(picture: Candidate, copy: bytes) -> dict[str, object]:
    """What the key says of a picture."""
    made = {"id": picture.id, **picture.side.table(), "prompt": picture.prompt, "seed": picture.seed}
    return {**made, "sha256": hashlib.sha256(copy).hexdigest()}


def _write_pictures(run: JobDir, files: Sequence[tuple[str, bytes]]) -> None:
    aside = run.review / ".blind.aside"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        for name, data in files:
            (aside / f"{name}.png").write_bytes(data)
        atomic.rename_folder(aside, run.blind_pictures)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _put_away(run: JobDir) -> None:
    """Move an opened round, or what a killed beginning left, out of the way, first the file that makes it a round."""
    there = [
        each for each in (run.blind, run.blind_key, run.blind_verdicts, run.blind_pictures) if each.exists()
    ]
    if not there:
        return
    number = 1
    while (run.blind_earlier / str(number)).exists():
        number += 1
    (run.blind_earlier / str(number)).mkdir(parents=True)
    for each in there:
        each.rename(run.blind_earlier / str(number) / each.name)


def _day(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when))
