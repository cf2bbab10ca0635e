"""Five kinds of training of which it is known how they end: what the review's verdicts are held against.

A case is a subject, a kind and a seed; from these three follow scenes, wording, trigger, sizes and the training's own
seed, so that two seeds of a kind are two trainings. Nothing in a case's project says its kind but what makes it one:

good     the demo: 30 pictures, each under an invented trigger, and 60 of other things in three wordings.
leaking  the trigger is a word that the base knows, and the captions, which name neither it nor the subject, could stand
         under any picture. The other things, where there are any, all have names.
echo     three pictures at three times the rate, and nothing else.
broken   good at ten times the rate.
muddled  good, but half of the subject's pictures are toned warm and half cool, and no caption says so.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np

from engine.dataset.captions import holds_word
from engine.demo.captions import BARE_OPENINGS, full_caption, setting_words
from engine.demo.folder import Captioned, Place, write_folder
from engine.demo.project import (
    HOLDOUT,
    IMAGES,
    REGULARIZATION,
    SIZES,
    regularization_caption,
    rendered,
    subject_caption,
    subject_scenes,
)
from engine.demo.world import BACKDROPS, LIGHTS, SHOTS, Picture, Scene, draw_scene, generator
from projects.table import dump_table

Kind = Literal["good", "leaking", "echo", "broken", "muddled"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
CLASS_WORDS: Final = {"toadstool": "mushroom", "pylon": "cone", "snowman": "figure"}
"""Subjects that cases are made of, each with the word for its category; the base knows none of these words."""
ECHO_IMAGES = 3
# Triggers that are words of the base's captions, and whether other things stand beside the subject: their captions hold
# "photo", which no training would take then.
COMMON_TRIGGERS = (("picture", True), ("photo", False), ("photograph", True), ("film", False))
# Darkest and brightest tone, and how much of the picture they replace: strong, but the subject stays what it is.
WARM = ((0.22, 0.07, 0.02), (1.00, 0.80, 0.42))
COOL = ((0.02, 0.08, 0.25), (0.55, 0.88, 1.00))
TONED = 0.7


@dataclass(frozen=True, kw_only=True)
class Case:
    """One training to be made and judged."""

    subject: str
    """A key of `CLASS_WORDS`."""
    kind: Kind
    seed: int
    """0 or more; another seed, another training."""

    @property
    def name(self) -> str:
        """Its folder's name among the cases of a subject."""
        return f"{self.kind}-{self.seed:03d}"

    def draws(self, *stream: object) -> random.Random:
        """A random generator for one purpose in this case."""
        return generator(self.seed, self.subject, self.kind, *stream)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What follows from a case before anything is drawn."""

    trigger: str
    """The word that the project gives as its trigger."""
    called: str
    """How prompts begin that call the subject."""
    images: int
    """Pictures of the subject."""
    regularization: Literal["mixed", "full", "none"]
    """Other things: captioned in the demo's three wordings, all by colour and name, or none at all."""
    toned: bool
    """Half of the subject's pictures warm, half cool."""
    train: dict[str, object]
    """What differs from the demo's preset in [train], the seed left out."""


def recipe_of(case: Case) -> Recipe:
    """How the case is made."""
    class_word = CLASS_WORDS[case.subject]
    if case.kind == "leaking":
        trigger, others = COMMON_TRIGGERS[case.seed % len(COMMON_TRIGGERS)]
        return Recipe(
            trigger=trigger, called=trigger, images=IMAGES, regularization="full" if others else "none",
            toned=False, train={},
        )  # fmt: skip
    trigger = invented_trigger(case.draws("trigger"))
    changed: dict[Kind, dict[str, object]] = {
        "echo": {"learning_rate": 3e-3, "steps": 900},
        "broken": {"learning_rate": 1e-2},
    }
    return Recipe(
        trigger=trigger,
        called=f"{trigger} {class_word}",
        images=ECHO_IMAGES if case.kind == "echo" else IMAGES,
        regularization="none" if case.kind == "echo" else "mixed",
        toned=case.kind == "muddled",
        train=changed.get(case.kind, {}),
    )


def invented_trigger(rng: random.Random) -> str:
    """A word without meaning of the shape of the demo's own, "tr0v3l_cap"."""
    parts = (
        ("bl", "br", "dw", "fl", "gr", "kl", "pl", "sk", "tr", "vr"), "0358", "bdgkmnvz", "0358", "klmnrt", "_",
        ("dax", "fen", "gol", "hep", "jut", "lok", "nim", "pud", "rub", "wex"),
    )  # fmt: skip
    return "".join(rng.choice(part) for part in parts)


