"""Captions that are longer than what the model reads, and captions that say too little to teach anything."""

from collections.abc import Iterator
from pathlib import PurePath

from engine.dataset.captioning.checks.lexicon import FUNCTION_WORDS
from engine.dataset.captioning.checks.shapes import Check, Collection
from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.parts import words
from engine.dataset.findings import Finding

LEAST = 3
"""Words beside the trigger that say something, below which a caption teaches hardly anything."""
_BARE = 0.8
"""Share of the captions that are the trigger alone, from which on that is taken to be meant."""
_SHOWN = 60
"""Letters of what is cut off that are repeated."""


def _too_long(collection: Collection) -> Iterator[Finding]:
    deciding = [index for index, place in enumerate(collection.places) if place.decides]
    absent = [place.label for place in collection.places if place.decides and place.folder is None]
    if collection.told and (absent or not deciding):
        what = f"The vocabulary of {' and '.join(absent)}" if absent else "The base"
        yield Finding(
            check="too-long", severity="note", pictures=(), confidence="not-run", method=TOO_LONG.method,
            value=f"Not counted: {what[:1].lower()}{what[1:]} is not on this machine.",
            remedy="Name a base that is here, or start it once: a hub id is downloaded then.",
        )  # fmt: skip
    for entry in collection.told:
        counts = collection.counts.get(entry.text)
        for index in deciding if counts else ():
            count, place = counts[index], collection.places[index]  # type: ignore[index]
            if count is not None and count.cut is not None:
                lost = " ".join(entry.text[count.cut :].split()).lstrip(" ,")
                shown = lost if len(lost) <= _SHOWN else lost[: _SHOWN - 1] + "…"
                yield Finding(
                    check="too-long", severity="warning", pictures=(entry.picture,), number=float(count.tokens),
                    value=f"{PurePath(entry.file).name} has {count.tokens} tokens and {place.label} reads {place.limit}: "
                    f'"{shown}" is never trained.',
                    threshold=float(place.limit), confidence="exact", method=TOO_LONG.method,
                    remedy="Make it shorter, or put what matters in front.",
                )  # fmt: skip
                break


def telling(collection: Collection, entry: Entry) -> list[str]:
    """The words of a caption that say something of the picture: not the trigger, the class word or small words."""
    own = {*words(collection.trigger_of(entry)), *words(entry.dataset.class_word or collection.class_word)}
    return [word for word in words(entry.text) if word not in own and word not in FUNCTION_WORDS]


def _too_short(collection: Collection) -> Iterator[Finding]:
    short = [(entry, told) for entry in collection.subject if len(told := telling(collection, entry)) < LEAST]
    bare = sum(not told for _, told in short)
    if collection.subject and bare >= max(2, _BARE * len(collection.subject)):
        yield Finding(
            check="too-short", severity="warning", pictures=(), number=float(bare), confidence="exact",
            value=f"{bare} of {len(collection.subject)} captions are the trigger alone: whatever the pictures have in "
            "common becomes part of it, background and light too.",
            threshold=float(LEAST), method=TOO_SHORT.method,
            remedy="For a style that can be meant. For a subject say what else is in each picture.",
        )  # fmt: skip
        return
    for entry, told in short:
        count = "nothing" if not told else "one word" if len(told) == 1 else f"{len(told)} words"
        yield Finding(
            check="too-short", severity="warning", pictures=(entry.picture,), number=float(len(told)),
            value=f"{PurePath(entry.file).name} says {count} beside the trigger.", threshold=float(LEAST),
            confidence="heuristic", method=TOO_SHORT.method,
            remedy="Say clothing, place, light and distance: what is said can be changed later, what is not said sticks.",
        )  # fmt: skip


TOO_LONG = Check(
    name="too-long", title="cut off", judge=_too_long,
    method="tokens as the base's own vocabulary counts them, marks not counted, against what its encoder reads",
    known="Exact: it is what a training reads. Of FLUX only T5 is asked, as its CLIP gives no words.",
)  # fmt: skip
TOO_SHORT = Check(
    name="too-short", title="says too little", judge=_too_short,
    method=f"words beside trigger, class word and small words, fewer than {LEAST}; all of them together where "
    f"{_BARE:.0%} of the captions are the trigger alone (v1)",
    known="A rule of thumb. The small words it passes over are English.",
)  # fmt: skip
