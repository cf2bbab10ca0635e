"""Noise, targets, weights and rates against diffusers' own formulas and against values worked out by hand."""

import math

import pytest
import torch
from diffusers import DDPMScheduler
from diffusers.training_utils import compute_snr

from engine import noise
from engine.schedule import rate

SCHEDULER = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.02,
    "beta_schedule": "scaled_linear",
}


@pytest.fixture
def ddpm():
    return DDPMScheduler(**SCHEDULER)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(7)
    latents, noises = torch.randn(2, 5, 4, 6, 8, generator=generator)
    return latents, noises, torch.tensor([0, 10, 500, 900, 999])


def test_noisy_latents_and_velocity_equal_the_scheduler_of_diffusers(ddpm, batch):
    latents, noises, timesteps = batch
    alpha_bar = noise.alphas_cumprod(SCHEDULER)[timesteps]
    torch.testing.assert_close(
        noise.mix(latents, noises, alpha_bar), ddpm.add_noise(latents, noises, timesteps)
    )
    torch.testing.assert_close(
        noise.target("v", latents, noises, alpha_bar), ddpm.get_velocity(latents, noises, timesteps)
    )
    assert noise.target("epsilon", latents, noises, alpha_bar) is noises


def test_min_snr_weights_equal_the_paper_in_terms_of_snr(ddpm, batch):
    timesteps = batch[2]
    alpha_bar = noise.alphas_cumprod(SCHEDULER)[timesteps]
    snr = compute_snr(ddpm, timesteps).double()
    capped = snr.clamp(max=5.0)
    torch.testing.assert_close(
        noise.min_snr_weight("epsilon", alpha_bar.double(), 5.0), capped / snr, rtol=1e-4, atol=0
    )
    torch.testing.assert_close(
        noise.min_snr_weight("v", alpha_bar.double(), 5.0), capped / (snr + 1), rtol=1e-4, atol=0
    )
    assert noise.min_snr_weight("epsilon", alpha_bar, 0).tolist() == [1.0] * 5


def test_weights_stay_finite_where_nothing_of_the_picture_is_left():
    nothing, everything = torch.tensor([0.0]), torch.tensor([1.0])
    assert noise.min_snr_weight("epsilon", nothing, 5.0).item() == 1.0
    assert noise.min_snr_weight("v", nothing, 5.0).item() == 0.0
    assert noise.min_snr_weight("epsilon", everything, 5.0).item() == 0.0
    assert noise.min_snr_weight("v", everything, 5.0).item() == 0.0


def test_draws_are_pinned_and_do_not_depend_on_each_other():
    first = noise.gaussian(3, "noise", 12, 1, (4, 2, 2))
    torch.manual_seed(99)
    assert torch.equal(first, noise.gaussian(3, "noise", 12, 1, (4, 2, 2)))
    for other in (("latent", 12, 1), ("noise", 13, 1), ("noise", 12, 2)):
        assert not torch.equal(first, noise.gaussian(3, *other, (4, 2, 2)))
    timesteps = [noise.timestep(3, step, slot, 1000) for step in range(500) for slot in range(4)]
    assert 0 <= min(timesteps) < 5 and 995 <= max(timesteps) < 1000
    assert abs(sum(timesteps) / len(timesteps) - 499.5) < 4 * 1000 / math.sqrt(12 * len(timesteps))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", {0: 0.1, 9: 1.0, 10: 1.0, 199: 1.0}),
        ("linear", {0: 0.1, 9: 1.0, 10: 1.0, 105: 0.5}),
        ("cosine", {0: 0.1, 9: 1.0, 10: 1.0, 105: 0.5, 200: 0.0}),
        ("cosine_restarts", {9: 1.0, 10: 1.0, 105: 1.0, 104: 0.5 * (1 + math.cos(math.pi * (94 / 95)))}),
    ],
)
def test_rates_at_the_places_people_look_at(schedule, expected):
    for step, factor in expected.items():
        got = rate(step, schedule=schedule, steps=200, warmup=0.05, restarts=2)
        assert got == pytest.approx(factor, abs=1e-9), step


def test_a_run_shorter_than_its_warmup_still_has_a_rate():
    assert rate(0, schedule="cosine", steps=1, warmup=0.05, restarts=1) == 1.0
