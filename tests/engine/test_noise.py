"""Noise, targets, weights and rates against diffusers' own formulas and against values worked out by hand."""

import math

import pytest
import torch
from diffusers import DDPMScheduler, FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from diffusers.training_utils import compute_snr

from engine import noise
from engine.noise import Levels, NoiseSchedule
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


def levels_of(timesteps: torch.Tensor) -> Levels:
    alphas_cumprod = noise.alphas_cumprod(SCHEDULER)
    schedule = NoiseSchedule(objective="epsilon", timesteps=1000, alphas_cumprod=alphas_cumprod)
    return schedule.drawn([(int(one) + 0.5) / 1000 for one in timesteps], (8, 8))


def levels(signal: float, noise_level: float) -> Levels:
    return Levels(
        timesteps_B=torch.zeros(1), signal_B=torch.tensor([signal]), noise_B=torch.tensor([noise_level])
    )


def test_noisy_latents_and_velocity_equal_the_scheduler_of_diffusers(ddpm, batch):
    latents, noises, timesteps = batch
    at = levels_of(timesteps)
    assert at.timesteps_B.tolist() == timesteps.tolist()
    torch.testing.assert_close(noise.mix(latents, noises, at), ddpm.add_noise(latents, noises, timesteps))
    torch.testing.assert_close(
        noise.target("v", latents, noises, at), ddpm.get_velocity(latents, noises, timesteps)
    )
    assert noise.target("epsilon", latents, noises, at) is noises


def test_min_snr_weights_equal_the_paper_in_terms_of_snr(ddpm, batch):
    timesteps = batch[2]
    at = levels_of(timesteps)
    snr = compute_snr(ddpm, timesteps)
    capped = snr.clamp(max=5.0)
    torch.testing.assert_close(noise.min_snr_weight("epsilon", at, 5.0), capped / snr, rtol=1e-4, atol=0)
    torch.testing.assert_close(noise.min_snr_weight("v", at, 5.0), capped / (snr + 1), rtol=1e-4, atol=0)
    assert noise.min_snr_weight("epsilon", at, 0).tolist() == [1.0] * 5


def test_weights_stay_finite_where_nothing_of_the_picture_is_left():
    nothing, everything = levels(0.0, 1.0), levels(1.0, 0.0)
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
    shares = [noise.share(3, step, slot) for step in range(500) for slot in range(4)]
    assert 0 <= min(shares) < 0.005 and 0.995 <= max(shares) < 1
    assert abs(sum(shares) / len(shares) - 0.5) < 4 / math.sqrt(12 * len(shares))


FLUX_SCHEDULER = {
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "use_dynamic_shifting": True,
    "shift": 3.0,
}


def test_flow_goes_straight_from_the_picture_to_the_noise():
    """Worked out by hand: at sigma 0.25 a latent of 2 under a noise of 6 stands at 3, and moves by 4."""
    schedule = NoiseSchedule(objective="flow", timesteps=1000, alphas_cumprod=None)
    at = schedule.at([0.25])
    latents, noises = torch.full((1, 1, 1, 1), 2.0), torch.full((1, 1, 1, 1), 6.0)
    assert at.timesteps_B.tolist() == [250.0]
    assert noise.mix(latents, noises, at).item() == 3.0
    assert noise.target("flow", latents, noises, at).item() == 4.0


def test_flow_equals_the_scheduler_of_diffusers(batch):
    latents, noises, _ = batch
    scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000)
    picked = scheduler.timesteps[[0, 100, 500, 900, 999]]
    schedule = NoiseSchedule(objective="flow", timesteps=1000, alphas_cumprod=None)
    at = schedule.at((picked.double() / 1000).tolist())
    torch.testing.assert_close(noise.mix(latents, noises, at), scheduler.scale_noise(latents, picked, noises))


def test_timesteps_of_flow_are_logit_normal_and_shifted_as_the_base_draws_them():
    ran = FlowMatchEulerDiscreteScheduler.from_config(FLUX_SCHEDULER)
    for tokens in (256, 1024, 4096):
        factor = noise.resolution_shift(FLUX_SCHEDULER)(tokens)
        mu = calculate_shift(tokens)
        for sigma in (0.1, 0.5, 0.9):
            expected = ran.time_shift(mu, 1.0, torch.tensor(sigma, dtype=torch.float64)).item()
            assert noise.shifted(sigma, factor) == pytest.approx(expected, rel=1e-9)
    assert noise.quantile(0.5, "logit_normal") == 0.5
    assert noise.quantile(0.8413447460685429, "logit_normal") == pytest.approx(1 / (1 + math.exp(-1)))
    assert 0 < noise.quantile(0.0, "logit_normal") < 1e-3
    assert noise.quantile(0.3, "uniform") == 0.3
    schedule = NoiseSchedule(
        objective="flow", timesteps=1000, alphas_cumprod=None, sampling="logit_normal", shift=lambda h, w: 3.0
    )
    assert schedule.drawn([0.5], (4, 4)).noise_B.item() == pytest.approx(0.75)


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
