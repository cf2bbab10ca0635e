"""What every family must do, asked of each with tiny random weights."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from torch import Tensor

from engine import adapter
from engine.conditions import LiveConditions
from engine.container import pack
from engine.export.formats import Layout, content
from engine.export.gate import check, objection, question_for, reference_of, relative_difference
from engine.export.kohya import kohya_name
from engine.export.names import find, layers_of, names_of
from engine.export.reading import read_adapter
from engine.families.family import Base, Condition, Drawing, Family, Framing, stacked
from engine.families.opening import FAMILIES, open_base
from engine.families.sdxl import SDXL, time_ids
from engine.families.sgm import sgm_path
from engine.quantise import quantise
from projects import bases, spec
from projects.families import FAMILIES as FACTS
from projects.spec import Quantize
from tests.engine.drawings import drawn_picture
from tests.engine.export.made import make_adapter
from tests.engine.tiny import build_folder, make_unet, tiny_base
from tests.engine.tiny_flux import tiny_flux
from tests.engine.tiny_sd15 import tiny_sd15

TINY: dict[str, Callable[[], Path]] = {"sdxl": tiny_base, "sd15": tiny_sd15, "flux": tiny_flux}
"""A folder with a tiny base of each family."""
TARGETS = {"flux": ("transformer_blocks.*.attn.*", "transformer_blocks.*.ff*.net.*")}
"""What is exported where diffusers' own reader cannot take all of a tiny base: it knows FLUX's single blocks by the sizes
that the real one has (test_flux.py has those)."""
TEXTS = ["the cat of ab", "a dog"]


@dataclass(frozen=True)
class Opened:
    """A family with its tiny base and what was encoded with it."""

    family: Family
    base: Base
    conditions: list[Condition]
    unconditional: Condition


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def opened(request: pytest.FixtureRequest) -> Opened:
    return open_tiny(request.param)


@pytest.fixture(scope="module", params=sorted(name for name in FAMILIES if FAMILIES[name].text_encoder))
def wordy(request: pytest.FixtureRequest) -> Opened:
    """A family whose text encoder can learn."""
    return open_tiny(request.param)


def open_tiny(name: str) -> Opened:
    folder = TINY[name]()
    family, base = open_base(spec.Base(source=str(folder)), folder)
    encoders = family.load_encoders(base, torch.float32)
    return Opened(
        family, base, family.encode_condition(encoders, TEXTS), family.unconditional(base, encoders)
    )


def framings(count: int, size: int) -> list[Framing]:
    return [Framing(original_hw=(size, size), crop_top_left=(0, 0), target_hw=(size, size))] * count


def predicted(opened: Opened, denoiser: torch.nn.Module) -> Tensor:
    side = opened.base.native_size // opened.base.latent_factor
    generator = torch.Generator().manual_seed(1)
    noisy = torch.randn((2, opened.family.latent_channels, side, side), generator=generator)
    return opened.family.predict(
        denoiser,
        noisy,
        torch.tensor([10, 900]),
        stacked(opened.conditions, "cpu"),
        framings(2, opened.base.native_size),
    )


def test_a_condition_is_the_same_bits_alone_and_in_company(opened: Opened) -> None:
    encoders = opened.family.load_encoders(opened.base, torch.float32)
    alone = opened.family.encode_condition(encoders, TEXTS[1:])[0]
    assert alone.keys() == opened.conditions[1].keys() == opened.unconditional.keys()
    for key, value in alone.items():
        assert value.dtype == torch.float32
        assert torch.equal(value, opened.conditions[1][key])
        assert value.shape == opened.unconditional[key].shape
    assert not all(torch.equal(opened.conditions[0][key], alone[key]) for key in alone)


def test_pictures_become_latents_of_the_stated_shape_and_come_back(opened: Opened) -> None:
    family, base = opened.family, opened.base
    vae = family.load_vae(base, torch.bfloat16)
    assert {parameter.dtype for parameter in vae.parameters()} == {torch.float32}
    step = base.bucket_step
    pixels = torch.rand((2, 3, 3 * step, 2 * step)) * 2 - 1
    mean, std = family.encode_images(vae, pixels)
    shape = (2, family.latent_channels, 3 * step // base.latent_factor, 2 * step // base.latent_factor)
    assert mean.shape == std.shape == shape
    assert mean.dtype == std.dtype == torch.float32 and bool((std > 0).all())
    back = family.decode(vae, mean)
    assert back.shape == pixels.shape and 0 <= float(back.min()) <= float(back.max()) <= 1


def test_a_prediction_has_the_shape_of_its_input_in_every_precision(opened: Opened) -> None:
    exact = predicted(opened, opened.family.load_denoiser(opened.base, torch.float32))
    assert bool(exact.isfinite().all())
    for dtype in (torch.bfloat16, torch.float16):
        rough = predicted(opened, opened.family.load_denoiser(opened.base, dtype))
        assert exact.shape == rough.shape and exact.dtype == rough.dtype == torch.float32
        assert bool(rough.isfinite().all())
        assert float((exact - rough).abs().max()) < 0.1 * float(exact.abs().max()) + 0.05


def test_a_loaded_denoiser_is_frozen(opened: Opened) -> None:
    denoiser = opened.family.load_denoiser(opened.base, torch.float32)
    assert not denoiser.training and not any(one.requires_grad for one in denoiser.parameters())


NEEDS_BNB = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None,
    reason="bitsandbytes is not installed: pip install bitsandbytes",
)


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        ("attention", "none"),
        ("attention+mlp", "none"),
        pytest.param("attention+mlp", "int8", marks=NEEDS_BNB),
        pytest.param("attention+mlp", "nf4", marks=NEEDS_BNB),
    ],
)
def test_every_live_target_receives_a_gradient(opened: Opened, targets: str, kind: Quantize) -> None:
    denoiser = opened.family.load_denoiser(opened.base, torch.float32)
    quantise(denoiser, spec.RunSpec(train=spec.Train(quantize=kind)), torch.float32)
    modules = adapter.target_modules(denoiser, targets, opened.family)
    assert modules
    torch.manual_seed(0)
    adapter.inject(denoiser, modules, rank=2, alpha=2, dropout=0.0)
    denoiser.to("cpu")
    wrapped = {type(denoiser.get_submodule(path)).__name__ for path in modules}
    assert wrapped == {{"none": "Linear", "int8": "Linear8bitLt", "nf4": "Linear4bit"}[kind]}
    parameters = adapter.trained_parameters(denoiser)
    assert len(parameters) == 2 * len(modules)

    def zero_gradients(letter: str) -> list[str]:
        live = {name: one for name, one in parameters.items() if f".lora_{letter}." in name}
        return [name for name, one in live.items() if one.grad is None or not bool(one.grad.any())]

    optimizer = torch.optim.SGD(parameters.values(), lr=1.0)
    loss = predicted(opened, denoiser).pow(2).mean()
    assert bool(loss.isfinite())
    loss.backward()
    assert zero_gradients("B") == []
    optimizer.step()
    optimizer.zero_grad()
    predicted(opened, denoiser).pow(2).mean().backward()
    assert zero_gradients("A") == []


def drawn(opened: Opened, sampler: str, which: slice, on_step: Callable[[int, int], object] | None) -> Tensor:
    family, base = opened.family, opened.base
    side = base.native_size
    conditions = opened.conditions[which]
    return family.draw(
        family.load_denoiser(base, torch.float32),
        family.load_vae(base, torch.float32),
        base,
        Drawing(
            sampler=sampler,
            conditions=conditions,
            unconditionals=[opened.unconditional] * len(conditions),
            guidance=5.0,
            true_guidance=1.0,
            steps=4,
            size_wh=(side, side - base.bucket_step),
            generators=[torch.Generator().manual_seed(seed) for seed in (3, 4)][which],
            on_step=on_step or (lambda done, steps: None),
        ),
    )


def test_both_halves_of_a_family_say_the_same(opened: Opened) -> None:
    facts = FACTS[opened.family.name]
    assert tuple(opened.family.samplers) == facts.samplers
    assert opened.family.denoiser == facts.denoiser
    assert facts.flow == (opened.base.objective == "flow")
    assert set(opened.family.lora_targets) == set(facts.widths({}))
    learning = opened.family.text_encoder
    assert facts.freezes_text_encoder == (learning is None)
    if learning is not None:
        assert set(learning.lora_targets) == set(opened.family.lora_targets) == set(facts.encoder_widths({}))


def test_the_widths_of_the_plan_are_those_of_the_adapter(opened: Opened) -> None:
    denoiser = opened.family.load_denoiser(opened.base, torch.float32)
    facts = bases.describe(opened.base.source, Path("/"))
    for targets in opened.family.lora_targets:
        modules = adapter.target_modules(denoiser, targets, opened.family)
        layers = [denoiser.get_submodule(name) for name in modules]
        flat = sum(
            layer.in_features + layer.out_features for layer in layers if hasattr(layer, "in_features")
        )
        assert facts.widths[targets] == flat


@pytest.mark.parametrize("sampler", spec.Sampler.__args__)
def test_every_sampler_draws_and_a_picture_does_not_depend_on_its_company(
    opened: Opened, sampler: str
) -> None:
    if sampler not in opened.family.samplers:
        return
    steps: list[tuple[int, int]] = []
    both = drawn(opened, sampler, slice(0, 2), lambda done, total: steps.append((done, total)))
    again = drawn(opened, sampler, slice(0, 2), None)
    alone = drawn(opened, sampler, slice(1, 2), None)
    side = opened.base.native_size
    assert both.shape == (2, 3, side - opened.base.bucket_step, side)
    assert both.dtype == torch.float32 and float(both.std()) > 0
    assert torch.equal(both, again)
    assert float((both[1] - alone[0]).abs().max()) < 1e-4
    assert float((both[0] - both[1]).abs().max()) > 1e-2
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_drawing_can_be_stopped_between_steps(opened: Opened) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        drawn(opened, "euler", slice(0, 1), stop)


def test_names_in_kohya_files_are_unique(opened: Opened) -> None:
    denoiser = opened.family.load_denoiser(opened.base, torch.float32)
    every = [
        name for name, one in denoiser.named_modules() if isinstance(one, torch.nn.Linear | torch.nn.Conv2d)
    ]
    places = [opened.family.original(denoiser.config, name) for name in every]
    assert len({(kohya_name(place), place.place) for place in places}) == len(every) > 0


def exported(opened: Opened, layout: Layout, state: dict[str, Tensor], folder: Path) -> Path:
    """A file of rank 32 and alpha 8 in that layout."""
    family, config = opened.family, opened.family.config(opened.base)
    made = content(
        layout, state, rank=32, alpha=8.0, dtype=torch.float32, component=family.denoiser,
        place_of=lambda path: family.original(config, path),
    )  # fmt: skip
    file = folder / f"{layout}.safetensors"
    file.write_bytes(pack(made.tensors, made.metadata))
    return file


def test_an_exported_adapter_is_loaded_by_diffusers_with_nothing_unmatched(
    opened: Opened, tmp_path: Path
) -> None:
    """Rank 32 and alpha 8: a reader that forgets the scale acts four times as strongly."""
    family, base = opened.family, opened.base
    targets = TARGETS.get(family.name, "attention+mlp")
    state = make_adapter(family, base, targets, rank=32, alpha=8.0)
    question = question_for(family, base, "the cat")
    reference = reference_of(family, base, question, state, rank=32, alpha=8.0)
    for layout in ("kohya", "diffusers"):
        file = exported(opened, layout, state, tmp_path)
        verdict = check(file, family, base, question, reference)
        assert objection(verdict, half=False) == "", layout
        assert verdict.difference < 1e-5 < reference.effect


@pytest.mark.parametrize("targets", ["attention", "attention+mlp"])
def test_an_exported_adapter_is_read_back_as_it_was_trained(
    opened: Opened, targets: str, tmp_path: Path
) -> None:
    family, base = opened.family, opened.base
    state = make_adapter(family, base, targets, rank=32, alpha=8.0)
    for layout, expected in (("kohya", 8.0), ("diffusers", 32.0)):
        file = exported(opened, layout, state, tmp_path)
        found, rank, alpha = read_adapter(file, family, base).to_continue()
        assert found.keys() == state.keys() and (rank, alpha) == (32, expected)
        for key, tensor in state.items():
            scale = 8.0 / expected if ".lora_A." in key else 1.0
            assert torch.equal(found[key], tensor * scale), key


def test_every_layer_is_found_by_each_of_its_names(opened: Opened) -> None:
    """As diffusers, peft, ComfyUI, OneTrainer, LyCORIS and kohya write them."""
    family, base = opened.family, opened.base
    config, names = family.config(base), names_of(family, base)
    denoiser = family.load_denoiser(base, torch.float32)
    paths = list(layers_of(family, base))
    every = {torch.nn.Linear, torch.nn.Conv2d}
    assert paths == [name for name, one in denoiser.named_modules() if type(one) in every]
    for path in paths:
        for prefix in ("", f"{family.denoiser}.", "diffusion_model.", "base_model.model."):
            assert [slot.path for slot in find(names, prefix + path)] == [path]
        for prefix in ("lora_unet_", "lora_transformer_", "lycoris_"):
            assert [slot.path for slot in find(names, prefix + path.replace(".", "_"))] == [path]
        place = family.original(config, path)
        for written in (kohya_name(place), f"diffusion_model.{place.name}"):
            assert find(names, written)[place.place].path == path


# ---- families whose text encoder can learn


@dataclass(frozen=True)
class Learning:
    """Both models of such a family with an adapter in each, and what encodes with it."""

    denoiser: torch.nn.Module
    live: LiveConditions
    parameters: dict[str, torch.nn.Parameter]


def learning(wordy: Opened, targets: str = "attention+mlp", *, std: float = 0.0) -> Learning:
    told = wordy.family.text_encoder
    assert told is not None
    denoiser = wordy.family.load_denoiser(wordy.base, torch.float32)
    encoders = wordy.family.load_encoders(wordy.base, torch.float32)
    model = told.model(encoders)
    torch.manual_seed(0)
    for one, modules in (
        (denoiser, adapter.target_modules(denoiser, targets, wordy.family)),
        (model, adapter.encoder_modules(model, targets, told, told.unread(encoders))),
    ):
        adapter.inject(one, modules, rank=32, alpha=8.0, dropout=0.0)
    parameters = adapter.trained_parameters(denoiser, model)
    for name, parameter in parameters.items():
        if ".lora_B." in name:
            torch.nn.init.normal_(parameter, std=std)
    return Learning(denoiser, LiveConditions(told, encoders), parameters)


def test_what_learns_says_at_first_what_the_cache_says(wordy: Opened) -> None:
    live = learning(wordy).live
    together = live.batch([*TEXTS, None])
    for row, (text, cached) in enumerate(
        zip([*TEXTS, ""], [*wordy.conditions, wordy.unconditional], strict=True)
    ):
        alone = live.get(text)
        assert alone.keys() == cached.keys() == together.keys()
        for key, value in cached.items():
            assert together[key].requires_grad and together[key].dtype == torch.float32
            assert torch.equal(alone[key], value)
            torch.testing.assert_close(together[key][row], value, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("targets", ["attention", "attention+mlp"])
@pytest.mark.parametrize("checkpointed", [False, True])
def test_every_live_target_of_both_models_receives_a_gradient(
    wordy: Opened, targets: str, checkpointed: bool
) -> None:
    made = learning(wordy, targets, std=0.02)
    if checkpointed:
        made.live.learning.checkpoint_layers(made.live.model)
        made.live.model.train()
    side = wordy.base.native_size // wordy.base.latent_factor
    noisy = torch.randn(
        (2, wordy.family.latent_channels, side, side), generator=torch.Generator().manual_seed(1)
    )
    framed = framings(2, wordy.base.native_size)
    wordy.family.predict(made.denoiser, noisy, torch.tensor([10, 900]), made.live.batch(TEXTS), framed).pow(
        2
    ).mean().backward()
    assert any(name.startswith(adapter.ENCODER) for name in made.parameters)
    dead = [name for name, one in made.parameters.items() if one.grad is None or not bool(one.grad.any())]
    assert dead == []


def test_an_adapter_of_both_models_is_loaded_by_diffusers_with_nothing_unmatched(
    wordy: Opened, tmp_path: Path
) -> None:
    made = learning(wordy, std=0.02)
    family, base = wordy.family, wordy.base
    state = adapter.adapter_state(made.denoiser, text_encoder=made.live.model)
    question = question_for(family, base, "the cat")
    reference = reference_of(family, base, question, state, rank=32, alpha=8.0)
    words = reference_of(family, base, question, adapter.parted(state)[0], rank=32, alpha=8.0)
    assert relative_difference(reference.prediction, words.prediction) > 1e-4  # the words' part is in it
    config = family.config(base)
    for layout in ("kohya", "diffusers"):
        content_of = content(
            layout, state, rank=32, alpha=8.0, dtype=torch.float32, component=family.denoiser,
            place_of=lambda path: family.original(config, path), learning=family.text_encoder,
        )  # fmt: skip
        file = tmp_path / f"{layout}.safetensors"
        file.write_bytes(pack(content_of.tensors, content_of.metadata))
        verdict = check(file, family, base, question, reference)
        assert objection(verdict, half=False) == "", layout


# ---- SDXL alone


def test_conditions_are_those_of_the_diffusers_pipeline() -> None:
    """clip_skip 2 in A1111's counting is what diffusers does when nobody says anything."""
    folder = tiny_base()
    family, base = open_base(spec.Base(source=str(folder), clip_skip=2), folder)
    pipeline = StableDiffusionXLPipeline.from_pretrained(folder)
    prompt, negative, pooled, negative_pooled = pipeline.encode_prompt(TEXTS[0], device="cpu")
    encoders = family.load_encoders(base, torch.float32)
    ours = family.encode_condition(encoders, [TEXTS[0]])[0]
    assert torch.equal(ours["prompt_embeds"], prompt[0]) and torch.equal(
        ours["pooled_prompt_embeds"], pooled[0]
    )
    empty = family.unconditional(base, encoders)
    assert torch.equal(empty["prompt_embeds"], negative[0])
    assert torch.equal(empty["pooled_prompt_embeds"], negative_pooled[0])
    other = pipeline.encode_prompt(TEXTS[0], device="cpu", clip_skip=1)[0]
    assert not torch.equal(ours["prompt_embeds"], other[0])


