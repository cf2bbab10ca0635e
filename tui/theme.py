"""Colours and marks: four themes, and inks, the named styles that every widget draws with.

One accent says where you are and what is alive; green, yellow and red are for verdicts; a mark never depends on colour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import BUILTIN_THEMES, Theme

Inks = Mapping[str, Style]
ThemeName = Literal["safelight", "daylight", "ansi", "mono"]


@dataclass(frozen=True)
class Shades:
    """The colours of one theme, as Rich writes them; "" for the terminal's own."""

    text: str
    muted: str
    accent: str
    good: str
    warn: str
    bad: str
    ground: str
    raised: str
    """Ground of the row the cursor is on."""


SHADES: Final[Mapping[str, Shades]] = {
    "safelight": Shades(
        "#e8ddd4", "#8a7c72", "#ff6a3d", "#8fb573", "#e0b355", "#f0645a", "#14100e", "#2a201b"
    ),
    "daylight": Shades(
        "#2b2420", "#7d7068", "#c2410c", "#3f7a2c", "#8f6400", "#b3261e", "#faf6f1", "#ece2d8"
    ),
    "ansi": Shades("", "bright_black", "red", "green", "yellow", "bright_red", "", ""),
}


@cache
def inks_of(theme: str) -> Inks:
    """The styles of a theme by name. "ground" lies under everything, "here" under the row the cursor is on."""
    shades = SHADES.get(theme)
    if shades is None:
        plain = Style()
        bold, dim = Style(bold=True), Style(dim=True)
        return {
            "text": plain, "muted": dim, "accent": bold, "bold": bold, "good": plain, "warn": bold, "bad": bold,
            "here": Style(reverse=True), "ground": plain,
        }  # fmt: skip
    here = Style(bgcolor=shades.raised) if shades.raised else Style(bold=True)
    return {
        "text": _style(shades.text),
        "muted": _style(shades.muted),
        "accent": _style(shades.accent),
        "bold": _style(shades.text) + Style(bold=True),
        "good": _style(shades.good),
        "warn": _style(shades.warn),
        "bad": _style(shades.bad),
        "here": here,
        "ground": Style(bgcolor=shades.ground) if shades.ground else Style(),
    }


def themes() -> list[Theme]:
    """The four themes as Textual takes them."""
    return [
        *(_theme(name, SHADES[name]) for name in ("safelight", "daylight")),
        _plain("ansi"),
        _plain("mono"),
    ]


def choose(asked: str, *, no_color: bool, color_system: str | None) -> ThemeName:
    """The theme for this terminal: what was asked, else mono without colour, ansi with 16 of them, else safelight."""
    if asked in ("safelight", "daylight", "ansi", "mono"):
        return asked  # type: ignore[return-value]
    if no_color or color_system is None:
        return "mono"
    return "ansi" if color_system == "standard" else "safelight"


class Ascii(LineFilter):
    """Everything typographic as a character that every terminal and font has, cell for cell."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Translate the text of each segment; widths stay."""
        return [
            Segment(text if text.isascii() else text.translate(_ASCII), style, control)
            for text, style, control in segments
        ]


def _style(colour: str) -> Style:
    return Style(color=colour) if colour else Style()


def _theme(name: str, shades: Shades) -> Theme:
    return Theme(
        name=name,
        primary=shades.accent,
        secondary=shades.muted,
        accent=shades.accent,
        warning=shades.warn,
        error=shades.bad,
        success=shades.good,
        foreground=shades.text,
        background=shades.ground,
        surface=shades.ground,
        panel=shades.raised,
        dark=name != "daylight",
        text_alpha=1.0,
        variables={
            "scrollbar": shades.raised,
            "scrollbar-hover": shades.muted,
            "scrollbar-active": shades.accent,
            "scrollbar-background": shades.ground,
            "scrollbar-background-hover": shades.ground,
            "scrollbar-background-active": shades.ground,
            "scrollbar-corner-color": shades.ground,
            "input-selection-background": shades.raised,
            "input-cursor-background": shades.accent,
            "input-cursor-foreground": shades.ground,
        },
    )


def _plain(name: str) -> Theme:
    """No colours of our own on the ground: the terminal's stay."""
    default, accent = "ansi_default", "ansi_red" if name == "ansi" else "ansi_default"
    return Theme(
        name=name,
        ansi=True,
        primary=accent,
        secondary=default,
        accent=accent,
        warning="ansi_yellow" if name == "ansi" else default,
        error="ansi_bright_red" if name == "ansi" else default,
        success="ansi_green" if name == "ansi" else default,
        foreground=default,
        background=default,
        surface=default,
        panel=default,
        boost=default,
        variables={
            **BUILTIN_THEMES["ansi-dark"].variables,
            "scrollbar": default,
            "scrollbar-hover": default,
            "scrollbar-active": default,
            "scrollbar-background": default,
            "scrollbar-background-hover": default,
            "scrollbar-background-active": default,
            "scrollbar-corner-color": default,
            "input-cursor-background": "ansi_white",
            "input-cursor-foreground": "ansi_black",
        },
    )


def _braille(code: int) -> str:
    """A braille cell by where its dots are: both halves, the upper, the lower, or none."""
    upper, lower = code & 0b00011011, code & 0b11100100
    return ":" if upper and lower else "'" if upper else "." if lower else " "


_ASCII: Final[Mapping[int, str]] = {
    **{0x2800 + code: _braille(code) for code in range(256)},
    **{ord(mark): plain for mark, plain in zip("·•✓▌▶◂▸━─│…→←▀█–—×±", ".*+>><>=-|~><##--x+", strict=True)},
}
