"""Prompts of a review out of a run's texts: with the trigger, without it, and with a word without meaning in its place."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

COUNT = 10
"""Prompts of a group of the isolation test: 2^10 flips of signs come to p of 0.001."""
OTHER_THINGS = (
    "a red mug on a table",
    "a green bottle",
    "a photo of a blue vase",
    "a yellow apple",
    "a white teapot, soft light",
    "a photo of an orange lamp",
    "a purple candle on a table",
    "a cactus",
    "a photo of a yellow rubber duck",
    "a black mug, window light",
    "a red apple on a wooden table",
    "a photo of a green teapot",
    "a blue bottle, close-up",
    "a white vase",
)
"""Ordinary things that every base knows, the little one of the demo too: what it does not know is a nonsense word to it."""
VERBATIM = 12
"""Captions of training pictures that are drawn word for word."""
UNSEEN = 10
"""Captions of held-out pictures that are."""
_LETTERS = r"0-9A-Za-z_\u00c0-\u024f"
"""What a trigger's letters go on with: other scripts put words side by side without a blank."""
NONSENSE = ("blorvik", "quandel", "zimfra", "tolneph", "grastuv")
"""The first that no text of the run holds stands in the trigger's place."""


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The prompts of a review."""

    called: tuple[str, ...]
    """The sweep's: they say the trigger."""
    control: tuple[str, ...]
    """The isolation's with the trigger."""
    deleted: tuple[str, ...]
    """Those without it, and without the class word that stands right behind it."""
    nonsense: tuple[str, ...]
    """Those with a word without meaning in the place of both."""
    class_word: tuple[str, ...]
    """Those with the class word alone, where that makes another text than `deleted`."""
    named: tuple[str, ...]
    """Prompts that name another thing."""
    bare: str
    """The trigger, and the class word behind it; "" where the project has no trigger."""
    captions: tuple[str, ...]
    """Of training pictures, word for word."""
    unseen: tuple[str, ...] = ()
    """Of held-out pictures, word for word."""

    def all(self) -> tuple[str, ...]:
        """Every text that is drawn, each once."""
        bare = (self.bare,) if self.bare else ()
        every = (
            *self.called,
            *self.control,
            *self.deleted,
            *self.nonsense,
            *self.class_word,
            *self.named,
            *bare,
            *self.captions,
            *self.unseen,
        )
        return tuple(dict.fromkeys(every))


def texts_of(
    *,
    prompts: Sequence[str],
    subject_captions: Sequence[str],
    holdout_captions: Sequence[str] = (),
    triggers: Sequence[str],
    class_word: str,
) -> Texts:
    """The prompts that a review draws.

    prompts: the run's own, which may or may not say a trigger. subject_captions, holdout_captions: one a picture. triggers:
    all words that call the subject, the project's own first; none: everything calls it, and there is nothing to isolate.
    """
    words = [word for word in triggers if word]
    called = _called(prompts, words, class_word)
    says = [text for text in subject_captions if not words or says_any(text, words)]
    # Captions that never say the trigger were trained all the same: with it in front they are called as prompts are.
    calling = says or [f"{words[0]}, {text}" for text in subject_captions]
    control = tuple(dict.fromkeys([*called, *spread(calling, COUNT)]))[:COUNT]
    calls = [f"{trigger} {class_word}" for trigger in words if class_word] + words
    deleted = _free((without_trigger(text, calls, "") for text in control), words)
    classed = _free((without_trigger(text, words, class_word) for text in control), words)
    word = nonsense_for([*prompts, *subject_captions])
    return Texts(
        called=called,
        control=control if words else (),
        deleted=deleted if words else (),
        nonsense=_free((with_word(text, calls, word) for text in control), words) if words else (),
        class_word=tuple(text for text in classed if text not in deleted) if words else (),
        named=named(words),
        bare=" ".join(filter(None, (words[0], class_word))) if words else "",
        captions=tuple(dict.fromkeys(spread(subject_captions, VERBATIM))),
        unseen=tuple(dict.fromkeys(spread(holdout_captions, UNSEEN))),
    )


def _called(prompts: Sequence[str], words: Sequence[str], class_word: str) -> tuple[str, ...]:
    """The prompts that say a trigger; where none does, all of them with the first one in front."""
    if not words:
        return tuple(dict.fromkeys(prompts))
    says = tuple(dict.fromkeys(text for text in prompts if says_any(text, words)))
    in_front = tuple(dict.fromkeys(f"{words[0]}, {text}" for text in prompts))
    return says or in_front or (" ".join(filter(None, (words[0], class_word))),)


def _free(texts: Iterable[str], words: Sequence[str]) -> tuple[str, ...]:
    """Those that say no trigger, not even inside a word, each once."""
    return tuple(dict.fromkeys(text for text in texts if text.strip() and not says_any(text, words)))


def says_any(text: str, words: Sequence[str]) -> bool:
    """Whether a text holds one of the words, whatever its case, and be it inside of another."""
    return any(word.casefold() in text.casefold() for word in words if word)


def nonsense_for(texts: Iterable[str]) -> str:
    """A word without meaning that none of the texts holds."""
    held = " ".join(texts).casefold()
    return next((word for word in NONSENSE if word not in held), NONSENSE[0] + NONSENSE[1])


def named(triggers: Sequence[str]) -> tuple[str, ...]:
    """COUNT prompts that name another thing and say no trigger. None was trained: what was trained to stay is no test."""
    return tuple(text for text in OTHER_THINGS if not says_any(text, triggers))[:COUNT]


def without_trigger(text: str, triggers: Sequence[str], class_word: str) -> str:
    """`text` without its triggers, as whole words whatever their case, and without the commas they leave behind.

    The class word takes their place where the text does not name it; "" where nothing would be left.
    """
    whole = _whole(triggers)
    if whole is None or not whole.search(text):
        return text
    bare = _tidy(whole.sub(" ", text))
    if class_word and not re.search(rf"(?<!\w){re.escape(class_word)}", bare, re.IGNORECASE):
        return _tidy(whole.sub(" ", whole.sub(lambda _: class_word, text, count=1)))
    return bare


def with_word(text: str, triggers: Sequence[str], word: str) -> str:
    """`text` with `word` in the place of its triggers, as whole words whatever their case; as it is where it holds none."""
    whole = _whole(triggers)
    return text if whole is None else whole.sub(lambda _: word, text)


def _whole(triggers: Sequence[str]) -> re.Pattern[str] | None:
    """What finds any of the triggers, the longest first; None where there are none."""
    words = sorted((re.escape(word) for word in triggers if word), key=len, reverse=True)
    return (
        re.compile(rf"(?<![{_LETTERS}])(?:{'|'.join(words)})(?![{_LETTERS}])", re.IGNORECASE)
        if words
        else None
    )


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"(\s*,)+\s*", ", ", text).strip(" ,")


def spread(texts: Sequence[Any], count: int) -> list[Any]:
    """At most `count` of `texts`, evenly from first to last."""
    count = min(count, len(texts))
    return [texts[place * len(texts) // count] for place in range(count)]
