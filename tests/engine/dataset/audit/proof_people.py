"""python -m tests.engine.dataset.audit.proof_people PEOPLE OTHERS: what the checks of people and looks see, as tables.

PEOPLE holds photographs of people and labels.csv: name, source (the photograph it is cut from), faces (that a person sees;
"-" where not counted), framing (c close-up, m medium, f full body; two letters where either is right, "-" where none is).
OTHERS holds pictures without people. Sources are dealt into two halves: thresholds are chosen on the first.
"""

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.dataset.audit.kinds import distance_of, lights, outfits
from engine.dataset.audit.look import Look
from engine.dataset.audit.looks import LOOKS
from engine.dataset.audit.people import FACES, detect
from engine.dataset.audit.shapes import STAGES, Audited, Collection, Measure
from engine.dataset.audit.tints import COLOUR
from engine.dataset.audit.variety import FRAMING, LIGHTING, WARDROBE
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.planted import Picture

DRAWS, SIDE = 200, 768
CASTS = {
    "": (1.0, 1.0, 1.0), "warm": planted.WARM, "cool": planted.COOL, "mild warm": planted.MILD_WARM,
    "mild cool": planted.MILD_COOL,
}  # fmt: skip
LETTERS = {"close-up": "c", "medium": "m", "full body": "f"}


@dataclass(frozen=True)
class Shot:
    """A picture, and what a person says of it."""

    name: str
    source: str
    faces: str
    framing: str
    pixels: Picture


class Pixels(Look):
    """A picture in memory."""

    def __init__(self, rgb: Picture) -> None:
        self.rgb = rgb


def main(people: Path, others: Path) -> None:
    """Print the tables."""
    shots, without = _read(people), _read(others)
    print(f"{len(shots)} pictures of people, {len(without)} without people.\n")
    _faces(shots, without)
    _framing(shots)
    _looks(shots, without)
    _variety(shots)


def _read(folder: Path) -> list[Shot]:
    told: dict[str, dict[str, str]] = {}
    if (folder / "labels.csv").exists():
        told = {row["name"]: row for row in csv.DictReader((folder / "labels.csv").open(encoding="utf-8"))}
    shots = []
    for path in sorted(folder.iterdir()):
        if (pixels := cv2.imread(str(path), cv2.IMREAD_COLOR)) is not None:
            row = told.get(path.name, {"source": path.stem, "faces": "0", "framing": "-"})
            scale = min(1.0, 1024 / max(pixels.shape[:2]))
            pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[..., ::-1]
            shots.append(
                Shot(path.stem, row["source"], row["faces"], row["framing"], np.ascontiguousarray(pixels))
            )
    return shots


def _faces(shots: Sequence[Shot], without: Sequence[Shot]) -> None:
    seen = found = more = 0
    missed = []
    for shot in shots:
        if shot.faces != "-":
            count, wanted = len(detect(shot.pixels)), int(shot.faces)
            seen, found, more = seen + wanted, found + min(count, wanted), more + max(0, count - wanted)
            missed += [shot.name] if count < wanted else []
    false = [shot.name for shot in without if detect(shot.pixels)]
    print("| faces | |\n| --- | --- |")
    print(f"| found | {found} of {seen} that a person sees; missed in {', '.join(missed) or 'none'} |")
    print(f"| found beside them, where people are | {more} |")
    print(
        f"| pictures without people in which one is found | {len(false)} of {len(without)} {', '.join(false)} |"
    )


def _framing(shots: Sequence[Shot]) -> None:
    print("\n| a person says | close-up | medium | full body | unknown |\n| --- | --- | --- | --- | --- |")
    said: dict[str, list[str]] = {}
    for shot in shots:
        one = _audited(shot.name, shot.pixels, FACES)
        said.setdefault(shot.framing, []).append(LETTERS.get(distance_of(_collection([one]), one), "-"))
    for framing in ("c", "m", "f", "cm", "mf"):
        words = " or ".join(word for word, letter in LETTERS.items() if letter in framing)
        print(f"| {words} | {' | '.join(str(said.get(framing, []).count(letter)) for letter in 'cmf-')} |")


