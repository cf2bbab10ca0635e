"""A run on the tiny base with one checkpoint of a random adapter, for tests of what is drawn from a run."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from engine import checkpoint
from engine.adapter import adapter_state, inject, target_modules
from engine.dataset.items import Item, Placement, write_items
from engine.families.opening import open_base
from engine.families.sdxl import SDXL
from engine.optimizers import Saved
from projects.job import JobDir
from projects.spec import Base, Data, RunSpec, Sample, Train
from tests.engine.tiny import make_unet, tiny_base

SPEC = RunSpec(
    name="zork",
    trigger="zork",
    class_word="mug",
    base=Base(source=str(tiny_base())),
    data=Data(images="images", regularization="others"),
    train=Train(precision="fp32"),
    sample=Sample(
        prompts=("zork, a mug on a table", "a mug"), negative="blurry", guidance=3.0, steps=2, seeds=(1, 2)
    ),
)


def random_adapter(seed: int = 0, std: float = 0.5) -> dict[str, torch.Tensor]:
    """An adapter's tensors, with an effect on the tiny base."""
    denoiser = make_unet()
    torch.manual_seed(seed)
    inject(denoiser, target_modules(denoiser, "attention", SDXL), rank=4, alpha=4.0, dropout=0.0)
    for name, parameter in denoiser.named_parameters():
        if ".lora_B." in name:
            nn.init.normal_(parameter, std=std)
    return adapter_state(denoiser)


def make_run(project: Path, adapters: Mapping[int, Mapping[str, torch.Tensor]]) -> JobDir:
    """`project`/runs/r4 with a checkpoint at each step of `adapters`, three subject and two regularization pictures."""
    run = JobDir(project / "runs" / "r4")
    run.checkpoints.mkdir(parents=True)
    base = open_base(SPEC.base, Path("/"))[1].fingerprint
    for step, state in adapters.items():
        checkpoint.save(
            run, step=step, adapter=state, optimizer=Saved(tensors={"x/step": torch.zeros(1)}), rank=4, alpha=4.0,
            family="sdxl", base=base, micro_batch=1, threads=1, probe=checkpoint.Probe(loss="0x0p+0", grad="0x0p+0"),
        )  # fmt: skip
    write_items(run.items, [_item("subject", f"zork, a mug, light {number}") for number in range(3)]
                + [_item("regularization", text) for text in ("a vase, light 0", "a photo of 7th7")])  # fmt: skip
    return run


def with_sample(**changes: object) -> RunSpec:
    """SPEC with other [sample] values."""
    return replace(SPEC, sample=replace(SPEC.sample, **changes))  # type: ignore[arg-type]


def _item(role: str, caption: str) -> Item:
    placement = Placement(resolution=64, bucket=(64, 64), scaled=(64, 64), crop_left_top=(0, 0))
    return Item(
        picture="a.png", path=Path("/nowhere/a.png"), sha256="0" * 64, role=role, set="images", weight=1.0, repeats=1,  # type: ignore[arg-type]
        original=(64, 64), placements=(placement,), captions=(caption,), planned=1,
    )  # fmt: skip