def test_the_unconditional_is_the_empty_text_where_the_base_does_not_ask_for_zeros(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "base", force_zeros=False)
    family, base = open_base(spec.Base(source=str(folder)), folder)
    encoders = family.load_encoders(base, torch.float32)
    unconditional, empty = family.unconditional(base, encoders), family.encode_condition(encoders, [""])[0]
    assert all(torch.equal(unconditional[key], empty[key]) for key in empty)
    assert bool(unconditional["prompt_embeds"].any())


def test_a_picture_is_the_one_that_the_diffusers_pipeline_draws() -> None:
    folder = tiny_base()
    family, base = open_base(spec.Base(source=str(folder)), folder)
    ours = drawn_picture(family, base, TEXTS[0], size_wh=(64, 48))
    pipeline = StableDiffusionXLPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        TEXTS[0],
        guidance_scale=5.0,
        num_inference_steps=4,
        width=64,
        height=48,
        generator=torch.Generator().manual_seed(7),
        output_type="pt",
    ).images
    assert float((ours - theirs).abs().max()) < 1e-5


def test_sizes_are_told_in_sdxls_order_and_reach_the_unet() -> None:
    framing = Framing(original_hw=(3000, 4032), crop_top_left=(7, 0), target_hw=(48, 64))
    assert time_ids([framing]).tolist() == [[3000.0, 4032.0, 7.0, 0.0, 48.0, 64.0]]
    folder = tiny_base()
    family, base = open_base(spec.Base(source=str(folder)), folder)
    told = stacked(family.encode_condition(family.load_encoders(base, torch.float32), TEXTS[:1]), "cpu")
    denoiser = family.load_denoiser(base, torch.bfloat16)
    noisy, timestep = (
        torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(0)),
        torch.tensor([5]),
    )
    near = Framing(original_hw=(3000, 4033), crop_top_left=(7, 0), target_hw=(48, 64))
    one, other = (family.predict(denoiser, noisy, timestep, told, [each]) for each in (framing, near))
    assert not torch.equal(one, other)


