"""python -m tests.engine.dataset.audit.proof FOLDER: recall and false alarms of the pixel checks, as tables.

FOLDER holds photographs that were not used to choose a threshold. Defects are planted into them at 1024 px, then JPEG.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from engine.dataset.audit.blur import BLUR, NOISE, UPSCALED
from engine.dataset.audit.border import BARS
from engine.dataset.audit.collage import COLLAGE
from engine.dataset.audit.screenshot import SCREENSHOT
from engine.dataset.audit.shapes import Check
from engine.dataset.audit.watermark import WATERMARK
from tests.engine.dataset.audit import planted
from tests.engine.dataset.audit.judging import collected, findings, write
from tests.engine.dataset.audit.planted import Picture

SIDE, QUALITY, DRAWS, SET = 1024, 92, 20, 30
SINGLE = (BLUR, UPSCALED, NOISE, COLLAGE, SCREENSHOT, BARS)


def main(folder: Path) -> None:
    """Print the tables."""
    names, pictures = read(folder)
    print(f"{len(pictures)} photographs, long side {SIDE} px or less, JPEG {QUALITY}.\n")
    print("| check | photographs without a planted defect that it flags | which |\n| --- | --- | --- |")
    for check in SINGLE:
        flagged = _flagged(pictures, check)
        print(
            f"| {check.name} | {len(flagged)} of {len(pictures)} | {', '.join(names[index] for index in flagged)} |"
        )
    print("\n| planted | found | by |\n| --- | --- | --- |")
    for name, checks, change in _defects():
        _row(name, [change(picture) for picture in pictures], checks)
    for name, made in _composed(pictures):
        _row(name, made, (COLLAGE,) if "collage" in name else (SCREENSHOT,))
    _marks(pictures)


def read(folder: Path) -> tuple[list[str], list[Picture]]:
    """Names and pictures, long side SIDE at most."""
    names, pictures = [], []
    for path in sorted(folder.iterdir()):
        if (picture := cv2.imread(str(path), cv2.IMREAD_COLOR)) is not None:
            scale = min(1.0, SIDE / max(picture.shape[:2]))
            scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            names.append(path.stem)
            pictures.append(np.asarray(scaled[..., ::-1]))
    return names, pictures


def _flagged(pictures: Sequence[Picture], *checks: Check) -> list[int]:
    with tempfile.TemporaryDirectory() as folder:
        found = findings(
            Path(folder), {str(index): one for index, one in enumerate(pictures)}, *checks, quality=QUALITY
        )
        return sorted({int(name) for one in found for name in one.pictures})


def _row(name: str, pictures: Sequence[Picture], checks: Sequence[Check]) -> None:
    print(
        f"| {name} | {len(_flagged(pictures, *checks))} of {len(pictures)} | {' or '.join(one.name for one in checks)} |"
    )


def _defects() -> list[tuple[str, tuple[Check, ...], Callable[[Picture], Picture]]]:
    soft = (BLUR, UPSCALED)
    return [
        *((f"Gaussian blur, sigma {sigma} px", soft, partial(planted.blurred, sigma=sigma)) for sigma in (1, 1.5, 2, 3, 5)),
        *((f"shaken by {length} px", soft, partial(planted.shaken, length=length)) for length in (9, 17, 31)),
        ("shaken by 17 px, diagonally", soft, partial(planted.shaken, length=17, diagonal=True)),
        *((f"enlarged {factor} times", soft, partial(planted.enlarged, factor=factor)) for factor in (2, 3, 4)),
        *((f"noise, sigma {sigma}", (NOISE,), partial(planted.noisy, sigma=sigma)) for sigma in (3, 6, 8, 12)),
        *((f"blur of 2 px and noise of {sigma}", (*soft, NOISE), partial(_both, sigma=sigma)) for sigma in (3, 8)),
        *((f"black bars of {share:.0%}", (BARS,), partial(planted.barred, share=share)) for share in (0.02, 0.1)),
        ("white bars of 6% at the sides", (BARS,), partial(planted.barred, share=0.06, sides=True, level=255)),
    ]  # fmt: skip


def _both(picture: Picture, sigma: float) -> Picture:
    return planted.noisy(planted.blurred(picture, 2), sigma)


def _composed(pictures: Sequence[Picture]) -> list[tuple[str, list[Picture]]]:
    rng = np.random.default_rng(0)

    def some(count: int) -> list[Picture]:
        return [pictures[index] for index in rng.choice(len(pictures), count, replace=False)]

    made = []
    for count, columns in ((2, 2), (2, 1), (4, 2), (9, 3)):
        for gutter in (0, 8, 24):
            name = f"collage {columns} x {count // columns}, gutter {gutter} px"
            made.append((name, [planted.collage(some(count), columns, gutter) for _ in range(DRAWS)]))
    windows = [planted.screenshot(seed, picture=some(1)[0]) for seed in range(DRAWS)]
    made.append(("screenshot with a picture in it (drawn)", windows))
    made.append(("screenshot without one (drawn)", [planted.screenshot(seed) for seed in range(DRAWS)]))
    return made


def _marks(pictures: Sequence[Picture]) -> None:
    rng = np.random.default_rng(0)
    print(
        f"\nSets of {SET} photographs, {DRAWS} draws each: sets found, pictures named of those that carry the mark, and"
    )
    print(
        "pictures named that do not.\n\n| mark | on | opacity | sets | of them blockers | named | wrongly named |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind in ("none", "logo", "text", "centre", "tiled"):
        for many in (0,) if kind == "none" else (SET, SET // 2, SET // 3):
            for opacity in (0.0,) if kind == "none" else (0.1, 0.3, 0.5):
                draws = [rng.choice(len(pictures), SET, replace=False) for _ in range(DRAWS)]
                told = [_draw([pictures[index] for index in draw], kind, many, opacity) for draw in draws]
                found, blockers, named, wrong = np.sum(told, axis=0)
                cells: list[object] = [
                    kind,
                    f"{many} of {SET}",
                    f"{opacity:.0%}",
                    f"{found} of {DRAWS}",
                    blockers,
                ]
                cells += [f"{named} of {many * DRAWS}", wrong]
                print(f"| {' | '.join(map(str, cells))} |")


def _draw(pictures: Sequence[Picture], kind: str, many: int, opacity: float) -> tuple[int, int, int, int]:
    made = {
        str(index): planted.marked(one, kind, opacity) if index < many else one
        for index, one in enumerate(pictures)
    }
    with tempfile.TemporaryDirectory() as folder:
        found = list(WATERMARK.judge(collected(write(Path(folder), made, QUALITY), [WATERMARK])))
    named = {int(name) for one in found for name in one.pictures}
    right = sum(index < many for index in named)
    return bool(found), any(one.severity == "blocker" for one in found), right, len(named) - right


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main(Path(sys.argv[1]))
