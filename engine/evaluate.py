"""The evaluation loss: the same pictures, noise and timesteps every time, so that two steps can be compared."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine import noise
from engine.cache import LatentReader
from engine.dataset.items import Item
from engine.dataset.slots import draw
from engine.families.family import Framing
from engine.noise import NoiseSchedule
from engine.step import Task, autocast, framing, told

TIMESTEP_SHARES = (0.1, 0.3, 0.5, 0.8)
"""Where the grid looks, as shares of all timesteps: structure at the noisy end, texture at the other."""
PICTURES = 12
"""At most so many of a role: enough to compare, and an eighth of the time of training."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Unweighted mean squared errors; None where there are no such pictures."""

    subject: float | None
    holdout: float | None
    pictures: dict[str, float]
    """By picture name, the mean over the timesteps."""


def grid_items(items: Sequence[Item]) -> list[int]:
    """Indices of the pictures that are measured: some of the subject's and of the held-out ones, spread evenly."""
    subject = [index for index, item in enumerate(items) if item.role == "subject"]
    holdout = [index for index, item in enumerate(items) if item.role == "holdout"]
    return _spread(subject) + _spread(holdout)


def grid_batches(items: Sequence[Item], micro_batch: int) -> list[list[tuple[int, int]]]:
    """The grid's cells (index of the item, of TIMESTEP_SHARES) in batches of one bucket each."""
    by_bucket: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for index in grid_items(items):
        by_bucket[items[index].placements[0].bucket] += [(index, k) for k in range(len(TIMESTEP_SHARES))]
    return [
        members[start : start + micro_batch]
        for members in by_bucket.values()
        for start in range(0, len(members), micro_batch)
    ]


@torch.no_grad()
def evaluate(task: Task, micro_batch: int, on_progress: Callable[[int, int], object]) -> Evaluation:
    """Measure the adapter as it is: no dropout, latents at their mean, first caption, first resolution.

    Noise of the cell (picture, timestep k) is randn of a generator seeded with draw(seed, "evaluate", index, k) >> 1.
    """
    training = task.denoiser.training
    for model in task.models:
        model.eval()
    errors: dict[int, list[float]] = defaultdict(list)
    batches = grid_batches(task.items, micro_batch)
    done, total = 0, sum(map(len, batches))

    def predict(
        noisy_BCHW: Tensor, timesteps_B: Tensor, texts: Sequence[str], framings: Sequence[Framing]
    ) -> Tensor:
        with autocast(task.accelerator):
            return task.family.predict(task.denoiser, noisy_BCHW, timesteps_B, told(task, texts), framings)

    try:
        for batch in batches:
            found = cell_errors(batch, task.items, task.latents, task.schedule, task.seed, predict)
            for (index, _), error in zip(batch, found, strict=True):
                errors[index].append(error)
            done += len(batch)
            on_progress(done, total)
    finally:
        for model in task.models:
            model.train(training)
    means = {index: sum(values) / len(values) for index, values in errors.items()}
    roles = {role: [means[i] for i in means if task.items[i].role == role] for role in ("subject", "holdout")}
    return Evaluation(
        subject=_mean(roles["subject"]),
        holdout=_mean(roles["holdout"]),
        pictures={task.items[index].picture: value for index, value in means.items()},
    )


def cell_errors(
    cells: Sequence[tuple[int, int]],
    items: Sequence[Item],
    latents: LatentReader,
    schedule: NoiseSchedule,
    seed: int,
    predict: Callable[[Tensor, Tensor, Sequence[str], Sequence[Framing]], Tensor],
) -> list[float]:
    """Mean squared error of each cell (index of the item, of TIMESTEP_SHARES); all pictures of one bucket.

    predict: (noisy_BCHW, timesteps_B, captions, framings) -> prediction_BCHW.
    """
    means, noises, shares, captions, framings = [], [], [], [], []
    for index, k in cells:
        item = items[index]
        mean_CHW, _ = latents.get(item, 0, False)
        generator = torch.Generator().manual_seed(draw(seed, "evaluate", index, k) >> 1)
        means.append(mean_CHW)
        noises.append(torch.randn(mean_CHW.shape, generator=generator))
        shares.append(TIMESTEP_SHARES[k])
        captions.append(item.captions[0])
        framings.append(framing(item, 0))
    latents_BCHW, noise_BCHW = torch.stack(means).to(schedule.device), torch.stack(noises).to(schedule.device)
    levels = schedule.at(shares)
    noisy_BCHW = noise.mix(latents_BCHW, noise_BCHW, levels)
    prediction_BCHW = predict(noisy_BCHW, levels.timesteps_B, captions, framings)
    target_BCHW = noise.target(schedule.objective, latents_BCHW, noise_BCHW, levels)
    errors: list[float] = (prediction_BCHW.float() - target_BCHW).pow(2).mean(dim=(1, 2, 3)).tolist()
    return errors


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _spread(indices: Sequence[int]) -> list[int]:
    count = min(PICTURES, len(indices))
    return [indices[place * len(indices) // count] for place in range(count)]