def test_samplers_keep_the_objective_and_zero_terminal_noise_of_the_base(tmp_path: Path) -> None:
    settings = {
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
        "use_karras_sigmas": True,
    }
    folder = build_folder(tmp_path / "base", scheduler=settings)
    _, base = open_base(spec.Base(source=str(folder)), folder)
    assert base.objective == "v"
    for name, build in SDXL.samplers.items():
        config = build(base.scheduler).config
        assert config.prediction_type == "v_prediction", name
        assert config.rescale_betas_zero_snr is True and config.timestep_spacing == "trailing", name
        assert config.get("use_karras_sigmas", False) is (name == "dpm++ 2m karras"), name


SGM_NAMES = """
down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q input_blocks_4_1_transformer_blocks_0_attn1_to_q
down_blocks.1.attentions.1.proj_in input_blocks_5_1_proj_in
down_blocks.2.attentions.0.transformer_blocks.1.ff.net.0.proj input_blocks_7_1_transformer_blocks_1_ff_net_0_proj
down_blocks.2.attentions.1.transformer_blocks.2.ff.net.2 input_blocks_8_1_transformer_blocks_2_ff_net_2
mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0 middle_block_1_transformer_blocks_0_attn2_to_out_0
up_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k output_blocks_0_1_transformer_blocks_0_attn2_to_k
up_blocks.1.attentions.2.proj_out output_blocks_5_1_proj_out
down_blocks.0.resnets.0.conv1 input_blocks_1_0_in_layers_2
down_blocks.1.resnets.0.conv_shortcut input_blocks_4_0_skip_connection
down_blocks.0.downsamplers.0.conv input_blocks_3_0_op
down_blocks.1.downsamplers.0.conv input_blocks_6_0_op
mid_block.resnets.0.conv2 middle_block_0_out_layers_3
mid_block.resnets.1.time_emb_proj middle_block_2_emb_layers_1
up_blocks.2.resnets.2.conv1 output_blocks_8_0_in_layers_2
up_blocks.0.upsamplers.0.conv output_blocks_2_2_conv
up_blocks.1.upsamplers.0.conv output_blocks_5_2_conv
conv_in input_blocks_0_0
conv_out out_2
time_embedding.linear_1 time_embed_0
time_embedding.linear_2 time_embed_2
add_embedding.linear_1 label_emb_0_0
add_embedding.linear_2 label_emb_0_2
"""


def test_sgm_names_are_those_of_the_original_code() -> None:
    config = make_unet().config
    for module, expected in (line.split() for line in SGM_NAMES.strip().splitlines()):
        assert kohya_name(SDXL.original(config, module)) == f"lora_unet_{expected}"


@pytest.mark.parametrize("layers", [1, 2])
def test_every_sgm_name_leads_back_to_one_module(layers: int) -> None:
    unet = make_unet(layers_per_block=layers)
    paths = [
        sgm_path(unet.config, name.rpartition(".")[0]) for name in unet.state_dict() if name.endswith(".bias")
    ]
    assert len(set(paths)) == len(paths)
    underscored = [path.replace(".", "_") for path in paths]
    assert len(set(underscored)) == len(paths)


def test_a_module_without_sgm_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        SDXL.original(make_unet().config, "encoder_hid_proj")


def test_the_presets_sampler_names_are_the_familys() -> None:
    assert set(SDXL.samplers) == set(spec.Sampler.__args__)
