"""What an audit has found so far, put together for the room: one row a picture, findings by check. Made in a thread."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from sys import intern
from typing import Any, Final

from engine.dataset.findings import Finding, Severity
from engine.dataset.items import Placement
from tui.declared import Declared, place_of

WORST: Final[Sequence[Severity]] = ("blocker", "warning", "note")
_WIDEST: Final = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One picture."""

    name: str
    file: str
    """Absolute path of the file."""
    role: str = ""
    set: str = ""
    """Path of its set as project.toml says it."""
    size: tuple[int, int] | None = None
    """Width and height, upright, in pixels; None until they are known."""
    kind: str = ""
    placements: tuple[Placement, ...] = ()
    sharp: float | None = None
    """Variance of its edges, where it was measured."""
    faces: int | None = None
    """How many, where they were looked for."""
    distance: str = ""
    """By the size of its largest face; what a person says goes first."""

    @property
    def path(self) -> Path:
        """Where the file lies. Not kept: ten thousand paths take as much memory as everything else that rows hold."""
        return Path(self.file)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRow:
    """One check that has something to say."""

    name: str
    title: str
    severity: Severity
    pictures: tuple[str, ...]
    """All that its findings name and that are not left out, in the order of the list."""
    findings: tuple[Finding, ...]

    @property
    def not_run(self) -> bool:
        """Whether it could not look at all."""
        return all(each.confidence == "not-run" for each in self.findings)

    @property
    def ignored(self) -> bool:
        """Whether the project ignores all that it found."""
        return all(each.ignored for each in self.findings)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An audit as far as it has come. Never changed: a later state is another one."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    """By name, in the order of sets and files; what is left out is among them."""
    findings: Sequence[Finding] = ()
    declared: Declared = field(default_factory=Declared)
    titles: Mapping[str, str] = field(default_factory=dict)
    coverage: Sequence[str] = ()
    lights: Mapping[str, int] = field(default_factory=dict)
    """Picture -> the number of its lighting set-up, by an estimate; once all are measured."""
    problems: Sequence[Mapping[str, Any]] = ()
    """error, where and hint of what is no picture's fault."""
    stage: str = ""
    done: int = 0
    total: int = 0
    running: bool = False
    error: str = ""
    """Why the audit ended before its end; "" where it did not."""
    checks: Mapping[str, CheckRow] = field(default_factory=dict)
    of: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    """Picture -> its findings, the worst first."""
    name_width: int = 8
    size_width: int = 7
    """Cells of the widest size."""

    @property
    def audited(self) -> bool:
        """Whether an audit has named the pictures."""
        return any(row.role for row in self.rows.values())

    def put_together(self) -> "Seen":
        """The same with all that follows from the rest: order, rows of what is left out, `checks`, `of`, widths."""
        out = self.declared.excluded
        rows = dict(self.rows)
        for name in out:
            if name not in rows:
                rows[name] = Row(name=name, file=str(place_of(name, self.declared)))
        ranks: dict[str, int] = {}
        for row in rows.values():
            ranks.setdefault(row.role or "subject", len(ranks))
        # What is left out stays where it was, so that the cursor stays on it.
        rows = dict(sorted(rows.items(), key=lambda each: (ranks[each[1].role or "subject"], each[1].file)))
        told = [finding.told(self.declared.ignored) for finding in self.findings]
        order = {name: at for at, name in enumerate(rows) if name not in out}
        of: dict[str, list[Finding]] = defaultdict(list)
        by_check: dict[str, list[Finding]] = defaultdict(list)
        for finding in sorted(told, key=lambda each: WORST.index(each.severity)):
            left = [name for name in finding.pictures if name in order]
            if finding.pictures and not left:
                continue
            by_check[finding.check].append(finding)
            for name in left:
                of[name].append(finding)
        checks = sorted(
            (_check(name, found, self.titles, order) for name, found in by_check.items()),
            key=lambda each: (each.not_run, each.ignored, WORST.index(each.severity)),
        )
        longest = max(map(len, rows), default=8)
        return replace(
            self, rows=rows, checks={each.name: each for each in checks},
            of={name: tuple(found) for name, found in of.items()}, name_width=min(_WIDEST, longest),
            size_width=max((len(f"{row.size[0]}x{row.size[1]}") for row in rows.values() if row.size), default=7),
        )  # fmt: skip

    def with_declared(self, declared: Declared) -> "Seen":
        """As it is once the person has said something else."""
        return replace(self, declared=declared).put_together()

    def distance(self, name: str) -> tuple[str, bool]:
        """How near the camera is, and whether a person says so; "" where nobody knows."""
        said = self.declared.distance.get(name)
        return (said, True) if said else (self.rows[name].distance, False)

    def light(self, name: str) -> tuple[str, bool]:
        """What light it is, and whether a person says so; "" where nobody knows."""
        said, number = self.declared.light.get(name), self.lights.get(name)
        return (said, True) if said else (f"set-up {number}" if number else "", False)


def _check(
    name: str, found: Sequence[Finding], titles: Mapping[str, str], order: Mapping[str, int]
) -> CheckRow:
    pictures = {each for finding in found for each in finding.pictures if each in order}
    return CheckRow(
        name=name, title=titles.get(name) or name.replace("-", " "), severity=found[0].severity,
        pictures=tuple(sorted(pictures, key=order.__getitem__)), findings=tuple(found),
    )  # fmt: skip


def read_row(table: Mapping[str, Any]) -> Row:
    """A picture as the audit tells it. Raises KeyError, TypeError or ValueError for anything else."""
    size = table["size"]
    return Row(
        name=str(table["name"]), file=str(table["path"]), role=intern(str(table["role"])),
        kind=intern(str(table["kind"] or "")),
        size=(int(size[0]), int(size[1])) if size else None, placements=tuple(_placements(table["placements"])),
        set=intern(str(table["set"])), sharp=_number(table["sharp"]), faces=table["faces"],
        distance=intern(str(table["distance"])),
    )  # fmt: skip


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _placements(told: Iterable[Mapping[str, Any]]) -> Iterable[Placement]:
    for one in told:
        yield Placement(
            resolution=one["resolution"], bucket=tuple(one["bucket"]), scaled=tuple(one["scaled"]),
            crop_left_top=tuple(one["crop"]),
        )  # fmt: skip
