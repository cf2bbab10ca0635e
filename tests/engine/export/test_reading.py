"""Adapter files of Safelight and of others: what each name means, and that nothing is applied by half."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.adapter import load_adapter, set_weights
from engine.container import pack
from engine.export.formats import Layout, content
from engine.export.reading import Adapter, read_adapter
from projects.problems import Refused
from tests.engine.export.bases import TINY, added, lora, save, tiny
from tests.engine.export.made import Trained, make_adapter

FAMILIES = sorted(TINY)


def read(name: str, path: Path) -> Adapter:
    return read_adapter(path, *tiny(name))


def given_file(name: str, folder: Path, tensors: Mapping[str, Tensor], **metadata: str) -> Adapter:
    return read(name, save(folder / "a.safetensors", tensors, metadata))


# ---- our own files


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("rank", "alpha"), [(32, 8.0), (4, 3.0)])
def test_a_file_of_ours_is_the_adapter_again(
    name: str, layout: Layout, rank: int, alpha: float, tmp_path: Path
) -> None:
    """All that may be trained together, so that FLUX's shared tensors are whole; and one of their layers alone."""
    family, base = tiny(name)
    for targets in ("attention+mlp", ("*.to_k", "*.to_out.0") if name != "flux" else ("*.attn.to_k",)):
        state = make_adapter(family, base, targets, rank=rank, alpha=alpha)
        config = family.config(base)
        made = content(
            layout, state, rank=rank, alpha=alpha, dtype=torch.float32, component=family.denoiser,
            place_of=lambda path, config=config: family.original(config, path),
        )  # fmt: skip
        found, its_rank, its_alpha = given_file(name, tmp_path, made.tensors, **made.metadata).to_continue()
        assert set(found) == set(state)
        assert (its_rank, its_alpha) == (rank, alpha if layout == "kohya" else rank)
        for path in {key.rsplit(".lora_", 1)[0] for key in state}:
            torch.testing.assert_close(
                added(found, path, its_rank, its_alpha), added(state, path, rank, alpha), rtol=1e-5, atol=1e-8
            )


def test_a_checkpoint_is_read_with_the_alpha_of_its_header(tmp_path: Path) -> None:
    family, base = tiny("sdxl")
    state = make_adapter(family, base, "attention", rank=4, alpha=2.0)
    header = {"format": "safelight-1", "rank": "4", "alpha": "2.0"}
    found, rank, alpha = given_file("sdxl", tmp_path, state, **header).to_continue()
    assert (rank, alpha) == (4, 2.0) and all(torch.equal(found[key], state[key]) for key in state)
    with pytest.raises(Refused, match="alpha cannot be read"):
        given_file("sdxl", tmp_path, state, format="safelight-1", alpha="much")


def test_half_precision_comes_back_as_fp32(one: Trained, tmp_path: Path) -> None:
    state, _, _ = given_file("sdxl", tmp_path, one.content("kohya", "bf16").tensors).to_continue()
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}


# ---- files of others

DOWN = "down_blocks.1.attentions.0.transformer_blocks.0.attn1"
ATTENTION = f"{DOWN}.to_q"
OUT = f"{DOWN}.to_out.0"


@pytest.mark.parametrize(
    ("name", "written", "style", "path", "sizes"),
    [
        ("sdxl", "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q", "kohya", ATTENTION, 16),
        ("sdxl", "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q", "kohya", ATTENTION, 16),
        ("sdxl", f"unet.{ATTENTION}", "peft", ATTENTION, 16),
        ("sdxl", f"unet.{DOWN}.processor.to_q", "processor", ATTENTION, 16),
        ("sdxl", f"unet.{DOWN}.processor.to_out", "processor", OUT, 16),
        ("sdxl", f"unet.{OUT}", "dotted", OUT, 16),
        ("sdxl", f"unet.{DOWN}.processor.to_k", "linear layer", f"{DOWN}.to_k", 16),
        ("sdxl", ATTENTION, "peft, named", ATTENTION, 16),
        ("sdxl", f"diffusion_model.{ATTENTION}", "bare", ATTENTION, 16),
        ("sd15", f"diffusion_model.{ATTENTION}", "peft", ATTENTION, 16),
        ("sd15", "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_v", "kohya",
         "mid_block.attentions.0.transformer_blocks.0.attn1.to_v", 16),
        ("flux", "transformer.single_transformer_blocks.1.attn.to_q", "peft",
         "single_transformer_blocks.1.attn.to_q", 64),
        ("flux", "lora_transformer_transformer_blocks_0_attn_add_k_proj", "kohya",
         "transformer_blocks.0.attn.add_k_proj", 64),
        ("flux", "transformer_blocks.0.attn.to_out.0", "peft", "transformer_blocks.0.attn.to_out.0", 64),
        ("flux", "lora_unet_double_blocks_1_img_attn_proj", "kohya", "transformer_blocks.1.attn.to_out.0", 64),
        ("flux", "diffusion_model.double_blocks.1.txt_attn.proj", "peft", "transformer_blocks.1.attn.to_add_out", 64),
    ],
)  # fmt: skip
def test_names_of_other_programs_lead_to_the_layer(
    name: str, written: str, style: str, path: str, sizes: int, tmp_path: Path
) -> None:
    tensors = lora(written, out=sizes, into=sizes, alpha=1.0, style=style)
    if style == "processor":  # these programs have no alpha
        tensors.pop(f"{written}.alpha")
    found = given_file(name, tmp_path, tensors)
    assert list(found.layers) == [path]
    layer = found.layers[path]
    down, up = (tensor for key, tensor in tensors.items() if not key.endswith(".alpha"))
    assert torch.equal(layer.down, down) and torch.equal(layer.up, up)
    assert layer.alpha == (4.0 if style == "processor" else 1.0)


