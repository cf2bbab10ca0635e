"""Every optimizer: built as the spec says, resumed to the same bits, and saved as the weights that are used afterwards."""

import importlib
import importlib.util
import json

import pytest
import torch
from torch import nn

from engine import checkpoint, optimizers, train
from projects import atomic
from projects.fields import leaves
from projects.optimizers import OPTIMIZERS
from projects.problems import Refused
from projects.spec import Train
from tests.engine.runs import demo_project, events, losses, new_run, train_here, wait_until_heard

SETTINGS = {
    "adamw": (),
    "adamw_8bit": (),
    "prodigy": ("train.learning_rate=1.0",),
    "adafactor": ("train.learning_rate=1e-3",),
    "adamw_schedulefree": ('train.schedule="constant"',),
}


def installed(name):
    """The optimizer as a parameter, left out where its library is not installed."""
    package = OPTIMIZERS[name].package
    absent = importlib.util.find_spec(package) is None
    return pytest.param(name, marks=pytest.mark.skipif(absent, reason=f"{package} is not installed"))


EVERY = [installed(name) for name in OPTIMIZERS]


@pytest.fixture
def project(tmp_path):
    return demo_project(tmp_path)


def short_run(project, optimizer, name):
    return new_run(
        project,
        "train.steps=6",
        f'train.optimizer="{optimizer}"',
        *SETTINGS[optimizer],
        "sample.every=0",
        name=name,
    )


def saved(job):
    """Everything that the newest checkpoint holds of adapter and optimizer."""
    folder = checkpoint.find_checkpoint(job, None)[1]
    state = checkpoint.load_optimizer(folder)
    return {**checkpoint.load_adapter(folder)[1], **state.tensors}, state.numbers


def stop_in_step(monkeypatch, job, number):
    """Ask for a stop while step `number`, counted from 0, is being computed."""
    real = train.forward_backward

    def asked(task, step, micro_batch, *more):
        if step == number and not events(job, "acknowledged"):
            atomic.write_text(job.requests / "stop", "")
            wait_until_heard(job, "stop")
        return real(task, step, micro_batch, *more)

    monkeypatch.setattr(train, "forward_backward", asked)


@pytest.mark.parametrize("optimizer", EVERY)
def test_a_stopped_run_goes_on_to_the_same_bits(project, monkeypatch, optimizer):
    straight, broken = (short_run(project, optimizer, name) for name in ("straight", "broken"))
    train_here(straight)
    stop_in_step(monkeypatch, broken, 3)
    assert train_here(broken) == "stopped"
    assert broken.steps_saved() == [3, 4]
    monkeypatch.undo()
    assert train_here(broken, verify=True) == "done"
    assert events(broken, "verified")[0]["verdict"] == "bit-equal"
    assert losses(straight) == losses(broken)
    (one, numbers), (other, same_numbers) = saved(straight), saved(broken)
    assert one.keys() == other.keys() and numbers == same_numbers
    assert all(torch.equal(one[name], other[name]) for name in one)
    for name in (checkpoint.ADAPTER, checkpoint.OPTIMIZER):
        assert (straight.checkpoint(6) / name).read_bytes() == (broken.checkpoint(6) / name).read_bytes()
    assert all(bool(tensor.any()) for name, tensor in one.items() if name.endswith("lora_B.weight"))


def moving(name, **changes):
    """A weight that is drawn to a goal, its optimizer, and what moves it by a step."""
    generator = torch.Generator().manual_seed(0)
    parameter = nn.Parameter(torch.randn(80, 64, generator=generator))
    goal = torch.randn(80, 64, generator=generator)
    optimizer = optimizers.build(Train(optimizer=name, **changes), [parameter])

    def step(number):
        noise = torch.randn(80, 64, generator=torch.Generator().manual_seed(number))
        parameter.grad = parameter.detach() - goal + 0.1 * noise
        optimizer.step()

    return parameter, optimizer, step


