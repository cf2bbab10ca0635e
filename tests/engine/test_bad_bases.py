"""Bases that lie or are damaged: a sentence each, nothing half loaded, no memory taken for what a config claims."""

import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.families.opening import FAMILIES, open_base
from projects import spec
from projects.problems import Refused
from tests.engine.test_contract import TINY


def edit(file: Path, **values: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def overwrite(folder: Path, text: str) -> None:
    for file in folder.glob("*.json"):
        file.write_text(text)


def spoil(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    file = next(folder.glob("*.safetensors"))
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file)


def no_number(tensors: dict[str, torch.Tensor]) -> None:
    tensors[sorted(tensors)[3]].view(-1)[0] = float("nan")


LIES: dict[str, tuple[Callable[[Path, str], None], str]] = {
    "vocabulary": (lambda at, _: edit(at / "text_encoder/config.json", vocab_size=10**9), "describes"),
    "layers": (lambda at, _: edit(at / "text_encoder/config.json", num_hidden_layers=9), "describes|lacks"),
    "latents": (lambda at, _: edit(at / "vae/config.json", latent_channels=7), "the vae|The vae"),
    "levels": (lambda at, _: edit(at / "vae/config.json", block_out_channels=[8, 8]), "The vae"),
    "no tokenizer": (lambda at, _: shutil.rmtree(at / "tokenizer"), "The tokenizer is missing"),
    "broken tokenizer": (
        lambda at, _: overwrite(at / "tokenizer", "{"),
        "The tokenizer of the base model is damaged",
    ),
    "empty tokenizer": (
        lambda at, _: overwrite(at / "tokenizer", "{}"),
        "The tokenizer of the base model is damaged",
    ),
    "scheduler": (
        lambda at, _: edit(at / "scheduler/scheduler_config.json", num_train_timesteps="many"),
        "num_train_timesteps = 'many'",
    ),
    "not finite": (lambda at, part: spoil(at / part, no_number), "1 tensors of the .* not finite"),
    "a tensor less": (
        lambda at, part: spoil(at / part, lambda all: all.pop(sorted(all)[0])),
        "describes|lacks",
    ),
}
OWN: dict[str, dict[str, Any]] = {
    "sdxl": {"block_out_channels": [32000] * 3},
    "sd15": {"block_out_channels": [32000] * 4},
    "flux": {"num_attention_heads": 4000},
}


def loaded_whole(source: Path) -> None:
    """Everything that a run loads of a base."""
    family, base = open_base(spec.Base(source=str(source)), source)
    family.load_denoiser(base, torch.float32)
    family.load_vae(base, torch.float32)
    family.encode_condition(family.load_encoders(base, torch.float32), ["a cat"])


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_damaged_base_is_a_sentence(name: str, lie: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TINY[name](), tmp_path / "base"))
    change, words = LIES[lie]
    change(folder, FAMILIES[name].denoiser)
    with pytest.raises(Refused, match=words) as refused:
        loaded_whole(folder)
    assert all(problem.hint for problem in refused.value.problems)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_config_that_claims_terabytes_takes_no_memory(name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TINY[name](), tmp_path / "base"))
    edit(folder / FAMILIES[name].denoiser / "config.json", **OWN[name])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Refused, match=r"describes .* its files hold"):
        loaded_whole(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_rotary_axes_that_do_not_fit_are_named(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TINY["flux"](), tmp_path / "base"))
    edit(folder / "transformer/config.json", axes_dims_rope=[4, 4, 4])
    with pytest.raises(Refused, match="axes_dims_rope"):
        loaded_whole(folder)
