"""A run whose review has a weight sweep, written from a few numbers: pictures with the metadata that give them away."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from projects.job import JobDir
from projects.sides import BASE, Side

HALF, FULL, EARLY = (Side(weight=w, checkpoint=c) for w, c in ((0.5, 1300), (1.0, 1300), (1.0, 500)))
SIDES = (BASE, HALF, FULL, EARLY)
PROMPTS = ("aur3lia_portrait, in a café", "aur3lia_portrait, by a window")


def write_sweep(
    project: Path, *, sides: Sequence[Side] = SIDES, prompts: Sequence[str] = PROMPTS, seeds: Sequence[int] = (1, 2),
    name: str = "2026-11-17-0900-r16", size: tuple[int, int] = (64, 64),
) -> JobDir:  # fmt: skip
    """The review of a run in `project`: every side with every prompt and seed, each picture of its own colour."""
    run = JobDir(project / "runs" / name)
    place = run.review.relative_to(project)
    (run.review / "pictures").mkdir(parents=True)
    told = []
    for number, (side, prompt, seed) in enumerate(_made(sides, prompts, seeds)):
        path = f"{place}/pictures/{number:016x}.png"
        picture = Image.new("RGB", size, (10 + 7 * number % 240, 90, 200 - 5 * number % 190))
        chunks = PngInfo()
        chunks.add_text("parameters", f"{prompt} <lora:aurelia:{side.weight}>")
        picture.save(project / path, pnginfo=chunks)
        told.append({
            "id": f"{number:016x}", "path": path, "tests": ["sweep"], "group": "", "prompt": prompt, "seed": seed,
            **side.table(), "measures": {}, "nearest": None,
        })  # fmt: skip
    record = {
        "format": 2, "run": str(run.path.relative_to(project)), "checkpoint": 1300, "whole": True, "depth": "coarse",
        "case": "good", "words": "", "recommended": None, "tests": [], "weights": [], "checkpoints": [], "judges": [],
        "more": None, "settings": {"size": list(size)}, "sheets": [], "pictures": told,
    }  # fmt: skip
    (run.review / "review.json").write_text(json.dumps(record))
    return run


def _made(
    sides: Sequence[Side], prompts: Sequence[str], seeds: Sequence[int]
) -> Iterator[tuple[Side, str, int]]:
    for prompt in prompts:
        for seed in seeds:
            for side in sides:
                yield side, prompt, seed
