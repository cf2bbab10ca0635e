"""A whole record of a review (format 2) with its pictures, for tests of what is made of it."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PROMPTS = ("zork, a mug on a table", "zork in the rain")


def interval(value: float, spread: float = 0.1, n: int = 12) -> dict[str, Any]:
    return {"value": value, "low": value - spread, "high": value + spread, "n": n}


def draw(file: Path, seed: int, size: tuple[int, int] = (64, 64)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(file)


def record_in(project: Path) -> dict[str, Any]:
    """review.json of `project`/runs/r1, whose pictures are drawn, with a training picture beside them."""
    draw(project / "images" / "a.png", 99, (1200, 900))
    pictures: list[dict[str, Any]] = []

    def add(
        prompt: str, seed: int, weight: float, checkpoint: int | None, tests: list[str], group: str = ""
    ) -> str:
        name = f"{len(pictures):016x}"
        path = f"runs/r1/review/pictures/{name}.png"
        draw(project / path, len(pictures))
        pictures.append({"id": name, "path": path, "tests": tests, "group": group, "prompt": prompt, "seed": seed,
                         "weight": weight, "checkpoint": checkpoint, "measures": {"likeness": 0.8},
                         "nearest": None})  # fmt: skip
        return name

    for prompt in PROMPTS:
        add(prompt, 1, 0.0, None, ["sweep"])
        for checkpoint in (500, 1300):
            for weight in (0.5, 0.75, 1.0):
                add(prompt, 1, weight, checkpoint, ["sweep"])
    for prompt in ("a red mug", "a dog in a park"):
        add(prompt, 7, 0.0, None, ["isolation"], "named")
        add(prompt, 7, 1.0, 1300, ["isolation"], "named")
    add("zork on a shelf", 7, 1.0, 1300, ["isolation"], "control")
    copied = add("zork", 3, 1.0, 1300, ["echo"], "bare")
    pictures[-1]["nearest"] = {"picture": "images/a.png", "distance": 0.12, "kind": "copy"}
    return {
        "format": 2, "run": "runs/r1", "checkpoint": 1300, "whole": True, "depth": "coarse", "case": "good",
        "words": "It draws the mug where it is asked and keeps still where it is not.",
        "recommended": {"weight": 0.75, "checkpoint": 1300, "certain": False,
                        "words": "Use weight 0.75 of step 1,300: it cannot be told apart from 1."},
        "tests": [
            {"test": "sweep", "verdict": "good", **interval(0.8), "unit": "", "threshold": None,
             "words": "Likeness rises to 0.75, then stays.", "advice": "", "steps": [], "pictures": []},
            {"test": "isolation", "verdict": "suspect", "value": 0.4, "low": -0.1, "high": 0.9, "n": 40,
             "unit": "of the noise between seeds", "threshold": 1.0, "words": "A little leaks.",
             "advice": "Take a rarer trigger.",
             "steps": [{"words": "Lower the rate by 10 and train again.", "set": {"train.learning_rate": 0.00001}}],
             "pictures": [one["id"] for one in pictures if one["group"] == "named" and one["weight"]],
             "details": {"groups": {"named": interval(0.1, n=14), "deleted": interval(0.6, n=13)}}},
            {"test": "echo", "verdict": "bad", "value": 1.0, "low": 0.2, "high": 1.0, "n": 5, "unit": "copies",
             "threshold": 0.0,
             "words": "One of five is a copy.", "advice": "", "steps": [], "pictures": [copied], "details": {}},
        ],
        "weights": [
            {"weight": 0.0, "checkpoint": None, "n": 2, "likeness": interval(0.2), "prompt": interval(0.9), "faces": None},
            *({"weight": weight, "checkpoint": 1300, "n": 2, "likeness": interval(0.2 + 0.6 * weight),
               "prompt": interval(0.9 - 0.2 * weight), "faces": None} for weight in (0.5, 0.75, 1.0)),
        ],
        "checkpoints": [
            {"checkpoint": step, "loss": 0.2 - step / 20_000, "loss_holdout": 0.19, "likeness": interval(step / 2000),
             "prompt": interval(0.9), "leak": interval(step / 5000) if step > 500 else None, "gap": None}
            for step in (500, 900, 1300)
        ],
        "judges": [{"measure": "likeness", "name": "the base's own eyes", "trust": "On the demo right in 9 of 10 pairs."}],
        "more": {"pictures": 12, "words": "12 more pictures would tell 0.75 and 1 apart."},
        "settings": {"base": "demo", "base_fingerprint": "ab" * 32, "negative": "blurry", "guidance": 3.0, "steps": 20,
                     "sampler": "euler", "size": [64, 64], "seeds": [1], "weights": [0.5, 0.75, 1.0]},
        "sheets": [], "pictures": pictures,
    }  # fmt: skip