def test_what_flux_layers_share_is_cut_by_rows(tmp_path: Path) -> None:
    """As sd-scripts writes it: one down for all of them, nothing zero."""
    single = lora("lora_unet_single_blocks_0_linear1", out=7 * 64, into=64, rank=8, alpha=2.0)
    double = lora("diffusion_model.double_blocks.0.txt_attn.qkv", out=3 * 64, into=64, rank=6, style="peft")
    found = given_file("flux", tmp_path, {**single, **double}).layers
    up, down = single["lora_unet_single_blocks_0_linear1.lora_up.weight"], next(iter(single.values()))
    rows = {"attn.to_q": (0, 64), "attn.to_k": (64, 128), "attn.to_v": (128, 192), "proj_mlp": (192, 448)}
    for layer, (start, end) in rows.items():
        one = found[f"single_transformer_blocks.0.{layer}"]
        assert (one.rank, one.alpha) == (8, 2.0)
        assert torch.equal(one.down, down) and torch.equal(one.up, up[start:end])
    names = [f"transformer_blocks.0.attn.add_{part}_proj" for part in "qkv"]
    joined = torch.cat([found[path].up for path in names])
    assert torch.equal(joined, double["diffusion_model.double_blocks.0.txt_attn.qkv.lora_B.weight"])
    assert len(found) == 7


def test_the_swapped_halves_of_flux_last_norm_are_put_right(tmp_path: Path) -> None:
    tensors = lora("lora_unet_final_layer_adaLN_modulation_1", out=128, into=64)
    up = given_file("flux", tmp_path, tensors).layers["norm_out.linear"].up
    shift, scale = next(one for key, one in tensors.items() if key.endswith("up.weight")).chunk(2)
    assert torch.equal(up, torch.cat([scale, shift]))


def test_a_convolution_of_one_pixel_and_a_linear_layer_are_the_same(tmp_path: Path) -> None:
    conv = lora("lora_unet_down_blocks_1_attentions_0_proj_in", out=16, into=16)
    as_conv = given_file("sd15", tmp_path, conv).layers["down_blocks.1.attentions.0.proj_in"]
    assert as_conv.down.shape == (4, 16, 1, 1) and as_conv.up.shape == (16, 4, 1, 1)
    linear = lora("lora_unet_" + ATTENTION.replace(".", "_"), out=16, into=16)
    flat = {key: tensor[..., None, None] for key, tensor in linear.items()}
    assert given_file("sdxl", tmp_path, flat).layers[ATTENTION].down.shape == (4, 16)


# ---- alpha


def test_alpha_is_the_tensors_then_the_metadatas_then_the_rank(tmp_path: Path) -> None:
    plain = lora(f"unet.{ATTENTION}", out=16, into=16, style="peft")
    said = json.dumps({"unet.r": 4, "unet.lora_alpha": 2, "unet.alpha_pattern": {"attn1.to_k": 5}})

    def alpha_of(tensors: Mapping[str, Tensor], path: str = ATTENTION, **metadata: str) -> float:
        return given_file("sdxl", tmp_path, tensors, **metadata).layers[path].alpha

    assert alpha_of(plain) == 4.0
    assert alpha_of(plain, lora_adapter_metadata=said) == 2.0
    assert alpha_of({**plain, f"unet.{ATTENTION}.alpha": torch.tensor(3)}, lora_adapter_metadata=said) == 3.0
    other = lora(f"unet.{DOWN}.to_k", out=16, into=16, style="peft")
    assert alpha_of(other, f"{DOWN}.to_k", lora_adapter_metadata=said) == 5.0
    by_root = json.dumps({"unet.lora_alpha": 2, "unet.use_rslora": True})
    assert alpha_of(plain, lora_adapter_metadata=by_root) == 4.0  # 2 / sqrt(4) is 4 / 4
    for broken in ("no json", "[]", '{"unet.lora_alpha": "x"}', '{"unet.alpha_pattern": {"(a+)+": 1}}'):
        with pytest.raises(Refused, match="cannot be read"):
            alpha_of(plain, lora_adapter_metadata=broken)


