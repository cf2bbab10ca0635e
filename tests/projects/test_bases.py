"""What a base is, told by its own files; every other file named as what it is."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from projects import bases
from projects.bases import describe
from projects.families import FAMILIES
from projects.problems import Refused
from projects.resolving import resolve_text
from projects.tensorfile import read_header

SDXL = {
    "model.diffusion_model.input_blocks.0.0.weight": [8, 4, 3, 3],
    "model.diffusion_model.label_emb.0.0.weight": [8, 28],
    "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": [6, 20],
    "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_out.0.weight": [6, 6],
    "conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight": [4, 4],
    "conditioner.embedders.1.model.text_projection": [4, 4],
    "first_stage_model.decoder.conv_in.weight": [4, 4, 3, 3],
}


def tensors(path: Path, shapes: dict[str, list[int]]) -> Path:
    """A .safetensors file of fp16 zeros."""
    entries, end = {}, 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    return raw(path, entries, end)


def raw(path: Path, entries: Any, body: int) -> Path:
    header = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(body))
    return path


def folder(path: Path, *, index: dict[str, Any] | None = None, unet: dict[str, Any] | None = None) -> Path:
    """An SDXL base in diffusers layout, sized like the demo's, without weights."""
    for part in ("unet", "vae"):
        (path / part).mkdir(parents=True)
    both = {
        "text_encoder": ["transformers", "A"],
        "text_encoder_2": ["transformers", "B"],
        "unet": ["diffusers", "U"],
    }
    (path / "model_index.json").write_text(json.dumps({"_class_name": "P", **both, **(index or {})}))
    facts = {
        "in_channels": 4,
        "sample_size": 16,
        "cross_attention_dim": 160,
        "addition_embed_type": "text_time",
        "block_out_channels": [64, 80, 96],
    }
    (path / "unet/config.json").write_text(json.dumps({**facts, **(unet or {})}))
    (path / "vae/config.json").write_text(json.dumps({"block_out_channels": [32, 64, 64]}))
    return path


def refusal(source: str, project: Path) -> str:
    with pytest.raises(Refused) as refused:
        describe(source, project)
    assert refused.value.usage
    return str(refused.value)


def test_a_folder_tells_its_sizes(tmp_path: Path) -> None:
    base = folder(tmp_path / "base")
    tensors(
        base / "unet/diffusion_pytorch_model.safetensors",
        {"a.attn1.to_q.weight": [64, 80], "a.ff.net.2.weight": [10, 20], "a.conv.weight": [3, 3]},
    )
    facts = describe("base", tmp_path)
    assert (facts.kind, facts.family, facts.preset, facts.path) == ("folder", "sdxl", "sdxl", base)
    assert (facts.native_size, facts.floors, facts.bucket_step) == (64, (48, 64), 16)
    assert bases.adapter_parameters(facts, 16, "attention") == 16 * 144
    assert bases.adapter_parameters(facts, 16, "attention+mlp") == 16 * (144 + 30)
    assert bases.adapter_parameters(facts, 16, ("*.to_q",)) is None
    assert describe(str(base), tmp_path / "elsewhere") == facts


def test_a_full_size_base_has_the_floors_of_the_trade(tmp_path: Path) -> None:
    base = folder(tmp_path / "base", unet={"sample_size": 128, "block_out_channels": [320, 640, 1280]})
    (base / "vae/config.json").write_text(json.dumps({"block_out_channels": [128, 256, 512, 512]}))
    facts = describe("base", tmp_path)
    assert (facts.native_size, facts.floors, facts.bucket_step) == (1024, (768, 1024), 64)


def test_the_demo_is_known(tmp_path: Path) -> None:
    facts = describe("demo", tmp_path)
    assert (facts.kind, facts.family, facts.preset) == ("demo", "sdxl", "demo")
    assert (facts.native_size, facts.floors, facts.bucket_step) == (64, (48, 64), 16)
    assert bases.adapter_parameters(facts, 16, "attention") == 175_616


