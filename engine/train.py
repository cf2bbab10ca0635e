"""A training, read top to bottom: open, look at the pictures, encode, inject, restore, and the loop."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import torch

from engine import assembly, checkpoint, group, optimizers, precision, preparation, settling
from engine.adapter import adapter_state
from engine.dataset.coverage import Coverage
from engine.dataset.slots import Slot
from engine.desk import Desk, StopAsked
from engine.draw import check_shots, shots_of
from engine.evaluate import evaluate
from engine.families.family import Base
from engine.health import STEPS as HEALTH_STEPS
from engine.health import Health
from engine.review.progress import likeness_of_previews
from engine.sample import preview
from engine.schedule import rate
from engine.step import Pass, Task, check_finite, forward_backward, update
from projects.problems import Refused, refuse
from projects.rights import allow
from projects.spec import RunSpec, TrainJob

OVERFLOWED = (
    "The gradient of step {step} overflowed in fp16: the step counts and changes nothing, and the loss scale is halved. "
    "Usual in the first steps; each such step is told with applied = false."
)


def run(desk: Desk, job: TrainJob) -> Literal["done", "stopped"]:
    """Train `job` from its newest checkpoint, or from the start.

    Raises Refused for what a person can mend, and StopAsked where a long phase before the training was asked to end.
    """
    with ExitStack() as closing:
        return _train(desk, job, closing)


def _train(desk: Desk, job: TrainJob, closing: ExitStack) -> Literal["done", "stopped"]:
    spec, project = job.spec, Path(job.project)
    steps, train = preparation.steps_of(spec), spec.train
    optimizers.require(train.optimizer)
    allow(project, spec, "train", preparation.texts_of(spec))
    checkpoint.sweep(desk.job)
    found = checkpoint.newest_checkpoint(desk.job)
    manifest = checkpoint.read_manifest(found[1]) if found else None
    threads = assembly.set_threads(manifest, desk.processes)
    assembly.warn_of_machine(desk, spec, manifest)

    trained_on = manifest.base if manifest else ""
    family, base = preparation.open_trained_on(desk, spec.base, project, trained_on)
    preparation.check_family(spec, family)
    items = preparation.items_of(desk, job, base, steps)
    allow(project, spec, "train", [text for item in items for text in item.captions])
    sample = preparation.sample_of(spec, items)
    check_shots(family, base, shots_of(sample, base, sample.prompts))
    preparation.warn_of_cut(desk, family, base, items, sample.prompts)
    latents, cached = preparation.encode(desk, project, spec, family, base, items)

    desk.phase("loading the denoiser", quiet=1800)
    together = closing.enter_context(group.form(desk, desk.processes))
    task = assembly.assemble(spec, family, base, items, latents, cached, group=together)
    scaler = task.accelerator.scaler
    if job.start_from and not manifest:
        assembly.continue_from(task, spec, base, Path(job.start_from))
    optimizer = assembly.optimizer_of(spec, task)
    desk.add_facts(**assembly.facts(spec, task, base, threads))

    start, micro_batch = 0, train.batch
    if found and manifest:
        start, micro_batch = assembly.restore(task, optimizer, found[1])
    together.require_same(task.parameters, start, base.fingerprint, precision.saved_scale(scaler))
    if manifest and desk.verify:
        verify(desk, task, manifest)
    told = desk.recorded()
    coverage = Coverage(desk.job.coverage, desk.attempt)
    health = Health(task.parameters) if start < HEALTH_STEPS else None
    desk.phase("training", quiet=preparation.STEP_QUIET)

    step, overflows = start, 0
    while True:
        asked = desk.requests()
        last, stopping = step == steps, "stop" in asked
        if step != start and (
            last or stopping or step % train.checkpoint_every == 0 or "checkpoint" in asked
        ):
            coverage.sync()
            micro_batch = save(desk, task, optimizer, step, micro_batch, threads, base.fingerprint, spec)
        if "preview" in asked or (step not in told.sampled and due(step, spec.sample.every, last)):
            with optimizers.weights_to_use(optimizer):
                try_preview(desk, task, spec, base, step)
        if step not in told.evaluated and due(step, train.evaluate_every, last):
            with optimizers.weights_to_use(optimizer):
                measured = evaluate(task, micro_batch, on_progress=preparation.reporter(desk, "evaluating"))
            desk.emit(
                "evaluated",
                step=step,
                subject=measured.subject,
                holdout=measured.holdout,
                pictures=measured.pictures,
            )
        settled = ""
        if train.stop_when and 0 < step < steps and due(step, train.evaluate_every, last):
            settled = settling.settled(desk.recorded())
            if settled and step not in desk.job.steps_saved():
                coverage.sync()
                micro_batch = save(desk, task, optimizer, step, micro_batch, threads, base.fingerprint, spec)
        # A checkpoint asked for before the first step is met after it: there is nothing to save yet.
        for request in asked - {"stop"} - ({"checkpoint"} if step == 0 else set()):
            desk.done_with(request)
        if last or stopping or settled:
            break

        began = time.perf_counter()
        result, micro_batch = pass_within_memory(desk, task, step, micro_batch)
        check_finite(result, step, items, scaled=scaler is not None)
        share = rate(step, schedule=train.schedule, steps=steps, warmup=train.warmup, restarts=train.restarts)
        if result.overflow:
            overflows += 1
            if overflows == 1:
                desk.warn(OVERFLOWED.format(step=step + 1))
        elif health:
            health.observe()
        together.order("update", share, result.overflow)
        learning_rate = update(task, optimizer, share, overflow=result.overflow)
        coverage.record(step, result.slots)
        step += 1
        desk.step(
            step, steps=steps, loss=result.loss, lr=learning_rate, grad=result.grad_norm,
            epoch=preparation.epoch_at(task, step), seconds=time.perf_counter() - began, applied=not result.overflow,
        )  # fmt: skip
        if health and step == min(HEALTH_STEPS, steps):
            report(desk, health, preparation.outside_window(spec, family, base, items))
            health = None

    coverage.close()
    if stopping and not last and not settled:
        desk.done_with("stop")
        return "stopped"
    desk.result(**preparation.summary(desk, items), **({"settled": settled} if settled else {}))
    return "done"


def due(step: int, every: int, last: bool) -> bool:
    """True at step 0, at multiples of `every`, and at the end; never when `every` is 0."""
    return every > 0 and (last or step % every == 0)


def pass_within_memory(
    desk: Desk, task: Task, step: int, micro_batch: int, slots: Sequence[Slot] | None = None
) -> tuple[Pass, int]:
    """`forward_backward`, with smaller micro-batches when memory runs out: slower, and the same training."""
    while True:
        task.group.order("pass", step, micro_batch)
        result = forward_backward(task, step, micro_batch, slots)
        if result is not None:
            return result, micro_batch
        torch.cuda.empty_cache()
        if micro_batch == 1:
            raise refuse(
                f"Step {step + 1} does not fit into memory with one picture at a time.",
                where=task.accelerator.device,
                hint='Train again with, in this order, gradient_checkpointing = true, precision = "bf16", '
                "a smaller resolution, a smaller rank, quantize. The last checkpoint is intact: train --from this run.",
            )
        micro_batch = (micro_batch + 1) // 2
        # Dropout's masks are drawn a micro-batch, so only without it are the numbers the same.
        same = "the same training" if not task.adapter_dropout else "with other dropout masks"
        desk.warn(f"Out of memory at step {step + 1}: {micro_batch} pictures at once from here on, {same}.")


def probe_of(result: Pass) -> checkpoint.Probe:
    """What a pass over the next step's slots gave on the weights as they are."""
    return checkpoint.Probe(loss=result.loss.hex(), grad=result.grad_norm.hex())


