"""python -m tests.engine.dataset.audit.proof_same FOLDER [SIMILAR]: recall and false alarms of `duplicate`, as tables.

FOLDER holds photographs that were not used to choose a threshold; each folder in SIMILAR holds pictures of one scene that
are not the same: two eyes' views, frames of a film, one thing from several sides.
"""

import sys
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from engine.dataset.audit.duplicates import BURSTS, DUPLICATE
from engine.dataset.audit.hashes import HASH
from engine.dataset.audit.header import HEADER
from engine.dataset.audit.look import Look
from engine.dataset.audit.points import POINTS
from engine.dataset.audit.shapes import STAGES, Audited, Collection, Measure
from tests.engine.dataset.audit.planted import Picture

SIDE = 2048
ALL = (HASH, POINTS, HEADER)

Change = Callable[[Picture, np.random.Generator], tuple[Picture, int]]
"""Gives another form, and the quality of the JPEG that it becomes."""


def cropped(picture: Picture, off: float, chance: np.random.Generator) -> Picture:
    """Without `off` of its width and of its height, anywhere."""
    height, width = (round(side * (1 - off)) for side in picture.shape[:2])
    top = int(chance.integers(0, picture.shape[0] - height + 1))
    left = int(chance.integers(0, picture.shape[1] - width + 1))
    return picture[top : top + height, left : left + width]


def _crop(
    off: float, quality: int = 85, side: float = 1.0, mirror: bool = False, grey: bool = False
) -> Change:
    def change(picture: Picture, chance: np.random.Generator) -> tuple[Picture, int]:
        made = cropped(picture, off, chance)
        if side != 1:
            made = cv2.resize(
                made, None, fx=side, fy=side, interpolation=cv2.INTER_AREA if side < 1 else cv2.INTER_CUBIC
            )
        if grey:
            made = cv2.cvtColor(cv2.cvtColor(made, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        return (made[:, ::-1] if mirror else made), quality

    return change


CHANGES: dict[str, Change] = {
    "JPEG of quality 40, not cropped": _crop(0.0, 40),
    "5 % off each side's length": _crop(0.05),
    "10 % off": _crop(0.1),
    "20 % off": _crop(0.2),
    "30 % off": _crop(0.3),
    "40 % off": _crop(0.4),
    "50 % off": _crop(0.5),
    "20 % off, JPEG of quality 40": _crop(0.2, 40),
    "40 % off, JPEG of quality 40": _crop(0.4, 40),
    "20 % off, mirrored": _crop(0.2, mirror=True),
    "40 % off, mirrored": _crop(0.4, mirror=True),
    "20 % off, grey": _crop(0.2, grey=True),
    "40 % off, half the size": _crop(0.4, side=0.5),
    "40 % off, enlarged to its old size": _crop(0.4, side=1 / 0.6),
}


def main(folder: Path, similar: Path | None) -> None:
    """Print the tables."""
    pictures = [_read(path) for path in sorted(folder.iterdir())]
    with TemporaryDirectory() as made:
        originals = [_saved(Path(made), f"{at}", one, 92) for at, one in enumerate(pictures)]
        everything = list(originals)
        print(f"{len(pictures)} photographs, long side {SIDE} px or less, JPEG 92; the other form JPEG 85.\n")
        print("| other form | found | too small to be asked for parts | by the hash alone | wrong pairs |")
        print("| --- | --- | --- | --- | --- |")
        for seed, (name, change) in enumerate(CHANGES.items()):
            chance = np.random.default_rng(seed)
            forms = [
                _saved(Path(made), f"{at} {name}".replace("/", " "), *change(one, chance))
                for at, one in enumerate(pictures)
            ]
            everything += forms
            found, wrong = _pairs(originals + forms)
            alone, _ = _pairs(originals + forms, without=POINTS)
            small = sum(not one.values["points"] for one in forms)
            print(
                f"| {name} | {len(found)} of {len(pictures)} | {small} | {len(alone)} | {len(wrong)} |",
                flush=True,
            )
        _, wrong = _pairs(everything)
        count, forms_each = len(everything), len(CHANGES) + 1
        different = (count * (count - 1) - count * (forms_each - 1)) // 2
        print(
            f"\nAll {count} in one folder: {len(wrong)} wrong pairs of {different:,}. {sorted(wrong)[:8]}\n"
        )
        print("| one scene | pictures | pairs | `duplicate` by the hash | more by parts | `burst` |")
        print("| --- | --- | --- | --- | --- | --- |")
        for one in sorted(similar.iterdir()) if similar else ():
            _similar(Path(made), one)


def _read(path: Path) -> Picture:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None, path
    scale = min(1.0, SIDE / max(picture.shape[:2]))
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _saved(folder: Path, name: str, picture: Picture, quality: int) -> Audited:
    path = folder / f"{name}.jpg"
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    look = Look(path)
    values = {measure.name: measure.take(look) for measure in ALL}
    return Audited(name=name, path=path, role="subject", set="set", sha256=look.sha256, values=values)


def _collection(pictures: Sequence[Audited], without: Measure | None) -> Collection:
    if without:
        pictures = [
            Audited(
                name=one.name, path=one.path, role=one.role, set=one.set, sha256=one.sha256,
                values={name: values for name, values in one.values.items() if name != without.name},
            )
            for one in pictures
        ]  # fmt: skip
    return Collection(
        pictures=pictures, floors=(0, 0), native_size=0, resolution=(), declared={}, absent=frozenset(),
        measured=frozenset(STAGES),
    )  # fmt: skip


def _origin(name: str) -> str:
    return name.partition(" ")[0]


def _pairs(
    pictures: Sequence[Audited], without: Measure | None = None
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Pairs of names in one finding: right ones and wrong ones."""
    found = {
        pair
        for finding in DUPLICATE.judge(_collection(pictures, without))
        for pair in combinations(sorted(finding.pictures), 2)
    }
    right = {pair for pair in found if _origin(pair[0]) == _origin(pair[1])}
    return right, found - right


def _similar(made: Path, folder: Path) -> None:
    frames = [
        _saved(made, f"{folder.name} {at}", _read(path), 92)
        for at, path in enumerate(sorted(folder.iterdir()))
    ]
    pairs = len(frames) * (len(frames) - 1) // 2
    told = []
    for check, without in ((DUPLICATE, POINTS), (DUPLICATE, None), (BURSTS, None)):
        told.append(
            sum(
                len(each.pictures) * (len(each.pictures) - 1) // 2
                for each in check.judge(_collection(frames, without))
            )
        )
    print(
        f"| {folder.name} | {len(frames)} | {pairs} | {told[0]} | {told[1] - told[0]} | {told[2]} |",
        flush=True,
    )


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