def test_one_file_is_judged_by_its_tensors_and_not_by_its_name(tmp_path: Path) -> None:
    tensors(tmp_path / "flux-sd15-lora.safetensors", SDXL)
    facts = describe("flux-sd15-lora.safetensors", tmp_path)
    assert (facts.kind, facts.family, facts.native_size, facts.bucket_step) == ("file", "sdxl", 1024, 64)
    assert bases.adapter_parameters(facts, 2, "attention") == 2 * (26 + 12)


def without(*prefixes: str) -> dict[str, list[int]]:
    return {name: shape for name, shape in SDXL.items() if not name.startswith(prefixes)}


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"lora_unet_input_blocks_4_1_proj_in.lora_down.weight": [4, 4]}, "an adapter (LoRA)"),
        ({"unet.down_blocks.0.attn1.to_q.lora_A.weight": [4, 4]}, "an adapter (LoRA)"),
        ({"first_stage_model.encoder.conv_in.weight": [4, 3, 3, 3]}, "a VAE"),
        ({"encoder.conv_in.weight": [4, 3, 3, 3], "decoder.conv_in.weight": [4, 4]}, "a VAE"),
        ({**SDXL, "model.diffusion_model.input_blocks.0.0.weight": [8, 9, 3, 3]}, "an inpainting model"),
        ({**without("conditioner"), "conditioner.embedders.0.model.ln_final.weight": [4]}, "an SDXL refiner"),
        (without("first_stage_model"), "a base without its VAE"),
        (without("conditioner", "first_stage"), "a U-Net alone"),
        ({"text_model.embeddings.token_embedding.weight": [4, 4]}, "a text encoder"),
        ({"control_model.input_hint_block.0.weight": [4, 4]}, "a ControlNet"),
        (
            {**without("conditioner"), "cond_stage_model.model.ln_final.weight": [4]},
            "a Stable Diffusion 2.x base (sd2)",
        ),
        ({"joint_blocks.0.x_block.attn.qkv.weight": [4, 4]}, "a Stable Diffusion 3 base (sd3)"),
        ({"transformer_blocks.0.txt_mod.1.weight": [4, 4]}, "a Qwen-Image base (qwen_edit)"),
        ({"encoder.block.0.layer.0.x.weight": [4, 4], "shared.weight": [4, 4]}, "a T5 text encoder"),
        (
            {"double_blocks.0.img_attn.qkv.weight": [12, 4], "img_in.weight": [4, 384]},
            "a FLUX model that fills or is led by a picture",
        ),
        ({"layers.0.weight": [4, 4]}, "not known"),
        ({}, "not known"),
    ],
)
def test_other_files_are_named_as_what_they_are(
    tmp_path: Path, shapes: dict[str, list[int]], words: str
) -> None:
    tensors(tmp_path / "sdxl_base.safetensors", shapes)
    assert words in refusal("sdxl_base.safetensors", tmp_path)


@pytest.mark.parametrize(
    ("index", "unet", "words"),
    [
        ({}, {"in_channels": 9}, "an inpainting model"),
        ({"text_encoder": [None, None]}, {}, "an SDXL refiner"),
        (
            {"text_encoder_2": [None, None]},
            {"addition_embed_type": None, "cross_attention_dim": 1024},
            "a Stable Diffusion 2.x base (sd2)",
        ),
        ({"text_encoder_2": [None, None]}, {}, "is not known"),
    ],
)
def test_other_folders_are_named_as_what_they_are(tmp_path: Path, index: Any, unet: Any, words: str) -> None:
    folder(tmp_path / "stable-diffusion-xl", index=index, unet=unet)
    assert words in refusal("stable-diffusion-xl", tmp_path)


