"""The job that proves the demo: the same prompt and seed with and without the trigger, scored for the subject."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from engine import noise
from engine.adapter import TRAINED
from engine.dataset.buckets import placement
from engine.dataset.items import Item, read_items
from engine.dataset.pictures import prepared
from engine.demo.proof import PipeParts, concept_axis, concept_score, sign_test
from engine.desk import Desk
from engine.draw import Shot, shots_of
from engine.families.family import Base, Family
from engine.picture_file import write_picture
from engine.preparation import open_trained_on
from engine.review.prompts import without_trigger
from engine.sample import Origin, adapter_of_run, draw_for_job, named
from projects.families import FAMILIES as FACTS
from projects.job import JobDir
from projects.problems import refuse
from projects.rights import allow
from projects.spec import ProofJob, Sample

FIRST_SEED = 24_000
"""Seeds of the pairs count up from here; previews and reviews use others."""


def run(desk: Desk, job: ProofJob) -> Literal["done", "stopped"]:
    """Draw `job.pairs` pairs, score them, and say pairs, positives and p of the one-sided sign test."""
    spec, project, proven = job.spec, Path(job.project), JobDir(Path(job.run))
    adapter, step = adapter_of_run(proven.path, None, spec)
    items = read_items(proven.items)
    prompts = [
        item.captions[0] for item in items if item.role == "holdout" and spec.trigger in item.captions[0]
    ]
    if not prompts:
        raise refuse(
            "No held-out picture has a caption with the trigger, so there is nothing to prove it with.",
            where="project.toml: data.holdout",
            hint="The demo's own project has twelve: safelight demo.",
        )
    allow(project, spec, "sample", [*prompts, spec.sample.negative])
    family, base = open_trained_on(desk, spec.base, project, adapter.trained_on)
    called = called_shots(spec.sample, base, prompts, job.pairs)
    uncalled = [
        replace(shot, prompt=without_trigger(shot.prompt, [spec.trigger], spec.class_word)) for shot in called
    ]
    plain = [replace(shot, weights=()) for shot in uncalled]
    shots = [*called, *uncalled, *plain]
    drawn: dict[int, Image.Image] = {}
    distilled = FACTS[family.name].distilled
    origin = Origin(
        base=base,
        distilled=distilled,
        adapters=named([adapter]),
        quantize=spec.train.quantize,
        run=proven.path.name,
        step=step,
    )
    desk.job.pictures.mkdir(exist_ok=True)

    def keep(index: int, picture: Image.Image) -> None:
        drawn[index] = picture
        kind = ("with", "without", "base")[index // len(called)]
        file = desk.job.pictures / f"{index % len(called) + 1:02d}-{kind}.png"
        write_picture(file, picture, origin.settings(shots[index]))

    draw_for_job(
        desk, project=project, family=family, base=base, spec=spec, adapters=[adapter],
        shots=shots, on_picture=keep,
    )  # fmt: skip
    desk.phase("scoring", quiet=600)
    pictures = [np.asarray(drawn[index]) for index in range(len(shots))]
    count = len(called)
    subject = subject_pictures(items, called[0].size, spec.data.background, count)
    scores = scored(family, base, pictures[2 * count :], subject, pictures[: 2 * count])
    differences = (scores[:count] - scores[count:]).tolist()
    pairs, positives, p = sign_test(differences)
    desk.result(
        pairs=pairs, positive=positives, p=p,
        with_trigger=scores[:count].mean().item(), without_trigger=scores[count:].mean().item(),
    )  # fmt: skip
    return "done"


def called_shots(sample: Sample, base: Base, prompts: Sequence[str], pairs: int) -> list[Shot]:
    """`pairs` pictures with the trigger at full weight: the prompts in turn, each with a seed of its own."""
    weights = ((TRAINED, 1.0),)
    called = []
    for number in range(pairs):
        one = replace(sample, seeds=(FIRST_SEED + number,))
        called += shots_of(one, base, [prompts[number % len(prompts)]], weights)
    return called


def subject_pictures(
    items: Sequence[Item], size: tuple[int, int], background: str, count: int
) -> list[NDArray[np.uint8]]:
    """Up to `count` subject pictures cut to `size` (width, height), each (H, W, 3) uint8."""
    side = max(size)
    chosen = [item for item in items if item.role == "subject"][:count]
    cuts = [placement(item.original, side, side, (0.5, 0.5)) for item in chosen]
    return [np.asarray(prepared(item.path, cut, background)) for item, cut in zip(chosen, cuts, strict=True)]


def scored(
    family: Family,
    base: Base,
    plain: Sequence[NDArray[np.uint8]],
    subject: Sequence[NDArray[np.uint8]],
    pictures: Sequence[NDArray[np.uint8]],
) -> Tensor:
    """Place of each of `pictures` between `plain` (0) and `subject` (1), shape (n,); the adapter has no part in it."""
    denoiser, vae = family.load_denoiser(base, torch.float32), family.load_vae(base, torch.float32)
    parts = PipeParts(denoiser.eval(), vae.eval(), noise.alphas_cumprod(base.scheduler))
    return concept_score(parts, pictures, concept_axis(parts, plain, subject))
