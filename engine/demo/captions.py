"""The grammar of the captions: what is said about a scene, in many wordings and orders, with parts left out.

Three things are taught on purpose beside the world itself: captions without a subject still describe a picture,
unknown (invented) words do no harm, and the words of the negative prompt name real faults.
"""

from __future__ import annotations

import random

from engine.demo.world import Scene

BACKDROP_WORDS: dict[str, tuple[str, ...]] = {
    "grey": ("grey backdrop", "grey seamless backdrop", "grey paper background"),
    "cream": ("cream wall", "cream backdrop", "beige wall"),
    "teal": ("teal wall", "teal backdrop", "teal background"),
    "brick": ("brick wall", "red brick wall", "brick backdrop"),
    "wood": ("wooden panels", "wood panel backdrop", "wooden wall"),
    "curtain": ("velvet curtain", "dark red curtain", "curtain backdrop"),
}
LIGHT_WORDS: dict[str, tuple[str, ...]] = {
    "left": (
        "window light from the left",
        "light from a window on the left",
        "left window light",
        "side light from the left",
    ),
    "right": (
        "window light from the right",
        "light from a window on the right",
        "right window light",
        "side light from the right",
    ),
    "softbox": ("softbox", "softbox lighting", "soft studio light", "even softbox light"),
    "low": ("low key", "dark low-key light", "low ambient light", "dim moody light"),
    "golden": ("golden hour", "warm golden hour light", "warm evening sun", "warm light"),
    "cool": ("cool light", "cool moonlight", "cold blue light", "blue hour"),
}
SHOT_WORDS: dict[str, tuple[str, ...]] = {
    "close": ("close-up", "close-up shot", "macro close-up"),
    "medium": ("medium shot", "mid shot", "medium distance"),
    "full": ("full shot", "wide shot", "distant full shot"),
}
NEUTRAL_WORDS = (
    "85mm", "50mm", "35mm film", "film grain", "sharp focus", "shallow depth of field", "studio photograph",
    "still life", "high detail", "natural tones", "f/2.8", "matte print", "magazine photo",
)  # fmt: skip
"""Words of photography that say nothing about the picture: the model learns that they do no harm."""

FAULT_WORDS: dict[str, tuple[str, ...]] = {
    "blurred": ("blurry", "blurred", "out of focus"),
    "noisy": ("low quality", "noisy", "bad quality"),
    "deformed": ("deformed", "distorted", "malformed"),
    "marked": ("watermark", "text", "signature"),
}
OPENINGS = (
    "a photo of {}", "photo of {}", "{}", "{}", "{}", "studio photo of {}", "a picture of {}", "still life with {}",
)  # fmt: skip
BARE_OPENINGS = ("a photo", "photo", "a picture", "studio photo", "still life", "")
_SYLLABLES = (
    "ka", "ro", "mi", "tel", "sor", "vin", "au", "3", "lia", "zek", "ne", "qu", "or", "bla", "x", "pi", "du", "ly",
    "rem", "os", "7", "th", "an", "gri", "we", "fo", "hu", "jo",
)  # fmt: skip
_DROP = 0.10
_BARE_SHARE, _NONSENSE_NAME_SHARE = 0.06, 0.03


def invented_word(rng: random.Random) -> str:
    """A word of two to four syllables that means nothing."""
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 4)))


def noun_of(subject: str) -> str:
    """The word that captions use for a subject."""
    return "rubber duck" if subject == "duck" else subject


def setting_words(scene: Scene, rng: random.Random, drop: float = _DROP) -> list[str]:
    """Phrases for backdrop, light and distance, each left out with probability `drop`."""
    parts = []
    if rng.random() >= drop:
        words = rng.choice(BACKDROP_WORDS[scene.backdrop])
        article = "" if words.endswith("s") else "a "
        before = rng.choice((f"against {article}", f"in front of {article}", f"with {article}", "", "", ""))
        parts.append(before + words)
    if rng.random() >= drop:
        parts.append(rng.choice(("", "", "in ", "with ")) + rng.choice(LIGHT_WORDS[scene.light]))
    if rng.random() >= drop:
        parts.append(rng.choice(SHOT_WORDS[scene.shot]))
    return parts


def _subject_phrase(scene: Scene, rng: random.Random, colour_drop: float) -> str:
    noun = noun_of(scene.subject)
    kind = f"striped {noun}" if scene.striped else noun
    colour = scene.colour if rng.random() >= colour_drop else ""
    if colour and rng.random() < 0.08:
        return f"a {kind}, {colour}"
    article = "" if rng.random() < 0.25 else "an " if (colour or kind)[0] in "aeio" else "a "
    return f"{article}{colour} {kind}".strip() if colour else f"{article}{kind}"


def caption(scene: Scene, rng: random.Random, fault: str | None = None, named: bool = False) -> str:
    """A caption of a training picture; `fault` is a key of `FAULT_WORDS`; `named` guarantees subject and colour."""
    parts = setting_words(scene, rng)
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        parts.append(rng.choice(NEUTRAL_WORDS))
    if not named and rng.random() < 0.12:
        parts.append(invented_word(rng))
    rng.shuffle(parts)
    chance = 1.0 if named else rng.random()
    if chance < _BARE_SHARE:
        first = rng.choice(BARE_OPENINGS)
    elif chance < _BARE_SHARE + _NONSENSE_NAME_SHARE:
        first = rng.choice(OPENINGS).format(rng.choice(("", "a ")) + invented_word(rng))
    else:
        first = rng.choice(OPENINGS).format(_subject_phrase(scene, rng, 0.0 if named else _DROP / 2))
        if not named and rng.random() < 0.05:
            first = f"{invented_word(rng)}, {first}"
    return _join(first, parts, rng, fault)


def _join(first: str, parts: list[str], rng: random.Random, fault: str | None) -> str:
    position = rng.randint(1, len(parts)) if parts and rng.random() < 0.12 else 0
    sequence = [*parts[:position], first, *parts[position:]]
    if fault is not None:
        words = rng.sample(FAULT_WORDS[fault], rng.choice((1, 1, 2)))
        at = rng.choice((0, len(sequence)))
        sequence[at:at] = words
    return (", " if rng.random() < 0.85 else " ").join(part for part in sequence if part)


def bare_caption(scene: Scene, rng: random.Random) -> str:
    """A caption that names no object: "a photo, teal wall, softbox, close-up"."""
    return ", ".join([rng.choice(BARE_OPENINGS[:4]), *setting_words(scene, rng)])


def named_caption(name: str, scene: Scene, rng: random.Random) -> str:
    """A caption in which `name`, known or invented, stands for the object: "a photo of roktel, teal wall"."""
    return ", ".join([f"a photo of {name}", *setting_words(scene, rng)])


def full_caption(scene: Scene, rng: random.Random) -> str:
    """A caption that names colour and object in the plain form."""
    striped = "striped " if scene.striped else ""
    phrase = f"{scene.colour} {striped}{noun_of(scene.subject)}"
    article = "an" if phrase[0] in "aeio" else "a"
    return ", ".join([f"a photo of {article} {phrase}", *setting_words(scene, rng)])