def flux_folder(path: Path, **transformer: Any) -> Path:
    """A FLUX base in diffusers layout, without weights."""
    for part in ("transformer", "vae"):
        (path / part).mkdir(parents=True)
    index = {"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]}
    (path / "model_index.json").write_text(json.dumps(index))
    config = {"_class_name": "FluxTransformer2DModel", "in_channels": 64, **transformer}
    (path / "transformer/config.json").write_text(json.dumps(config))
    vae = {"block_out_channels": [128, 256, 512, 512], "sample_size": 1024}
    (path / "vae/config.json").write_text(json.dumps(vae))
    return path


def test_a_flux_folder_is_known_and_its_relatives_are_not(tmp_path: Path) -> None:
    facts = describe(str(flux_folder(tmp_path / "sd15")), tmp_path)
    assert (facts.family, facts.preset, facts.native_size, facts.bucket_step) == ("flux", "flux", 1024, 64)
    assert facts.clip_skips == () and FAMILIES["flux"].freezes_text_encoder and not facts.companion
    flux_folder(tmp_path / "fill", in_channels=384)
    assert "a FLUX model that fills or is led by a picture" in refusal("fill", tmp_path)


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_a_flux_file_has_the_transformer_only(tmp_path: Path, prefix: str) -> None:
    width, rank = 64, 16
    layers = {
        "img_in.weight": [width, 64],
        "double_blocks.0.img_attn.qkv.weight": [3 * width, width],
        "double_blocks.0.img_attn.proj.weight": [width, width],
        "double_blocks.0.img_mlp.0.weight": [4 * width, width],
        "single_blocks.0.linear1.weight": [7 * width, width],
        "single_blocks.0.linear2.weight": [width, 5 * width],
        "single_blocks.0.modulation.lin.weight": [3 * width, width],
    }
    tensors(tmp_path / "sdxl.safetensors", {prefix + name: shape for name, shape in layers.items()})
    facts = describe("sdxl.safetensors", tmp_path)
    assert (facts.kind, facts.family, facts.native_size, facts.bucket_step) == ("file", "flux", 1024, 64)
    assert facts.companion == "black-forest-labs/FLUX.1-dev" and "T5" in facts.companion_size
    attention = 3 * 2 * width + 2 * width + 3 * 2 * width
    mlp = 5 * width + 5 * width + 6 * width
    assert bases.adapter_parameters(facts, rank, "attention") == rank * attention
    assert bases.adapter_parameters(facts, rank, "attention+mlp") == rank * (attention + mlp)


def test_an_sd15_file_and_folder_are_known(tmp_path: Path) -> None:
    shapes = {**without("conditioner", "label"), "cond_stage_model.transformer.text_model.x.weight": [4]}
    shapes = {name: shape for name, shape in shapes.items() if "label_emb" not in name}
    tensors(tmp_path / "realistic_sdxl.safetensors", shapes)
    facts = describe("realistic_sdxl.safetensors", tmp_path)
    assert (facts.family, facts.native_size, facts.bucket_step, facts.floors) == ("sd15", 512, 64, (512, 768))
    assert facts.clip_skips == tuple(range(1, 13)) and "SDXL" in facts.hint
    index = {"text_encoder_2": [None, None]}
    unet = {"addition_embed_type": None, "cross_attention_dim": 768, "sample_size": 64}
    base = folder(tmp_path / "base", index=index, unet={**unet, "block_out_channels": [320, 640, 1280, 1280]})
    (base / "vae/config.json").write_text(json.dumps({"block_out_channels": [128, 256, 512, 512]}))
    facts = describe(str(base), tmp_path)
    assert (facts.family, facts.preset, facts.native_size, facts.bucket_step) == ("sd15", "sd15", 512, 64)


def test_pickles_are_refused_with_the_reason(tmp_path: Path) -> None:
    for name in ("a.ckpt", "a.bin", "a.PT"):
        (tmp_path / name).write_bytes(b"x")
        assert "runs whatever code is in it" in refusal(name, tmp_path)
    base = folder(tmp_path / "base")
    (base / "unet/diffusion_pytorch_model.bin").write_bytes(b"x")
    assert "runs whatever code is in it" in refusal("base", tmp_path)


def test_what_is_not_there_is_not_found_and_a_hub_id_is_unknown_until_it_was_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    for source in ("models/x/y", "x.safetensors", "models/x.safetensors", "/nowhere"):
        assert "There is no base" in refusal(source, tmp_path)
    assert "not a base model in diffusers layout" in refusal(".", tmp_path)
    assert describe("owner/sdxl-name", tmp_path) == bases.BaseFacts(kind="hub")
    cache = tmp_path / "hub/models--owner--sdxl-name"
    folder(cache / "snapshots/abc")
    (cache / "refs").mkdir()
    (cache / "refs/main").write_text("abc")
    assert describe("owner/sdxl-name", tmp_path).family == "sdxl"
    assert describe("owner/sdxl-name", tmp_path, revision="abc").kind == "hub"
    assert describe("owner/sdxl-name", tmp_path, revision="other").family == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 bytes long"),
        (b"\x80\x02}q\x00." * 9, "over 100 MB"),
        (struct.pack("<Q", 10**12), "over 100 MB"),
        (struct.pack("<Q", 500) + b"{}", "ends inside its header"),
        (struct.pack("<Q", 4) + b"nope", "not readable JSON"),
        (struct.pack("<Q", 5) + b"\xff\xfe{}\x00", "not readable JSON"),
        (struct.pack("<Q", 2) + b"[]", "not a table"),
    ],
)
def test_a_damaged_file_is_a_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    assert words in refusal("x.safetensors", tmp_path)