def test_pefts_own_folder_has_alpha_beside_the_file(tmp_path: Path) -> None:
    tensors = lora(f"base_model.model.{ATTENTION}", out=16, into=16, style="peft")
    with pytest.raises(Refused, match=r"adapter_config\.json: peft writes alpha"):
        given_file("sdxl", tmp_path, tensors)
    (tmp_path / "adapter_config.json").write_text('{"r": 4, "lora_alpha": 1}')
    assert given_file("sdxl", tmp_path, tensors).layers[ATTENTION].alpha == 1.0


def test_layers_of_several_ranks_and_alphas_draw_and_do_not_train_on(tmp_path: Path) -> None:
    conv = "down_blocks.1.resnets.0.conv2"
    name = f"lora_unet_{conv.replace('.', '_')}"
    tensors = {
        **lora("lora_unet_" + ATTENTION.replace(".", "_"), out=16, into=16, rank=8, alpha=2.0),
        **lora("lora_unet_" + OUT.replace(".", "_"), out=16, into=16, rank=3, alpha=3.0),
        f"{name}.lora_down.weight": torch.randn(2, 16, 3, 3),
        f"{name}.lora_up.weight": torch.randn(16, 2, 1, 1),
    }
    found = given_file("sdxl", tmp_path, tensors)
    state, rank, alpha = found.as_one()
    assert (rank, alpha) == (8, 8.0)
    for path, layer in found.layers.items():
        its = layer.up.flatten(1) @ layer.down.flatten(1) * (layer.alpha / layer.rank)
        torch.testing.assert_close(added(state, path, rank, alpha), its)
    family, base = tiny("sdxl")
    denoiser = family.load_denoiser(base, torch.float32)
    load_adapter(denoiser, state, rank=rank, alpha=alpha, name="further1")
    set_weights(denoiser, {"further1": 1.0})
    with pytest.raises(
        Refused, match=r"differ in rank \(2, 3, 8\) or alpha \(2, 3\), and a run trains one of each"
    ):
        found.to_continue()


# ---- what is refused


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "lora.pt").write_bytes(b"PK\x03\x04")
    with pytest.raises(Refused, match="run code"):
        read("sdxl", tmp_path / "lora.pt")


def test_a_pickle_under_a_false_name_is_no_safetensors_file(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "lora.safetensors")
    with pytest.raises(Refused, match=r"no \.safetensors file"):
        read("sdxl", tmp_path / "lora.safetensors")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_called_that(one: Trained, share: float, tmp_path: Path) -> None:
    data = pack(one.content("kohya").tensors, {})
    (tmp_path / "a.safetensors").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(Refused, match="cut short"):
        read("sdxl", tmp_path / "a.safetensors")


def test_a_missing_file_is_called_missing(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no such file"):
        read("sdxl", tmp_path / "nowhere.safetensors")


@pytest.mark.parametrize("name", FAMILIES)
def test_unmatched_keys_are_counted_and_named(name: str, tmp_path: Path) -> None:
    own = {"sdxl": ATTENTION, "sd15": ATTENTION, "flux": "single_transformer_blocks.0.attn.to_q"}[name]
    size = {"sdxl": 16, "sd15": 16, "flux": 64}[name]
    good = lora(own, out=size, into=size, style="peft")
    odd = lora(f"{own.replace('.0.', '.77.')}", out=size, into=size, style="peft")
    with pytest.raises(
        Refused, match=r"2 of 4 tensors have no place in the (unet|transformer) of .*77"
    ) as told:
        given_file(name, tmp_path, {**good, **odd})
    assert "a.safetensors" in str(told.value)


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("sd15", "lora_te_text_model_encoder_layers_0_mlp_fc1"),
        ("sdxl", "lora_te2_text_model_encoder_layers_0_mlp_fc1"),
        ("sdxl", "text_encoder.text_model.encoder.layers.0.mlp.fc1"),
        ("sdxl", "text_encoder_2.text_model.encoder.layers.0.mlp.fc1"),
        ("flux", "lora_te3_encoder_block_0_layer_0_SelfAttention_q"),
    ],
)
def test_text_encoders_are_said_not_to_be_applied(name: str, encoder: str, tmp_path: Path) -> None:
    own, size = (ATTENTION, 16) if name != "flux" else ("single_transformer_blocks.0.attn.to_q", 64)
    tensors = {
        **lora(own, out=size, into=size, style="peft"), **lora(encoder, out=8, into=8, alpha=1.0),
    }  # fmt: skip
    with pytest.raises(Refused, match=f"3 of 5 tensors are for a text encoder, e.g. {encoder}.*not applied"):
        given_file(name, tmp_path, tensors)


