"""A measurement: a few real steps at the largest bucket, with everything a run has, one evaluation and one preview.

Nothing of it is kept but the figures: no checkpoint, no picture.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from engine import assembly, optimizers, preparation
from engine.dataset.items import Item, largest_bucket
from engine.dataset.scan import scan
from engine.desk import Desk, StopAsked
from engine.draw import at_once, check_shots, shots_of
from engine.evaluate import TIMESTEP_SHARES, evaluate, grid_items
from engine.families.family import Base
from engine.memory import device_memory_gb, peak_memory_gb
from engine.sample import preview
from engine.step import Task, check_finite, update
from engine.train import pass_within_memory
from projects import measured
from projects.bases import describe
from projects.machine import device_model
from projects.problems import refuse
from projects.rights import allow
from projects.spec import MeasureJob, RunSpec, Sample

WARM_UP = 2
"""Steps that are not timed: a card's first ones choose kernels and take memory."""
PICTURES = 16
"""At most so many pictures of the largest bucket are encoded and trained."""


@dataclass(frozen=True, kw_only=True)
class Largest:
    """A run cut down to its largest bucket."""

    spec: RunSpec
    """With the one resolution that gives it, and the prompts that the run's previews have."""
    items: Sequence[Item]
    """Pictures of that bucket, placed there only."""
    bucket: tuple[int, int]
    area_share: float
    """Mean area of all drawn buckets as a share of it."""


def run(desk: Desk, job: MeasureJob) -> Literal["done", "stopped"]:
    """Measure, keep the figures in the project, and say them as the last word. Raises Refused, and StopAsked."""
    spec, project = job.spec, Path(job.project)
    allow(project, spec, "train", preparation.texts_of(spec))
    measured.require_one_process(spec)
    optimizers.require(spec.train.optimizer)
    threads = assembly.set_threads(None, 1)
    family, base = preparation.open_trained_on(desk, spec.base, project, "")
    preparation.check_family(spec, family)
    desk.phase("looking at the pictures", quiet=3600)
    items = scan(
        project, spec, bucket_step=base.bucket_step, missing=job.missing_caption,
        on_progress=preparation.stoppable(desk, "looking at the pictures"),
    ).items  # fmt: skip
    allow(project, spec, "train", [text for item in items for text in item.captions])
    at = largest_of(spec, items)
    check_shots(family, base, shots_of(at.spec.sample, base, at.spec.sample.prompts))
    latents, cached = preparation.encode(desk, project, at.spec, family, base, at.items)

    desk.phase("loading the denoiser", quiet=1800)
    task = assembly.assemble(at.spec, family, base, at.items, latents, cached)
    desk.add_facts(**assembly.facts(spec, task, base, threads))

    paces, micro_batch = timed_steps(desk, task, at.spec, job.steps)
    evaluation_seconds = timed_evaluation(desk, task, spec, items, micro_batch)
    preview_seconds = timed_preview(desk, task, at.spec, base)
    found = measured.Measured(
        steps=len(paces),
        seconds_per_step=round(statistics.median(paces), 5),
        fastest=round(min(paces), 5),
        slowest=round(max(paces), 5),
        area_share=round(at.area_share, 5),
        evaluation_seconds=round(evaluation_seconds, 3),
        preview_seconds=round(preview_seconds, 3),
        preview_steps=spec.sample.steps,
        memory_gb=peak_memory_gb() or 0.0,
        device_memory_gb=device_memory_gb(),
        fingerprint=base.fingerprint,
        measured=round(time.time(), 3),
    )
    keep(project, spec, base, at.bucket, found)
    desk.result(measured=asdict(found), micro_batch=micro_batch, bucket=list(at.bucket))
    return "done"


def largest_of(spec: RunSpec, items: Sequence[Item]) -> Largest:
    """The spec and pictures of the largest bucket, as many as a step takes and `PICTURES` at most."""
    bucket, resolution = largest_bucket(items)
    sample, train = preparation.sample_of(spec, items), spec.train
    inside = [
        # Held-out pictures and regularization are measured alike, and one caption costs as much as another.
        replace(item, role="subject", placements=(item.placements[resolution],), captions=item.captions[:1])
        for item in items
        if item.placements[resolution].bucket == bucket and item.role != "holdout"
    ]
    areas = [
        (placement.bucket[0] * placement.bucket[1], item.repeats)
        for item in items if item.role != "holdout" for placement in item.placements
    ]  # fmt: skip
    mean = sum(area * repeats for area, repeats in areas) / sum(repeats for _, repeats in areas)
    only = replace(train, resolution=(train.resolution[resolution],))
    return Largest(
        spec=replace(spec, train=only, sample=sample),
        items=inside[: min(PICTURES, train.batch * train.accumulate)],
        bucket=bucket,
        area_share=mean / (bucket[0] * bucket[1]),
    )


