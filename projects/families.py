"""What is known of each family without torch: how its files are recognised, its sizes, and what it cannot do.

`engine/families/` holds the other half of each, under the same name: the code that loads and runs it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from projects.spec import Sampler

Shapes = Mapping[str, tuple[int, ...]]
"""Tensor name -> shape, of one file or of all files of one part."""
Config = Mapping[str, Any]

UNET = "model.diffusion_model."
"""Where the denoiser's tensors are in single files of most families."""


@dataclass(frozen=True)
class Reader:
    """A text encoder, as far as it decides what of a text is read."""

    label: str
    """For people."""
    tokenizer: str
    """Its vocabulary's part in a diffusers folder."""
    kind: Literal["clip", "t5"]
    decides: bool = True
    """Whether what it does not read is lost. FLUX's CLIP gives one vector for the whole; its T5 reads the words."""


@dataclass(frozen=True, kw_only=True)
class FamilyFacts:
    """One family. Differences are values here, never `if family == ...` at a place of use."""

    name: str
    called: str
    """For people, with an article."""
    presets: tuple[str, ...]
    """The presets that are made for such a base; it starts from the first."""
    denoiser: Literal["unet", "transformer"]
    in_file: Callable[[Shapes], bool]
    """Whether the tensors of one file are a base of this family."""
    in_folder: Callable[[Config, Config], bool]
    """(model_index.json, the denoiser's config) -> whether a diffusers folder is one."""
    size: Callable[[Config, Config], tuple[int, int]]
    """(denoiser's config, VAE's config) -> native side in pixels, and what sides must be a multiple of."""
    file_size: tuple[int, int]
    """The same where one file says nothing of it."""
    floors: Callable[[int], tuple[int, int]]
    """Native side -> short side of a picture in pixels: below the first too small, from the second on good."""
    clip_skips: tuple[int, ...]
    """Values of base.clip_skip that are possible, in A1111's counting; empty where CLIP's layers are not read."""
    readers: tuple[Reader, ...]
    """Its text encoders, in the order of their parts."""
    freezes_text_encoder: bool
    """Whether adapters on its text encoders are refused."""
    widths: Callable[[Shapes], Mapping[str, int]]
    """Shapes of the denoiser -> by adapter.targets, inputs plus outputs of all layers that learn."""
    usual_widths: Mapping[str, int]
    """The same of a base that is not on this machine yet: bases of a family all have the same layers."""
    download: str
    """What such a base takes on the line and on the disk, in words: text encoders, denoiser and VAE."""
    encoder_widths: Callable[[Shapes], Mapping[str, tuple[int, ...]]] = lambda _shapes: {}
    """The same of a text encoder that can learn, layer by layer."""
    usual_encoder_widths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """`usual_widths` of that."""
    samplers: tuple[Sampler, ...]
    """What it can be drawn with, by the names people know."""
    flow: bool = False
    """Whether it predicts a flow: timesteps are then drawn by train.timestep_sampling and weighed alike."""
    distilled: bool = False
    """Whether guidance is distilled into it: sample.guidance is then a number it is told, and a negative prompt acts only
    with sample.true_guidance."""
    hint: str = ""
    """What somebody who chooses it for new work should know."""
    against_quantize: str = ""
    """Why a quantised base is a bad bargain here; empty where it is the usual way to save memory."""
    companion: str = ""
    """Hub id that text encoders and VAE come from where one file holds the denoiser only. Empty: files are complete."""
    companion_size: str = ""
    """What is downloaded then, in words."""
    prompt_tools: tuple[str, ...] = ("A1111", "Forge")
    """Programs that run the family and take an adapter as <lora:NAME:WEIGHT> in the prompt."""


def _any(shapes: Shapes, prefix: str) -> bool:
    return any(name.startswith(prefix) for name in shapes)


_UNET_SAMPLERS: tuple[Sampler, ...] = ("dpm++ 2m karras", "euler a", "euler", "ddim", "unipc")


