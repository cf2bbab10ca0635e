"""The trigger: that it is there, in front, once, and a word that nobody writes by accident."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from engine.dataset.captioning.arranging import TriggerFirst, TriggerOnce
from engine.dataset.captioning.checks.shapes import Check, Collection, Fix
from engine.dataset.captioning.edits import Replace
from engine.dataset.captioning.entries import Entry
from engine.dataset.captioning.parts import as_word, begins, phrases, words
from engine.dataset.captioning.phrases import count_words
from engine.dataset.captions import holds_word
from engine.dataset.findings import Confidence, Finding

_LEAST = 5
"""Letters of a trigger that can be misspelled into nothing else."""


def _missing(collection: Collection) -> Iterator[Finding]:
    for entry in collection.with_trigger:
        trigger = collection.trigger_of(entry)
        if not holds_word(entry.text, trigger):
            yield _finding(
                "trigger-missing", entry, f"does not hold the trigger {trigger}.", MISSING.method,
                "What it shows is learned for every prompt, not for the trigger.",
            )  # fmt: skip


def _position(collection: Collection) -> Iterator[Finding]:
    for entry in collection.with_trigger:
        trigger = collection.trigger_of(entry)
        found = phrases(entry.text)
        if holds_word(entry.text, trigger) and found and not begins(found[0].text, trigger):
            yield _finding(
                "trigger-position", entry, f"does not begin with the trigger {trigger}.", POSITION.method,
                "What stands first counts most and is never cut off: put the trigger there.",
            )  # fmt: skip


def _twice(collection: Collection) -> Iterator[Finding]:
    for entry in collection.with_trigger:
        trigger = collection.trigger_of(entry)
        count = len(as_word(trigger).findall(entry.text))
        if count > 1:
            yield _finding(
                "trigger-twice", entry, f"holds the trigger {trigger} {count} times.", TWICE.method,
                "Keep the first one: a word that is repeated is read as stronger, and takes room.", float(count),
            )  # fmt: skip


def _word(collection: Collection) -> Iterator[Finding]:
    told = collection.word
    if told is not None and told.verdict in ("word", "words"):
        what = (
            "is a word that the base knows"
            if told.verdict == "word"
            else f"is made of words: {' + '.join(told.parts)}"
        )
        yield Finding(
            check="trigger-word", severity="warning", pictures=(), about=told.word,
            value=f"The trigger {told.word} {what}. It leaks: the adapter fires where nobody asked for it.",
            number=float(len(told.pieces)), confidence="measured", method=WORD.method,
            remedy=f"Take an invented one: safelight trigger {told.word} suggests some.",
        )  # fmt: skip
    for trigger in collection.triggers:
        entries = [entry for entry in collection.told if collection.trigger_of(entry) == trigger]
        for near, held in near_misses(trigger, entries):
            yield Finding(
                check="trigger-word", severity="warning", pictures=tuple(dict.fromkeys(e.picture for e in held)),
                about=near, value=f'"{near}" stands where the trigger {trigger} was meant, it seems.',
                number=float(len(held)), confidence="heuristic", method=WORD.method,
                remedy=f"Write {trigger}, to the letter: to the model they are two different words.",
            )  # fmt: skip


def near_misses(trigger: str, entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """(what stands there, the captions) where one or two letters, or only the joining, differ from the trigger."""
    if len(trigger) < _LEAST:
        return []
    joined = re.compile(
        r"(?<!\w)" + r"[\s_\-]{0,2}".join(map(re.escape, re.split(r"[\s_\-]+", trigger))) + r"(?!\w)",
        re.IGNORECASE,
    )
    most = 2 if len(trigger) > 7 else 1
    near = {
        word
        for word in count_words(entry.text for entry in entries)
        if abs(len(word) - len(trigger)) <= most
        and word != trigger.lower()
        and _apart(word, trigger.lower(), most)
    }
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        here = {each for each in words(entry.text) if each in near} if near else set()
        here |= {each.lower() for each in joined.findall(entry.text) if each.lower() != trigger.lower()}
        for each in here:
            found.setdefault(each, []).append(entry)
    return sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))


def _apart(word: str, other: str, most: int) -> bool:
    """Whether at most so many letters are left out, added, changed or swapped with a neighbour."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(word, 1):
        now = [row]
        for column, their in enumerate(other, 1):
            cost = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (letter != their))
            if row > 1 and column > 1 and letter == other[column - 2] and word[row - 2] == their:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        if min(now) > most:
            return False
        before, last = last, now
    return last[-1] <= most


def _finding(
    check: str, entry: Entry, what: str, method: str, remedy: str, number: float | None = None,
    confidence: Confidence = "exact",
) -> Finding:  # fmt: skip
    return Finding(
        check=check, severity="warning", pictures=(entry.picture,), number=number,
        value=f"{PurePath(entry.file).name} {what}", confidence=confidence, method=method, remedy=remedy,
    )  # fmt: skip


def _meant(collection: Collection, finding: Finding) -> Fix | None:
    trigger = collection.trigger_for(finding)
    return Replace(finding.about, trigger, whole_word=True) if finding.pictures and trigger else None


MISSING = Check(
    name="trigger-missing", title="without the trigger", judge=_missing,
    fix=lambda collection, finding: TriggerFirst(collection.trigger_for(finding)),
    method="whole word, whatever its case", known="Exact.",
)  # fmt: skip
POSITION = Check(
    name="trigger-position", title="trigger not first", judge=_position,
    fix=lambda collection, finding: TriggerFirst(collection.trigger_for(finding)),
    method="the first phrase begins with it, whatever its case",
    known="Exact. In whole sentences another place can be meant: then ignore the check with that reason.",
)  # fmt: skip
TWICE = Check(
    name="trigger-twice", title="trigger twice", judge=_twice,
    fix=lambda collection, finding: TriggerOnce(collection.trigger_for(finding)),
    method="whole words, whatever their case", known="Exact.",
)  # fmt: skip
WORD = Check(
    name="trigger-word", title="trigger is no word of its own", judge=_word, fix=_meant,
    method="its tokens in the base's vocabulary, known below number 40,000; words of the captions that differ from it by "
    "one letter, from 8 letters on by two, or by how it is joined (v1)",
    known="Numbers are in the order of how often CLIP's makers met a word, so that the limit is an estimate. Of a short "
    "trigger no near misses are looked for.",
)  # fmt: skip
