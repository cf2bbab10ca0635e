"""The bases of a grid: opened with their own settings, their adapters read for them, and what is missing drawn on them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from PIL import Image

from engine.checkpoint import ADAPTER
from engine.desk import Desk
from engine.draw import Shot, check_shots
from engine.families.family import Family
from engine.memory import peak_memory_gb
from engine.preparation import open_trained_on
from engine.review.cells import Acting, Crossed, Ground
from engine.review.store import Measured, Pictures, digest_of
from engine.sample import (
    AdapterFile,
    Origin,
    adapter_in,
    adapter_of_run,
    computed_in,
    easel_for_job,
    named,
    scales_of,
    texts_of_shots,
)
from projects import bases, presets
from projects import spec as spec_of
from projects.families import FAMILIES as FACTS
from projects.job import JobDir
from projects.problems import Problem, Refused, refuse
from projects.spec import GridAxis, GridJob, Sample

_OF_PRESET: Final = ("negative", "guidance", "true_guidance", "steps", "sampler")
"""Keys of [sample] that a base's own preset decides."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """A base that a grid draws on, with all that this needs."""

    ground: Ground
    family: Family
    job: GridJob
    adapters: Mapping[str, AdapterFile]
    """By their key."""
    pictures: Pictures

    def draw(self, desk: Desk, shots: Sequence[Shot], measured: Measured) -> None:
        """Draw what is missing, and keep what each picture took. Raises StopAsked."""
        missing = [shot for shot in dict.fromkeys(shots) if not self.pictures.has(shot)]
        if not missing:
            return
        needed = {key for shot in missing for key, _ in shot.weights}
        easel = easel_for_job(
            desk, project=Path(self.job.project), family=self.family, base=self.ground.base, spec=self.job.spec,
            adapters=[file for key, file in self.adapters.items() if key in needed], texts=texts_of_shots(missing),
        )  # fmt: skip
        took: dict[Shot, float] = {}
        since = time.monotonic()

        def keep(index: int, picture: Image.Image) -> None:
            nonlocal since
            took[missing[index]] = time.monotonic() - since
            self.pictures.keep(missing[index], picture)
            since = time.monotonic()

        try:
            easel.draw(desk, missing, keep)
        finally:
            memory = peak_memory_gb()
            measured.keep({
                self.key(shot): {"seconds": round(seconds, 4), "memory_gb": memory}
                for shot, seconds in evened(took).items()
            })  # fmt: skip

    def key(self, shot: Shot) -> str:
        """What names the cost of a picture among what was measured."""
        return digest_of("drawn", self.pictures.id_of(shot))


def evened(took: Mapping[Shot, float]) -> dict[Shot, float]:
    """Seconds of each shot, the same for all that pass through the denoiser alike: a batch's first waits for all of it."""
    alike: dict[Shot, list[float]] = {}
    for shot, seconds in took.items():
        alike.setdefault(_like(shot), []).append(seconds)
    return {shot: sum(alike[_like(shot)]) / len(alike[_like(shot)]) for shot in took}


def _like(shot: Shot) -> Shot:
    return replace(shot, prompt="", negative="", seed=0)


def values_of(axes: Sequence[GridAxis], name: str) -> tuple[str, ...]:
    """Values of an axis; none where it is not there."""
    return next((axis.values for axis in axes if axis.name == name), ())


def sources_of(job: GridJob) -> tuple[str, ...]:
    """The bases of a grid, by their source."""
    return values_of(job.axes, "base") or (job.spec.base.source,)


def open_ground(desk: Desk, job: GridJob, sample: Sample, source: str) -> tuple[Ground, Family]:
    """One base, opened, with its own settings."""
    project, said = Path(job.project), job.spec.base
    own = source == said.source or project / said.source == Path(source)
    family, base = open_trained_on(desk, said if own else spec_of.Base(source=source), project, "")
    if not own:
        preset = bases.describe(source, project).preset or FACTS[family.name].presets[0]
        sample = sample_on(sample, preset, job.said)
    return Ground(source=source, base=base, sample=sample), family


def sample_on(sample: Sample, preset: str, said: Sequence[str]) -> Sample:
    """`sample` for a base that `preset` is made for: what is not `said` is the preset's, the size the base's own."""
    told, plain = presets.preset(preset).get("sample", {}), Sample()
    values = {key: told.get(key, getattr(plain, key)) for key in _OF_PRESET if key not in said}
    return replace(sample, size=sample.size if "size" in said else None, **values)


def floors_of(job: GridJob, plan: Crossed, families: Mapping[str, Family], store: Path) -> dict[str, Floor]:
    """Every base with its adapters read and its shots checked. Raises Refused with the problems of all."""
    problems: list[Problem] = []
    floors = {}
    for source, family in families.items():
        cells = [cell for cell in plan.cells.values() if cell.ground.source == source]
        ground = cells[0].ground
        adapters = {}
        for acting in dict.fromkeys(acting for cell in cells for acting in cell.acting):
            if acting.key in adapters:
                continue
            try:
                adapters[acting.key] = _adapter(job, acting, ground, family)
            except Refused as refused:
                problems += refused.problems
        try:
            check_shots(family, ground.base, [cell.shot for cell in cells])
        except Refused as refused:
            problems += refused.problems
        origin = Origin(
            base=ground.base, distilled=FACTS[family.name].distilled, adapters=named(list(adapters.values())),
            scales=scales_of(list(adapters.values())), precision=computed_in(job.spec),
            quantize=job.spec.train.quantize, run=Path(job.run).name,
            steps={one.key: one.checkpoint for cell in cells for one in cell.acting if one.checkpoint is not None},
        )  # fmt: skip
        floors[source] = Floor(
            ground=ground, family=family, job=job, adapters=adapters, pictures=Pictures(store, origin)
        )  # fmt: skip
    if problems:
        raise Refused(list(dict.fromkeys(problems)), usage=True)
    return floors


def _adapter(job: GridJob, acting: Acting, ground: Ground, family: Family) -> AdapterFile:
    """What acts, read for the base of `ground`. Raises Refused where it is not for it."""
    if acting.file:
        return adapter_in(Path(acting.file), family, ground.base, key=acting.key)
    run_folder = JobDir(Path(job.run))
    own = adapter_of_run(run_folder.path, acting.checkpoint, job.spec)[0]
    if own.trained_on != ground.base.fingerprint:
        if not values_of(job.axes, "base"):
            raise refuse(
                f"This is not the base that the adapter was trained on ({own.trained_on[:12]}).",
                where=f"base.source = {ground.source}",
                hint="Put the old files back, or start a new run on this base.",
            )
        # Read as a stranger's file is: so it says what does not fit, where it was made for another family.
        file = run_folder.checkpoint(acting.checkpoint or 0) / ADAPTER
        adapter_in(file, family, ground.base, key=acting.key)
    return replace(own, key=acting.key)
