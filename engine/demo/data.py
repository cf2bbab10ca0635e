"""Pretraining data: rendered pictures with the original size and the crop that they honestly have.

A picture is rendered at its original size, resized so that its shorter side is 64, and cropped to 64x64; the
numbers that SDXL calls `time_ids` (original height and width, crop top and left, target height and width) follow.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.demo.faults import FAULTS, arbitrary, damage
from engine.demo.world import Picture, Scene, draw_scene, generator, render
from projects.atomic import write_bytes, write_text

SIZE = 64
PICTURES, ARBITRARY, HELD_OUT = 24_000, 2_000, 256
FAULT_SHARE = 0.045
_CHUNK = 250
# Original (width, height) and its share. Small originals come out soft, as they would in anybody's folder.
_ORIGINALS: tuple[tuple[float, tuple[tuple[int, int], ...]], ...] = (
    (0.52, ((64, 64),)),
    (0.26, ((72, 64), (64, 72), (80, 64), (64, 80), (96, 80), (80, 96))),
    (0.16, ((72, 72), (80, 80), (96, 96), (128, 128))),
    (0.06, ((48, 48), (40, 40))),
)


@dataclass(frozen=True)
class Sample:
    """One training picture (64, 64, 3), what it shows, what is wrong with it, and its time ids."""

    picture: Picture
    scene: Scene
    fault: str | None
    time_ids: tuple[int, int, int, int, int, int]


def draw_original(rng: random.Random) -> tuple[int, int]:
    """Width and height in pixels of an original."""
    shares = [share for share, _ in _ORIGINALS]
    return rng.choice(rng.choices([sizes for _, sizes in _ORIGINALS], shares)[0])


def make_sample(seed: int, index: int, stream: str = "picture") -> Sample:
    """Sample number `index` of a stream, the same on every call."""
    rng = generator(seed, stream, index)
    scene = draw_scene(rng)
    width, height = draw_original(rng)
    original = render(scene, rng, width, height)
    fault = rng.choice(FAULTS) if rng.random() < FAULT_SHARE else None
    if fault is not None:
        original = damage(original, fault, rng)
    scale = SIZE / min(width, height)
    wide, tall = round(width * scale), round(height * scale)
    picture = original
    if (wide, tall) != (width, height):
        resized = Image.fromarray(original).resize((wide, tall), Image.Resampling.LANCZOS)
        picture = np.asarray(resized)
    left, top = rng.randint(0, wide - SIZE), rng.randint(0, tall - SIZE)
    crop = np.ascontiguousarray(picture[top : top + SIZE, left : left + SIZE])
    return Sample(crop, scene, fault, (height, width, top, left, SIZE, SIZE))


def _make_chunk(task: tuple[int, str, int, int]) -> tuple[Picture, list[dict[str, Any]]]:
    seed, stream, start, stop = task
    if stream == "arbitrary":
        return np.stack([arbitrary(generator(seed, stream, index), SIZE) for index in range(start, stop)]), []
    samples = [make_sample(seed, index, stream) for index in range(start, stop)]
    rows = [{**asdict(s.scene), "fault": s.fault, "time_ids": list(s.time_ids)} for s in samples]
    return np.stack([s.picture for s in samples]), rows


def array_bytes(array: NDArray[Any]) -> bytes:
    """The array as a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def make_stream(folder: Path, seed: int, stream: str, count: int, processes: int) -> None:
    """Write `{stream}.npy` (count, 64, 64, 3) uint8 and `{stream}.json` to `folder`, unless both are there."""
    if (folder / f"{stream}.json").exists():
        return
    tasks = [(seed, stream, start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    with multiprocessing.Pool(processes) as pool:
        chunks = pool.map(_make_chunk, tasks, chunksize=1)
    write_bytes(folder / f"{stream}.npy", array_bytes(np.concatenate([pictures for pictures, _ in chunks])))
    write_text(folder / f"{stream}.json", json.dumps([row for _, rows in chunks for row in rows]))


def make_data(folder: Path, seed: int = 0, pictures: int = PICTURES, processes: int = 2) -> None:
    """All streams of the pretraining: pictures, held-out pictures, arbitrary shapes. Finished streams are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    make_stream(folder, seed, "held_out", min(HELD_OUT, pictures), processes)
    make_stream(folder, seed, "arbitrary", min(ARBITRARY, pictures), processes)
    make_stream(folder, seed, "picture", pictures, processes)


def load_pictures(folder: Path, stream: str) -> Picture:
    """(count, 64, 64, 3) uint8 of one stream."""
    pictures: Picture = np.load(folder / f"{stream}.npy")
    return pictures


def load_rows(folder: Path, stream: str) -> list[dict[str, Any]]:
    """Scene, fault and time ids of each picture of one stream."""
    rows: list[dict[str, Any]] = json.loads((folder / f"{stream}.json").read_text(encoding="utf-8"))
    return rows


def scene_of(row: dict[str, Any]) -> Scene:
    """The scene in a row of `load_rows`."""
    return Scene(**{key: row[key] for key in ("subject", "colour", "backdrop", "light", "shot", "striped")})
