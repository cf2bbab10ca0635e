"""SD 1.5 against the stock pipeline: which layer of CLIP is read, what is predicted and drawn, and its single files."""

import re
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPTextConfig, CLIPVisionConfig

from engine.families import sd15, singlefile
from engine.families.family import Base, Family
from engine.families.opening import open_base
from engine.families.sd15 import SD15
from engine.families.sgm import sgm_path
from projects import spec
from projects.problems import Refused
from tests.engine.drawings import drawn_picture
from tests.engine.tiny import is_vae_attention, vae_name
from tests.engine.tiny_sd15 import build_folder, tiny_sd15

TEXTS = ["the cat of ab", "a dog"]


def opened(clip_skip: int = 2) -> tuple[Family, Base]:
    folder = tiny_sd15()
    return open_base(spec.Base(source=str(folder), clip_skip=clip_skip), folder)


def told(clip_skip: int) -> Tensor:
    family, base = opened(clip_skip)
    return family.encode_condition(family.load_encoders(base, torch.float32), TEXTS[:1])[0]["prompt_embeds"]


def test_clip_skip_counts_as_a1111_does() -> None:
    """1 is what the model gives; n is the n-th hidden state from the end, through the final layer norm."""
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_sd15(), safety_checker=None)
    expected, _ = pipeline.encode_prompt(TEXTS[0], "cpu", 1, True)
    assert torch.equal(told(1), expected[0])
    ids = pipeline.tokenizer(TEXTS[0], padding="max_length", max_length=77, return_tensors="pt").input_ids
    hidden = pipeline.text_encoder(ids, output_hidden_states=True).hidden_states
    norm = pipeline.text_encoder.final_layer_norm
    torch.testing.assert_close(told(1), norm(hidden[-1])[0])
    assert torch.equal(told(2), norm(hidden[-2])[0])
    assert torch.equal(told(3), norm(hidden[-3])[0])


def test_pictures_are_those_of_the_diffusers_pipeline() -> None:
    family, base = opened(1)
    ours = drawn_picture(family, base, TEXTS[0], size_wh=(64, 64))
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_sd15(), safety_checker=None)
    pipeline.scheduler = SD15.samplers["euler"](base.scheduler)
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        TEXTS[0], guidance_scale=5.0, num_inference_steps=4, width=64, height=64,
        generator=torch.Generator().manual_seed(7), output_type="pt",
    ).images  # fmt: skip
    assert float((ours - theirs).abs().max()) < 1e-5


def build_file(folder: Path, file: Path, drop: str = "no such prefix") -> Path:
    """The weights of a diffusers folder as one LDM-style .safetensors file."""
    config = SD15.config(opened()[1])
    parts = {part: load_file(next((folder / part).glob("*.safetensors"))) for part in SD15.models}
    tensors = {}
    for name, tensor in parts["unet"].items():
        module, _, kind = name.rpartition(".")
        tensors[f"model.diffusion_model.{sgm_path(config, module)}.{kind}"] = tensor
    for name, tensor in parts["vae"].items():
        tensors[f"first_stage_model.{vae_name(name)}"] = (
            tensor[..., None, None] if is_vae_attention(name) else tensor
        )
    for name, tensor in parts["text_encoder"].items():
        bare = re.sub(r"^text_model\.", "", name)
        tensors[f"cond_stage_model.transformer.text_model.{bare}"] = tensor
    save_file({name: one.contiguous() for name, one in tensors.items() if not name.startswith(drop)}, file)
    return file


def test_one_file_is_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_sd15()
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "sd15").symlink_to(folder)
    monkeypatch.setattr(singlefile, "CONFIGS", tmp_path / "configs")
    file = build_file(folder, tmp_path / "realistic.safetensors")
    family, single = open_base(spec.Base(source=str(file), clip_skip=2), tmp_path)
    assert family is SD15 and single.layout == "file" and single.clip_skip == 2
    whole = opened()[1]
    for part, kind in SD15.models.items():
        load = {"unet": family.load_denoiser, "vae": family.load_vae}.get(
            part, lambda base, dtype: family.load_encoders(base, dtype).model
        )
        left, right = (load(base, torch.float32).state_dict() for base in (whole, single))
        assert kind and left.keys() == right.keys()
        assert all(torch.equal(left[name], right[name]) for name in left), part


def test_a_file_without_its_encoder_is_named(tmp_path: Path) -> None:
    file = build_file(tiny_sd15(), tmp_path / "x.safetensors", drop="cond_stage_model")
    with pytest.raises(Refused, match=r"not a base that can be trained|not known"):
        open_base(spec.Base(source=str(file)), tmp_path)


def test_the_shipped_configs_are_the_real_architecture() -> None:
    from accelerate import init_empty_weights
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    configs = singlefile.CONFIGS / "sd15"
    with init_empty_weights():
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(str(configs / "unet")))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(str(configs / "vae")))
        text = CLIPTextModel(CLIPTextConfig.from_pretrained(str(configs / "text_encoder")))
    counts = [sum(one.numel() for one in model.parameters()) for model in (unet, vae, text)]
    assert counts == [859_520_964, 83_653_863, 123_060_480]


def test_a_v_prediction_base_is_one(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "v", scheduler={"prediction_type": "v_prediction"})
    assert open_base(spec.Base(source=str(folder)), tmp_path)[1].objective == "v"


def test_the_safety_checker_that_a_base_ships_looks_at_what_is_drawn(tmp_path: Path) -> None:
    """With concepts that everything is near to, as tiny random ones can be made: then all of it comes out black."""
    folder = build_folder(tmp_path / "base")
    family, base = open_base(spec.Base(source=str(folder)), tmp_path)
    unseen = drawn_picture(family, base, TEXTS[0], size_wh=(64, 64))
    config = CLIPConfig(
        text_config=CLIPTextConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2).to_dict(),
        vision_config=CLIPVisionConfig(
            hidden_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=16
        ).to_dict(),
        projection_dim=8,
    )
    checker = StableDiffusionSafetyChecker(config)
    checker.concept_embeds_weights.data.fill_(-2.0)
    checker.save_pretrained(folder / "safety_checker")
    size = {"shortest_edge": 32}
    CLIPImageProcessorPil(size=size, crop_size=32).save_pretrained(folder / "feature_extractor")
    seen = drawn_picture(family, base, TEXTS[0], size_wh=(64, 64))
    assert seen.shape == unseen.shape and not bool(seen.any()) and bool(unseen.any())
    checker.concept_embeds_weights.data.fill_(2.0)
    checker.special_care_embeds_weights.data.fill_(2.0)
    checker.save_pretrained(folder / "safety_checker")
    sd15._checker.cache_clear()
    assert torch.equal(drawn_picture(family, base, TEXTS[0], size_wh=(64, 64)), unseen)
