"""Bases open from a folder, a file and the hub's cache, and whatever is no base is named as what it is."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from engine.families import digests, hub, singlefile
from engine.families.family import Base
from engine.families.opening import open_base
from engine.families.sdxl import SDXL
from engine.families.weights import load_part, load_tokenizer
from projects import bases, spec
from projects.problems import Refused
from tests.engine.tiny import build_file, build_folder, tiny_base


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAFELIGHT_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def tiny_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Single files of the tiny base find the tiny base's configs."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "sdxl").symlink_to(tiny_base())
    monkeypatch.setattr(singlefile, "CONFIGS", tmp_path / "configs")


def opened(source: Path | str, **said: object) -> Base:
    return open_base(spec.Base(source=str(source), **said), Path("/nowhere"))[1]  # type: ignore[arg-type]


def refusal(source: Path | str, **said: object) -> str:
    with pytest.raises(Refused) as caught:
        opened(source, **said)
    return str(caught.value)


def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_base(), tmp_path / "copy"))


def edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_folder_says_what_it_is() -> None:
    base = opened(tiny_base())
    assert (base.layout, base.objective, base.native_size, base.latent_factor) == ("folder", "epsilon", 64, 4)
    assert base.zero_unconditional and base.configs == base.path
    assert set(base.parts) >= {"unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"}


def test_a_relative_source_is_relative_to_the_project() -> None:
    folder = tiny_base()
    _, base = open_base(spec.Base(source=folder.name), folder.parent)
    assert base.path == folder.resolve()
    assert base.name == folder.name


def test_a_single_file_holds_the_same_model_as_its_folder(tmp_path: Path, tiny_configs: None) -> None:
    file = build_file(tiny_base(), tmp_path / "model.safetensors")
    folder, single = opened(tiny_base()), opened(file)
    assert single.layout == "file" and single.path == file
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        left, right = (
            load_part(base, part, SDXL.models[part], torch.float32).state_dict() for base in (folder, single)
        )
        assert left.keys() == right.keys(), part
        assert all(torch.equal(left[name], right[name]) for name in left), part


def test_marker_tensors_of_a_file_say_v_prediction_and_zero_terminal_noise(
    tmp_path: Path, tiny_configs: None
) -> None:
    base = opened(build_file(tiny_base(), tmp_path / "v.safetensors", markers=("v_pred", "ztsnr")))
    assert base.objective == "v"
    assert (
        base.scheduler["prediction_type"] == "v_prediction"
        and base.scheduler["rescale_betas_zero_snr"] is True
    )
    plain = opened(build_file(tiny_base(), tmp_path / "e.safetensors"))
    assert plain.objective == "epsilon" and not plain.scheduler["rescale_betas_zero_snr"]


def test_the_configs_that_are_shipped_are_sdxls() -> None:
    """By the numbers of parameters that SDXL base 1.0 is known to have, and CLIP's tokens."""
    configs = singlefile.CONFIGS / "sdxl"
    with init_empty_weights():
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(str(configs / "unet")))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(str(configs / "vae")))
        first = CLIPTextModel(CLIPTextConfig.from_pretrained(str(configs / "text_encoder")))
        second = CLIPTextModelWithProjection(CLIPTextConfig.from_pretrained(str(configs / "text_encoder_2")))
    counts = [sum(one.numel() for one in model.parameters()) for model in (unet, vae, first, second)]
    assert counts == [2_567_463_684, 83_653_863, 123_060_480, 694_659_840]
    shipped = Base(
        source="", name="", layout="file", path=configs, configs=configs, objective="epsilon", native_size=1024,
        bucket_step=64, latent_factor=8, zero_unconditional=True, scheduler={}, fingerprint="", parts={},
    )  # fmt: skip
    text, start, end = "a photo of an astronaut", 49406, 49407
    for name, padding in (("tokenizer", end), ("tokenizer_2", 0)):
        ids = load_tokenizer(shipped, name)(text, padding="max_length", max_length=9).input_ids
        assert ids == [start, 320, 1125, 539, 550, 18376, end, padding, padding]


