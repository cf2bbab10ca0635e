"""The audit of invented pictures: how fast it measures, when it first says something, how soon it knows all again."""

import contextlib
import io
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

import psutil
from PIL import Image

from engine.dataset.audit.crew import Crew, Order
from projects.atomic import write_text
from tui.auditing import AuditProcess, name_of
from tui.bench.figures import Figure, median_of
from tui.bench.peers import Peers

SIDE: Final = 1024
PICTURES: Final = 200
SMALL_SIDE: Final = 192
"""The smallest at which every check says something, so that as much is kept of them as of large ones."""
MANY: Final = 10_000
ROUNDS: Final = 3
GRAIN: Final = 12
"""Grey levels, of which a quarter shows: less than what counts as noisy."""
CHEAP: Final = ("opened", "sharpness", "hash", "colour", "border")
"""Measures: decoding, sharpness and noise, hash, white balance, border."""
_PROJECT: Final = 'format = 1\nname = "bench"\n[base]\nsource = "demo"\n[data]\nimages = "images"\n'
_MEGABYTE: Final = 1 << 20
_EVERY: Final = 0.2
_FIELD: Final = 3 * SIDE


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One audit in seconds since its process was started."""

    found: float
    """To the first report with a finding."""
    headers: float
    """To the report after the last header, before the first pixel; 0 where none was read."""
    core: float
    """Until every check was through that needs no extra: text is read after all else."""
    whole: float
    memory: float
    """Most bytes that the audit and its processes held together."""
    measured: int
    """Pictures of which more was known than at its start."""


def measure(
    folder: Path,
    say: Callable[[str], None],
    *,
    pictures: int = PICTURES,
    many: int = MANY,
    rounds: int = ROUNDS,
    peers: bool = False,
) -> list[Figure]:
    """Audits of `pictures` of 1024 px that nothing is known of, and of `many` that are known already.

    peers: whether other tools look at the same pictures of 1024 px, between the audits. Raises Refused.
    """
    say(f"Inventing {pictures} pictures of {SIDE} px.")
    project = invent(folder / "fresh", pictures, SIDE)
    others = Peers(folder / "peers", say) if peers else None
    fresh, cheap, theirs = [], [], []
    for _ in range(rounds):
        for file in (project / "cache").glob("audit.sqlite*"):
            file.unlink()
        fresh.append(timed(project))
        cheap.append(cheaply(project))
        if others:
            theirs.append(others.seconds(project / "images"))
    say(f"Inventing and measuring {many:,} pictures of {SMALL_SIDE} px.")
    known = invent(folder / "known", many, SMALL_SIDE)
    first = timed(known)
    again = [timed(known).whole for _ in range(rounds)]
    one = [_changed(known, number) for number in range(1, rounds + 1)]
    return [
        *_fresh(fresh, pictures),
        _rate(
            "audit.cheap", cheap, pictures, 1000 / 62,
            "decode, sharpness, noise, hash, colour, border; processes started",
        ),
        *(others.figures(theirs, pictures) if others else ()),
        Figure(
            name="audit.first_of_many", value=round(first.found, 2), unit="s", budget=1.0,
            method=f"start to the first finding, {many:,} pictures of which nothing is known; one run",
        ),
        Figure(
            name="audit.headers", value=round(first.headers, 2), unit="s",
            method=f"start to the last of {many:,} headers, before the first pixel; one run",
        ),
        Figure(
            name="audit.memory", value=round(first.memory / _MEGABYTE), unit="MB",
            method=f"most that all its processes held, {many:,} pictures; {pictures} of {SIDE} px: "
            f"{max(each.memory for each in fresh) / _MEGABYTE:.0f} MB",
        ),
        _again(again, many),
        median_of(
            "audit.one", [each.whole for each in one], "s",
            method=f"the same after one has changed; pictures measured: {', '.join(str(each.measured) for each in one)}",
        ),
    ]  # fmt: skip


def _fresh(rounds: Sequence[Timed], pictures: int) -> list[Figure]:
    words = f"start to the last check that needs no extra, {pictures} JPEGs of {SIDE} px, nothing known"
    return [
        _rate("audit.picture", [one.core for one in rounds], pictures, 50.0, words),
        *_text([one.whole - one.core for one in rounds], pictures),
        median_of(
            "audit.first", [one.found for one in rounds], "s", budget=1.0, method="start to the first finding"
        ),
    ]


def _text(seconds: Sequence[float], pictures: int) -> list[Figure]:
    """What reading text takes, where the extra `ocr` is installed."""
    words = "reading text in the same pictures, extra ocr"
    return [_rate("audit.text", seconds, pictures, None, words)] if min(seconds) > 0 else []


def _rate(name: str, seconds: Sequence[float], pictures: int, budget: float | None, words: str) -> Figure:
    rate = f"{pictures * len(seconds) / sum(seconds):.0f} pictures a second"
    each = [1000 * one / pictures for one in seconds]
    return median_of(
        name, each, "ms", budget=None if budget is None else round(budget, 1), method=f"{words}: {rate}"
    )


def _again(rounds: Sequence[float], many: int) -> Figure:
    words = f"whole audit with start, {many:,} unchanged pictures"
    return median_of("audit.again", rounds, "s", budget=2.0, method=words)


def _changed(project: Path, number: int) -> Timed:
    """Another picture in place of one, then the audit."""
    _write(project / "images" / f"{number:05}.jpg", random.Random(-number), SMALL_SIDE)
    return timed(project)


def timed(project: Path) -> Timed:
    """Audit `project` in a process of its own, as `safelight audit` and the room do."""
    started = time.perf_counter()
    found = headers = core = 0.0
    measured = 0
    with _Watched() as watched, AuditProcess(project) as auditing:
        for number, report in enumerate(auditing.reports(name_of)):
            stage = report.told["stage"]
            measured = max(measured, len(report.pictures)) if number else 0
            if not found and any(each.confidence != "not-run" for each in report.findings):
                found = time.perf_counter() - started
            if stage == "reading headers":
                headers = time.perf_counter() - started
            if stage == "reading text" and not core:
                core = time.perf_counter() - started
        whole = time.perf_counter() - started
    return Timed(
        found=found or whole,
        headers=headers,
        core=core or whole,
        whole=whole,
        memory=watched.most,
        measured=measured,
    )


def cheaply(project: Path) -> float:
    """Seconds for the cheap measures of all its pictures, by processes that have their libraries already."""
    paths = sorted((project / "images").iterdir())
    with Crew() as crew:
        for cheap in (paths[:8], paths):
            started = time.perf_counter()
            for _ in crew.work(Order(path=path, background="#ffffff", measures=CHEAP) for path in cheap):
                pass
    return time.perf_counter() - started


class _Watched(threading.Thread):
    """Memory of all processes that this one starts while it lasts."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0.0
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        me = psutil.Process()
        while not self._over.wait(_EVERY):
            held = 0
            for child in me.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    held += child.memory_info().rss
            self.most = max(self.most, held)


def invent(project: Path, count: int, side: int) -> Path:
    """A project of `count` square JPEGs that differ as photos do, in large shapes, with grain; the first is grey."""
    images = project / "images"
    images.mkdir(parents=True)
    write_text(project / "project.toml", _PROJECT)
    chance = random.Random(0)
    for number in range(count):
        _write(images / f"{number:05}.jpg", chance, side, grey=number == 0)
    return project


def _write(path: Path, chance: random.Random, side: int, *, grey: bool = False) -> None:
    shapes = Image.frombytes("RGB", (8, 8), chance.randbytes(192))
    left, top = (chance.randrange(_FIELD - side) for _ in range(2))
    grain = _grain().crop((left, top, left + side, top + side)).convert("RGB")
    picture = Image.blend(shapes.resize((side, side), Image.Resampling.BICUBIC), grain, 0.25)
    written = io.BytesIO()
    (picture.convert("L") if grey else picture).save(written, "JPEG", quality=90)
    path.write_bytes(written.getvalue())


@cache
def _grain() -> Image.Image:
    """One large field: grain that is made anew for every picture takes longer than all else about it."""
    return Image.effect_noise((_FIELD, _FIELD), GRAIN)