def family_file(name: str) -> dict[str, Tensor]:
    """An adapter on all attention of the tiny base, in kohya's layout."""
    family, base = tiny(name)
    config = family.config(base)
    state = make_adapter(family, base, "attention", rank=2, alpha=2.0)
    return dict(
        content(
            "kohya", state, rank=2, alpha=2.0, dtype=torch.float32, component=family.denoiser,
            place_of=lambda path: family.original(config, path),
        ).tensors
    )  # fmt: skip


CALLED = {"sdxl": "an SDXL", "sd15": "a Stable Diffusion 1.x", "flux": "a FLUX"}


@pytest.mark.parametrize("made", FAMILIES)
@pytest.mark.parametrize("name", FAMILIES)
def test_an_adapter_of_another_family_is_called_that(made: str, name: str, tmp_path: Path) -> None:
    if made == name:
        assert given_file(name, tmp_path, family_file(made)).layers
        return
    base = CALLED[name].split(" ", 1)[1]
    with pytest.raises(Refused, match=f"This is {CALLED[made]} adapter; the base is {base}"):
        given_file(name, tmp_path, family_file(made))


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (lora(f"unet.{DOWN.replace('attn1', 'attn2')}.to_k", out=640, into=2048, style="peft"), "an SDXL adapter"),
        (lora(f"unet.{DOWN.replace('attn1', 'attn2')}.to_k", out=640, into=768, style="peft"), "1.x adapter"),
        (lora("transformer.transformer_blocks.3.attn.to_q", out=3072, into=3072, style="peft"), "a FLUX adapter"),
        (lora("diffusion_model.transformer_blocks.3.img_mlp.net.2", out=8, into=8, style="peft"), "Qwen-Image"),
        (lora("diffusion_model.layers.3.attention.to_q", out=8, into=8, style="peft"), "a Z-Image adapter"),
        (lora("lora_unet_down_blocks_1_attentions_0_proj_in", out=8, into=8), "U-Nets; the base is FLUX"),
        (lora("lora_unet_joint_blocks_3_x_block_attn_qkv", out=8, into=8), "a Stable Diffusion 3 adapter"),
    ],
)  # fmt: skip
def test_sizes_and_names_tell_the_family(tensors: Mapping[str, Tensor], words: str, tmp_path: Path) -> None:
    own = "flux" if any(part in words for part in ("SDXL", "1.x", "is FLUX")) else "sd15"
    with pytest.raises(Refused, match=words):
        given_file(own, tmp_path, tensors)


def test_other_sizes_are_said(tmp_path: Path) -> None:
    tensors = lora("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q", out=640, into=640)
    with pytest.raises(
        Refused, match=r"1 of 1 layers are of other sizes .* takes 640 and gives 640, .* takes 16"
    ):
        given_file("sdxl", tmp_path, tensors)
    short = lora("lora_unet_double_blocks_0_img_attn_qkv", out=64, into=64)
    with pytest.raises(Refused, match="gives 64, the base's takes 64 and gives 192"):
        given_file("flux", tmp_path, short)


@pytest.mark.parametrize(
    ("endings", "kind"),
    [
        (("lora_down.weight", "lora_up.weight", "dora_scale"), "DoRA"),
        (("lora_A.weight", "lora_B.weight", "lora_magnitude_vector"), "DoRA"),
        (("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "alpha"), "LoHa"),
        (("lokr_w1", "lokr_w2_a", "lokr_w2_b", "alpha"), "LoKr"),
        (("oft_blocks",), "OFT or BOFT"),
        (("lora_down.weight", "lora_up.weight", "lora_mid.weight"), "LoCon with Tucker decomposition"),
        (("diff",), "whole-weight difference"),
    ],
)
def test_other_kinds_of_adapters_are_called_what_they_are(
    endings: tuple[str, ...], kind: str, tmp_path: Path
) -> None:
    name = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"
    with pytest.raises(Refused, match=f"This is a {kind} adapter"):
        given_file("sdxl", tmp_path, {f"{name}.{ending}": torch.ones(16, 16) for ending in endings})


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("encoder.conv_in.weight", "decoder.conv_in.weight"), "This is a VAE"),
        (("controlnet_cond_embedding.conv_in.weight",), "This is a ControlNet"),
        (("double_blocks.0.img_attn.qkv.weight", "img_in.weight"), "This is a FLUX base, no adapter"),
        (("clip_g", "clip_l"), "no adapter that is read"),
        ((), "no adapter that is read"),
    ],
)
def test_what_is_no_adapter_is_called_what_it_is(keys: tuple[str, ...], words: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=words):
        given_file("sdxl", tmp_path, {key: torch.ones(2, 2) for key in keys})


