"""Kohya files name layers as sd-scripts, A1111 and ComfyUI do: the original SDXL code's rules, written down here again."""

import pytest
import torch
from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.utils import convert_unet_state_dict_to_peft

from engine.export.kohya import kohya_name, to_kohya
from engine.families.sdxl import SDXL

SDXL_UNET = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "layers_per_block": 2,
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
DEPTH_IN_THE_ORIGINAL = {
    "input_blocks_4_1": 2, "input_blocks_5_1": 2, "input_blocks_7_1": 10, "input_blocks_8_1": 10, "middle_block_1": 10,
    "output_blocks_0_1": 10, "output_blocks_1_1": 10, "output_blocks_2_1": 10,
    "output_blocks_3_1": 2, "output_blocks_4_1": 2, "output_blocks_5_1": 2,
}  # fmt: skip
"""Where the original SDXL U-Net has a spatial transformer, and how many blocks deep it is."""
RESNETS_IN_THE_ORIGINAL = [
    *(f"input_blocks_{n}_0" for n in (1, 2, 4, 5, 7, 8)),
    "middle_block_0",
    "middle_block_2",
    *(f"output_blocks_{n}_0" for n in range(9)),
]


def names_sd_scripts_knows() -> set[str]:
    names = set()
    for place, depth in DEPTH_IN_THE_ORIGINAL.items():
        names |= {f"{place}_proj_in", f"{place}_proj_out"}
        for block in range(depth):
            inside = f"{place}_transformer_blocks_{block}"
            names |= {f"{inside}_attn{n}_to_{part}" for n in (1, 2) for part in ("q", "k", "v", "out_0")}
            names |= {f"{inside}_ff_net_0_proj", f"{inside}_ff_net_2"}
    return {f"lora_unet_{name}" for name in names}


@pytest.fixture(scope="module")
def sdxl_unet() -> UNet2DConditionModel:
    with torch.device("meta"):
        return UNet2DConditionModel.from_config(SDXL_UNET)


def test_the_real_sdxl_unet_gets_exactly_the_722_linear_names_of_sd_scripts(
    sdxl_unet: UNet2DConditionModel,
) -> None:
    inside_transformers = [
        name
        for name, module in sdxl_unet.named_modules()
        if ".attentions." in name and isinstance(module, torch.nn.Linear)
    ]
    named = [kohya_name(SDXL.original(sdxl_unet.config, path)) for path in inside_transformers]
    assert len(named) == len(set(named)) == 722
    assert set(named) == names_sd_scripts_knows()


def test_targets_of_the_family_stay_inside_what_sd_scripts_knows(sdxl_unet: UNet2DConditionModel) -> None:
    for suffixes in SDXL.lora_targets.values():
        paths = [
            name
            for name, _ in sdxl_unet.named_modules()
            if name.endswith(tuple(f".{end}" for end in suffixes))
        ]
        assert {
            kohya_name(SDXL.original(sdxl_unet.config, path)) for path in paths
        } <= names_sd_scripts_knows()


def test_convolutions_are_named_as_in_the_original(sdxl_unet: UNet2DConditionModel) -> None:
    parts = ("in_layers_2", "out_layers_3", "emb_layers_1")
    expected = {f"lora_unet_{place}_{part}" for place in RESNETS_IN_THE_ORIGINAL for part in parts}
    expected |= {f"lora_unet_{place}_skip_connection" for place in ("input_blocks_4_0", "input_blocks_7_0")}
    expected |= {f"lora_unet_output_blocks_{n}_0_skip_connection" for n in range(9)}
    expected |= {"lora_unet_input_blocks_3_0_op", "lora_unet_input_blocks_6_0_op"}
    expected |= {"lora_unet_output_blocks_2_2_conv", "lora_unet_output_blocks_5_2_conv"}
    expected |= {
        f"lora_unet_{name}" for name in ("input_blocks_0_0", "out_2", "time_embed_0", "time_embed_2")
    }
    expected |= {"lora_unet_label_emb_0_0", "lora_unet_label_emb_0_2"}
    found = {
        kohya_name(SDXL.original(sdxl_unet.config, name))
        for name, module in sdxl_unet.named_modules()
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d) and ".attentions." not in name
    }
    assert found == expected


def test_diffusers_finds_every_layer_of_the_real_sdxl_unet_again(sdxl_unet: UNet2DConditionModel) -> None:
    """Its own converter, on SDXL's real geometry: each tensor, told apart by its value, arrives at its layer."""
    paths = [
        name
        for name, module in sdxl_unet.named_modules()
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d) and name != "conv_norm_out"
    ]
    keys = [f"{path}.lora_{side}.weight" for path in paths for side in "AB"]
    state = {key: torch.full((1, 1), float(number)) for number, key in enumerate(keys)}
    tensors = to_kohya(
        state, alpha=1.0, dtype=torch.float32, place_of=lambda path: SDXL.original(sdxl_unet.config, path)
    )
    found, alphas = StableDiffusionXLPipeline.lora_state_dict(tensors, unet_config=sdxl_unet.config)
    arrived = convert_unet_state_dict_to_peft(
        {key.removeprefix("unet."): value for key, value in found.items()}
    )
    assert {key: float(value) for key, value in arrived.items()} == {key: float(state[key]) for key in keys}
    assert len(alphas) == len(paths)
