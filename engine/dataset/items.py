"""What a run trains, one item a picture, and `items.jsonl`, where it stands: resume reads it, never the folder."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from projects import atomic
from projects.problems import Problem, refuse
from projects.spec import Role

FORMAT = 1
_ROLES = get_args(Role)


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """How one picture is cut for one resolution: scaled as a whole, then cropped."""

    resolution: int
    """Side of the square whose area the bucket has, in pixels."""
    bucket: tuple[int, int]
    """Width and height of what is trained, in pixels."""
    scaled: tuple[int, int]
    """Width and height of the whole picture after scaling; both at least the bucket's."""
    crop_left_top: tuple[int, int]
    """First column and row of the bucket inside the scaled picture."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One picture with everything that decides what is trained on it."""

    picture: str
    """Its name as people write it: relative to the first subject set, or to the project for any other set."""
    path: Path
    """Absolute path of the file."""
    sha256: str
    """Of the file's bytes, in hex: names the picture's content wherever it is trained, cached or exported."""
    role: Role
    set: str
    """Path of its set as project.toml says it."""
    weight: float
    """Factor on its loss, from its set."""
    repeats: int
    """How often it comes up in an epoch; at least 1."""
    original: tuple[int, int]
    """Width and height of the upright picture in pixels."""
    placements: tuple[Placement, ...]
    """One a value of train.resolution, in that order."""
    captions: tuple[str, ...]
    """Every text it may be trained with; at least one."""
    planned: int
    """How often the run will train it; 0 for held-out pictures."""

    def scale(self, resolution: int) -> float:
        """Factor from the picture to its scaled form at that index of placements; above 1 it is enlarged."""
        scaled = self.placements[resolution].scaled
        return max(scaled[0] / self.original[0], scaled[1] / self.original[1])


def largest_bucket(items: Iterable[Item]) -> tuple[tuple[int, int], int]:
    """The largest bucket, width and height, that trained pictures are placed in, and the resolution's index that it has.

    Of several of one area the first. Raises ValueError where nothing is trained.
    """
    return max(
        (
            (placement.bucket, resolution)
            for item in items
            if item.role != "holdout"
            for resolution, placement in enumerate(item.placements)
        ),
        key=lambda found: found[0][0] * found[0][1],
    )


def trained_buckets(items: Iterable[Item]) -> list[tuple[int, int]]:
    """The buckets that trained pictures are placed in, width and height, each once, smallest first."""
    trained = (item for item in items if item.role != "holdout")
    found = {placement.bucket for item in trained for placement in item.placements}
    return sorted(found, key=lambda bucket: (bucket[0] * bucket[1], bucket))


def file_sha256(path: Path) -> str:
    """sha256 of a file's bytes in hex, read in pieces. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_items(path: Path, items: Iterable[Item]) -> None:
    """Write one JSON object a line, replacing `path` as a whole."""
    lines = [json.dumps({"format": FORMAT, **_plain(item)}, ensure_ascii=False) for item in items]
    atomic.write_text(path, "".join(line + "\n" for line in lines))


def read_items(path: Path) -> list[Item]:
    """The items as they were written. Raises Refused for a missing, damaged or newer file."""
    try:
        lines = path.read_bytes().decode("utf-8").split("\n")
    except FileNotFoundError:
        hint = "Start a new run: this one never wrote its items."
        raise refuse("is missing.", where=path, hint=hint) from None
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(f"cannot be read: {error}.", where=path, hint="Start a new run.") from None
    if lines[-1]:
        raise refuse("ends in the middle of a line.", where=path, hint="It was cut short. Start a new run.")
    return [_item(line, f"{path}: line {number}") for number, line in enumerate(lines[:-1], start=1)]


def verify_unchanged(items: Sequence[Item]) -> list[Problem]:
    """One problem for each picture that is gone, unreadable or not the bytes any more that its item names."""
    problems = []
    for item in items:
        try:
            changed = file_sha256(item.path) != item.sha256
        except OSError as error:
            problems.append(_unreadable(item, error))
            continue
        if changed:
            problems.append(_changed(item, f"{item.picture} is not the file that this run was started with."))
    return problems


def verify_there(items: Sequence[Item]) -> list[Problem]:
    """The part of `verify_unchanged` that opens no file: one problem for each picture that is gone."""
    problems = []
    for item in items:
        try:
            item.path.stat()
        except OSError as error:
            problems.append(_unreadable(item, error))
    return problems


def _unreadable(item: Item, error: OSError) -> Problem:
    return _changed(item, f"{item.picture} cannot be read any more: {error.strerror or error}.")


def _changed(item: Item, error: str) -> Problem:
    return Problem(error=error, where=str(item.path), hint="Put the old file back, or start a new run.")


def _plain(item: Item) -> dict[str, Any]:
    return {**asdict(item), "path": str(item.path)}


def _item(line: str, where: str) -> Item:
    damaged = "Start a new run: this file is written once and must not be edited."
    try:
        table = json.loads(line)
        version = table.pop("format")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise refuse("is not an item: no JSON object with a format.", where=where, hint=damaged) from None
    if version != FORMAT:
        hint = "Open it with the Safelight that wrote it, or a newer one."
        raise refuse(f"has format {version!r}; this Safelight knows {FORMAT}.", where=where, hint=hint)
    try:
        placements = tuple(
            Placement(
                resolution=int(one["resolution"]),
                bucket=_pair(one["bucket"]),
                scaled=_pair(one["scaled"]),
                crop_left_top=_pair(one["crop_left_top"]),
            )
            for one in table.pop("placements")
        )
        item = Item(
            **{
                **table,
                "path": Path(table["path"]),
                "original": _pair(table["original"]),
                "captions": tuple(str(text) for text in table["captions"]),
            },
            placements=placements,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise refuse(f"is not an item: {error}.", where=where, hint=damaged) from None
    if item.role not in _ROLES or not item.captions or not placements or item.repeats < 1:
        raise refuse("is not an item: role, captions, placements or repeats.", where=where, hint=damaged)
    return item


def _pair(value: Any) -> tuple[int, int]:
    first, second = value
    return int(first), int(second)
