"""A training, read top to bottom: open, look at the pictures, encode, inject, restore, and the loop."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from engine import checkpoint, preparation
from engine.adapter import adapter_state
from engine.dataset.coverage import Coverage
from engine.desk import Desk
from engine.evaluate import evaluate
from engine.families.family import Base
from engine.families.opening import open_base
from engine.health import STEPS as HEALTH_STEPS
from engine.health import Health
from engine.sample import preview
from engine.schedule import rate
from engine.step import Pass, Task, forward_backward
from projects.problems import Refused, refuse
from projects.rights import allow
from projects.spec import RunSpec, TrainJob


def run(desk: Desk, job: TrainJob) -> Literal["done", "stopped"]:
    """Train `job` from its newest checkpoint, or from the start. Raises Refused for what a person can mend."""
    spec, project = job.spec, Path(job.project)
    steps, train = preparation.steps_of(spec), spec.train
    allow(project, spec, "train", preparation.texts_of(spec))
    found = checkpoint.newest_checkpoint(desk.job)
    restored = checkpoint.load(found[1]) if found else None
    threads = preparation.set_threads(restored[0].threads if restored else None)

    desk.phase("opening the base", quiet=3600)
    family, base = open_base(spec.base, project, on_progress=preparation.download_progress(desk))
    preparation.check_family(spec, family)
    items = preparation.items_of(desk, job, family, base, steps)
    allow(project, spec, "train", [text for item in items for text in item.captions])
    latents, conditions = preparation.encode(desk, project, spec, family, base, items)
    if desk.stop_asked:
        return "stopped"

    desk.phase("loading the denoiser", quiet=1800)
    accelerator = preparation.accelerator_for(desk, spec)
    denoiser = preparation.denoiser_with_adapter(spec, family, base, accelerator, start_from=job.start_from)
    task = preparation.task_of(spec, family, base, denoiser, accelerator, items, latents, conditions)
    optimizer = torch.optim.AdamW(
        task.parameters.values(), lr=train.learning_rate, weight_decay=train.weight_decay, fused=True
    )
    desk.add_facts(**preparation.facts(task, base, threads))

    start, micro_batch = 0, train.batch
    if restored:
        start, micro_batch = preparation.restore(task, optimizer, restored, base)
        if desk.verify:
            verify(desk, task, restored[0])
    told = desk.recorded()
    coverage = Coverage(desk.job.coverage, desk.attempt)
    health = Health(task.parameters) if start < HEALTH_STEPS else None
    desk.phase("training", quiet=preparation.STEP_QUIET)

    step = start
    while True:
        asked = desk.requests()
        last, stopping = step == steps, "stop" in asked
        if step != start and (
            last or stopping or step % train.checkpoint_every == 0 or "checkpoint" in asked
        ):
            coverage.sync()
            save(desk, task, optimizer, step, micro_batch, threads, base.fingerprint, spec)
        if "preview" in asked or (step not in told.sampled and due(step, spec.sample.every, last)):
            try_preview(desk, task, spec, base, step)
        if step not in told.evaluated and due(step, train.evaluate_every, last):
            measured = evaluate(task, micro_batch)
            desk.emit(
                "evaluated",
                step=step,
                subject=measured.subject,
                holdout=measured.holdout,
                pictures=measured.pictures,
            )
        for request in asked - {"stop"}:
            desk.done_with(request)
        if last or stopping:
            break

        began = time.perf_counter()
        result, micro_batch = pass_within_memory(desk, task, step, micro_batch)
        if health:
            health.observe()
        learning_rate = train.learning_rate * rate(
            step, schedule=train.schedule, steps=steps, warmup=train.warmup, restarts=train.restarts
        )
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        coverage.record(step, result.slots)
        step += 1
        desk.step(
            step, steps=steps, loss=result.loss, lr=learning_rate, grad=result.grad_norm,
            epoch=preparation.epoch_at(task, step), seconds=time.perf_counter() - began,
        )  # fmt: skip
        if health and step == min(HEALTH_STEPS, steps):
            report(desk, health, preparation.outside_window(spec, base, items))
            health = None

    coverage.close()
    if stopping and not last:
        desk.done_with("stop")
        return "stopped"
    desk.result(**preparation.summary(desk, items))
    return "done"


def due(step: int, every: int, last: bool) -> bool:
    """True at step 0, at multiples of `every`, and at the end; never when `every` is 0."""
    return every > 0 and (last or step % every == 0)


def pass_within_memory(desk: Desk, task: Task, step: int, micro_batch: int) -> tuple[Pass, int]:
    """`forward_backward`, with smaller micro-batches when memory runs out: slower, and the same training."""
    while True:
        try:
            return forward_backward(task, step, micro_batch), micro_batch
        except torch.OutOfMemoryError as error:
            for parameter in task.parameters.values():
                parameter.grad = None
            torch.cuda.empty_cache()
            if micro_batch == 1:
                raise refuse(
                    f"Step {step + 1} does not fit into memory with one picture at a time.",
                    where=task.accelerator.device,
                    hint='In this order: train.gradient_checkpointing = true, train.precision = "bf16", a smaller '
                    "train.resolution, a smaller adapter.rank. The last checkpoint is intact.",
                ) from error
            micro_batch = (micro_batch + 1) // 2
            desk.warn(
                f"Out of memory at step {step + 1}: {micro_batch} pictures at once from here on, the same training."
            )


def probe(task: Task, step: int, micro_batch: int) -> checkpoint.Probe:
    """Loss and gradient norm of step `step` on the weights as they are; nothing is updated."""
    result = forward_backward(task, step, micro_batch)
    for parameter in task.parameters.values():
        parameter.grad = None
    return checkpoint.Probe(loss=result.loss.hex(), grad=result.grad_norm.hex())


def verify(desk: Desk, task: Task, saved: checkpoint.Manifest) -> None:
    """Compute the checkpoint's probe again and say whether it is the same to the last bit, or by how much not."""
    now = probe(task, saved.step, saved.micro_batch)
    values = [
        (float.fromhex(a), float.fromhex(b))
        for a, b in ((saved.probe.loss, now.loss), (saved.probe.grad, now.grad))
    ]
    difference = max(abs(a - b) / max(abs(a), 1e-30) for a, b in values)
    desk.emit("verified", verdict="bit-equal" if now == saved.probe else "differs", difference=difference)


