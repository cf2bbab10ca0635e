"""Several captions at once: the phrases that they share, and an edit of those in each of them."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from engine.dataset.captioning.parts import phrase_texts


def shared(texts: Sequence[str]) -> list[str]:
    """The phrases that stand in every text, in the order of the first."""
    if not texts:
        return []
    others = [set(phrase_texts(text)) for text in texts[1:]]
    return [part for part in dict.fromkeys(phrase_texts(texts[0])) if all(part in each for each in others)]


def with_shared(text: str, before: Sequence[str], after: Sequence[str]) -> str:
    """`text` with the edit that made `after` of the shared phrases `before`.

    A phrase that was replaced is replaced where it stands, one that is gone is taken out, a new one comes behind the shared
    phrase it was written behind, at the start where it was written first, and at the end where it was written last.
    """
    own = phrase_texts(text)
    opcodes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    if all(kind == "equal" for kind, *_ in opcodes):
        return text
    for kind, start, end, first, last in reversed(opcodes):
        new = [part for part in after[first:last] if part not in own or part in before[start:end]]
        if kind == "equal":
            continue
        if kind == "insert":
            at = len(own) if start == len(before) else own.index(before[start - 1]) + 1 if start else 0
            own[at:at] = new
            continue
        at = own.index(before[start])
        own = [part for part in own if part not in before[start:end]]
        own[at:at] = new
    return ", ".join(own)
