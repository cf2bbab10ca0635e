"""What a review draws: which prompts, seeds, weights and checkpoints, and what each picture is for.

A coarse review draws every weight of the sweep at a few checkpoints; a refined one adds prompts and seeds for the two
best of them. The other tests stand at full weight and the newest checkpoint: what leaks or echoes there, leaks most.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from engine.draw import Shot
from engine.review.prompts import COUNT, Texts

Group = Literal["control", "named", "deleted", "nonsense", "class", "bare", "verbatim", "unseen"]
ASKING: Final[tuple[Group, ...]] = ("control", "named")
"""Groups of prompts that ask for something else each, so that it can be seen whether they are kept."""
CHECKPOINTS = 3
"""So many at most in a coarse review: the newest, and others spread evenly over the training."""
BARE = 8
"""Seeds of the bare trigger: alone it shows most plainly what an adapter knows by heart."""
_FIRST_SEED: Final[Mapping[Group, int]] = {"verbatim": 100, "bare": 200, "unseen": 300}
"""So many seeds on from where the others begin: a prompt may stand in several groups, and each picture serves one."""
REFINED_PROMPTS, REFINED_SEEDS = 5, 3
"""At least, of what a refined review draws its two best of."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """An adapter as it may be used: a checkpoint at a weight."""

    checkpoint: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The same shots on the base and with the adapter."""

    plain: tuple[Shot, ...]
    adapted: tuple[Shot, ...]
    """In the same order: equal but for the adapter."""

    def __iter__(self) -> Iterator[tuple[Shot, Shot]]:
        return iter(zip(self.plain, self.adapted, strict=True))

    def prompts(self) -> list[str]:
        """Each once, in order."""
        return list(dict.fromkeys(shot.prompt for shot in self.plain))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a review draws."""

    sweep: Mapping[Cell, Pairs]
    """Prompts that say the trigger, by what they are drawn with; the base's are the same in all."""
    groups: Mapping[Group, Pairs]
    """Isolation: control says the trigger, named another thing, deleted nothing, nonsense a word without meaning, class the
    class word alone. Echo: bare the trigger alone, verbatim a training caption, unseen a held-out picture's."""
    earlier: Mapping[int, Pairs] = field(default_factory=dict)
    """The prompts of `deleted` at checkpoints before the newest: what leaks as the training goes on."""

    def pairs(self) -> list[Pairs]:
        """All of them."""
        return [*self.sweep.values(), *self.groups.values(), *self.earlier.values()]

    def shots(self) -> list[Shot]:
        """Each once, the base's own first: whatever comes after can be compared at once."""
        every = self.pairs()
        plain = [shot for pairs in every for shot in pairs.plain]
        return list(dict.fromkeys([*plain, *(shot for pairs in every for shot in pairs.adapted)]))


def checkpoints_of(saved: Sequence[int], chosen: int) -> list[int]:
    """The checkpoints of a coarse review, oldest first: `chosen` and others before it, spread evenly."""
    earlier = [step for step in saved if step < chosen]
    count = min(CHECKPOINTS - 1, len(earlier))
    spread = [earlier[len(earlier) * (place + 1) // (count + 1)] if count < len(earlier) else earlier[place]
              for place in range(count)]  # fmt: skip
    return sorted({*spread, chosen})


def planned(
    texts: Texts, shot: Shot, seeds: Sequence[int], checkpoints: Sequence[int], weights: Sequence[float]
) -> Plan:
    """A coarse review: each of `texts.called` with each of `seeds`, at all weights of all checkpoints.

    shot: any, of which all but prompt, seed and weights holds for every picture. The other groups take the seeds in turn,
    one a prompt, counting on where there are fewer seeds than prompts.
    """
    called = _shots(shot, texts.called, seeds)
    newest = max(checkpoints)
    sweep = {
        Cell(checkpoint=step, weight=weight): _pairs(called, step, weight)
        for step in checkpoints
        for weight in weights
    }
    groups: dict[Group, Pairs] = {}
    own: Mapping[Group, Sequence[str]] = {
        "control": texts.control, "named": texts.named, "deleted": texts.deleted, "nonsense": texts.nonsense,
        "class": texts.class_word,
        "verbatim": texts.captions, "unseen": texts.unseen,
    }  # fmt: skip
    for group, prompts in own.items():
        # Fewer prompts come again with further seeds: below seven pairs no test can find anything.
        many = max(len(prompts), COUNT) if prompts else 0
        first = _FIRST_SEED.get(group, 0)
        turns = [
            replace(shot, prompt=prompts[place % len(prompts)], seed=_turn(seeds, first + place))
            for place in range(many)
        ]
        groups[group] = _pairs(turns, newest, 1.0)
    if texts.bare:
        bare = [
            replace(shot, prompt=texts.bare, seed=_turn(seeds, _FIRST_SEED["bare"] + place))
            for place in range(BARE)
        ]
        groups["bare"] = _pairs(bare, newest, 1.0)
    there = {name: pairs for name, pairs in groups.items() if pairs.plain}
    silent = there["deleted"].plain if "deleted" in there else ()
    earlier = {step: _pairs(silent, step, 1.0) for step in checkpoints if silent and step != newest}
    return Plan(sweep=sweep, groups=there, earlier=earlier)


def refined(plan: Plan, texts: Texts, shot: Shot, seeds: Sequence[int], best: Sequence[Cell]) -> Plan:
    """`plan`, and for `best` and the base as many prompts and seeds as a refined review has at least."""
    prompts = list(dict.fromkeys([*texts.called, *texts.captions]))[: max(REFINED_PROMPTS, len(texts.called))]
    many = [_turn(seeds, place) for place in range(max(REFINED_SEEDS, len(seeds)))]
    called = _shots(shot, prompts, many)
    finer = {cell: _pairs(called, cell.checkpoint, cell.weight) for cell in best}
    return replace(plan, sweep={**plan.sweep, **finer})


def adapter_key(checkpoint: int) -> str:
    """The name in the denoiser of the run's adapter at a checkpoint."""
    return f"step{checkpoint}"


def _shots(shot: Shot, prompts: Sequence[str], seeds: Sequence[int]) -> list[Shot]:
    return [replace(shot, prompt=prompt, seed=seed) for prompt in prompts for seed in seeds]


def _pairs(plain: Sequence[Shot], checkpoint: int, weight: float) -> Pairs:
    weights = ((adapter_key(checkpoint), weight),)
    return Pairs(plain=tuple(plain), adapted=tuple(replace(shot, weights=weights) for shot in plain))


def _turn(seeds: Sequence[int], place: int) -> int:
    """The seeds in turn, and behind them those that follow the largest, so that no seed comes twice."""
    return seeds[place] if place < len(seeds) else max(seeds) + 1 + place - len(seeds)
