"""The evaluation loss: the same pictures, noise and timesteps every time, so that two steps can be compared."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from engine import noise
from engine.dataset.items import Item
from engine.dataset.slots import draw
from engine.families.family import stacked
from engine.step import Task, autocast, framing

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


@torch.no_grad()
def evaluate(task: Task, micro_batch: int, on_progress: Callable[[int, int], object]) -> Evaluation:
    """Measure the adapter as it is: no dropout, latents at their mean, first caption, first resolution.

    Noise of the cell (picture, timestep k) is randn of a generator seeded with draw(seed, "evaluate", index, k) >> 1.
    """
    training = task.denoiser.training
    task.denoiser.eval()
    cells = [(index, k) for index in grid_items(task.items) for k in range(len(TIMESTEP_SHARES))]
    by_bucket: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for index, k in cells:
        by_bucket[task.items[index].placements[0].bucket].append((index, k))
    errors: dict[int, list[float]] = defaultdict(list)
    done = 0
    try:
        for members in by_bucket.values():
            for start in range(0, len(members), micro_batch):
                batch = members[start : start + micro_batch]
                for (index, _), error in zip(batch, _cell_errors(task, batch), strict=True):
                    errors[index].append(error)
                done += len(batch)
                on_progress(done, len(cells))
    finally:
        task.denoiser.train(training)
    means = {index: sum(values) / len(values) for index, values in errors.items()}
    roles = {role: [means[i] for i in means if task.items[i].role == role] for role in ("subject", "holdout")}
    return Evaluation(
        subject=_mean(roles["subject"]),
        holdout=_mean(roles["holdout"]),
        pictures={task.items[index].picture: value for index, value in means.items()},
    )


def _cell_errors(task: Task, cells: Sequence[tuple[int, int]]) -> list[float]:
    device = task.accelerator.device
    latents, noises, shares, conditions, framings = [], [], [], [], []
    for index, k in cells:
        item = task.items[index]
        mean_CHW, _ = task.latents.get(item, 0, False)
        generator = torch.Generator().manual_seed(draw(task.seed, "evaluate", index, k) >> 1)
        latents.append(mean_CHW)
        noises.append(torch.randn(mean_CHW.shape, generator=generator))
        shares.append(TIMESTEP_SHARES[k])
        conditions.append(task.conditions.get(item.captions[0]))
        framings.append(framing(item, 0))
    latents_BCHW, noise_BCHW = torch.stack(latents).to(device), torch.stack(noises).to(device)
    levels = task.schedule.at(shares)
    noisy_BCHW = noise.mix(latents_BCHW, noise_BCHW, levels)
    with autocast(task.accelerator):
        prediction_BCHW = task.family.predict(
            task.denoiser, noisy_BCHW, levels.timesteps_B, stacked(conditions, device), framings
        )
    target_BCHW = noise.target(task.schedule.objective, latents_BCHW, noise_BCHW, levels)
    return (prediction_BCHW.float() - target_BCHW).pow(2).mean(dim=(1, 2, 3)).tolist()


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _spread(indices: Sequence[int]) -> list[int]:
    count = min(PICTURES, len(indices))
    return [indices[place * len(indices) // count] for place in range(count)]
