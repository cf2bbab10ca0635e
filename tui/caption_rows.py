"""The captions of a project as the room sees them: one row a picture, and what is known of each. Made in a thread."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from engine.dataset.captioning.entries import Entry, empty
from engine.dataset.findings import Finding
from projects.problems import Problem
from projects.spec import RunSpec
from tui.audited import WORST, CheckRow
from tui.filtered import Fields, Filtered

Order = Literal["name", "tokens", "open"]
ORDERS: Final[Sequence[Order]] = ("name", "tokens", "open")


@dataclass(frozen=True, kw_only=True)
class CaptionRow:
    """One picture with its captions."""

    picture: str
    path: Path
    entries: tuple[Entry, ...]
    """Its caption and the variants; the first is there even where its file is not."""

    @property
    def role(self) -> str:
        """subject, regularization or holdout."""
        return self.entries[0].dataset.role

    @property
    def text(self) -> str:
        """Its caption."""
        return self.entries[0].text

    @property
    def empty(self) -> bool:
        """Whether nothing is written yet."""
        return empty(self.entries[0])


@dataclass(frozen=True, kw_only=True)
class Captions:
    """All captions as they are. Never changed: a later state is another one."""

    rows: Mapping[str, CaptionRow] = field(default_factory=dict)
    """By picture, in the order of sets and files."""
    loaded: bool = False
    """Whether the texts were read, and not only the names."""
    problems: Sequence[Problem] = ()
    orphans: Sequence[str] = ()
    """Caption files without a picture."""
    spec: RunSpec = field(default_factory=RunSpec)
    drafted: frozenset[str] = frozenset()
    """Caption files with a model's words that nobody has looked at."""
    undo: str = ""
    """What undo takes back, in words; "" for nothing."""
    redo: str = ""
    findings: Sequence[Finding] = ()
    checks: Mapping[str, CheckRow] = field(default_factory=dict)
    """By name, the worst first."""
    of: Mapping[str, Sequence[Finding]] = field(default_factory=dict)
    """Findings by picture, the worst first."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """Picture -> tokens of its longest caption for the encoder that stops first; empty while they are counted."""
    phrases: Mapping[str, int] = field(default_factory=Counter)
    """Phrase -> captions that hold it."""

    @cached_property
    def open(self) -> int:
        """Pictures without words, or with a draft that nobody has looked at."""
        return sum(self.is_open(row) for row in self.rows.values())

    @cached_property
    def widest(self) -> int:
        """Letters of the longest name, without folder and ending."""
        return max((len(row.path.stem) for row in self.rows.values()), default=0)

    def counted(self) -> "Captions":
        """The same, with `open` and `widest` counted. For a thread: they go through all pictures."""
        _ = self.open, self.widest
        return self

    def is_open(self, row: CaptionRow) -> bool:
        """Whether somebody has to write, or to look, there."""
        return row.empty or self.is_draft(row)

    def is_draft(self, row: CaptionRow) -> bool:
        """Whether a model wrote it and nobody has looked."""
        return any(entry.file in self.drafted for entry in row.entries)

    def knowing(self, other: "Captions") -> "Captions":
        """With what was counted and checked of another state."""
        known = replace(
            self, tokens=other.tokens, phrases=other.phrases, findings=other.findings, checks=other.checks,
            of=other.of,
        )  # fmt: skip
        # The rows are the same: what a thread has counted of them need not be counted again on the interface's loop.
        known.__dict__.update(
            {name: self.__dict__[name] for name in ("open", "widest") if name in self.__dict__}
        )
        return known

    def with_findings(self, findings: Sequence[Finding], titles: Mapping[str, str]) -> "Captions":
        """With what the checks say. For a thread: it goes through all pictures."""
        of: dict[str, list[Finding]] = {}
        by_check: dict[str, list[Finding]] = {}
        for each in sorted(findings, key=lambda one: WORST.index(one.severity)):
            by_check.setdefault(each.check, []).append(each)
            for name in each.pictures:
                of.setdefault(name, []).append(each)
        checks = {}
        for name, found in by_check.items():
            named = set().union(*(each.pictures for each in found))
            checks[name] = CheckRow(
                name=name, title=titles.get(name, name), severity=found[0].severity,
                pictures=tuple(one for one in self.rows if one in named), findings=tuple(found),
            )  # fmt: skip
        return replace(self, findings=tuple(findings), checks=checks, of=of)

    def filtered_by(self, name: str) -> Filtered:
        """What the filter language asks of a picture."""
        return Filtered(_FIELDS, self, self.rows[name])

    def ordered(self, order: Order) -> list[str]:
        """Pictures in the order of the list."""
        if order == "tokens":
            return sorted(self.rows, key=lambda name: -self.tokens.get(name, 0))
        if order == "open":
            return sorted(self.rows, key=lambda name: not self.is_open(self.rows[name]))
        return list(self.rows)


def _is(captions: Captions, row: CaptionRow) -> list[str]:
    held = (("draft", captions.is_draft(row)), ("open", captions.is_open(row)), ("empty", row.empty))
    return [word for word, holds in held if holds]


_FIELDS: Final[Fields] = {
    "name": lambda captions, row: row.picture,
    "text": lambda captions, row: [entry.text for entry in row.entries],
    "role": lambda captions, row: row.role,
    "set": lambda captions, row: row.entries[0].dataset.path,
    "finding": lambda captions, row: [each.check for each in captions.of.get(row.picture, ())],
    "tokens": lambda captions, row: captions.tokens.get(row.picture),
    "is": _is,
}


def rows_of(entries: Mapping[str, Entry]) -> dict[str, CaptionRow]:
    """One row a picture."""
    grouped: dict[str, list[Entry]] = {}
    for entry in entries.values():
        grouped.setdefault(entry.picture, []).append(entry)
    return {
        picture: CaptionRow(picture=picture, path=group[0].path, entries=tuple(group))
        for picture, group in grouped.items()
    }
