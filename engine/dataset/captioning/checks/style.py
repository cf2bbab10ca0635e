"""Tags and sentences in one set, and two ways of writing tags."""

from collections.abc import Iterator, Sequence

from engine.dataset.captioning.checks.shapes import Check, Collection
from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.parts import phrase_texts, words
from engine.dataset.findings import Finding

_SHARE, _LEAST = 0.15, 3
"""Of the captions, and how many at least, that the rarer way needs to count."""
_TAGS, _WORDS = 5, 2.0
"""Phrases of a caption in tags at least, and words of one of them on average at most."""
_SENTENCE = 12
"""Words of a phrase from which on it is a sentence."""


def kind_of(text: str) -> str:
    """tags, sentences, or "" for what is between the two, as most good captions are."""
    found = phrase_texts(text)
    lengths = [len(phrase.split()) for phrase in found]
    if any(length >= _SENTENCE for length in lengths) or (
        text.rstrip().endswith(".") and max(lengths, default=0) > 4
    ):
        return "sentences"
    return "tags" if len(found) >= _TAGS and sum(lengths) <= _WORDS * len(found) else ""


def _judge(collection: Collection) -> Iterator[Finding]:
    by_kind: dict[str, list[Entry]] = {"tags": [], "sentences": []}
    for entry in collection.subject:
        if kind := kind_of(entry.text):
            by_kind[kind].append(entry)
    tags, sentences = by_kind["tags"], by_kind["sentences"]
    rarer, more = sorted((tags, sentences), key=len)
    total = len(collection.subject)
    if len(rarer) >= max(_LEAST, _SHARE * total):
        names = ("tags", "sentences") if rarer is tags else ("sentences", "tags")
        yield _finding(
            rarer, "tags and sentences",
            f"{len(rarer)} captions are {names[0]} and {len(more)} are {names[1]}.",
            "Write all of them one way, the way prompts will be written.",
        )  # fmt: skip
    own = {trigger.lower() for trigger in collection.triggers}
    joined = [e for e in tags if any(each not in own for each in words(e.text) if "_" in each)]
    apart = [e for e in tags if any(" " in phrase for phrase in phrase_texts(e.text))]
    rarer = min(joined, apart, key=len)
    if joined and len(rarer) >= max(_LEAST, _SHARE * total):
        yield _finding(
            rarer, "underscores",
            f"{len(joined)} captions in tags join words by underscores, {len(apart)} by spaces.",
            "Write blue eyes everywhere, or blue_eyes everywhere: to the model they are different words.",
        )  # fmt: skip


def _finding(entries: Sequence[Entry], about: str, value: str, remedy: str) -> Finding:
    return Finding(
        check="style", severity="warning", pictures=tuple(dict.fromkeys(entry.picture for entry in entries)),
        about=about, value=value, number=float(len(entries)), confidence="heuristic", method=STYLE.method,
        remedy=remedy,
    )  # fmt: skip


STYLE = Check(
    name="style", title="two ways of writing", judge=_judge,
    method=f"tags: {_TAGS} phrases and more of {_WORDS} words on average at most; sentences: a phrase of {_SENTENCE} words "
    f"and more, or a full stop; the rarer way in {_SHARE:.0%} and {_LEAST} captions at least (v1)",
    known="Most good captions are between the two and are counted as neither.",
)  # fmt: skip
