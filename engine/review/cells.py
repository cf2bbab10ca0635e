"""What a grid draws: its axes crossed with prompts and seeds, each cell with everything that its picture follows from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from engine.draw import Shot
from engine.families.family import Base
from engine.review.store import digest_of
from projects.grid import ALONE, Member, field_of, members, typed
from projects.spec import AxisName, GridAxis, Sample


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A base that the grid draws on, and how."""

    source: str
    """As base.source says it."""
    base: Base
    sample: Sample
    """Its own guidance, steps, sampler and negative, where the grid says no others."""


@dataclass(frozen=True, kw_only=True)
class Acting:
    """One adapter in a cell."""

    file: str
    """Absolute path; "" for the run's own."""
    checkpoint: int | None
    """Of the run's own; None for files."""
    weight: float

    @property
    def key(self) -> str:
        """Its name in the denoiser: equal files have equal ones."""
        return f"step{self.checkpoint}" if not self.file else f"file{digest_of(self.file)}"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One picture of the grid."""

    at: Mapping[str, str]
    """Axis -> label of its value here; prompt and seed always."""
    ground: Ground
    acting: tuple[Acting, ...]
    shot: Shot


@dataclass(frozen=True, kw_only=True)
class Lines:
    """An axis with the labels of its values."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Crossed:
    """Axes, and their cells by the place on each."""

    lines: tuple[Lines, ...]
    """The axes in their order; behind them prompts and seeds, where those are none."""
    cells: Mapping[tuple[int, ...], Cell]


def crossed(
    axes: Sequence[GridAxis],
    sample: Sample,
    grounds: Mapping[str, Ground],
    *,
    source: str,
    checkpoint: int | None,
) -> Crossed:
    """Every value of each axis with every value of the others.

    grounds: bases by their source; `source` is that of cells that no axis of bases decides. checkpoint: of the run's own
    adapter where no axis says it; None without a run.
    """
    names = {axis.name for axis in axes}
    further = (
        GridAxis(name="prompt", values=sample.prompts),
        GridAxis(name="seed", values=tuple(map(str, sample.seeds))),
    )
    whole = [*axes, *(axis for axis in further if axis.name not in names)]
    lines = tuple(Lines(name=axis.name, labels=_labels(axis, grounds)) for axis in whole)
    cells = {}
    for places in product(*(range(len(axis.values)) for axis in whole)):
        said: dict[AxisName, str] = {
            axis.name: axis.values[place] for axis, place in zip(whole, places, strict=True)
        }
        ground = grounds[said.get("base", source)]
        acting = tuple(_acting(said, sample, checkpoint))
        at = {line.name: line.labels[place] for line, place in zip(lines, places, strict=True)}
        cells[places] = Cell(at=at, ground=ground, acting=acting, shot=_shot(said, ground, acting))
    return Crossed(lines=lines, cells=cells)


def _labels(axis: GridAxis, grounds: Mapping[str, Ground]) -> tuple[str, ...]:
    """Of an axis' values; files of one name are told apart by numbers."""
    plain = [label(axis.name, value, grounds) for value in axis.values]
    return tuple(
        f"{words} ({plain[: place + 1].count(words)})" if plain.count(words) > 1 else words
        for place, words in enumerate(plain)
    )


def label(axis: AxisName, value: str, grounds: Mapping[str, Ground]) -> str:
    """A value as sheets name it: no place of a file, as sheets are passed on."""
    if axis == "base":
        return grounds[value].base.name
    if axis == "adapter":
        return " + ".join(map(_member_words, members(value))) or ALONE
    if axis == "prompt":
        return value
    if axis == "negative":
        return f"negative: {value or 'none'}"
    found = typed(axis, value)
    if axis == "checkpoint":
        return f"step {found:,}"
    if axis == "steps":
        return f"{found} steps"
    return f"{axis} {found:g}" if axis in ("weight", "guidance") else f"{axis} {value}"


def _member_words(member: Member) -> str:
    name = Path(member.file).stem if member.file else "run"
    return name if member.weight is None else f"{name} {member.weight:g}"


def _acting(said: Mapping[AxisName, str], sample: Sample, checkpoint: int | None) -> Iterator[Acting]:
    """What acts in a cell. What has weight 0 does not act: its picture is the base's own."""
    usual = float(said["weight"]) if "weight" in said else 1.0 if sample.weight is None else sample.weight
    if "adapter" in said:
        stack = members(said["adapter"])
    else:
        stack = () if checkpoint is None or "base" in said else (Member(file="", weight=None),)
    for member in stack:
        weight = usual if member.weight is None else member.weight
        step = None if member.file else int(said.get("checkpoint", checkpoint or 0))
        if weight:
            yield Acting(file=member.file, checkpoint=step, weight=weight)


def _shot(said: Mapping[AxisName, str], ground: Ground, acting: Sequence[Acting]) -> Shot:
    sample = ground.sample
    changed: dict[str, Any] = {
        field_of(name): typed(name, said[name])
        for name in ("negative", "guidance", "steps", "sampler")
        if name in said
    }
    sample = replace(sample, **changed)
    return Shot(
        prompt=said["prompt"],
        negative=sample.negative,
        seed=typed("seed", said["seed"]),
        guidance=sample.guidance,
        true_guidance=sample.true_guidance,
        steps=sample.steps,
        sampler=sample.sampler,
        size=sample.size or (ground.base.native_size, ground.base.native_size),
        weights=tuple((one.key, one.weight) for one in acting),
    )
