"""The base that ships loads with the stock pipeline, and its size stays small."""

import warnings

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionXLPipeline

from engine.demo import BASE_DIR, NATIVE_SIZE
from engine.demo.proof import concept_axis, concept_score, parts_of, sign_test
from engine.demo.world import draw_scene, generator, render


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionXLPipeline:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = StableDiffusionXLPipeline.from_pretrained(BASE_DIR)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def test_folder_is_small() -> None:
    assert sum(file.stat().st_size for file in BASE_DIR.rglob("*") if file.is_file()) <= 16_000_000


def test_stock_call_makes_a_picture(pipeline: StableDiffusionXLPipeline) -> None:
    parts = (pipeline.unet, pipeline.vae, pipeline.text_encoder, pipeline.text_encoder_2)
    assert {part.dtype for part in parts} == {torch.float32}
    image = pipeline("a red mug", num_inference_steps=2).images[0]
    assert image.size == (NATIVE_SIZE, NATIVE_SIZE)
    assert np.asarray(image).std() > 0


def test_shape_is_that_of_sdxl(pipeline: StableDiffusionXLPipeline) -> None:
    assert pipeline.unet.config.addition_embed_type == "text_time"
    assert pipeline.text_encoder.config.hidden_size != pipeline.text_encoder_2.config.hidden_size
    assert pipeline.config.force_zeros_for_empty_prompt
    assert pipeline.scheduler.config.timestep_spacing == "trailing"


def test_concept_score_is_zero_at_the_base_and_one_at_the_concept(
    pipeline: StableDiffusionXLPipeline,
) -> None:
    parts = parts_of(pipeline)
    world = [render(draw_scene(generator(1, i)), generator(2, i)) for i in range(8)]
    concept = [render(draw_scene(generator(1, i), "toadstool"), generator(2, i)) for i in range(8)]
    axis = concept_axis(parts, world, concept)
    assert concept_score(parts, world, axis).mean().item() == pytest.approx(0, abs=1e-4)
    assert concept_score(parts, concept, axis).mean().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("positives", "negatives", "p"),
    [(24, 0, 2.0**-24), (0, 5, 1.0), (3, 1, 5 / 16), (20, 4, 12951 / 2**24), (5, 5, 638 / 1024), (0, 0, 1.0)],
)
def test_sign_test(positives: int, negatives: int, p: float) -> None:
    pairs, seen, found = sign_test([1.0] * positives + [-0.5] * negatives + [0.0] * 3)
    assert (pairs, seen) == (positives + negatives, positives)
    assert found == pytest.approx(p, rel=1e-9)