@pytest.mark.parametrize("optimizer", EVERY)
def test_a_text_encoder_has_a_rate_of_its_own_and_both_go_on_from_what_was_saved(optimizer):
    finds = OPTIMIZERS[optimizer].finds_rate
    rate, its_rate = (1.0, 1.0) if finds else (1e-2, 1e-3)
    settings = Train(optimizer=optimizer, learning_rate=rate, text_encoder_learning_rate=its_rate)

    def both():
        weights = [nn.Parameter(torch.ones(80, 64)), nn.Parameter(torch.ones(64, 80))]
        return weights, optimizers.build(settings, weights[:1], weights[1:])

    def steps(weights, optimizer, numbers):
        for number in numbers:
            optimizers.set_rates(optimizer, 1 / (1 + number))
            assert [group["lr"] for group in optimizer.param_groups] == pytest.approx(
                [rate / (1 + number), its_rate / (1 + number)]
            )
            for weight in weights:
                noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(number))
                weight.grad = weight.detach() + 0.1 * noise
            optimizer.step()

    straight, first = both()
    steps(straight, first, range(20))
    if not finds:
        moved = [float((1 - weight.detach()).abs().mean()) for weight in straight]
        assert moved[1] < moved[0] / 2
    named = dict(zip(("p", "text_encoder.p"), straight, strict=True))
    middle = optimizers.state_of(first, named)
    with optimizers.weights_to_use(first):
        used = [weight.detach().clone() for weight in straight]
    steps(straight, first, range(20, 40))
    resumed, second = both()
    for weight, value in zip(resumed, used, strict=True):
        weight.data.copy_(value)
    numbers = json.loads(json.dumps(middle.numbers))
    optimizers.restore(
        second,
        dict(zip(named, resumed, strict=True)),
        optimizers.Saved(tensors=middle.tensors, numbers=numbers),
    )
    steps(resumed, second, range(20, 40))
    assert all(torch.equal(one, other) for one, other in zip(straight, resumed, strict=True))


@pytest.mark.parametrize("optimizer", EVERY)
def test_a_new_optimizer_goes_on_from_what_was_saved(optimizer):
    rate = 1.0 if OPTIMIZERS[optimizer].finds_rate else 1e-2
    straight, first, step = moving(optimizer, learning_rate=rate)
    for number in range(50):
        step(number)
    middle = optimizers.state_of(first, {"p": straight})
    with optimizers.weights_to_use(first):
        adapter = straight.detach().clone()
    for number in range(50, 100):
        step(number)
    resumed, second, step = moving(optimizer, learning_rate=rate)
    resumed.data.copy_(adapter)
    numbers = json.loads(json.dumps(middle.numbers))
    optimizers.restore(second, {"p": resumed}, optimizers.Saved(tensors=middle.tensors, numbers=numbers))
    for number in range(50, 100):
        step(number)
    assert torch.equal(straight, resumed)
    one, other = (
        optimizers.state_of(first, {"p": straight}),
        optimizers.state_of(second, {"p": resumed}),
    )
    assert one.numbers == other.numbers
    assert all(torch.equal(one.tensors[key], other.tensors[key]) for key in one.tensors)


@pytest.mark.parametrize("optimizer", [installed("prodigy")])
def test_the_rate_of_prodigy_is_the_one_it_found(optimizer):
    _, prodigy, step = moving(optimizer, learning_rate=0.5)
    assert optimizers.effective_rate(prodigy) == pytest.approx(0.5e-6)
    for number in range(200):
        step(number)
    assert 1e-2 < optimizers.effective_rate(prodigy) < 1


