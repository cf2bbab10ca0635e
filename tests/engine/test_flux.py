"""FLUX against the stock pipeline, its single files, and its fused names against diffusers' own reader."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.export.kohya import to_kohya
from engine.families import bfl
from engine.families.family import Base, Family, Framing
from engine.families.flux import FLUX, TRAINED_GUIDANCE, packed, places, unpacked
from engine.families.opening import open_base
from projects import spec
from projects.problems import Refused
from tests.engine.drawings import drawn_picture
from tests.engine.tiny_flux import make_transformer, tiny_flux

TEXTS = ["the cat of ab", "a dog"]


def opened() -> tuple[Family, Base]:
    return open_base(spec.Base(source=str(tiny_flux())), tiny_flux())


def test_packing_is_the_pipelines_own() -> None:
    latents = torch.randn(2, 16, 6, 8)
    assert torch.equal(packed(latents), FluxPipeline._pack_latents(latents, 2, 16, 6, 8))
    assert torch.equal(unpacked(packed(latents), 6, 8), latents)
    expected = FluxPipeline._prepare_latent_image_ids(1, 3, 4, "cpu", torch.float32)
    assert torch.equal(places(6, 8), expected)


def test_conditions_are_those_of_the_diffusers_pipeline() -> None:
    family, base = opened()
    ours = family.encode_condition(family.load_encoders(base, torch.float32), TEXTS[:1])[0]
    pipeline = FluxPipeline.from_pretrained(tiny_flux())
    window = pipeline.tokenizer_2.model_max_length
    prompt, pooled, _ = pipeline.encode_prompt(TEXTS[0], None, device="cpu", max_sequence_length=window)
    torch.testing.assert_close(ours["prompt_embeds"], prompt[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(ours["pooled_prompt_embeds"], pooled[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("true_guidance", [1.0, 3.0])
def test_pictures_are_those_of_the_diffusers_pipeline(true_guidance: float) -> None:
    family, base = opened()
    ours = drawn_picture(
        family, base, TEXTS[0], size_wh=(64, 48), guidance=3.5, true_guidance=true_guidance, negative=TEXTS[1]
    )
    pipeline = FluxPipeline.from_pretrained(tiny_flux())
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        TEXTS[0], negative_prompt=TEXTS[1], true_cfg_scale=true_guidance, guidance_scale=3.5, num_inference_steps=4,
        width=64, height=48, generator=torch.Generator().manual_seed(7), output_type="pt",
        max_sequence_length=pipeline.tokenizer_2.model_max_length,
    ).images  # fmt: skip
    assert float((ours - theirs).abs().max()) < 1e-5


def test_training_tells_the_transformer_a_guidance_of_one() -> None:
    family, base = opened()
    denoiser = family.load_denoiser(base, torch.float32)
    told: list[Mapping[str, Tensor]] = []
    denoiser.register_forward_pre_hook(lambda _module, _args, kwargs: told.append(kwargs), with_kwargs=True)
    condition = family.encode_condition(family.load_encoders(base, torch.float32), TEXTS[:1])[0]
    framing = Framing(original_hw=(64, 64), crop_top_left=(0, 0), target_hw=(64, 64))
    family.predict(
        denoiser,
        torch.randn(1, 16, 16, 16),
        torch.tensor([250.0]),
        {key: value[None] for key, value in condition.items()},
        [framing],
    )
    assert told[0]["guidance"].tolist() == [TRAINED_GUIDANCE] == [1.0]
    assert told[0]["timestep"].tolist() == [0.25]


def build_file(folder: Path, file: Path, prefix: str = "") -> Path:
    """The transformer of a diffusers folder under the original code's names."""
    config = FluxTransformer2DModel.load_config(str(folder / "transformer"))
    gathered: dict[str, dict[int, Tensor]] = {}
    for name, tensor in load_file(next((folder / "transformer").glob("*.safetensors"))).items():
        module, _, end = name.rpartition(".")
        place = bfl.original(config, module)
        if module in bfl.SWAPPED:
            tensor = torch.cat(tensor.chunk(2)[::-1])
        whole = f"{prefix}{place.name}.{'scale' if bfl.NORMS.search(module) else end}"
        gathered.setdefault(whole, {})[place.place] = tensor
    tensors = {name: torch.cat([parts[at] for at in sorted(parts)]) for name, parts in gathered.items()}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    return file


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_one_file_and_its_companion_are_the_folder(tmp_path: Path, prefix: str) -> None:
    file = build_file(tiny_flux(), tmp_path / "flux.safetensors", prefix)
    source = spec.Base(source=str(file), companion=str(tiny_flux()))
    family, single = open_base(source, tmp_path)
    whole = opened()[1]
    assert family is FLUX and single.companion == tiny_flux().resolve()
    assert single.parts["vae"] == whole.parts["vae"] and single.fingerprint != whole.fingerprint
    for load in (family.load_denoiser, family.load_vae):
        left, right = (load(base, torch.float32).state_dict() for base in (whole, single))
        assert left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)
    assert family.config(single)["num_layers"] == 2
    encoders = family.load_encoders(single, torch.float32)
    assert family.encode_condition(encoders, TEXTS)


