"""Colours and marks: four themes, and inks, the named styles that every widget draws with.

One accent says where you are and what is alive; green, yellow and red are for verdicts; a mark never depends on colour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final, Literal

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.scrollbar import ScrollBarRender
from textual.theme import BUILTIN_THEMES, Theme

from tui.plain import plain

Inks = Mapping[str, Style]
ThemeName = Literal["safelight", "daylight", "ansi", "mono"]


@dataclass(frozen=True)
class Shades:
    """The colours of one theme, as Rich writes them; "" for the terminal's own."""

    text: str
    muted: str
    faint: str
    """What is not there yet."""
    accent: str
    good: str
    warn: str
    bad: str
    ground: str
    raised: str
    """Ground of the row the cursor is on."""


SHADES: Final[Mapping[str, Shades]] = {
    "safelight": Shades(
        "#e8ddd4", "#8a7c72", "#4f443d", "#ff6a3d", "#8fb573", "#e0b355", "#f0645a", "#14100e", "#2a201b"
    ),
    "daylight": Shades(
        "#2b2420", "#7d7068", "#c9bdb2", "#c2410c", "#3f7a2c", "#8f6400", "#b3261e", "#faf6f1", "#ece2d8"
    ),
    "ansi": Shades("", "bright_black", "bright_black", "red", "green", "yellow", "bright_red", "", ""),
}


@cache
def inks_of(theme: str) -> Inks:
    """The styles of a theme by name. "ground" lies under everything, "here" under the row the cursor is on."""
    shades = SHADES.get(theme)
    if shades is None:
        plain = Style()
        bold, dim = Style(bold=True), Style(dim=True)
        return {
            "text": plain, "muted": dim, "faint": dim, "accent": bold, "bold": bold, "good": plain, "warn": bold,
            "bad": bold, "here": Style(reverse=True), "ground": plain, "changed": Style(bold=True, underline=True),
        }  # fmt: skip
    here = Style(bgcolor=shades.raised) if shades.raised else Style(bold=True)
    return {
        "text": _style(shades.text),
        "muted": _style(shades.muted),
        "faint": _style(shades.faint),
        "accent": _style(shades.accent),
        "bold": _style(shades.text) + Style(bold=True),
        "changed": _style(shades.text) + Style(bold=True, underline=True),
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
    """Everything in ASCII, cell for cell: borders and names of files as well as our own marks."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Translate the text of each segment; widths stay."""
        return [Segment(plain(text), style, control) for text, style, control in segments]


class WholeCells(ScrollBarRender):
    """Scroll bars whose thumb begins and ends with a cell: no glyph, so they look the same on every terminal."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


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
            "scrollbar": shades.muted,
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
