"""Pretraining stages: a stage that was cut and resumed equals one that ran through."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.demo.data import make_data
from engine.demo.pretrain import Plan, read_state
from engine.demo.tokenizer import write_tokenizer
from engine.demo.unet_stage import train_unet, unet_plan
from engine.demo.vae_stage import train_vae, vae_plan


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretrain")
    make_data(folder / "data", pictures=48, processes=1)
    write_tokenizer(folder / "tokenizer")
    train_vae(folder / "data", folder, replace(vae_plan(2), log_every=1))
    return folder


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    state = read_state(folder)
    assert state is not None
    tensors: dict[str, torch.Tensor] = load_file(folder / state["file"])
    return tensors


def _copy(work: Path, name: str) -> Path:
    folder = work.parent / f"{work.name}-{name}"
    shutil.copytree(work, folder, ignore=shutil.ignore_patterns("vae", "unet"))
    shutil.copytree(work / "vae", folder / "vae")
    return folder


def _equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_vae_resumes_exactly(work: Path) -> None:
    whole, cut = _copy(work, "vae-whole"), _copy(work, "vae-cut")
    for folder in (whole, cut):
        shutil.rmtree(folder / "vae")
    plan = vae_plan(4)
    train_vae(work / "data", whole, plan)
    train_vae(work / "data", cut, plan, until=2)
    assert read_state(cut / "vae")["step"] == 2  # type: ignore[index]
    train_vae(work / "data", cut, plan)
    assert _equal(_tensors(whole / "vae"), _tensors(cut / "vae"))


def test_unet_resumes_exactly(work: Path) -> None:
    whole, cut = _copy(work, "unet-whole"), _copy(work, "unet-cut")
    plan = unet_plan(4)
    train_unet(work / "data", whole, plan)
    train_unet(work / "data", cut, plan, until=2)
    train_unet(work / "data", cut, plan)
    assert _equal(_tensors(whole / "unet"), _tensors(cut / "unet"))


def test_another_plan_is_refused(work: Path) -> None:
    with pytest.raises(ValueError, match="another plan"):
        train_vae(work / "data", work, vae_plan(3))


def test_rate_rises_stays_and_falls() -> None:
    plan = Plan("x", steps=100, seed=0, peak_rate=1.0, warmup=10, flat=0.3)
    rates = [plan.rate(step) for step in range(100)]
    assert rates[0] < 0.2 and rates[20] == pytest.approx(1.001) and rates[99] < 0.01
    assert rates[10:] == sorted(rates[10:], reverse=True)