def verify(desk: Desk, task: Task, saved: checkpoint.Manifest) -> None:
    """Compute the checkpoint's probe again and say whether it is the same to the last bit, or by how much not."""
    result, micro_batch = pass_within_memory(desk, task, saved.step, saved.micro_batch)
    now = probe_of(result)
    pairs = ((saved.probe.loss, now.loss), (saved.probe.grad, now.grad))
    difference = max(relative_difference(float.fromhex(old), float.fromhex(new)) for old, new in pairs)
    verdict = "bit-equal" if now == saved.probe and micro_batch == saved.micro_batch else "differs"
    others = {} if saved.processes == task.group.size else {"processes": [saved.processes, task.group.size]}
    desk.emit("verified", verdict=verdict, difference=difference, **others)


def relative_difference(old: float, new: float) -> float:
    """|old - new| / |old|; 0 where both say the same, not-a-number included."""
    return 0.0 if old.hex() == new.hex() else abs(old - new) / max(abs(old), 1e-30)


def save(
    desk: Desk,
    task: Task,
    optimizer: torch.optim.Optimizer,
    step: int,
    micro_batch: int,
    threads: int,
    base_fingerprint: str,
    spec: RunSpec,
) -> int:
    """Write the checkpoint of `step`, then let the oldest go; gives the micro-batch that fits into memory."""
    rank, alpha = assembly.rank_and_alpha(spec)
    task.group.order("compare", step)
    task.group.require_same(task.parameters, step, precision.saved_scale(task.accelerator.scaler))
    ahead, micro_batch = pass_within_memory(desk, task, step, micro_batch)
    with optimizers.weights_to_use(optimizer):
        adapter = adapter_state(task.denoiser, text_encoder=task.text_encoder)
    path = checkpoint.save(
        desk.job,
        step=step,
        adapter=adapter,
        optimizer=optimizers.state_of(optimizer, task.parameters),
        rank=rank,
        alpha=alpha,
        family=task.family.name,
        base=base_fingerprint,
        micro_batch=micro_batch,
        threads=threads,
        processes=task.group.size,
        probe=probe_of(ahead),
        loss_scale=precision.saved_scale(task.accelerator.scaler),
    )
    removed = checkpoint.keep_newest(desk.job, spec.train.keep)
    desk.emit("saved", step=step, path=str(path.relative_to(desk.job.path)), removed=removed)
    desk.set_status(checkpoint=step)
    return micro_batch


