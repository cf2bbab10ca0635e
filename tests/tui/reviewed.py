"""A review of format 2 of a recorded run, with its pictures: what the engine would have left, from a few numbers."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from projects.job import JobDir
from tests.tui.recorded import picture

PROMPTS = ("aur3lia_portrait, reading in a café, evening light", "aur3lia_portrait, soft window light")
WITHOUT = ("a red mug on a table", "a woman, soft window light")
WEIGHTS = (0.5, 0.7, 0.85, 1.0)
SEEDS = (1, 2)


def write_reviewed(
    run: JobDir,
    project: Path,
    *,
    checkpoints: Sequence[int] = (500, 1000, 2000),
    prompts: Sequence[str] = PROMPTS,
    seeds: Sequence[int] = SEEDS,
    drawn: int | None = None,
    **said: Any,
) -> dict[str, Any]:
    """Write the folder and give what review.json says. drawn: so many of its pictures are made, and it is not whole.

    said: keys of review.json that say something else.
    """
    place = str(run.review.relative_to(project))
    (run.review / "pictures").mkdir(parents=True, exist_ok=True)
    every = list(_pictures(place, checkpoints, prompts, seeds))
    made = every[:drawn]
    for number, each in enumerate(made):
        if not (project / each["path"]).is_file():
            picture(project / each["path"], number, 64)
    sheets = (
        [f"{place}/{name}.png" for name in ("sweep", "isolation", "before-after")] if drawn is None else []
    )
    for number, sheet in enumerate(sheets):
        picture(project / sheet, number, 320)
    newest = checkpoints[-1]
    record: dict[str, Any] = {
        "format": 2, "run": str(run.path.relative_to(project)), "checkpoint": newest, "whole": drawn is None,
        "depth": "coarse", "case": "leaking" if drawn is None else "unknown",
        "words": "Pictures without the trigger move towards the subject by 2.1 times the noise between seeds.",
        "recommended": {
            "weight": 0.7, "checkpoint": newest, "certain": False, "words": "Likeness at 0.7 and 0.85 overlaps.",
        },
        "tests": list(_tests(made)) if drawn is None else [],
        "weights": [
            {"weight": weight, "checkpoint": newest if weight else None, "n": 4, "likeness": _figure(weight), "faces": None}
            for weight in (0.0, *WEIGHTS)
        ],
        "checkpoints": [
            {"checkpoint": step, "loss": 0.1, "loss_holdout": None, "likeness": _figure(step / 2000), "leak": None}
            for step in checkpoints
        ],
        "judges": [
            {"measure": "likeness", "name": "the base's VAE", "trust": "It takes other light for another thing."}
        ],
        "more": {"pictures": 12, "words": "12 more pictures would tell 0.7 from 0.85."},
        "settings": {
            "base": "demo", "negative": "blurred", "guidance": 4.0, "steps": 20, "sampler": "ddim", "size": [64, 64],
            "seeds": list(seeds), "weights": list(WEIGHTS),
        },
        "sheets": sheets, "pictures": made,
    }  # fmt: skip
    record.update(said)
    (run.review / "review.json").write_text(json.dumps(record))
    return record


def _figure(value: float) -> dict[str, Any]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 4}


def _pictures(
    place: str, checkpoints: Sequence[int], prompts: Sequence[str], seeds: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """The sweep, base first, then the isolation test's pairs at the newest checkpoint."""
    for prompt in prompts:
        for seed in seeds:
            yield _picture(place, ("sweep",), prompt, seed, 0.0, None)
            for step in checkpoints:
                for weight in WEIGHTS:
                    yield _picture(place, ("sweep", "echo"), prompt, seed, weight, step)
    for prompt in WITHOUT:
        yield _picture(place, ("isolation",), prompt, 7, 0.0, None, group="named")
        yield _picture(place, ("isolation",), prompt, 7, 1.0, checkpoints[-1], group="named")


def _picture(
    place: str, tests: Sequence[str], prompt: str, seed: int, weight: float, step: int | None, group: str = ""
) -> dict[str, Any]:
    name = hashlib.sha256(f"{prompt}{seed}{weight}{step}".encode()).hexdigest()[:16]
    near = {"picture": "images/IMG_0002.png", "distance": 0.31, "kind": "near"} if "echo" in tests else None
    return {
        "id": name, "path": f"{place}/pictures/{name}.png", "tests": list(tests), "group": group, "prompt": prompt,
        "seed": seed, "weight": weight, "checkpoint": step, "nearest": near,
        "measures": {"likeness": round(0.4 + weight / 2, 3), "prompt": 0.012, "sharpness": 120.4},
    }  # fmt: skip


def _tests(made: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    leaks = [each["id"] for each in made if "isolation" in each["tests"] and each["weight"]]
    close = [each["id"] for each in made if "echo" in each["tests"]][-3:]
    yield {
        "test": "sweep", "verdict": "good", "value": 0.75, "low": 0.7, "high": 0.8, "n": 16, "unit": "of likeness",
        "threshold": None, "words": "Likeness rises to 0.7 and stays.", "advice": "", "steps": [], "pictures": [],
    }  # fmt: skip
    yield {
        "test": "isolation", "verdict": "bad", "value": 2.1, "low": 1.4, "high": 2.9, "n": 40,
        "unit": "of the noise between seeds", "threshold": 1.0,
        "words": "Named things move by 2.1 where chance would move them by 1 at most; 2 of 40 show the subject.",
        "advice": "Divide the rate by 10, or take a rarer trigger.",
        "steps": [
            {"words": "divide the rate by 10 and train again from the same base", "set": {"train.learning_rate": 2e-5}},
            {"words": "choose a rarer trigger (project.toml: trigger)", "set": {}},
        ],
        "pictures": leaks, "details": {"named": {"value": 2.1}},
    }  # fmt: skip
    yield {
        "test": "echo", "verdict": "suspect", "value": 1, "low": None, "high": None, "n": 120, "unit": "near copies",
        "threshold": 0.0, "words": "1 of 120 is close to images/IMG_0002.png.", "advice": "", "steps": [],
        "pictures": close,
    }  # fmt: skip
    yield {
        "test": "muddle",
        "verdict": "unknown",
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
        "words": "",
    }
