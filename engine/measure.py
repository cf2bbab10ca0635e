"""A measurement: the run's own first steps, one of its largest bucket, one evaluation and one preview.

Nothing of it is kept but the figures: no checkpoint, no picture.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

from engine import assembly, optimizers, preparation
from engine.dataset.items import Item, largest_bucket, trained_buckets
from engine.dataset.scan import scan
from engine.dataset.slots import Slot, slots_of_step
from engine.desk import Desk, StopAsked
from engine.draw import at_once, check_shots, shots_of
from engine.evaluate import evaluate, grid_items
from engine.families.family import Base
from engine.memory import device_memory_gb, peak_memory_gb
from engine.sample import preview
from engine.step import Task, check_finite, update
from engine.train import pass_within_memory
from projects import measured
from projects.bases import describe
from projects.machine import device_model
from projects.plan import slots_a_step
from projects.problems import refuse
from projects.rights import allow
from projects.spec import MeasureJob, RunSpec, Sample

WARM_UP = 2
"""Steps that are not timed: a card's first ones choose kernels and take memory."""


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
    # Said once: with few pictures at hand, the captions of others would be drawn.
    spec = replace(spec, sample=preparation.sample_of(spec, items))
    check_shots(family, base, shots_of(spec.sample, base, spec.sample.prompts))
    latents, cached = preparation.encode(
        desk, project, spec, family, base, needed(spec, items, WARM_UP + job.steps)
    )

    desk.phase("loading the denoiser", quiet=1800)
    task = assembly.assemble(spec, family, base, items, latents, cached)
    desk.add_facts(**assembly.facts(spec, task, base, threads))

    paces, micro_batch = timed_steps(desk, task, spec, job.steps)
    evaluation_seconds = timed_evaluation(desk, task, spec, micro_batch)
    preview_seconds = timed_preview(desk, task, spec, base)
    slower = sorted(paces)
    found = measured.Measured(
        steps=len(paces),
        seconds_per_step=round(statistics.mean(paces), 5),
        faster_half=round(statistics.mean(slower[: (len(slower) + 1) // 2]), 5),
        slower_half=round(statistics.mean(slower[len(slower) // 2 :]), 5),
        evaluation_seconds=round(evaluation_seconds, 3),
        preview_seconds=round(preview_seconds, 3),
        preview_steps=spec.sample.steps,
        memory_gb=peak_memory_gb() or 0.0,
        device_memory_gb=device_memory_gb(),
        fingerprint=base.fingerprint,
        measured=round(time.time(), 3),
    )
    keep(project, job.spec, base, items, found)
    desk.result(measured=asdict(found), micro_batch=micro_batch, bucket=list(largest_bucket(items)[0]))
    return "done"


def needed(spec: RunSpec, items: Sequence[Item], steps: int) -> list[Item]:
    """The pictures that so many steps, the step of the largest bucket and an evaluation read."""
    wanted = {slot.item for slot in largest_slots(spec, items)}
    for step in range(steps):
        wanted |= {slot.item for slot in own_slots(spec, items, step)}
    if spec.train.evaluate_every:
        wanted |= set(grid_items(items))
    return [items[index] for index in sorted(wanted)]


def own_slots(spec: RunSpec, items: Sequence[Item], step: int) -> list[Slot]:
    """What the run itself trains at `step`."""
    train = spec.train
    return slots_of_step(
        items, seed=train.seed, step=step, slots_per_step=slots_a_step(spec), resolutions=len(train.resolution),
        flip=spec.data.flip, caption_dropout=train.caption_dropout,
    )  # fmt: skip


def largest_slots(spec: RunSpec, items: Sequence[Item]) -> list[Slot]:
    """As many pictures of the largest bucket as can pass through the model at once in any step of the run."""
    bucket, resolution = largest_bucket(items)
    inside = [
        index
        for index, item in enumerate(items)
        if item.role != "holdout" and item.placements[resolution].bucket == bucket
        for _ in range(item.repeats)
    ]
    return [
        Slot(slot=at, item=index, resolution=resolution, flip=False, caption=0)
        for at, index in enumerate(inside[: spec.train.batch])
    ]


def timed_steps(desk: Desk, task: Task, spec: RunSpec, steps: int) -> tuple[list[float], int]:
    """Seconds of each step after the warm-up, and the pictures that go through the model at once.

    The largest bucket comes first: what does not fit into memory with it is cut smaller from the beginning.
    """
    optimizer = assembly.optimizer_of(spec, task)
    desk.phase("measuring steps", quiet=preparation.STEP_QUIET)
    paces, micro_batch = [], spec.train.batch
    for step in range(-1, WARM_UP + steps):
        if desk.stop_asked:
            raise StopAsked
        began = time.perf_counter()
        slots = own_slots(spec, task.items, step) if step >= 0 else largest_slots(spec, task.items)
        result, micro_batch = pass_within_memory(desk, task, max(0, step), micro_batch, slots)
        check_finite(result, max(0, step), task.items, scaled=task.accelerator.scaler is not None)
        update(task, optimizer, 1.0, overflow=result.overflow)
        if step >= WARM_UP:
            paces.append(time.perf_counter() - began)
        desk.progress("steps", step + 2, WARM_UP + steps + 1)
    return paces, micro_batch


def timed_evaluation(desk: Desk, task: Task, spec: RunSpec, micro_batch: int) -> float:
    """Seconds of one evaluation; 0 where the run makes none."""
    if not spec.train.evaluate_every:
        return 0.0
    desk.phase("measuring an evaluation", quiet=1800)
    began = time.perf_counter()
    evaluate(task, micro_batch, on_progress=preparation.stoppable(desk, "evaluating"))
    return time.perf_counter() - began


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


def keep(project: Path, spec: RunSpec, base: Base, items: Sequence[Item], found: measured.Measured) -> None:
    """Write the figures into the project, under what a plan will ask for. Raises Refused."""
    size = spec.sample.size or (base.native_size, base.native_size)
    stamp = measured.base_stamp(describe(spec.base.source, project, revision=spec.base.revision))
    told = replace(spec, sample=replace(spec.sample, size=size))
    key = measured.key_of(told, stamp, device_model(), trained_buckets(items))
    try:
        measured.save(project, key, found)
    except OSError as error:
        raise refuse(
            f"The figures cannot be written: {error.strerror or error}.",
            where=project / "cache",
            hint="Free some space, or make the folder writable, then measure again.",
        ) from error