def _unet_size(native: int) -> Callable[[Config, Config], tuple[int, int]]:
    def size(unet: Config, vae: Config) -> tuple[int, int]:
        factor = 2 ** (levels(vae) - 1)
        sample = unet.get("sample_size")
        latent = sample if isinstance(sample, int) and sample > 0 else native // 8
        return latent * factor, factor * 2 ** (levels(unet) - 1)

    return size


def levels(config: Config) -> int:
    """Levels of a U-Net or VAE; 4 where the config does not tell."""
    value = config.get("block_out_channels")
    return len(value) if isinstance(value, list) and 0 < len(value) < 12 else 4


_ATTENTION = r"attn[12]\.to_(q|k|v|out\.0)"
_UNET_LAYERS = {
    "attention": re.compile(rf"{_ATTENTION}\.weight$"),
    "attention+mlp": re.compile(rf"({_ATTENTION}|ff\.net\.(0\.proj|2))\.weight$"),
}
"""The names are the same in folders and in single files."""


def _unet_widths(shapes: Shapes) -> Mapping[str, int]:
    flat = [item for item in shapes.items() if len(item[1]) == 2]
    return {
        targets: sum(sum(shape) for name, shape in flat if layers.search(name))
        for targets, layers in _UNET_LAYERS.items()
    }


_CLIP_LAYER = re.compile(
    r"(^|\.)encoder\.layers\.(?P<layer>\d+)\.(self_attn\.(q|k|v|out)_proj|(?P<mlp>mlp\.fc[12]))\.weight$"
)


def _clip_widths(shapes: Shapes) -> Mapping[str, tuple[int, ...]]:
    attention: dict[int, int] = {}
    both: dict[int, int] = {}
    for name, shape in shapes.items():
        found = _CLIP_LAYER.search(name)
        if found is None:
            continue
        layer = int(found["layer"])
        both[layer] = both.get(layer, 0) + sum(shape)
        if not found["mlp"]:
            attention[layer] = attention.get(layer, 0) + sum(shape)
    return {
        targets: tuple(width for _, width in sorted(of.items()))
        for targets, of in (("attention", attention), ("attention+mlp", both))
    }


_FLUX_WIDTHS: tuple[tuple[re.Pattern[str], Callable[[int, int], tuple[int, int]]], ...] = (
    (re.compile(r"transformer_blocks\.\d+\.attn\.(to|add)_.+"), lambda out, into: (out + into, 0)),
    (re.compile(r"transformer_blocks\.\d+\.(ff|ff_context|proj)[._].+"), lambda out, into: (0, out + into)),
    # The original code's names: q, k and v in one tensor, in single blocks the MLP's first half too.
    (re.compile(r"_blocks\.\d+\.(img|txt)_attn\.qkv"), lambda out, into: (out + 3 * into, 0)),
    (re.compile(r"_blocks\.\d+\.(img|txt)_attn\.proj"), lambda out, into: (out + into, 0)),
    (re.compile(r"_blocks\.\d+\.(img|txt)_mlp\..+"), lambda out, into: (0, out + into)),
    (re.compile(r"_blocks\.\d+\.linear1"), lambda out, into: (6 * into, out - 2 * into)),
    (re.compile(r"_blocks\.\d+\.linear2"), lambda out, into: (0, out + into)),
)
"""Layer -> (outputs, inputs) -> widths of the attention and of the MLP in it."""


def _flux_widths(shapes: Shapes) -> Mapping[str, int]:
    attention = mlp = 0
    for name, shape in shapes.items():
        layer = name.removesuffix(".weight")
        width = next((width for pattern, width in _FLUX_WIDTHS if pattern.search(layer)), None)
        if width is not None and len(shape) == 2 and layer != name:
            of_attention, of_mlp = width(*shape)
            attention, mlp = attention + of_attention, mlp + of_mlp
    return {"attention": attention, "attention+mlp": attention + mlp}


def _is_flux_file(shapes: Shapes) -> bool:
    return any(re.search(r"(^|\.)double_blocks\.0\.img_attn", name) for name in shapes)


_CLIP = Reader("CLIP", "tokenizer", "clip")

