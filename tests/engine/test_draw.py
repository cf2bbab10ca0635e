"""The one way to draw: what a picture depends on, and what it must not depend on."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from engine import draw
from engine.adapter import TRAINED, adapter_state, inject, load_adapter, set_weights, target_modules
from engine.desk import StopAsked
from engine.draw import Shot, check_shots, draw_pictures, shots_of
from engine.families.family import Base, Condition
from engine.families.opening import open_base
from engine.families.sdxl import SDXL
from projects import spec
from projects.problems import Refused
from tests.engine.tiny import tiny_base

PROMPTS = ("zork, a mug on a table", "a mug", "a dog in a park")


@cache
def base() -> Base:
    return open_base(spec.Base(source=str(tiny_base())), Path("/"))[1]


@cache
def vae() -> nn.Module:
    return SDXL.load_vae(base(), torch.float32)


class Encoded:
    """Conditions of a few texts."""

    def __init__(self) -> None:
        self.encoders = SDXL.load_encoders(base(), torch.float32)

    def get(self, text: str) -> Condition:
        return SDXL.encode_condition(self.encoders, [text])[0]

    def unconditional(self) -> Condition:
        return SDXL.unconditional(base(), self.encoders)


encoded = cache(Encoded)


def with_adapter(seed: int = 0) -> nn.Module:
    """A denoiser with a random adapter that has an effect."""
    denoiser = SDXL.load_denoiser(base(), torch.float32)
    torch.manual_seed(seed)
    inject(denoiser, target_modules(denoiser, "attention", SDXL), rank=4, alpha=4.0, dropout=0.0)
    for name, parameter in denoiser.named_parameters():
        if ".lora_B." in name:
            nn.init.normal_(parameter, std=0.5)
    return denoiser


def shot(prompt: str = PROMPTS[0], seed: int = 1, **changes: object) -> Shot:
    plain = Shot(
        prompt=prompt, negative="", seed=seed, guidance=3.0, steps=3, sampler="dpm++ 2m karras", size=(64, 64),
        weights=((TRAINED, 1.0),),
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def drawn(denoiser: nn.Module, shots: list[Shot], **more: object) -> list[Image.Image]:
    return draw_pictures(
        family=SDXL, base=base(), denoiser=denoiser, vae=vae(), conditions=encoded(), shots=shots, **more
    )  # type: ignore[arg-type]


def distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).max())


@pytest.fixture(scope="module")
def denoiser() -> Iterator[nn.Module]:
    yield with_adapter()


@pytest.mark.parametrize("sampler", list(SDXL.samplers))
def test_every_sampler_draws_the_same_picture_twice(denoiser: nn.Module, sampler: str) -> None:
    first, other_seed = drawn(denoiser, [shot(sampler=sampler), shot(sampler=sampler, seed=2)])
    again = drawn(denoiser, [shot(sampler=sampler), shot(sampler=sampler, seed=2)])[0]
    assert first.tobytes() == again.tobytes() and first.size == (64, 64) and first.mode == "RGB"
    assert distance(first, other_seed) > 4


@pytest.mark.parametrize("sampler", ["dpm++ 2m karras", "euler a"])
def test_company_does_not_change_a_picture(denoiser: nn.Module, sampler: str) -> None:
    shots = [shot(prompt, seed, sampler=sampler) for prompt in PROMPTS for seed in (1, 2, 3)]
    together = drawn(denoiser, shots)
    for place in (0, 4, 8):
        assert distance(together[place], drawn(denoiser, [shots[place]])[0]) <= 1


def test_pictures_come_in_the_order_of_their_shots(denoiser: nn.Module) -> None:
    shots = [
        shot(seed=1),
        shot(seed=1, weights=()),
        shot(seed=2),
        shot(seed=1, size=(80, 64)),
        shot(seed=3, weights=((TRAINED, 0.5),)),
        shot(seed=2, weights=()),
    ]
    got: dict[int, Image.Image] = {}
    pictures = drawn(denoiser, shots, on_picture=got.__setitem__)
    assert [got[place] for place in range(len(shots))] == pictures
    for place, one in enumerate(shots):
        assert distance(pictures[place], drawn(denoiser, [one])[0]) <= 1
    assert pictures[3].size == (80, 64)


def test_without_weights_the_base_is_drawn(denoiser: nn.Module) -> None:
    untouched = SDXL.load_denoiser(base(), torch.float32)
    plain, trained = drawn(denoiser, [shot(weights=()), shot()])
    assert plain.tobytes() == drawn(untouched, [shot(weights=())])[0].tobytes()
    assert distance(plain, trained) > 4


def test_prompt_negative_and_guidance_matter(denoiser: nn.Module) -> None:
    pictures = drawn(
        denoiser, [shot(), shot(PROMPTS[2]), shot(negative="blurry"), shot(guidance=6.0), shot(steps=4)]
    )
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_several_adapters_act_together_each_with_its_weight() -> None:
    one, two = with_adapter(0), with_adapter(1)
    state = adapter_state(two)
    load_adapter(one, state, rank=4, alpha=4.0, name="further1")
    both, first, second = drawn(
        one,
        [
            shot(weights=((TRAINED, 0.7), ("further1", 0.4))),
            shot(weights=((TRAINED, 0.7),)),
            shot(weights=(("further1", 0.4),)),
        ],
    )
    assert distance(first, drawn(with_adapter(0), [shot(weights=((TRAINED, 0.7),))])[0]) <= 1
    assert distance(second, drawn(two, [shot(weights=((TRAINED, 0.4),))])[0]) <= 1
    assert distance(both, first) > 1 and distance(both, second) > 1


def test_an_adapter_that_is_not_loaded_never_draws_the_base_instead(denoiser: nn.Module) -> None:
    with pytest.raises(ValueError, match="nobody"):
        drawn(denoiser, [shot(weights=(("nobody", 1.0),))])


def test_drawing_leaves_the_denoiser_as_it_was() -> None:
    denoiser = with_adapter()
    set_weights(denoiser, {TRAINED: 0.3})
    denoiser.train()
    next(iter(denoiser.children())).eval()
    modes = [module.training for module in denoiser.modules()]
    grads = [parameter.requires_grad for parameter in denoiser.parameters()]
    scales = [dict(module.scaling) for module in denoiser.modules() if hasattr(module, "scaling")]
    drawn(denoiser, [shot()])
    assert modes == [module.training for module in denoiser.modules()]
    assert grads == [parameter.requires_grad for parameter in denoiser.parameters()]
    assert scales == [dict(module.scaling) for module in denoiser.modules() if hasattr(module, "scaling")]


def test_a_stop_is_heard_between_steps_and_keeps_what_is_finished(
    denoiser: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw, "PICTURES_AT_ONCE", 1)
    finished: list[int] = []
    steps: list[tuple[int, int]] = []
    with pytest.raises(StopAsked):
        drawn(
            denoiser,
            [shot(seed=1), shot(seed=2)],
            on_picture=lambda index, picture: finished.append(index),
            on_step=lambda done, total: steps.append((done, total)),
            should_stop=lambda: len(steps) == 5,
        )
    assert finished == [0] and steps[-1] == (1, 2)
    assert not any(scale != 1.0 for module in denoiser.modules() if hasattr(module, "scaling")
                   for scale in module.scaling.values())  # fmt: skip


def test_small_pictures_share_a_batch_and_large_ones_do_not() -> None:
    small = [shot(seed=seed) for seed in range(10)]
    large = [shot(seed=seed, size=(512, 512)) for seed in range(3)]
    assert [len(batch) for batch in draw._batches(small, "cpu")] == [8, 2]
    assert [len(batch) for batch in draw._batches(large, "cpu")] == [1, 1, 1]


def test_what_cannot_be_drawn_is_refused_all_at_once() -> None:
    family = replace(SDXL, samplers={"euler": SDXL.samplers["euler"]})
    with pytest.raises(Refused) as caught:
        check_shots(family, base(), [shot(size=(60, 64)), shot(size=(60, 64), sampler="euler")])
    texts = [str(problem) for problem in caught.value.problems]
    assert len(texts) == 2 and caught.value.usage
    assert "dpm++ 2m karras" in texts[0] and "60 x 64" in texts[1] and "64 x 64" in texts[1]


def test_shots_are_prompts_by_seeds_at_the_native_size() -> None:
    shots = shots_of(spec.Sample(seeds=(4, 5), steps=7), base(), ["one", "two"])
    assert [(one.prompt, one.seed) for one in shots] == [("one", 4), ("one", 5), ("two", 4), ("two", 5)]
    assert {one.size for one in shots} == {(64, 64)} and {one.steps for one in shots} == {7}
