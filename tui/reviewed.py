"""What a review says, as the screens hold it: figures with intervals, tests, pictures and their places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

Verdict = Literal["good", "suspect", "bad", "unknown"]
Case = Literal["good", "leaking", "echo", "broken", "muddled", "unknown"]
Depth = Literal["coarse", "refined"]
MEASURES: Final = ("likeness", "prompt", "drift", "sharpness", "clipped", "faces")
"""What is measured of a picture, in the order in which it is told."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure, and how sure it is."""

    value: float | None
    """In the unit of what was measured; None where nothing came of it."""
    low: float | None = None
    """Lower bound of its 95 % interval; None where too few pictures say nothing of the spread."""
    high: float | None = None
    """Upper bound."""
    n: int | None = None
    """How many pictures or pairs it stands on."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A next step that a test advises."""

    words: str
    """What to do."""
    set: Mapping[str, Any]
    """Key path of project.toml -> its value in a new run; empty for what no key of project.toml does."""


@dataclass(frozen=True, kw_only=True)
class Test:
    """One test and what it found."""

    name: str
    """sweep, isolation, echo, muddle, broken, or the name of a later one."""
    verdict: Verdict
    figure: Interval
    unit: str
    """Of the figure, in words; "" for none."""
    threshold: float | None
    """Where its verdict turns, in the same unit; None where no single number decides."""
    words: str
    advice: str
    steps: Sequence[Step]
    """At most two."""
    pictures: Sequence[str]
    """Ids of its evidence, the worst first."""


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """The training picture that a made one is most like."""

    path: Path
    name: str
    """As the review names it."""
    distance: float | None
    """0 would be the same picture."""
    kind: str
    """copy, near or none."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The place of a picture: two of one prompt and seed differ by checkpoint and weight alone."""

    checkpoint: int | None
    """Step; None for the base alone."""
    weight: float
    """0 for the base alone."""
    prompt: str
    seed: int | None


@dataclass(frozen=True, kw_only=True)
class Made:
    """One picture of the review."""

    id: str
    """Name of its evidence; in format 1 its path."""
    path: Path
    tests: Sequence[str]
    """Tests or sheets that it belongs to."""
    group: str
    """Of the isolation test: control, named, deleted, nonsense, bare, verbatim; "" elsewhere."""
    cell: Cell
    measures: Mapping[str, float]
    """Measure -> value, of those that were taken."""
    nearest: Nearest | None


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """Which weight of which checkpoint to use."""

    weight: float
    checkpoint: int | None
    certain: bool
    """False where others cannot be told apart from it."""
    words: str


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was measured at one weight, or of one checkpoint."""

    checkpoint: int | None
    weight: float | None
    """None where it is about the checkpoint."""
    measures: Mapping[str, Interval]
    """Measure -> figure, of those that were taken; loss and loss_holdout among those of a checkpoint."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Who measured what."""

    measure: str
    name: str
    trust: str
    """How far it can be trusted, a sentence."""


@dataclass(frozen=True)
class Sheet:
    """A picture with many of the review's pictures on it."""

    path: Path
    title: str


@dataclass(frozen=True, kw_only=True)
class Review:
    """The newest review of a run."""

    checkpoint: int | None = None
    """Step of the newest checkpoint that was judged."""
    whole: bool = True
    """False: it is still drawn, or was stopped at half."""
    depth: Depth = "coarse"
    case: Case = "unknown"
    words: str = ""
    """Why, in a sentence."""
    recommended: Recommended | None = None
    tests: Sequence[Test] = ()
    weights: Sequence[Figures] = ()
    checkpoints: Sequence[Figures] = ()
    judges: Sequence[Judge] = ()
    more: str = ""
    """How many more pictures would settle what cannot be told apart, in words; "" where none would."""
    more_pictures: int = 0
    planned: Sequence[float] = ()
    """Weights of the sweep, drawn or still to be."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What everything was drawn with: base, negative, guidance, steps, sampler, size, seeds, weights."""
    sheets: Sequence[Sheet] = ()
    pictures: Sequence[Made] = ()
    error: str = ""
    """What of the file cannot be read, with the next step."""

    @cached_property
    def by_id(self) -> Mapping[str, Made]:
        """Id -> picture."""
        return {made.id: made for made in self.pictures}

    @cached_property
    def by_cell(self) -> Mapping[Cell, Made]:
        """Place -> picture."""
        return {made.cell: made for made in self.pictures}

    def test(self, name: str) -> Test | None:
        """The test of that name."""
        return next((test for test in self.tests if test.name == name), None)

    def evidence(self, test: Test) -> list[Made]:
        """Its pictures that are there, the worst first."""
        return [self.by_id[each] for each in test.pictures if each in self.by_id]

    def base_of(self, made: Made) -> Made | None:
        """The base's picture of the same prompt and seed; None where there is none, or it is that picture itself."""
        cell = made.cell
        found = self.by_cell.get(Cell(checkpoint=None, weight=0.0, prompt=cell.prompt, seed=cell.seed))
        return found if found is not made else None
