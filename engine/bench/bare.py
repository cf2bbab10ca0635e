"""The bare step: forward, backward, clip and optimizer step on micro-batches that lie ready, and nothing else."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from engine import assembly
from engine.cache import Cache, ConditionReader, LatentReader
from engine.dataset.items import read_items
from engine.dataset.slots import micro_batches
from engine.desk import Desk
from engine.families.opening import open_base
from engine.step import MicroBatch, Task, micro_batch_of, slot_losses, slots_at
from projects.spec import TrainJob

Step = Sequence[MicroBatch]
"""What one step trains: one micro-batch a bucket."""


class Bare:
    """A second denoiser with an adapter and an optimizer of its own, started as the run's are."""

    def __init__(self, task: Task, optimizer: torch.optim.Optimizer) -> None:
        self._task = task
        self._optimizer = optimizer

    @classmethod
    def of_run(cls, desk: Desk, job: TrainJob) -> "Bare":
        """For a run that has written its items and filled the cache."""
        spec, cache = job.spec, Cache(Path(job.project) / "cache")
        family, base = open_base(spec.base, Path(job.project))
        latents = LatentReader(cache, base, background=spec.data.background)
        conditions = ConditionReader(cache, family, base)
        items = read_items(desk.job.items)
        task = assembly.assemble(spec, family, base, items, latents, conditions)
        return cls(task, assembly.optimizer_of(spec, task))

    def prepare(self, first: int, count: int, size: int) -> list[Step]:
        """Everything that the steps from `first` (from 0) on read, drawn as the loop draws it, on the device."""
        steps: list[Step] = []
        for step in range(first, first + count):
            groups = micro_batches(slots_at(self._task, step), self._task.items, size)
            steps.append([micro_batch_of(self._task, step, group) for group in groups])
        return steps

    def train(self, steps: Sequence[Step]) -> list[Tensor]:
        """Train the prepared steps and give their losses, still on the device: nothing here waits for a GPU."""
        losses = []
        for step in steps:
            losses.append(self._backward(step))
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
        return losses

    def warm_up(self, steps: Sequence[Step]) -> None:
        """Let libraries plan and allocate; no weight changes."""
        for step in steps:
            self._backward(step)
            self._optimizer.zero_grad(set_to_none=True)

    def _backward(self, step: Step) -> Tensor:
        task, losses = self._task, []
        slots = sum(len(batch.framings) for batch in step)
        for batch in step:
            loss = slot_losses(task, batch).sum() / slots
            task.accelerator.backward(loss)
            losses.append(loss.detach())
        nn.utils.clip_grad_norm_(list(task.parameters.values()), task.max_grad_norm or math.inf)
        return torch.stack(losses).sum()


def wait_for_the_device() -> None:
    """Until everything that was given to a GPU is done; a CPU is never behind."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