@pytest.mark.parametrize("optimizer", [installed("adamw_schedulefree")])
def test_looking_at_the_averaged_weights_changes_no_bit(optimizer):
    parameter, averaging, step = moving(optimizer, learning_rate=1e-2)
    for number in range(4):
        step(number)
    before, state = parameter.detach().clone(), optimizers.state_of(averaging, {"p": parameter})
    for _ in range(3):
        with optimizers.weights_to_use(averaging):
            used = parameter.detach().clone()
    after = optimizers.state_of(averaging, {"p": parameter})
    assert torch.equal(parameter, before) and not torch.equal(used, before)
    assert state.numbers == after.numbers
    assert all(torch.equal(state.tensors[key], after.tensors[key]) for key in state.tensors)


@pytest.mark.parametrize("optimizer", [installed("adamw_schedulefree")])
def test_a_schedule_free_checkpoint_holds_the_weights_that_are_used(project, optimizer):
    job = short_run(project, optimizer, "r")
    train_here(job)
    tensors, numbers = saved(job)
    name = next(name for name in tensors if name.endswith("lora_B.weight"))
    moved, z, beta = tensors[f"{name}/y"], tensors[f"{name}/z"], 0.9
    torch.testing.assert_close(tensors[name], (moved - (1 - beta) * z) / beta, rtol=1e-4, atol=1e-7)
    assert not torch.equal(tensors[name], moved)
    assert numbers["k"] == 6


@pytest.mark.parametrize("optimizer", [installed("adamw_8bit")])
def test_the_averages_of_8_bit_adamw_take_a_byte_each(optimizer):
    parameter, eight_bit, step = moving(optimizer)
    step(0)
    tensors = optimizers.state_of(eight_bit, {"p": parameter}).tensors
    assert tensors["p/state1"].dtype == tensors["p/state2"].dtype == torch.uint8
    assert tensors["p/step"].item() == 1


@pytest.mark.parametrize("optimizer", EVERY)
def test_a_zero_weight_moves_by_about_the_rate_from_the_first_step(optimizer):
    rate = 1.0 if OPTIMIZERS[optimizer].finds_rate else 1e-4
    parameter, _, step = moving(optimizer, learning_rate=rate)
    parameter.data.zero_()
    step(0)
    moved = float(parameter.detach().abs().mean())
    assert moved > 1e-8 if OPTIMIZERS[optimizer].finds_rate else 3e-6 < moved < 3e-4


def test_a_library_that_is_not_installed_names_its_extra(project, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "prodigyopt" else real(name, *more)
    )
    job = short_run(project, "prodigy", "r")
    with pytest.raises(Refused, match="not installed here") as refused:
        train_here(job)
    assert "safelight[optimizers]" in refused.value.problems[0].hint
    assert not job.items.exists()


def test_every_optimizer_of_the_spec_has_both_halves_and_its_library_where_it_is_said_to_be():
    choices = leaves()["train.optimizer"].shape.choices
    assert set(choices) == set(OPTIMIZERS) == set(optimizers.BUILD) == set(SETTINGS)
    for facts in OPTIMIZERS.values():
        if importlib.util.find_spec(facts.package) is not None:
            module, _, name = facts.path.rpartition(".")
            assert issubclass(getattr(importlib.import_module(module), name), torch.optim.Optimizer)


def test_state_that_a_checkpoint_cannot_hold_is_no_silent_loss():
    parameter, adamw, step = moving("adamw")
    step(0)
    adamw.param_groups[0]["history"] = [1, 2]
    with pytest.raises(TypeError, match="cannot hold"):
        optimizers.state_of(adamw, {"p": parameter})


def test_a_checkpoint_from_before_the_numbers_of_optimizers_is_still_read(project):
    job = short_run(project, "adamw", "r")
    train_here(job)
    file = job.checkpoint(6) / checkpoint.MANIFEST
    table = json.loads(file.read_text())
    assert table["optimizer"] == table["loss_scale"] == {}
    del table["optimizer"], table["loss_scale"]
    file.write_text(json.dumps(table))
    assert checkpoint.load_optimizer(file.parent).numbers == {}
    assert train_here(job, verify=True) == "done"
    assert events(job, "verified")[0]["verdict"] == "bit-equal"
