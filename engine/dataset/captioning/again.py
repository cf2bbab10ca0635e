"""The last edit once more, on another caption: what was put in, taken out or replaced, found there by its words."""

import re
from dataclasses import dataclass

from engine.dataset.captioning.parts import pieces_of, shared_ends


@dataclass(frozen=True)
class Again:
    """One edit: `old` became `new`, between what stood in front of it and behind it."""

    old: str
    new: str
    in_front: str
    """The words before it, up to the comma; "" at the start."""
    spaced: bool
    """Whether a blank stood between those and it."""
    at_end: bool
    """Whether nothing stood behind it."""

    @property
    def words(self) -> str:
        """What it does, for people."""
        old, new = self.old.strip(" ,"), self.new.strip(" ,")
        if old and new:
            return f'"{old}" → "{new}"'
        return f'put in "{new}"' if new else f'take out "{old}"'

    def on(self, text: str) -> str | None:
        """`text` with the same edit; None where it has nowhere to go."""
        if self.old:
            found = _found(text, self.old)
            if found is None:
                return None
            return _tidy(text[: found[0]] + self.new + text[found[1] :], text)
        if self.new.strip(" ,") and _found(text, self.new.strip(" ,")):
            return None
        if self.at_end and text.strip():
            return text.rstrip(" ,") + self._joined()
        if not self.in_front:
            return self.new + text
        found = _found(text, self.in_front)
        if found is None:
            return None
        at = found[1] + (self.spaced and text[found[1] : found[1] + 1] == " ")
        return text[:at] + self.new + text[at:]

    def _joined(self) -> str:
        new = self.new if self.new[:1] in (",", " ", "\n") else f" {self.new}"
        return new if "," in new[:2] or "\n" in new[:1] else f",{new}"


def again_of(before: str, after: str) -> Again | None:
    """What was done, from the text before and after; None where nothing was, or all was written anew."""
    if before == after or not before.strip():
        return None
    old, new = pieces_of(before), pieces_of(after)
    start, end = shared_ends(old, new)
    taken, put = old[start : len(old) - end], new[start : len(new) - end]
    front = "".join(old[:start])
    if not "".join(taken).strip() and not "".join(put).strip():
        return None
    in_front = front.rpartition(",")[2]
    return Again("".join(taken), "".join(put), in_front.strip(), in_front.endswith(" "), end == 0)


def _found(text: str, words: str) -> tuple[int, int] | None:
    """Where the words stand, whole."""
    start = r"(?<!\w)" if words[:1].isalnum() else ""
    end = r"(?!\w)" if words[-1:].isalnum() else ""
    found = re.search(start + re.escape(words) + end, text)
    return found.span() if found else None


def _tidy(text: str, before: str) -> str:
    """Without the comma or the blank that what was taken out leaves behind."""
    if ", ," in text and ", ," not in before:
        text = text.replace(", ,", ",")
    if "  " in text and "  " not in before:
        text = text.replace("  ", " ")
    return text
