"""What a check has to say about pictures or captions: the one shape of it, for the rooms and for scripts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Any, Literal

Severity = Literal["blocker", "warning", "note"]
Confidence = Literal["exact", "measured", "heuristic", "declared", "not-run"]
MARKS: Mapping[Severity, str] = {"blocker": "!", "warning": "~", "note": "·"}


@dataclass(frozen=True, kw_only=True)
class Box:
    """A part of an upright picture, as shares of its width and height."""

    left: float
    top: float
    right: float
    bottom: float
    label: str = ""
    """What is there, in a word or two."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that one check found."""

    check: str
    severity: Severity
    pictures: tuple[str, ...]
    """By name. Empty: about the whole set."""
    value: str
    """What was found, as a sentence that a photographer understands."""
    number: float | None = None
    """What was measured, where that is a number."""
    threshold: float | None = None
    """Where the number begins to count."""
    confidence: Confidence
    method: str
    """How it was found, with its unit and version."""
    remedy: str
    """The next step."""
    boxes: Mapping[str, tuple[Box, ...]] = field(default_factory=dict)
    """Where in which picture."""
    keep: str = ""
    """Of pictures that are the same, the one to keep."""
    about: str = ""
    """What in the captions it is about, a phrase for example, where one check finds several things in the whole set."""
    ignored: str = ""
    """The reason in project.toml, where the project ignores this."""

    @property
    def key(self) -> str:
        """How project.toml names it: the check, and what it is about or the first picture, if anything in particular."""
        what = self.about or next(iter(self.pictures), "")
        return f"{self.check}: {what}" if what else self.check

    def told(self, ignored: Mapping[str, str]) -> "Finding":
        """As the project wants it: what it ignores, as a whole check or by `key`, is a note with the reason."""
        reason = ignored.get(self.key) or ignored.get(self.check, "")
        return replace(self, severity="note", ignored=reason) if reason else self

    def table(self) -> dict[str, Any]:
        """For JSON."""
        # By hand: `asdict` takes a second for ten thousand of them.
        return {
            **vars(self),
            "boxes": {name: tuple(dict(vars(box)) for box in each) for name, each in self.boxes.items()},
        }

    @classmethod
    def read(cls, table: Mapping[str, Any]) -> "Finding":
        """`table` back. Raises KeyError or TypeError for anything else."""
        boxes = {name: tuple(Box(**one) for one in each) for name, each in table["boxes"].items()}
        # The same words for every picture that a check finds something in: kept once.
        same = {name: intern(table[name]) for name in ("check", "severity", "confidence", "method", "remedy")}
        return cls(**{**table, **same, "pictures": tuple(table["pictures"]), "boxes": boxes})