def _looks(shots: Sequence[Shot], without: Sequence[Shot]) -> None:
    print(
        f"\n{DRAWS} sets each: in how many two looks are found; pictures named of the smaller side (of both, where"
    )
    print("they are as many), and named that are of the other.\n")
    print("| pictures | casts | chosen on | held out | all |\n| --- | --- | --- | --- | --- |")
    for words, pool in (("of people", _warmths(shots)), ("without people", _warmths(without))):
        for size in (12, 16, 20, 32):
            _row(f"{size} {words}", pool, size, 0, "", "")
        _row(f"40 {words}", pool, 40, 0, "", "")
    pool = _warmths(shots)
    for size in (12, 20, 32, 40):
        _row(f"{size} of people", pool, size, size // 4, "warm", "cool")
        _row(f"{size} of people", pool, size, size // 2, "warm", "cool")
        _row(f"{size} of people", pool, size, size // 4, "warm", "")
        _row(f"{size} of people", pool, size, size // 2, "mild warm", "mild cool")


Warmths = list[tuple[int, dict[str, float]]]
"""Of each picture: its half, and its warmth by cast."""


def _warmths(shots: Sequence[Shot]) -> Warmths:
    sources = sorted({shot.source for shot in shots})
    told = []
    for shot in shots:
        values = {name: _colour(planted.cast(shot.pixels, gains)) for name, gains in CASTS.items()}
        if all(value is not None for value in values.values()):
            told.append((sources.index(shot.source) % 2, values))
    return told


def _colour(pixels: Picture) -> Any:
    return COLOUR.take(Pixels(pixels)).get("warmth")


def _row(words: str, pool: Warmths, size: int, many: int, one: str, other: str) -> None:
    cells = []
    for half in (0, 1, None):
        values = [told for of, told in pool if half in (of, None)]
        cells.append(_drawn(values, size, many, one, other) if len(values) >= size else "")
    casts = f"{many} {one}, the others {other or 'as they are'}" if many else "none"
    print(f"| {words} | {casts} | {' | '.join(cells)} |")


def _drawn(values: Sequence[dict[str, float]], size: int, many: int, one: str, other: str) -> str:
    rng = np.random.default_rng(0)
    found = right = wrong = 0
    for _ in range(DRAWS):
        drawn = [values[index] for index in rng.choice(len(values), size, replace=False)]
        told = [
            _known(f"{n}", colour={"warmth": each[one if n < many else other]})
            for n, each in enumerate(drawn)
        ]
        for finding in LOOKS.judge(_collection(told)):
            warm = "the warm ones" in finding.remedy
            true = [(int(name) < many) == warm for name in finding.pictures]
            found, right, wrong = found + 1, right + sum(true), wrong + len(true) - sum(true)
    if not many:
        return f"{found} of {DRAWS}"
    return f"{found} of {DRAWS}" + (
        f"; {right / found:.1f} right, {wrong / found:.1f} wrong" if found else ""
    )


def _variety(shots: Sequence[Shot]) -> None:
    sources = sorted({shot.source for shot in shots})
    close = [shot for shot in shots if "c" in shot.framing]
    said = [_said(shot) for shot in close]
    print(f"\n| 50 retakes of one close-up (7 %), {len(close)} such sets | |\n| --- | --- |")
    near = sum("near-identical" in one for one in said)
    print(f"| said to be near-identical | {near} |")
    print(f"| said to be close-ups in two findings or more | {len(said) - near} |")
    print("\n| retakes in other light (25 %) | counted | chosen on | held out |\n| --- | --- | --- | --- |")
    for words, count, good in (("clothes", outfits, 4), ("lights", lights, 3)):
        _counted(words, count, shots, sources, 1, lambda number: number == 1, "1")
        _counted(words, count, shots, sources, 6, lambda number, good=good: number >= good, f"{good} or more")  # type: ignore[misc]


def _said(shot: Shot) -> str:
    collection = _collection(_retakes(shot, 50, 0.07))
    return " ".join(
        finding.value for check in (FRAMING, LIGHTING, WARDROBE) for finding in check.judge(collection)
    )


def _counted(
    words: str,
    count: Callable[[Collection], int],
    shots: Sequence[Shot],
    sources: Sequence[str],
    many: int,
    good: Callable[[int], bool],
    wanted: str,
) -> None:
    cells = []
    for half in (0, 1):
        pool = [shot for shot in shots if sources.index(shot.source) % 2 == half]
        taken = {shot.name: _retakes(shot, 12 if many == 1 else 4, 0.25) for shot in pool}
        if words == "clothes":
            pool = [
                shot
                for shot in pool
                if sum(one.value("faces", "torso") is not None for one in taken[shot.name]) >= 4
            ]
        rng, sets = np.random.default_rng(0), []
        if many == 1:
            sets = [taken[shot.name] for shot in pool]
        else:
            for _ in range(60):
                some = {pool[index].source: pool[index] for index in rng.permutation(len(pool))}
                sets.append([one for shot in list(some.values())[:many] for one in taken[shot.name]])
        numbers = [count(_collection(each)) for each in sets]
        numbers = [number for number in numbers if number]
        cells.append(f"{sum(map(good, numbers))} of {len(numbers)}")
    scene = "one photograph" if many == 1 else f"{many} photographs"
    print(f"| {words} of {scene} | {wanted} | {' | '.join(cells)} |")


def _retakes(shot: Shot, count: int, strength: float) -> list[Audited]:
    scale = min(1.0, SIDE / max(shot.pixels.shape[:2]))
    small = cv2.resize(shot.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    made = [planted.retaken(small, seed, strength) for seed in range(count)]
    return [_audited(f"{shot.name}-{index}", pixels, FACES, COLOUR) for index, pixels in enumerate(made)]


def _audited(name: str, pixels: Picture, *measures: Measure) -> Audited:
    look = Pixels(pixels)
    return _known(name, **{measure.name: measure.take(look) for measure in measures})


def _known(name: str, **values: Any) -> Audited:
    return Audited(name=name, path=Path(name), role="subject", set="", sha256=name, values=values)


def _collection(pictures: Sequence[Audited]) -> Collection:
    return Collection(
        pictures=pictures, floors=(0, 0), native_size=0, resolution=(), declared={}, absent=frozenset(),
        measured=frozenset(STAGES)
    )  # fmt: skip


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