def test_the_original_names_are_those_that_diffusers_converts_from() -> None:
    """Of the real width, which diffusers has written into its converter."""
    from diffusers.loaders.single_file_utils import convert_flux_transformer_checkpoint_to_diffusers

    with torch.device("meta"):
        model = make_transformer(heads=24, head_dim=128, layers=(1, 1))
    state = {
        name: torch.zeros(tensor.shape[0], 1) if tensor.ndim > 1 else torch.zeros(tensor.shape)
        for name, tensor in model.state_dict().items()
    }
    for number, name in enumerate(state):
        state[name] += number
    original: dict[str, dict[int, Tensor]] = {}
    for name, tensor in state.items():
        module, _, end = name.rpartition(".")
        place = bfl.original(model.config, module)
        if module in bfl.SWAPPED:
            tensor = torch.cat(tensor.chunk(2)[::-1])
        whole = f"{place.name}.{'scale' if bfl.NORMS.search(module) else end}"
        original.setdefault(whole, {})[place.place] = tensor
    fused = {name: torch.cat([parts[at] for at in sorted(parts)]) for name, parts in original.items()}
    found = convert_flux_transformer_checkpoint_to_diffusers(dict(fused))
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


@pytest.mark.parametrize(
    "layers", [("to_q", "to_k", "to_v", "proj_mlp"), ("to_q", "to_k", "to_v"), ("to_k",)]
)
def test_fused_files_of_the_real_width_are_taken_apart_again_by_diffusers(
    tmp_path: Path, layers: tuple[str, ...]
) -> None:
    """Rank 32 and alpha 8; parts that were not trained come back as zeros."""
    torch.manual_seed(0)
    rank, alpha, width = 32, 8.0, 3072
    config = {"num_attention_heads": 24, "attention_head_dim": 128}
    state = {}
    for layer in layers:
        path = f"single_transformer_blocks.3.{layer if layer == 'proj_mlp' else f'attn.{layer}'}"
        out = 4 * width if layer == "proj_mlp" else width
        state[f"{path}.lora_A.weight"] = torch.randn(rank, width) / rank
        state[f"{path}.lora_B.weight"] = torch.randn(out, rank) / 50
    for layer in ("to_q", "to_k", "to_v"):
        path = f"transformer_blocks.1.attn.{layer}"
        state[f"{path}.lora_A.weight"] = torch.randn(rank, width) / rank
        state[f"{path}.lora_B.weight"] = torch.randn(width, rank) / 50
    tensors = to_kohya(
        state, alpha=alpha, dtype=torch.float32, place_of=lambda path: FLUX.original(config, path)
    )
    assert "lora_unet_single_blocks_3_linear1.lora_up.weight" in tensors
    assert tensors["lora_unet_single_blocks_3_linear1.alpha"].item() == 4 * alpha
    save_file(tensors, tmp_path / "x.safetensors")
    found, alphas = FluxPipeline.lora_state_dict(str(tmp_path / "x.safetensors"), return_alphas=True)
    assert not alphas  # multiplied in
    for path in sorted({key.rsplit(".lora_", 1)[0] for key in state}):
        down, up = (found[f"transformer.{path}.lora_{letter}.weight"] for letter in "AB")
        meant = state[f"{path}.lora_B.weight"] @ state[f"{path}.lora_A.weight"] * (alpha / rank)
        torch.testing.assert_close(up @ down, meant, atol=1e-6, rtol=1e-5)
    for key in found:
        path = key.removeprefix("transformer.").rsplit(".lora_", 1)[0]
        assert f"{path}.lora_A.weight" in state or not found[key].any(), key


def test_a_file_needs_a_companion_that_is_there(tmp_path: Path) -> None:
    file = build_file(tiny_flux(), tmp_path / "flux.safetensors")
    with pytest.raises(Refused, match="There is no"):
        open_base(spec.Base(source=str(file), companion="./nowhere"), tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refused, match="text_encoder_2"):
        open_base(spec.Base(source=str(file), companion="empty"), tmp_path)
