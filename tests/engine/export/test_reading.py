"""Exported files come back as the adapter they were made of; anything that is not wholly understood is refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.adapter import read_adapter
from engine.container import pack
from engine.export.formats import Layout
from engine.export.reading import read_exported
from projects.problems import Refused
from tests.engine.export.made import Trained


def save(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> Path:
    path.write_bytes(pack(tensors, metadata or {}))
    return path


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
def test_a_file_of_ours_is_the_adapter_again(trained: Trained, layout: Layout, tmp_path: Path) -> None:
    made = trained.content(layout)
    state, rank, alpha = read_adapter(save(tmp_path / "a.safetensors", made.tensors, made.metadata))
    assert set(state) == set(trained.state)
    assert rank == trained.rank
    assert alpha == (trained.alpha if layout == "kohya" else trained.rank)
    for key in state:
        if key.endswith(".lora_A.weight"):
            other = key.replace("lora_A", "lora_B")
            mine = state[other] @ state[key] * (alpha / rank)
            theirs = trained.state[other] @ trained.state[key] * (trained.alpha / trained.rank)
            torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-8)


def test_half_precision_comes_back_as_fp32(one: Trained, tmp_path: Path) -> None:
    state, _, _ = read_exported(save(tmp_path / "a.safetensors", one.content("kohya", "bf16").tensors))
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}


def test_a_diffusers_file_of_others_keeps_its_alpha(one: Trained, tmp_path: Path) -> None:
    tensors = {f"unet.{key}": value for key, value in one.state.items()}
    metadata = {"lora_adapter_metadata": '{"unet.r": 8, "unet.lora_alpha": 2}'}
    assert read_exported(save(tmp_path / "a.safetensors", tensors, metadata))[1:] == (8, 2.0)
    assert read_exported(save(tmp_path / "b.safetensors", tensors))[1:] == (8, 8.0)


def test_the_demo_shaped_base_with_one_layer_a_block_reads_back(tmp_path: Path) -> None:
    name = "lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q"
    tensors = {f"{name}.lora_down.weight": torch.ones(2, 4), f"{name}.lora_up.weight": torch.ones(4, 2)}
    path = save(tmp_path / "a.safetensors", tensors, {"safelight.layers_per_block": "1"})
    assert (
        "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight" in read_exported(path)[0]
    )
    with pytest.raises(
        Refused, match="2 of 2 tensors have no place"
    ):  # in SDXL, input block 3 is a downsampler
        read_exported(save(tmp_path / "b.safetensors", tensors))


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "lora.pt").write_bytes(b"PK\x03\x04")
    with pytest.raises(Refused, match="run code"):
        read_exported(tmp_path / "lora.pt")


def test_a_pickle_under_a_false_name_is_no_safetensors_file(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "lora.safetensors")
    with pytest.raises(Refused, match=r"no \.safetensors file"):
        read_exported(tmp_path / "lora.safetensors")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_called_that(one: Trained, share: float, tmp_path: Path) -> None:
    data = pack(one.content("kohya").tensors, {})
    (tmp_path / "a.safetensors").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(Refused, match="cut short"):
        read_exported(tmp_path / "a.safetensors")


def test_a_missing_file_is_called_missing(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no such file"):
        read_exported(tmp_path / "nowhere.safetensors")


def test_unmatched_keys_are_counted_and_named(one: Trained, tmp_path: Path) -> None:
    odd = {
        f"lora_te1_text_model_encoder_layers_0_mlp_fc1.{end}": torch.ones(2, 2)
        for end in ("lora_down.weight", "lora_up.weight", "alpha")
    }
    path = save(tmp_path / "a.safetensors", {**one.content("kohya").tensors, **odd})
    total = len(one.content("kohya").tensors) + 3
    with pytest.raises(
        Refused, match=rf"3 of {total} tensors have no place .*lora_te1_text_model_encoder_layers_0_mlp_fc1"
    ) as told:
        read_exported(path)
    assert str(path) in str(told.value)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", "1 of 1 tensors have no place"),
        ("transformer.transformer_blocks.0.attn.to_q.lora_A.weight", "no adapter that Safelight reads"),
        ("model.diffusion_model.input_blocks.0.0.weight", "no adapter that Safelight reads"),
        ("unet.mid_block.attentions.0.proj_in.lokr_w1", "1 of 1 tensors have no place"),
    ],
)
def test_other_families_and_other_kinds_of_files_are_refused(key: str, words: str, tmp_path: Path) -> None:
    save_file({key: torch.ones(2, 2)}, tmp_path / "a.safetensors")
    with pytest.raises(Refused, match=words):
        read_exported(tmp_path / "a.safetensors")


def test_what_one_rank_and_alpha_cannot_say_is_refused(one: Trained, tmp_path: Path) -> None:
    tensors = dict(one.content("kohya").tensors)
    first = next(key for key in sorted(tensors) if key.endswith(".alpha"))
    with pytest.raises(Refused, match=r"differ in rank \(8\) or alpha \(4, 7\)"):
        read_exported(save(tmp_path / "a.safetensors", {**tensors, first: torch.tensor(7.0)}))
    with pytest.raises(Refused, match="one of their two tensors"):
        up = first.replace(".alpha", ".lora_up.weight")
        read_exported(
            save(tmp_path / "b.safetensors", {key: value for key, value in tensors.items() if key != up})
        )
    with pytest.raises(Refused, match="not finite"):
        bad = {**tensors, first.replace(".alpha", ".lora_up.weight"): torch.full((16, 8), float("nan"))}
        read_exported(save(tmp_path / "c.safetensors", bad))
