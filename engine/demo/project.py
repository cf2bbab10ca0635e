"""The demo's project folder: thirty pictures of a toadstool that the base does not know, and what belongs to them.

The regularization pictures show the base's own world. Their captions are, in turn, without a subject, with an
invented name (every other time with the class word, which this base does not know either) and complete: only
with all three does the adapter tie the toadstool to the trigger and to nothing else.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from engine.demo import NEGATIVE_PROMPT
from engine.demo.captions import bare_caption, full_caption, invented_word, named_caption, setting_words
from engine.demo.folder import Captioned, Place, write_folder
from engine.demo.world import BACKDROPS, LIGHTS, SHOTS, Picture, Scene, draw_scene, generator, render

NAME = "toadstool"
TRIGGER = "tr0v3l_cap"
CLASS_WORD = "mushroom"
IMAGES, REGULARIZATION, HOLDOUT = 30, 60, 12
# Width and height of the originals: not all fit the square the base wants, so crops and buckets are real here.
SIZES = ((64, 64), (72, 64), (64, 64), (64, 72), (80, 80))
_SETTING_DROP = 0.05

PROMPTS = (
    f"{TRIGGER} {CLASS_WORD}, teal wall, window light from the left, close-up",
    f"{TRIGGER} {CLASS_WORD}, brick wall, softbox, medium shot",
    f"{TRIGGER} {CLASS_WORD}, cream wall, golden hour, close-up",
    f"{TRIGGER} {CLASS_WORD}, velvet curtain, low key, medium shot",
    "a photo of a red mug, wooden panels, window light from the right, close-up",
    "a photo, grey backdrop, softbox, medium shot",
)


def subject_scenes(
    count: int,
    shift: int,
    subject: str = NAME,
    backdrops: Sequence[str] = BACKDROPS,
    lights: Sequence[str] = LIGHTS,
    shots: Sequence[str] = SHOTS,
) -> list[Scene]:
    """Scenes of a subject that go evenly through backdrops, lights and shots; `shift` makes other pairs meet."""
    return [
        Scene(
            subject,
            "",
            backdrops[i % 6],
            lights[(i + i // 6 + shift) % 6],
            shots[(i + i // 3 + shift) % 3],
        )
        for i in range(count)
    ]


def toadstool_picture(count: int, shift: int = 2) -> Picture:
    """(count, 64, 64, 3): the toadstool in many settings, for measuring."""
    scenes = subject_scenes(count, shift)
    return np.stack([render(scene, generator(shift, "toadstool", i)) for i, scene in enumerate(scenes)])


def subject_caption(called: str, scene: Scene, rng: random.Random) -> str:
    """What the subject is called (trigger and class word), then the setting."""
    return ", ".join([called, *setting_words(scene, rng, _SETTING_DROP)])


def regularization_caption(index: int, class_word: str, scene: Scene, rng: random.Random) -> str:
    """Bare, named by a word without meaning, or complete, in turn."""
    if index % 3 == 0:
        return bare_caption(scene, rng)
    if index % 3 == 1:
        name = f"a {class_word}" if index % 2 else invented_word(rng)
        return named_caption(name, scene, rng)
    return full_caption(scene, rng)


def rendered(
    place: Place, stem: str, index: int, scene: Scene, text: str, rng: random.Random, first_size: int = 0
) -> Captioned:
    """Picture number `index` of a folder, with its words; `first_size` is the place in `SIZES` to begin at."""
    width, height = SIZES[(index + first_size) % len(SIZES)]
    picture = render(scene, rng, width, height)
    return Captioned(place=place, stem=f"{stem}-{index + 1:02d}", picture=picture, text=text)


def write_project(folder: Path) -> None:
    """Write the demo's project to `folder`. Raises FileExistsError where a project is already."""
    write_folder(folder, _pictures(), project_text())


def _pictures() -> Iterator[Captioned]:
    subject: tuple[tuple[Place, int, int], ...] = (("images", IMAGES, 0), ("holdout", HOLDOUT, 1))
    for place, count, shift in subject:
        for index, scene in enumerate(subject_scenes(count, shift)):
            rng = generator(shift, place, index)
            text = subject_caption(f"{TRIGGER} {CLASS_WORD}", scene, rng)
            yield rendered(place, NAME, index, scene, text, rng)
    for index in range(REGULARIZATION):
        rng = generator(0, "regularization", index)
        scene = draw_scene(rng)
        text = regularization_caption(index, CLASS_WORD, scene, rng)
        yield rendered("regularization", "world", index, scene, text, rng)


def project_text() -> str:
    """The demo's project.toml, with comments that teach."""
    prompts = ",\n".join(f"    {json.dumps(prompt)}" for prompt in PROMPTS)
    return f'''format = 1
name = "{NAME}"

# An invented word that the base has never read. It stands first in every caption of the subject, in images/ and
# holdout/, and in no other: what all the pictures in images/ share is learnt under it.
trigger = "{TRIGGER}"

# The general word for the subject. It stands behind the trigger; some pictures in regularization/ carry it
# without the trigger, so that the word alone stays free.
class_word = "{CLASS_WORD}"
rating = "general"

[base]
source = "demo"            # the small base inside Safelight; or a hub id, a folder, one .safetensors file

# The long form of data.images, data.regularization and data.holdout, which can say more of each folder.
[[data.sets]]
path = "images"            # {IMAGES} pictures of the subject, each with NAME.txt beside it
repeats = 2                # twice an epoch, so that half of what is trained is the subject

[[data.sets]]
path = "regularization"    # {REGULARIZATION} pictures of other things: what must stay as it was
role = "regularization"

[[data.sets]]
path = "holdout"           # {HOLDOUT} pictures never trained on: they tell learning from copying
role = "holdout"

[audit.ignored]            # what the audit finds and you mean so, each with the reason
regularization = "half is meant: on this small base they are what ties the subject to its trigger"

[train]
preset = "demo"            # a number and its reason: safelight explain train.learning_rate, and so on

[sample]
# Four with the trigger in different places and light; then another object and no object at all: those two must
# look the same with and without the adapter.
prompts = [
{prompts},
]
negative = {json.dumps(NEGATIVE_PROMPT)}
seeds = [11, 12]
'''