def save(
    desk: Desk,
    task: Task,
    optimizer: torch.optim.Optimizer,
    step: int,
    micro_batch: int,
    threads: int,
    base_fingerprint: str,
    spec: RunSpec,
) -> None:
    """Write the checkpoint of `step`, then let the oldest go."""
    rank, alpha = preparation.rank_and_alpha(spec)
    path = checkpoint.save(
        desk.job,
        step=step,
        adapter=adapter_state(task.denoiser),
        optimizer=checkpoint.optimizer_state(optimizer, task.parameters),
        rank=rank,
        alpha=alpha,
        family=task.family.name,
        base=base_fingerprint,
        micro_batch=micro_batch,
        threads=threads,
        probe=probe(task, step, micro_batch),
    )
    removed = checkpoint.keep_newest(desk.job, spec.train.keep)
    desk.emit("saved", step=step, path=str(path.relative_to(desk.job.path)), removed=removed)
    desk.set_status(checkpoint=step)


def try_preview(desk: Desk, task: Task, spec: RunSpec, base: Base, step: int) -> None:
    """Draw the sample prompts. A preview that fails is a warning, never the end of a run."""
    desk.phase("drawing previews", quiet=1800)
    try:
        files = preview(
            family=task.family,
            base=base,
            denoiser=task.denoiser,
            conditions=task.conditions,
            settings=preparation.sample_of(spec, task.items),
            folder=desk.job.previews,
            step=step,
            spec=spec,
            device=task.accelerator.device,
        )
    except Refused as refusal:
        desk.warn(f"No preview at step {step}: {refusal}")
    except Exception as error:
        desk.warn(f"No preview at step {step}: {type(error).__name__}: {error}")
    else:
        desk.emit("sampled", step=step, files=[str(file.relative_to(desk.job.path)) for file in files])
    desk.phase("training", quiet=preparation.STEP_QUIET)


def report(desk: Desk, health: Health, outside_window: Sequence[str]) -> None:
    """One event on the first steps: every live layer has a gradient, B has moved, the trigger is read."""
    problems = health.problems(outside_window)
    desk.emit("health", ok=not problems, checked=len(health.parameters), problems=problems)
    for problem in problems:
        desk.warn(problem)
