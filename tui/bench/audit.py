"""The audit of invented pictures: how fast it measures, when it first says something, how soon it knows all again."""

import io
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from projects.atomic import write_text
from tui.auditing import AuditProcess
from tui.bench.figures import Figure, median_of

SIDE: Final = 1024
PICTURES: Final = 200
SMALL_SIDE: Final = 128
MANY: Final = 10_000
ROUNDS: Final = 3
_PROJECT: Final = 'format = 1\nname = "bench"\n[base]\nsource = "demo"\n[data]\nimages = "images"\n'


@dataclass(frozen=True)
class Timed:
    """One audit in seconds since its process was started."""

    found: float
    """To the first report with a finding."""
    whole: float


def measure(
    folder: Path,
    say: Callable[[str], None],
    *,
    pictures: int = PICTURES,
    many: int = MANY,
    rounds: int = ROUNDS,
) -> list[Figure]:
    """Audits of `pictures` of 1024 px that nothing is known of, and of `many` that are known already."""
    say(f"Inventing {pictures} pictures of {SIDE} px.")
    project = invent(folder / "fresh", pictures, SIDE)
    fresh = []
    for _ in range(rounds):
        for file in (project / "cache").glob("audit.sqlite*"):
            file.unlink()
        fresh.append(timed(project))
    say(f"Inventing and measuring {many:,} pictures of {SMALL_SIDE} px.")
    known = invent(folder / "known", many, SMALL_SIDE)
    timed(known)
    again = [timed(known).whole for _ in range(rounds)]
    return [*_fresh(fresh, pictures), _again(again, many)]


def _fresh(rounds: Sequence[Timed], pictures: int) -> list[Figure]:
    each = [1000 * one.whole / pictures for one in rounds]
    words = f"whole audit with start, {pictures} JPEGs of {SIDE} px, nothing known"
    rate = f"{1000 * len(each) / sum(each):.0f} pictures a second"
    return [
        median_of("audit.picture", each, "ms", budget=50.0, method=f"{words}: {rate}"),
        median_of(
            "audit.first", [one.found for one in rounds], "s", budget=1.0, method="start to the first finding"
        ),
    ]


def _again(rounds: Sequence[float], many: int) -> Figure:
    words = f"whole audit with start, {many:,} unchanged pictures"
    return median_of("audit.again", rounds, "s", budget=2.0, method=words)


def timed(project: Path) -> Timed:
    """Audit `project` in a process of its own, as `safelight audit` and the room do."""
    started = time.perf_counter()
    found = 0.0
    with AuditProcess(project) as auditing:
        for report in auditing.reports():
            if not found and report["findings"]:
                found = time.perf_counter() - started
        whole = time.perf_counter() - started
    return Timed(found or whole, whole)


def invent(project: Path, count: int, side: int) -> Path:
    """A project of `count` square JPEGs that differ as photos do, in large shapes, with grain; the first is grey."""
    images = project / "images"
    images.mkdir(parents=True)
    write_text(project / "project.toml", _PROJECT)
    chance = random.Random(0)
    grain = Image.effect_noise((side, side), 40).convert("RGB")
    for number in range(count):
        shapes = Image.frombytes("RGB", (8, 8), chance.randbytes(192)).resize(
            (side, side), Image.Resampling.BICUBIC
        )
        picture = Image.blend(shapes, grain, 0.25)
        written = io.BytesIO()
        (picture.convert("L") if number == 0 else picture).save(written, "JPEG", quality=90)
        (images / f"{number:05}.jpg").write_bytes(written.getvalue())
    return project
