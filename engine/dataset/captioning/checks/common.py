"""What stands in nearly every caption: it becomes part of the trigger, whether that is wanted or not."""

from collections.abc import Iterator, Sequence
from math import ceil

from engine.dataset.captioning.checks.lexicon import FUNCTION_WORDS
from engine.dataset.captioning.checks.shapes import Check, Collection, Fix
from engine.dataset.captioning.edits import ReplacePhrase
from engine.dataset.captioning.parts import holds, words
from engine.dataset.captions import holds_word
from engine.dataset.findings import Finding

SHARE = 0.85
"""Of the captions, from which on a phrase is everywhere."""
LEAST = 8
"""Captions below which everything is in most of them."""


def everywhere(collection: Collection) -> dict[str, int]:
    """Phrase in small letters, the triggers' own aside, -> captions; those that nearly all captions have."""
    if len(collection.subject) < LEAST:
        return {}
    least = ceil(SHARE * len(collection.subject))
    return {
        phrase: count
        for phrase, count in collection.by_phrase.most_common()
        if count >= least and not any(holds(phrase, trigger) for trigger in collection.triggers)
    }


def _ubiquitous(collection: Collection) -> Iterator[Finding]:
    total = len(collection.subject)
    for phrase, count in everywhere(collection).items():
        held = [entry.picture for entry in collection.subject if phrase in collection.phrases[entry.text]]
        yield Finding(
            check="ubiquitous", severity="warning", pictures=tuple(dict.fromkeys(held)), about=phrase,
            value=f'"{phrase}" stands in {count} of {total} captions: it becomes part of the trigger. Is that wanted?',
            number=round(count / total, 3), threshold=SHARE, confidence="heuristic", method=UBIQUITOUS.method,
            remedy="If it is to stay changeable, say what differs instead, or leave it out where it is not true. "
            "If it is the look itself, ignore this with that reason.",
        )  # fmt: skip


def _companion(collection: Collection) -> Iterator[Finding]:
    everyone = everywhere(collection)
    for trigger in collection.triggers:
        entries = [
            entry
            for entry in collection.with_trigger
            if collection.trigger_of(entry) == trigger and holds_word(entry.text, trigger)
        ]
        if len(entries) < LEAST:
            continue
        texts = list(dict.fromkeys(entry.text for entry in entries))
        own = {*words(trigger), *(word for phrase in everyone for word in words(phrase))}
        own |= set(words(collection.class_word)).union(*(words(each.dataset.class_word) for each in entries))
        for group in _always([words(text) for text in texts], own):
            yield Finding(
                check="companion", severity="warning", pictures=tuple(dict.fromkeys(e.picture for e in entries)),
                about=group, number=1.0, threshold=1.0, confidence="heuristic", method=COMPANION.method,
                value=f'"{group}" comes with {trigger} in every one of {len(entries)} captions: the model cannot tell '
                "them apart.",
                remedy="If it is not part of what is learned, leave it out of some captions, or say something else there.",
            )  # fmt: skip


def _always(captions: Sequence[Sequence[str]], own: set[str]) -> list[str]:
    """The longest runs of words that all captions have; small words at their ends, and what is known anyway, aside."""
    common = set(captions[0]).intersection(*captions[1:])
    if not common - own - FUNCTION_WORDS:
        return []
    spaced = [f" {' '.join(caption)} " for caption in captions]
    found: list[str] = []
    first = list(captions[0])
    at = 0
    while at < len(first):
        stop = at
        while stop < len(first) and first[stop] in common - own:
            stop += 1
        found += _runs(first[at:stop], spaced)
        at = stop + 1
    return list(dict.fromkeys(found))


def _runs(run: list[str], spaced: Sequence[str]) -> Iterator[str]:
    """Out of a run of common words of the first caption, the longest pieces that stand together in all of them."""
    at = 0
    while at < len(run):
        stop = at + 1
        while stop < len(run) and all(f" {' '.join(run[at : stop + 1])} " in caption for caption in spaced):
            stop += 1
        piece = run[at:stop]
        while piece and piece[0] in FUNCTION_WORDS:
            piece.pop(0)
        while piece and piece[-1] in FUNCTION_WORDS:
            piece.pop()
        if piece:
            yield " ".join(piece)
        at = stop


def _removed(collection: Collection, finding: Finding) -> Fix | None:
    return ReplacePhrase((finding.about,), match_case=False)


UBIQUITOUS = Check(
    name="ubiquitous", title="in nearly every caption", judge=_ubiquitous, fix=_removed,
    method=f"phrases between commas in {SHARE:.0%} of the subject's captions and more, each caption counted once; from "
    f"{LEAST} captions on (v1)",
    known="Counting is exact; whether a phrase is to be part of the trigger only a person knows.",
)  # fmt: skip
COMPANION = Check(
    name="companion", title="always with the trigger", judge=_companion,
    method=f"words in every caption that holds the trigger, joined to the longest run, small words and class word aside; "
    f"from {LEAST} captions on (v1)",
    known="As of ubiquitous phrases. The small words it passes over are English.",
)  # fmt: skip