def entry(begin: int, end: int, shape: Any = None) -> dict[str, Any]:
    return {"dtype": "U8", "shape": [end - begin] if shape is None else shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"a": entry(-4, 4, [8])}, "negative"),
        ({"a": entry(0, 4, [-4])}, "negative"),
        ({"a": entry(8, 4, [4])}, "ends before it begins"),
        ({"a": entry(0, 8), "b": entry(4, 8)}, "overlaps"),
        ({"a": entry(0, 2), "b": entry(4, 8)}, "gap of 2 bytes"),
        ({"a": entry(0, 4, [5])}, "as long as its shape"),
        ({"a": entry(0, 12)}, "truncated: 4 bytes"),
        ({"a": entry(0, 4)}, "4 bytes stand behind"),
        ({"a": [1]}, "nothing usable"),
        ({"a": {"dtype": "U8", "shape": [True], "data_offsets": [0, 8]}}, "nothing usable"),
        ({"__metadata__": 3}, "metadata"),
    ],
)
def test_a_header_that_lies_is_a_sentence(tmp_path: Path, entries: Any, words: str) -> None:
    raw(tmp_path / "x.safetensors", entries, 8)
    assert words in refusal("x.safetensors", tmp_path)


def test_shapes_and_metadata_are_read(tmp_path: Path) -> None:
    header = read_header(
        raw(tmp_path / "x.safetensors", {"__metadata__": {"k": "v", "n": 3}, "a": entry(0, 8)}, 8)
    )
    assert (header.shapes, header.metadata) == ({"a": (8,)}, {"k": "v"})


def test_a_preset_of_another_family_and_numbers_that_mean_nothing_are_named(tmp_path: Path) -> None:
    flux_folder(tmp_path / "flux")
    text = '[base]\nsource = "flux"\n'
    assert resolve_text(text, tmp_path).train.timestep_sampling == "logit_normal"

    def told(*assignments: str, text: str = text) -> str:
        with pytest.raises(Refused) as refused:
            resolve_text(text, tmp_path, assignments)
        return str(refused.value)

    assert 'The preset "sdxl" is made for another family' in told("train.preset=sdxl")
    wrong = told(
        "train.min_snr_gamma=5", "sample.sampler=ddim", "base.clip_skip=2", "adapter.text_encoder=true"
    )
    assert "predicts a flow and has none" in wrong and 'flux has no sampler "ddim"' in wrong
    assert "clip skip means nothing" in wrong and "stay frozen" in wrong
    demo = '[base]\nsource = "demo"\n'
    assert "no convolutions" in told("train.channels_last=true")
    wrong = told("train.timestep_shift=resolution", "sample.true_guidance=3", text=demo)
    assert "for bases that predict a flow" in wrong and "here sample.guidance is the true one" in wrong
