"""What a measure and a check are. A check is one file here and one line in shelf.py."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from engine.dataset.audit.look import Look
from engine.dataset.audit.store import Store
from engine.dataset.findings import Finding
from engine.dataset.items import Placement
from projects.spec import Role

Values = Mapping[str, Any]
"""What a measure took, as JSON has it."""
Stage = Literal["header", "pixels", "models", "text"]
"""In this order: what needs no pixels, what needs them, what needs a small model, and what needs a large one."""
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Numbers of one picture, taken in a process of the crew and kept under the picture's content."""

    name: str
    version: str
    """Another one makes what is kept worthless. Parameters are part of it."""
    stage: Stage
    take: Callable[[Look], Values]
    """May raise whatever a hostile picture leads it to: then the picture has no such values."""
    needs: tuple[str, ...] = ()
    """Modules of EXTRAS that it imports; where one is missing the measure is not taken."""
    most: int = 0
    """Pictures of one folder of which it is taken at most, the first by content; 0: of all."""
    apart: bool = False
    """Whether its values are too large to be held for every picture: `Collection.told` reads them where they are asked for,
    and `Audited.values` says {} once they are in the store."""


@dataclass(frozen=True, kw_only=True)
class Audited:
    """One picture with all that is known of it."""

    name: str
    path: Path
    role: Role
    set: str
    """Path of its set as project.toml says it."""
    repeats: int = 1
    """How often it comes up in one epoch."""
    sha256: str = ""
    """Empty until it was read."""
    values: Mapping[str, Values] = field(default_factory=dict)
    """By measure; what was not taken is not there."""
    placements: tuple[Placement, ...] = ()
    """One a value of train.resolution; empty where the picture cannot be opened."""

    def value(self, measure: str, name: str) -> Any:
        """One value, None where it was not taken."""
        values = self.values.get(measure)
        return None if values is None else values.get(name)


@dataclass(frozen=True, kw_only=True)
class Collection:
    """All pictures of a project that are not left out, and what of the project the checks ask."""

    pictures: Sequence[Audited]
    floors: tuple[int, int]
    """Short side in pixels below which a picture is too small for the base, and from which on it is good; 0: unknown."""
    native_size: int
    """Side that the base was made for; 0: unknown."""
    resolution: tuple[int, ...]
    declared: Mapping[str, Mapping[str, str]]
    """distance, light, wardrobe -> picture -> what the person says it is."""
    absent: frozenset[str]
    """Modules of `Measure.needs` that are not installed here."""
    measured: frozenset[Stage]
    """Stages that every picture has been through: a check of the whole set waits for its own."""
    background: str = "#ffffff"
    """Colour that transparent pictures are laid on."""
    store: Store | None = None
    """Where `once` keeps things."""
    memo: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What several checks ask of this very collection."""

    @property
    def complete(self) -> bool:
        """Whether everything has been measured."""
        return self.measured == frozenset(STAGES)

    def knows(self, *measures: Measure) -> bool:
        """Whether these were taken of every picture that they can be taken of."""
        return all(measure.stage in self.measured for measure in measures)

    def once(
        self, name: str, version: str, pictures: Sequence[Audited], make: Callable[[], Values]
    ) -> Values:
        """What `make` gives of these pictures together, computed once as long as their contents stay what they are."""
        contents = [one.sha256 for one in pictures]
        key = "\n".join([name, *contents])
        if key not in self.memo:
            self.memo[key] = self.store.once(name, version, contents, make) if self.store else make()
        found: Values = self.memo[key]
        return found

    def before(self, name: str, version: str) -> Values:
        """What `once` has last made under this name, of whatever pictures; {} where nothing is kept."""
        return {} if self.store is None else self.store.latest(name, version)

    def told(self, measure: Measure, pictures: Iterable[Audited]) -> Iterator[Values]:
        """What a measure that is kept apart says of each of them, one at a time."""
        for one in pictures:
            held = one.values.get(measure.name, {})
            if held or self.store is None:
                yield held
            else:
                yield self.store.told(one.sha256, measure.name, measure.version)

    def refused(self, check: str) -> list[Audited]:
        """The pictures that cannot be opened for the reason that this check names."""
        if "refused" not in self.memo:
            self.memo["refused"] = [one for one in self.pictures if one.value("opened", "check") is not None]
        return [one for one in self.memo["refused"] if one.value("opened", "check") == check]

    def of(self, *roles: Role) -> list[Audited]:
        """The pictures of these roles that could be opened or were not yet tried."""
        key = f"of {' '.join(roles)}"
        if key not in self.memo:
            self.memo[key] = [
                one for one in self.pictures if one.role in roles and one.value("opened", "check") is None
            ]
        return list(self.memo[key])


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that is looked for."""

    name: str
    title: str
    """What people see, in a word or two."""
    measures: tuple[Measure, ...]
    judge: Callable[[Collection], Iterable[Finding]]
    """Pure: the same collection, the same findings."""
    method: str
    """How, with unit, threshold and version."""
    known: str
    """How well it is known to work: on what it was tried, what it missed and what it took for a fault."""
    whole: bool = False
    """Whether it judges the set as a whole, and so has nothing to say before all of it is measured."""
    cover: Callable[[Collection], str] | None = None
    """Its words in the line of coverage on top of the room ("resolution 38 ≥ 1024"); "" while there is nothing to say."""

    def missing(self, collection: Collection) -> Finding | None:
        """The finding in place of all others where a library that it needs is not there: not run is not passed."""
        needed = [module for each in self.measures for module in each.needs if module in collection.absent]
        if not needed:
            return None
        extra = EXTRAS[needed[0]]
        return Finding(
            check=self.name,
            severity="note",
            pictures=(),
            value=f"Not looked for: {self.title}.",
            confidence="not-run",
            method=self.method,
            remedy=f"Install the extra: pip install 'safelight[{extra}]'.",
        )


EXTRAS: Mapping[str, str] = {"rapidocr": "ocr", "onnxruntime": "ocr"}
"""Module that a measure may need -> the extra that brings it. Decoders are none of them: a file without one is refused."""
