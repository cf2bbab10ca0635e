"""HTML out of Python values: whatever is not `Html` is data, and stays text."""

import html
import math
from typing import Final

VOID: Final = frozenset(("img", "meta"))


class Html(str):
    """Markup. `element` makes it, and takes it as it is; any other string is escaped."""


def element(name: str, /, *inside: str, **said: object) -> Html:
    """One element with its attributes; None leaves an attribute out. `class_` is class, `stroke_width` is stroke-width."""
    attributes = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in said.items()
        if value is not None
    )
    if name in VOID:
        return Html(f"<{name}{attributes}>")
    return Html(f"<{name}{attributes}>{''.join(text(part) for part in inside)}</{name}>")


def text(value: object) -> Html:
    """A value as text of a page. What cannot be printed (control characters, turned lines) shows as its code."""
    if isinstance(value, Html):
        return value
    return Html(html.escape(printable(str(value))))


def printable(value: str) -> str:
    """`value` with the code of whatever cannot be printed in its place. For pictures and pages alike."""
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in value)


def joined(*parts: str) -> Html:
    """Elements one after the other."""
    return Html("".join(text(part) for part in parts))


def number(value: object) -> float | None:
    """`value` where it is a finite number; a record that was edited may hold anything."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def figure(value: object) -> str:
    """A number with three digits that count, and a minus sign that is not a hyphen; "–" for what is none."""
    found = number(value)
    if found is None:
        return "–"
    shown = f"{found:,.0f}" if abs(found) >= 1000 else f"{found:.3g}"
    return ("0" if shown == "-0" else shown).replace("-", "−")
