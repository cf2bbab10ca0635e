"""The gate lets through what diffusers reads as the trained adapter, and nothing else."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from safetensors.torch import load_file, save_file

from engine import adapter
from engine.container import pack
from engine.export.formats import Layout
from engine.export.gate import (
    Verdict,
    check,
    objection,
    pipeline_around,
    question_for,
    reference_of,
    relative_difference,
)
from projects.problems import Refused
from tests.engine.export.made import Trained, make_adapter


def written(trained: Trained, layout: Layout, folder: Path, dtype: str = "fp32") -> Path:
    made = trained.content(layout, dtype)
    path = folder / f"adapter.{layout}.safetensors"
    path.write_bytes(pack(made.tensors, made.metadata))
    return path


def verdict_on(path: Path, trained: Trained) -> Verdict:
    return check(path, trained.family, trained.base, trained.question, trained.reference)


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
def test_files_act_like_the_trained_adapter_whatever_alpha_is(
    trained: Trained, layout: Layout, tmp_path: Path
) -> None:
    verdict = verdict_on(written(trained, layout, tmp_path), trained)
    assert objection(verdict, half=False) == ""
    assert verdict.unmatched == 0
    assert verdict.keys == len(trained.state) // 2 * (3 if layout == "kohya" else 2)
    assert verdict.difference <= 1e-5 and verdict.layer_difference <= 1e-5
    assert trained.reference.effect > 1e-3  # else the comparison would say nothing


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
def test_tensors_handed_over_without_their_metadata_act_the_same(
    trained: Trained, layout: Layout, tmp_path: Path
) -> None:
    tensors = load_file(written(trained, layout, tmp_path))
    denoiser = trained.family.load_denoiser(trained.base, torch.float32)
    pipeline_around(denoiser, trained.family, trained.base).load_lora_weights(tensors)
    question = trained.question
    with torch.no_grad():
        found = trained.family.predict(
            denoiser, question.noisy, question.timesteps, question.condition, question.framings
        )
    assert relative_difference(trained.reference.prediction, found) <= 1e-5


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
@pytest.mark.parametrize("dtype", ["fp16", "bf16"])
def test_half_precision_is_measured_and_goes_out(
    one: Trained, layout: Layout, dtype: str, tmp_path: Path
) -> None:
    verdict = verdict_on(written(one, layout, tmp_path, dtype), one)
    assert objection(verdict, half=True) == ""
    assert 0 < verdict.difference < 1e-2
    assert 1e-5 < verdict.layer_difference < 1e-2


def test_convolutions_and_embeddings_go_through_too(one: Trained, tmp_path: Path) -> None:
    targets = (
        "*.conv1",
        "*.conv2",
        "*.conv_shortcut",
        "*.time_emb_proj",
        "*.conv",
        "conv_in",
        "*linear_1",
        "*.proj_in",
        "*to_q",
    )
    state = make_adapter(one.family, one.base, targets, rank=4, alpha=2.0)
    reference = reference_of(one.family, one.base, one.question, state, rank=4, alpha=2.0)
    other = Trained(one.family, one.base, one.config, state, 4, 2.0, one.question, reference)
    for layout in ("kohya", "diffusers"):
        assert objection(verdict_on(written(other, layout, tmp_path), other), half=False) == ""


def test_a_forgotten_alpha_does_not_pass(one: Trained, tmp_path: Path) -> None:
    tensors = {
        key: value for key, value in one.content("kohya").tensors.items() if not key.endswith(".alpha")
    }
    save_file(tensors, tmp_path / "bare.safetensors")
    verdict = verdict_on(tmp_path / "bare.safetensors", one)
    assert verdict.unmatched == 0 and verdict.difference > 1e-5
    assert "differs" in objection(verdict, half=False) and "differs" in objection(verdict, half=True)


def test_a_lost_layer_is_counted(one: Trained, tmp_path: Path) -> None:
    tensors = dict(one.content("kohya").tensors)
    name = min(tensors).rsplit(".", 1)[0]
    tensors = {key: value for key, value in tensors.items() if not key.startswith(name.split(".")[0] + ".")}
    save_file(tensors, tmp_path / "less.safetensors")
    verdict = verdict_on(tmp_path / "less.safetensors", one)
    assert verdict.unmatched == 2
    assert "unmatched" in objection(verdict, half=False)


def test_a_prefix_under_which_nothing_is_loaded_is_counted(one: Trained, tmp_path: Path) -> None:
    tensors = {
        key.replace("unet.", "transformer.", 1): value
        for key, value in one.content("diffusers").tensors.items()
    }
    save_file(tensors, tmp_path / "other.safetensors")
    verdict = verdict_on(tmp_path / "other.safetensors", one)
    assert verdict.unmatched == 1 + len(one.state)  # the loader's warning, and every tensor that was meant
    assert verdict.messages[0].startswith("No LoRA keys associated to UNet2DConditionModel")


def test_a_key_that_the_loader_does_not_know_is_refused(one: Trained, tmp_path: Path) -> None:
    save_file(
        {**one.content("kohya").tensors, "lora_unet_oops.alpha": torch.tensor(1.0)},
        tmp_path / "odd.safetensors",
    )
    with pytest.raises(Refused, match="diffusers cannot load the file"):
        verdict_on(tmp_path / "odd.safetensors", one)


def test_values_too_small_for_fp16_are_called_lost(one: Trained, tmp_path: Path) -> None:
    state = {key: value * (1e-7 if ".lora_B." in key else 1) for key, value in one.state.items()}
    reference = reference_of(one.family, one.base, one.question, state, rank=one.rank, alpha=one.alpha)
    faint = Trained(one.family, one.base, one.config, state, one.rank, one.alpha, one.question, reference)
    assert "loses its values" in objection(
        verdict_on(written(faint, "kohya", tmp_path, "fp16"), faint), half=True
    )
    assert objection(verdict_on(written(faint, "kohya", tmp_path, "bf16"), faint), half=True) == ""


def test_an_untrained_adapter_whose_effect_is_nothing_still_has_to_be_loaded_whole(
    one: Trained, tmp_path: Path
) -> None:
    state = {key: torch.zeros_like(value) if ".lora_B." in key else value for key, value in one.state.items()}
    reference = reference_of(one.family, one.base, one.question, state, rank=one.rank, alpha=one.alpha)
    blank = Trained(one.family, one.base, one.config, state, one.rank, one.alpha, one.question, reference)
    assert reference.effect == 0.0
    assert objection(verdict_on(written(blank, "kohya", tmp_path), blank), half=False) == ""


def test_the_whole_pipeline_draws_the_same_picture_from_the_file(one: Trained, tmp_path: Path) -> None:
    """As a person does it: stock pipeline, load_lora_weights, one picture; at most one grey level apart."""

    def drawn(pipeline: StableDiffusionXLPipeline) -> torch.Tensor:
        pipeline.set_progress_bar_config(disable=True)
        picture = pipeline(
            "the cat",
            num_inference_steps=2,
            height=64,
            width=64,
            generator=torch.Generator().manual_seed(3),
            output_type="pt",
        ).images[0]
        return (picture.float() * 255).round()

    def fresh() -> StableDiffusionXLPipeline:
        return StableDiffusionXLPipeline.from_pretrained(one.base.path, dtype=torch.float32)

    ours, theirs = fresh(), fresh()
    plain = drawn(ours)
    adapter.load_adapter(ours.unet, one.state, rank=one.rank, alpha=one.alpha, name="trained")
    theirs.load_lora_weights(str(written(one, "diffusers", tmp_path)))
    expected = drawn(ours)
    assert (expected - drawn(theirs)).abs().max() <= 1
    assert (expected - plain).abs().max() > 1


def test_the_question_is_the_same_every_time(one: Trained) -> None:
    again = question_for(one.family, one.base, "the cat")
    assert torch.equal(again.noisy, one.question.noisy)
    assert again.timesteps.tolist() == [100, 500, 900]
    assert json.dumps(sorted(again.condition)) == json.dumps(sorted(one.question.condition))
