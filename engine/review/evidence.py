"""What was measured of a review's pictures, by shot: all that the tests judge from. Nothing here knows a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from engine.draw import Shot
from engine.review.appearance import Appearance
from engine.review.shots import Cell, Group, Pairs, Plan
from engine.review.statistics import Interval, mean_interval, paired

CHANCE: Final = 0.5
"""What `Made.prompt` is of a picture that has nothing to do with any of the prompts."""

LEAST_KEPT: Final = 0.15
"""Above chance, that the base has to keep prompts for anything to be compared with it."""


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """The training picture that is most like a made one."""

    picture: str
    """Its path relative to the project."""
    distance: float
    """0: the same; 1: as far as held-out pictures of the subject are from the nearest, on average."""
    kind: Literal["copy", "near", "none"]
    """copy: the audit would call them one picture."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """One made picture."""

    id: str
    likeness: float
    """Place from the base's pictures (0) to the training pictures (1)."""
    prompt: float | None
    """Share of the set's other prompts that explain it worse than its own does: 1 where its own is the best of all, CHANCE
    where it shows nothing of it. None where that was not measured: beside the sweep and the groups of ASKING."""
    moved: float
    """Distance to the base's picture of the same prompt and seed; 1: as far as another seed. 0 for the base's own."""
    seen: Appearance
    nearest: Nearest | None = None
    """None where no training picture could be opened."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The denoising loss of one picture of the training, on the fixed grid."""

    picture: str
    role: Literal["subject", "holdout"]
    base: float
    adapted: Mapping[int, float]
    """By checkpoint."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All of it."""

    plan: Plan
    made: Mapping[Shot, Made]
    newest: int
    """The newest checkpoint: isolation, echo, muddle and broken are judged there, at full weight."""
    seed_noise: float
    """Standard deviation of likeness between the base's own pictures of one prompt with several seeds."""
    losses: Sequence[Loss]
    trained: int
    """Training pictures that the made ones were compared with."""
    reached: Sequence[float]
    """Distances of pictures of held-out captions to the nearest held-out picture, in the unit of `Nearest.distance`."""
    own_warmth: Sequence[float]
    """Of the light of the training pictures; empty where they could not be opened."""

    def figure(self, shots: Sequence[Shot], of: Callable[[Made], float | None]) -> Interval | None:
        """The mean over pictures; prompts are resampled, and seeds within them. None where it was taken of none."""
        found = [(of(self.made[shot]), shot.prompt) for shot in shots]
        kept = [(value, prompt) for value, prompt in found if value is not None]
        return mean_interval([value for value, _ in kept], [prompt for _, prompt in kept]) if kept else None

    def change(self, pairs: Pairs, of: Callable[[Made], float | None]) -> Interval | None:
        """The mean difference to the base's pictures of the same prompts and seeds."""
        found = [(of(self.made[after]), of(self.made[before]), after.prompt) for before, after in pairs]
        kept = [(one, other, prompt) for one, other, prompt in found if one is not None and other is not None]
        if not kept:
            return None
        return paired(
            [one for one, _, _ in kept], [other for _, other, _ in kept], [prompt for *_, prompt in kept]
        )

    def differences(self, pairs: Pairs, of: Callable[[Made], float]) -> list[float]:
        """Pair by pair, the adapter's less the base's."""
        return [of(self.made[after]) - of(self.made[before]) for before, after in pairs]

    def obeys(self, pairs: Pairs) -> Interval | None:
        """How well prompts are kept, above chance, as a share of how well the base keeps them: 1 as well as it does.

        None where it was not measured, or where the base itself hardly tells these prompts apart.
        """
        change = self.change(pairs, keeps_prompt)
        base = self.figure(pairs.plain, keeps_prompt)
        if change is None or base is None or base.value - CHANCE < LEAST_KEPT:
            return None
        level = base.value - CHANCE
        return change.mapped(lambda value: 1 + value / level)

    def cell(self, weight: float) -> Pairs | None:
        """The sweep at a weight of the newest checkpoint."""
        return self.plan.sweep.get(Cell(checkpoint=self.newest, weight=weight))

    def ids(self, shots: Sequence[Shot]) -> list[str]:
        """The pictures of `shots`."""
        return [self.made[shot].id for shot in shots]

    def group(self, name: Group) -> Pairs | None:
        """One of the groups; None where nothing was drawn of it."""
        return self.plan.groups.get(name)


def likeness(made: Made) -> float:
    """For `Evidence.figure` and its like."""
    return made.likeness


def keeps_prompt(made: Made) -> float | None:
    """For `Evidence.figure` and its like."""
    return made.prompt


def moved(made: Made) -> float:
    """For `Evidence.figure` and its like."""
    return made.moved