def test_half_precision_variants_and_shards_are_found(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    shutil.rmtree(folder / "unet")
    unet.save_pretrained(folder / "unet", max_shard_size="200KB")
    vae = folder / "vae" / "diffusion_pytorch_model.safetensors"
    vae.rename(vae.with_suffix(".fp16.safetensors"))
    first = folder / "text_encoder" / "model.safetensors"
    first.rename(first.with_suffix(".fp16.safetensors"))
    assert len(list((folder / "unet").glob("*.safetensors"))) > 1
    base, whole = opened(folder), opened(tiny_base())
    for part in ("unet", "vae", "text_encoder"):
        left, right = (
            load_part(each, part, SDXL.models[part], torch.float32).state_dict() for each in (base, whole)
        )
        assert all(torch.equal(left[name], right[name]) for name in right), part
    next(iter(sorted((folder / "unet").glob("*.safetensors")))).unlink()
    assert "The unet lacks diffusion_pytorch_model-00001-of" in refusal(folder)


def test_a_part_with_missing_tensors_is_not_loaded(tmp_path: Path, tiny_configs: None) -> None:
    folder = copy(tmp_path)
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    tensors.pop("decoder.conv_in.weight")
    save_file(tensors, weights, metadata={"format": "pt"})
    file = build_file(
        tiny_base(), tmp_path / "m.safetensors", drop="first_stage_model.decoder.conv_in.weight"
    )
    with pytest.raises(Refused, match=r"lacks 1 tensors, decoder\.conv_in\.weight"):
        load_part(opened(folder), "vae", SDXL.models["vae"], torch.float32)
    with pytest.raises(Refused, match="The vae of the base model is incomplete"):
        load_part(opened(file), "vae", SDXL.models["vae"], torch.float32)


# ---- what is refused


@pytest.mark.parametrize("name", ["model.ckpt", "model.bin", "model.pt"])
def test_pickles_are_refused_because_they_run_code(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04.")
    assert "runs whatever code" in refusal(tmp_path / name)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_folder_with_pickled_weights_only_is_refused(part: str, tmp_path: Path) -> None:
    folder = copy(tmp_path)
    for file in (folder / part).glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))
    assert "runs whatever code" in refusal(folder)


def test_what_lies_in_a_folder_is_told_all_at_once(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    shutil.rmtree(folder / "tokenizer_2")
    for file in (folder / "vae").glob("*.safetensors"):
        file.unlink()
    text = refusal(folder)
    assert "The vae has no weights" in text and "The tokenizer_2 is missing" in text


def test_another_clip_skip_is_refused() -> None:
    assert "clip_skip 2, never at 1" in refusal(tiny_base(), clip_skip=1)


def test_a_family_that_is_not_the_bases_is_refused() -> None:
    text = refusal(tiny_base(), family="flux", clip_skip=3)
    assert "family sdxl, the project says flux" in text and "base.clip_skip" in text


@pytest.mark.parametrize(
    ("config", "values", "expected"),
    [
        ("unet/config.json", {"in_channels": 9}, "inpainting"),
        ("model_index.json", {"text_encoder": [None, None]}, "refiner"),
        ("scheduler/scheduler_config.json", {"prediction_type": "sample"}, "neither noise nor v"),
        ("scheduler/scheduler_config.json", {"_class_name": "EDMEulerScheduler"}, "neither noise nor v"),
    ],
)
def test_folders_of_other_kinds_are_named(
    config: str, values: dict[str, object], expected: str, tmp_path: Path
) -> None:
    folder = copy(tmp_path)
    edit(folder / config, **values)
    assert expected in refusal(folder)


@pytest.mark.parametrize(
    ("tensors", "expected"),
    [
        ({"lora_unet_input_blocks_4_1_proj_in.lora_down.weight": (2, 8)}, "adapter"),
        ({"encoder.conv_in.weight": (4, 3, 3, 3), "decoder.conv_in.weight": (4, 4, 3, 3)}, "a VAE"),
        ({"model.diffusion_model.input_blocks.0.0.weight": (8, 9, 3, 3)}, "inpainting"),
        ({"conditioner.embedders.0.model.ln_final.weight": (8,)}, "refiner"),
    ],
)
def test_files_of_other_kinds_are_named(
    tensors: dict[str, tuple[int, ...]], expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "file.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in tensors.items()}, file)
    assert expected in refusal(file)


@pytest.mark.parametrize(
    ("drop", "part"), [("conditioner.embedders.0.", "text_encoder"), ("first_stage_model.", "VAE")]
)
def test_a_file_without_one_of_its_parts_is_refused(
    drop: str, part: str, tmp_path: Path, tiny_configs: None
) -> None:
    assert part in refusal(build_file(tiny_base(), tmp_path / "file.safetensors", drop=drop))


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, tiny_configs: None) -> None:
    file = build_file(tiny_base(), tmp_path / "file.safetensors")
    os.truncate(file, file.stat().st_size - 100)
    assert "truncated" in refusal(file)


def test_no_base_no_demo_and_nothing_there_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bases, "DEMO_FOLDER", tmp_path / "absent")
    assert "No base model is named" in refusal("")
    assert "model_index.json" in refusal("demo")
    assert "no base" in refusal(tmp_path / "absent.safetensors")


