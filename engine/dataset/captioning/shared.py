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
    opcodes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    if all(kind == "equal" for kind, *_ in opcodes):
        return text
    gone = {
        part
        for kind, start, end, _, _ in opcodes
        if kind in ("delete", "replace")
        for part in before[start:end]
    }
    # What is gone keeps its place until the end, so that what comes instead finds it; and what was moved can come again.
    own: list[tuple[str, bool]] = [(part, part not in gone) for part in phrase_texts(text)]

    def place(part: str) -> int:
        return next(at for at, (each, _) in enumerate(own) if each == part)

    for kind, start, _, first, last in reversed(opcodes):
        if kind in ("equal", "delete"):
            continue
        if kind == "replace":
            at = place(before[start])
        else:
            at = len(own) if start == len(before) else place(before[start - 1]) + 1 if start else 0
        own[at:at] = [(part, True) for part in after[first:last] if (part, True) not in own]
    return ", ".join(part for part, stays in own if stays)