def try_preview(desk: Desk, task: Task, spec: RunSpec, base: Base, step: int) -> None:
    """Draw the sample prompts. A preview that fails is a warning, never the end of a run."""
    desk.phase("drawing previews", quiet=1800)
    try:
        files = preview(
            family=task.family,
            base=base,
            denoiser=task.denoiser,
            text_encoder=task.text_encoder,
            conditions=task.conditions,
            settings=preparation.sample_of(spec, task.items),
            folder=desk.job.previews,
            step=step,
            spec=spec,
            device=task.accelerator.device,
            on_step=preparation.reporter(desk, "drawing previews"),
            should_stop=lambda: desk.stop_asked,
        )
    except StopAsked:
        desk.warn(f"The preview at step {step} was left out for the stop.")
    except Refused as refusal:
        desk.warn(f"No preview at step {step}: {refusal}")
    except Exception as error:
        desk.warn(f"No preview at step {step}: {type(error).__name__}: {error}")
    else:
        like = try_likeness(desk, task, spec, base, step) if spec.train.stop_when else {}
        desk.emit(
            "sampled", step=step, files=[str(file.relative_to(desk.job.path)) for file in files], **like
        )
    desk.phase("training", quiet=preparation.STEP_QUIET)


def try_likeness(desk: Desk, task: Task, spec: RunSpec, base: Base, step: int) -> dict[str, float]:
    """How like the subject the previews of `step` are, for `train.stop_when`: where that fails no run ends early."""
    if desk.job.start_adapter.exists():
        return {}  # Its first previews are not the base's: nothing to measure from, so it never settles.
    try:
        like = likeness_of_previews(task, base, desk.job.previews, step, preparation.triggers_of(spec))
    except Exception as error:
        desk.warn(f"The previews of step {step} were not measured: {type(error).__name__}: {error}")
        return {}
    return {} if like is None else {"likeness": like}


def report(desk: Desk, health: Health, outside_window: Sequence[str]) -> None:
    """One event on the first steps: every live layer has a gradient, B has moved, the trigger is read."""
    problems = health.problems(outside_window)
    desk.emit("health", ok=not problems, checked=len(health.parameters) // 2, problems=problems)
    for problem in problems:
        desk.warn(problem)