# ---- digests


def test_a_digest_names_content_and_is_remembered(tmp_path: Path, state: Path) -> None:
    file = tmp_path / "weights.safetensors"
    file.write_bytes(b"a" * (2 << 20))
    first = digests.file_digest(file)
    memory = state / "digests.json"
    remembered = json.loads(memory.read_text())
    remembered[str(file)]["sha256"] = "from memory"
    memory.write_text(json.dumps(remembered))
    assert digests.file_digest(file) == "from memory"
    times = file.stat()
    file.write_bytes(b"b" * (2 << 20))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    second = digests.file_digest(file)
    assert second not in (first, "from memory")
    memory.write_text("{torn")
    assert digests.file_digest(file) == second


def test_a_changed_part_changes_its_digest_and_the_fingerprint(tmp_path: Path) -> None:
    base = opened(tiny_base())
    folder = copy(tmp_path)
    same = opened(folder)
    assert (same.parts, same.fingerprint) == (base.parts, base.fingerprint)
    edit(folder / "vae" / "config.json", scaling_factor=0.2)
    scaled = opened(folder)
    assert {part for part in base.parts if scaled.parts[part] != base.parts[part]} == {"vae"}
    assert scaled.fingerprint == base.fingerprint
    other = opened(build_folder(tmp_path / "other", seed=1))
    assert other.fingerprint != base.fingerprint
    assert {part for part in base.parts if other.parts[part] == base.parts[part]} == {
        "tokenizer",
        "tokenizer_2",
    }


# ---- the hub's cache


def hub_cache(home: Path, name: str, folder: Path) -> None:
    place = home / f"models--{name.replace('/', '--')}"
    (place / "snapshots").mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("c0ffee")
    (place / "snapshots" / "c0ffee").symlink_to(folder)


def test_a_cached_hub_id_opens_without_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object) -> Path:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(hub, "_download", offline)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    hub_cache(tmp_path, "someone/tiny", tiny_base())
    base = opened("someone/tiny")
    assert base.source == base.name == "someone/tiny" and base.fingerprint == opened(tiny_base()).fingerprint
    assert load_part(base, "vae", SDXL.models["vae"], torch.float32)


def test_needed_files_are_chosen_and_pickles_are_not() -> None:
    sizes = dict.fromkeys(
        [
            "README.md", "model_index.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json",
            "tokenizer/merges.txt", "tokenizer_2/vocab.json", "text_encoder/config.json", "unet/config.json",
            "text_encoder/model.safetensors", "text_encoder/model.fp16.safetensors", "text_encoder/model.onnx",
            "text_encoder/pytorch_model.bin", "unet/diffusion_pytorch_model.fp16.safetensors",
            "unet/diffusion_pytorch_model.bin", "vae/diffusion_pytorch_model-00001-of-00002.safetensors",
            "vae/diffusion_pytorch_model-00002-of-00002.safetensors", "vae/config.json",
            "vae/diffusion_pytorch_model.safetensors.index.json", "safety_checker/model.safetensors",
            "sd_xl_base_1.0.safetensors", "transformer/config.json",
        ],
        1,
    )  # fmt: skip
    weights = [name for name in hub.wanted(sizes) if name.endswith(".safetensors")]
    assert weights == [
        "safety_checker/model.safetensors",
        "text_encoder/model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model-00001-of-00002.safetensors",
        "vae/diffusion_pytorch_model-00002-of-00002.safetensors",
    ]
    assert set(hub.wanted(sizes)) - set(weights) == {
        name for name in sizes if name.endswith((".json", "merges.txt"))
    }
    only = hub.wanted(sizes, ("vae",))
    assert [name.split("/")[0] for name in only if name.endswith(".safetensors")] == ["vae", "vae"]
    with pytest.raises(Refused, match="runs whatever code"):
        hub.wanted({"model_index.json": 1, "unet/diffusion_pytorch_model.bin": 1})
    with pytest.raises(Refused, match=r"no model_index\.json.*Download big\.safetensors"):
        hub.wanted({"big.safetensors": 1})
