"""Isolation: ten prompts without the trigger, base beside adapter. What shows there has leaked out of the trigger.

The ten are chosen by a fixed rule, in this order, each text once:
1. up to five of the project's own texts with the trigger taken out: first its prompts, then captions of subject pictures
   spread evenly over the set. Where such a text does not name the class word, that stands in the trigger's place.
2. the class word alone, as "a photo of a CLASS".
3. up to four captions of regularization pictures, spread evenly.
4. plain other things, until there are ten.
A text that still holds the trigger is never used. A caption of a regularization picture may name its thing by a word
that means nothing ("a photo of 7th7"), as rare words must stay free too: such a prompt is marked on the sheet.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.draw import Shot
from engine.review.sheets import Row, Sheet, label_of

COUNT = 10
INVENTED = "invented name"
OWN, OTHERS = 5, 4
OTHER_THINGS = (
    "a red mug on a table",
    "a dog in a park",
    "a bowl of fruit on a wooden table",
    "a bicycle against a wall",
    "a bunch of flowers in a vase",
    "a house by a lake",
    "a car in a street",
    "mountains at sunset",
    "a chair beside a window",
    "a city at night",
    "a boat on a river",
    "a loaf of bread",
    "an old clock",
    "a tree in a field",
)
ADVICE = (
    "None of these prompts says the trigger. Where the right picture shows the subject and the left one does not, the "
    "adapter leaks: take a rarer trigger, a lower rate, or more regularization pictures."
)


def plan(shots: Sequence[Shot], adapter: str) -> Sheet:
    """One row for each of `shots` (drawn on the base alone): the base, and the adapter at full weight."""
    return Sheet(
        name="isolation",
        title="Isolation: prompts without the trigger",
        note=ADVICE,
        columns=("base", "adapter, weight 1.0"),
        rows=tuple(
            Row(
                label=label_of(shot),
                shots=(shot, replace(shot, weights=((adapter, 1.0),))),
                remark=remark_on(shot.prompt),
            )
            for shot in shots
        ),
    )


def remark_on(prompt: str) -> str:
    """INVENTED where a word of the prompt changes twice between letters and digits, as 7th7 and tr0v3l do; else ""."""
    found = re.search(r"(?<!\w)(\d+[a-z]+\d|[a-z]+\d+[a-z])", prompt, re.IGNORECASE)
    return INVENTED if found else ""


def prompts(
    *,
    own_prompts: Sequence[str],
    subject_captions: Sequence[str],
    regularization_captions: Sequence[str],
    triggers: Sequence[str],
    class_word: str,
) -> tuple[str, ...]:
    """The ten prompts; `triggers` are all words that call the subject, empty ones ignored."""
    words = [word for word in triggers if word]
    chosen: dict[str, str] = {}

    def take(texts: Iterable[str], most: int) -> None:
        before = len(chosen)
        for text in texts:
            if len(chosen) - before >= most or len(chosen) == COUNT:
                return
            if text.strip() and not any(word.casefold() in text.casefold() for word in words):
                chosen.setdefault(text.casefold(), text)

    own = [*own_prompts, *_spread(subject_captions, 2 * OWN)]
    take((without_trigger(text, words, class_word) for text in own), OWN)
    article = "an" if class_word[:1].lower() in "aeiou" else "a"
    take([f"a photo of {article} {class_word}"] if class_word else [], 1)
    take(_spread(regularization_captions, 2 * OTHERS), OTHERS)
    take(OTHER_THINGS, COUNT)
    return tuple(chosen.values())


def without_trigger(text: str, triggers: Sequence[str], class_word: str) -> str:
    """`text` without its triggers, as whole words whatever their case, and without the commas they leave behind.

    The class word takes their place where the text does not name it; "" where nothing would be left.
    """
    words = sorted((re.escape(word) for word in triggers if word), key=len, reverse=True)
    whole = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)
    if not words or not whole.search(text):
        return text
    bare = _tidy(whole.sub(" ", text))
    if class_word and not re.search(rf"(?<!\w){re.escape(class_word)}", bare, re.IGNORECASE):
        return _tidy(whole.sub(" ", whole.sub(lambda _: class_word, text, count=1)))
    return bare


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"(\s*,)+\s*", ", ", text).strip(" ,")


def _spread(texts: Sequence[str], count: int) -> list[str]:
    """At most `count` of `texts`, evenly from first to last."""
    count = min(count, len(texts))
    return [texts[place * len(texts) // count] for place in range(count)]