def test_damaged_and_doubled_layers_are_refused(tmp_path: Path) -> None:
    name = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"
    good = lora(name, out=16, into=16, alpha=4.0)
    down, up, alpha = (f"{name}.{end}" for end in ("lora_down.weight", "lora_up.weight", "alpha"))
    for changes, words in (
        ({up: None}, "1 layers have one of their two tensors only"),
        ({up: torch.ones(16, 3)}, "do not belong together"),
        ({down: torch.ones(0, 16), up: torch.ones(16, 0)}, "do not belong together"),
        ({down: torch.ones(4, 16, dtype=torch.int64)}, "do not belong together"),
        ({alpha: torch.ones(2)}, "do not belong together"),
        ({alpha: torch.tensor(0.0)}, "do not belong together"),
        ({up: torch.full((16, 4), float("nan"))}, "not finite"),
        ({alpha: torch.tensor(float("inf"))}, "not finite"),
        (lora(f"unet.{ATTENTION}", out=16, into=16, style="peft"), "2 tensors are in the file under two names"),
        ({down: torch.zeros(4, 16), up: torch.zeros(16, 4)}, None),
    ):  # fmt: skip
        tensors = {key: value for key, value in {**good, **changes}.items() if value is not None}
        if words is None:
            assert given_file("sdxl", tmp_path, tensors).layers  # untrained, and whole
            continue
        with pytest.raises(Refused, match=words):
            given_file("sdxl", tmp_path, tensors)


PIECES = st.sampled_from(
    ["lora_unet_", "unet.", "transformer.", "lora_te_", "text_encoder.", "diffusion_model.", "base_model.model.", "",
     "lora_unet_double_blocks_0_img_attn_qkv", "single_transformer_blocks.0.proj_mlp", ATTENTION, "conv_in", "proj_out",
     "lora_unet_input_blocks_4_1_proj_in", "lora_unet_single_blocks_0_linear1", ".processor.", "0", "_", "."]
)  # fmt: skip
TAILS = st.sampled_from(
    [".lora_down.weight", ".lora_up.weight", ".alpha", ".lora_A.weight", ".lora_B.default.weight", ".dora_scale",
     ".lora_A", "_lora.up.weight", ".hada_w1_a", ".weight", "", ".diff"]
)  # fmt: skip
KEYS = st.one_of(
    st.builds(lambda parts, tail: "".join(parts) + tail, st.lists(PIECES, max_size=3), TAILS),
    st.text(max_size=20),
).filter(lambda key: key != "__metadata__" and "\0" not in key)
SHAPES = st.lists(st.sampled_from([0, 1, 2, 4, 16, 64, 192]), max_size=4).map(tuple)
TYPES = st.sampled_from([torch.float32, torch.float16, torch.int64, torch.bool, torch.float8_e4m3fn])


@pytest.mark.parametrize("name", FAMILIES)
@settings(deadline=None, max_examples=25)
@given(
    table=st.dictionaries(KEYS, st.tuples(SHAPES, TYPES), max_size=6),
    metadata=st.dictionaries(
        st.sampled_from(["format", "alpha", "rank", "lora_adapter_metadata"]),
        st.sampled_from(["safelight-1", "", "x", "1e999", "{}", "[[[", '{"unet.lora_alpha": []}']),
    ),
)
def test_no_file_whatever_is_in_it_gives_anything_but_an_adapter_or_a_reason(
    name: str,
    table: Mapping[str, tuple[tuple[int, ...], torch.dtype]],
    metadata: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    try:
        save(path, {key: torch.zeros(shape).to(dtype) for key, (shape, dtype) in table.items()}, metadata)
    except UnicodeEncodeError:  # halves of surrogate pairs are in no file
        return
    try:
        found = read(name, path)
    except Refused as refused:
        assert str(refused)
    else:
        assert found.layers and found.as_one()