def timed_steps(desk: Desk, task: Task, spec: RunSpec, steps: int) -> tuple[list[float], int]:
    """Seconds of each step after the warm-up, and the pictures that go through the model at once."""
    optimizer = assembly.optimizer_of(spec, task)
    desk.phase("measuring steps", quiet=preparation.STEP_QUIET)
    paces, micro_batch = [], spec.train.batch
    for step in range(WARM_UP + steps):
        if desk.stop_asked:
            raise StopAsked
        began = time.perf_counter()
        result, micro_batch = pass_within_memory(desk, task, step, micro_batch)
        check_finite(result, step, task.items, scaled=task.accelerator.scaler is not None)
        update(task, optimizer, 1.0, overflow=result.overflow)
        if step >= WARM_UP:
            paces.append(time.perf_counter() - began)
        desk.progress("steps", step + 1, WARM_UP + steps)
    return paces, micro_batch


def timed_evaluation(desk: Desk, task: Task, spec: RunSpec, items: Sequence[Item], micro_batch: int) -> float:
    """Seconds that an evaluation of the whole run takes, from one of the few pictures here; 0 where it makes none."""
    if not spec.train.evaluate_every:
        return 0.0
    desk.phase("measuring an evaluation", quiet=1800)
    began = time.perf_counter()
    evaluate(task, micro_batch, on_progress=preparation.stoppable(desk, "evaluating"))
    cells = len(grid_items(task.items)) * len(TIMESTEP_SHARES)
    return (time.perf_counter() - began) / cells * len(grid_items(items)) * len(TIMESTEP_SHARES)


def timed_preview(desk: Desk, task: Task, spec: RunSpec, base: Base) -> float:
    """Seconds a picture of a preview takes, from as many as are drawn at once; 0 where there are none.

    One that fails is a warning here as in the run.
    """
    if not spec.sample.every or not spec.sample.prompts:
        return 0.0
    desk.phase("measuring a preview", quiet=1800)
    settings = few(spec.sample, base, task.accelerator.device.type)
    began = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory(prefix="safelight-measure-") as folder:
            drawn = preview(
                family=task.family, base=base, denoiser=task.denoiser, conditions=task.conditions,
                text_encoder=task.text_encoder, settings=settings,
                folder=Path(folder) / "previews", step=0, spec=spec, device=task.accelerator.device,
                on_step=preparation.reporter(desk, "drawing previews"), should_stop=lambda: desk.stop_asked,
            )  # fmt: skip
    except StopAsked:
        raise
    except Exception as error:
        desk.warn(f"The preview could not be drawn: {type(error).__name__}: {error}")
        return 0.0
    return (time.perf_counter() - began) / len(drawn)


def few(sample: Sample, base: Base, device: str) -> Sample:
    """`sample` with no more prompts and seeds than are drawn at once: what follows takes no more memory."""
    many = at_once(sample.size or (base.native_size, base.native_size), device)
    seeds = sample.seeds[:many]
    return replace(sample, seeds=seeds, prompts=sample.prompts[: max(1, many // len(seeds))])


def keep(project: Path, spec: RunSpec, base: Base, bucket: tuple[int, int], found: measured.Measured) -> None:
    """Write the figures into the project, under what a plan will ask for. Raises Refused."""
    size = spec.sample.size or (base.native_size, base.native_size)
    stamp = measured.base_stamp(describe(spec.base.source, project, revision=spec.base.revision))
    key = measured.key_of(
        replace(spec, sample=replace(spec.sample, size=size)), stamp, device_model(), bucket
    )
    try:
        measured.save(project, key, found)
    except OSError as error:
        raise refuse(
            f"The figures cannot be written: {error.strerror or error}.",
            where=project / "cache",
            hint="Free some space, or make the folder writable, then measure again.",
        ) from error