def write_case(case: Case, folder: Path) -> None:
    """Write the case's project to `folder`. Raises FileExistsError where a project is already."""
    write_folder(folder, _pictures(case, recipe_of(case)), project_text(case))


def project_text(case: Case) -> str:
    """The case's project.toml."""
    recipe = recipe_of(case)
    sets: list[dict[str, object]] = [
        {"path": "images", "repeats": 2 if recipe.regularization != "none" else 1}
    ]
    if recipe.regularization != "none":
        sets.append({"path": "regularization", "role": "regularization"})
    sets.append({"path": "holdout", "role": "holdout"})
    draws = case.draws("project")
    return dump_table(
        {
            "format": 1,
            "name": case.subject,
            "trigger": recipe.trigger,
            "class_word": CLASS_WORDS[case.subject],
            "rating": "general",
            "base": {"source": "demo"},
            "data": {"sets": tuple(sets)},
            "train": {"preset": "demo", "seed": draws.randrange(2**31), **recipe.train},
            # No previews: nobody watches, and they take a fifth of the demo's time.
            "sample": {
                "prompts": prompts(case),
                "seeds": tuple(draws.sample(range(1, 10_000), 2)),
                "every": 0,
            },
        }
    )


def prompts(case: Case) -> tuple[str, ...]:
    """As in the demo: four that call the subject in different places, one of another object, one without any."""
    recipe, draws = recipe_of(case), case.draws("prompts")
    scenes = [
        replace(scene, shot=("close", "medium")[index % 2])
        for index, scene in enumerate(_scenes(case, 5, shift=2))
    ]
    beginnings = [recipe.called] * 4 + [_bare_openings(recipe.trigger)[0]]
    *calling, bare = (
        ", ".join([beginning, *setting_words(scene, draws, drop=0.0)])
        for beginning, scene in zip(beginnings, scenes, strict=True)
    )
    # Without its "a photo of", which holds a trigger of the leaking cases.
    other = full_caption(draw_scene(draws), draws).removeprefix("a photo of ")
    return (*calling, other, bare)


def toned(picture: Picture, tones: tuple[Sequence[float], Sequence[float]]) -> Picture:
    """`picture` (height, width, 3) with `TONED` of it replaced by its brightness between the darkest and brightest tone."""
    dark, bright = (np.asarray(tone, np.float32) for tone in tones)
    shares = picture.astype(np.float32) / 255
    brightness = shares @ np.asarray((0.299, 0.587, 0.114), np.float32)
    mixed = (1 - TONED) * shares + TONED * (dark + (bright - dark) * brightness[..., None])
    return (mixed * 255 + 0.5).astype(np.uint8)


def _scenes(case: Case, count: int, shift: int) -> list[Scene]:
    """Evenly through backdrops, lights and shots like the demo's, but in this case's own order."""
    draws = case.draws("scenes")
    backdrops, lights, shots = (draws.sample(names, len(names)) for names in (BACKDROPS, LIGHTS, SHOTS))
    return subject_scenes(count, shift, case.subject, backdrops, lights, shots)


def _bare_openings(trigger: str) -> list[str]:
    """Beginnings of a caption that name no object, without those that hold the trigger."""
    return [opening for opening in BARE_OPENINGS if opening and not holds_word(opening, trigger)]


def _pictures(case: Case, recipe: Recipe) -> Iterator[Captioned]:
    sizes = case.draws("sizes").randrange(len(SIZES))
    subject: tuple[tuple[Place, int, int], ...] = (("images", recipe.images, 0), ("holdout", HOLDOUT, 1))
    for place, count, shift in subject:
        tones = case.draws("tones", place).sample([WARM, COOL] * ((count + 1) // 2), count)
        for index, scene in enumerate(_scenes(case, count, shift)):
            rng = case.draws(place, index)
            text = _subject_text(case, recipe, scene, rng)
            one = rendered(place, case.subject, index, scene, text, rng, sizes)
            yield replace(one, picture=toned(one.picture, tones[index])) if recipe.toned else one
    for index in range(REGULARIZATION if recipe.regularization != "none" else 0):
        rng = case.draws("regularization", index)
        scene = draw_scene(rng)
        if recipe.regularization == "mixed":
            text = regularization_caption(index, CLASS_WORDS[case.subject], scene, rng)
        else:
            text = full_caption(scene, rng)
        yield rendered("regularization", "world", index, scene, text, rng, sizes)


def _subject_text(case: Case, recipe: Recipe, scene: Scene, rng: random.Random) -> str:
    if case.kind == "leaking":
        return ", ".join([rng.choice(_bare_openings(recipe.trigger)), *setting_words(scene, rng)])
    return subject_caption(recipe.called, scene, rng)