FAMILIES: Mapping[str, FamilyFacts] = {
    facts.name: facts
    for facts in (
        FamilyFacts(
            name="sdxl",
            called="an SDXL base",
            presets=("sdxl", "sdxl-turbo", "demo"),
            denoiser="unet",
            in_file=lambda shapes: _any(shapes, "conditioner.embedders.1.") and _any(shapes, UNET + "label_emb."),
            in_folder=lambda index, unet: (
                unet.get("addition_embed_type") == "text_time" and present(index, "text_encoder_2")
            ),
            size=_unet_size(1024),
            file_size=(1024, 32),
            floors=lambda native: (native * 3 // 4, native),
            clip_skips=(2,),
            readers=(_CLIP, Reader("CLIP 2", "tokenizer_2", "clip")),
            freezes_text_encoder=True,
            widths=_unet_widths,
            usual_widths={"attention": 1_451_520, "attention+mlp": 2_616_320},
            download="7 GB where the hub has half precision only, else 14 GB",
            samplers=_UNET_SAMPLERS,
            against_quantize="Quantisation harms SDXL, its fine texture first; in bf16 with gradient checkpointing it fits "
            "under 16 GB without.",
        ),
        FamilyFacts(
            name="sd15",
            called="a Stable Diffusion 1.x base",
            presets=("sd15",),
            denoiser="unet",
            in_file=lambda shapes: _any(shapes, "cond_stage_model.transformer."),
            in_folder=lambda index, unet: (
                unet.get("addition_embed_type") is None
                and not present(index, "text_encoder_2")
                and unet.get("cross_attention_dim") != 1024
            ),
            size=_unet_size(512),
            file_size=(512, 64),
            floors=lambda native: (native, native * 3 // 2),
            clip_skips=tuple(range(1, 13)),
            readers=(_CLIP,),
            freezes_text_encoder=False,
            widths=_unet_widths,
            usual_widths={"attention": 199_296, "attention+mlp": 374_016},
            download="3 GB where the hub has half precision only, else 5.5 GB, safety checker included",
            encoder_widths=_clip_widths,
            usual_encoder_widths={"attention": (6_144,) * 12, "attention+mlp": (13_824,) * 12},
            samplers=_UNET_SAMPLERS,
            against_quantize="Quantisation harms Stable Diffusion 1.5 and saves little: its U-Net has 1.7 GB in bf16.",
            hint="Stable Diffusion 1.5 draws 512 to 768 pixels at best: for new photographic work SDXL or FLUX go further.",
        ),
        FamilyFacts(
            name="flux",
            called="a FLUX base",
            presets=("flux",),
            denoiser="transformer",
            in_file=_is_flux_file,
            in_folder=lambda index, transformer: transformer.get("_class_name") == "FluxTransformer2DModel",
            size=lambda transformer, vae: (int(vae.get("sample_size") or 1024), 2 ** levels(vae)),
            file_size=(1024, 16),
            floors=lambda native: (native * 3 // 4, native),
            clip_skips=(),
            readers=(Reader("CLIP", "tokenizer", "clip", decides=False), Reader("T5", "tokenizer_2", "t5")),
            freezes_text_encoder=True,
            widths=_flux_widths,
            usual_widths={"attention": 1_634_304, "attention+mlp": 4_085_760},
            download="34 GB",
            samplers=("euler",),
            flow=True,
            distilled=True,
            prompt_tools=("Forge",),
            companion="black-forest-labs/FLUX.1-dev",
            companion_size="9.5 GB of T5, 0.2 GB of CLIP and 0.2 GB of VAE",
        ),
    )
}  # fmt: skip


def presets_for(name: str) -> tuple[str, ...]:
    """The presets that are made for the same family as the preset `name`; all of them where that is none."""
    every = tuple(name for facts in FAMILIES.values() for name in facts.presets)
    return next((facts.presets for facts in FAMILIES.values() if name in facts.presets), every)


def present(index: Config, part: str) -> bool:
    """Whether model_index.json names the part."""
    value = index.get(part)
    return isinstance(value, list) and len(value) == 2 and None not in value
