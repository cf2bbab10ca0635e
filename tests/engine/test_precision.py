"""Which numbers a card computes in, and what an overflow in fp16 does to a run and to its checkpoints."""

import math
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from engine import assembly, checkpoint, precision, train
from engine.facts import read_facts
from engine.step import Pass, check_finite
from projects.curve import read_curve
from projects.problems import Refused
from tests.engine.runs import demo_project, events, losses, new_run, train_here

TURING, AMPERE = (7, 5), (8, 0)


@pytest.fixture
def project(tmp_path):
    return demo_project(tmp_path)


def cpu_scaler(**settings):
    """The GradScaler that accelerate makes for fp16, on a CPU."""
    return torch.amp.GradScaler("cpu", **settings)


@pytest.mark.parametrize(
    ("asked", "capability", "computed"),
    [
        ("fp32", TURING, "fp32"),
        ("fp16", TURING, "fp16"),
        ("fp16", AMPERE, "fp16"),
        ("bf16", AMPERE, "bf16"),
        ("bf16", (9, 0), "bf16"),
        ("fp32", None, "fp32"),
    ],
)
def test_a_card_computes_in_what_was_asked(asked, capability, computed):
    assert precision.precision_on(asked, capability) == (computed, "")


@pytest.mark.parametrize("asked", ["bf16", "fp16"])
def test_a_cpu_computes_in_fp32_and_says_so(asked):
    computed, warning = precision.precision_on(asked, None)
    assert computed == "fp32" and asked in warning


def test_bf16_on_a_card_without_it_is_refused_with_what_to_write():
    with pytest.raises(Refused, match=r"capability 7\.5\) has no bf16") as refused:
        precision.precision_on("bf16", TURING)
    assert "train.precision=fp16" in refused.value.problems[0].hint


@pytest.mark.parametrize(
    ("asked", "capability", "said", "dtype"),
    [
        ("fp16", TURING, "fp16", torch.float16),
        ("bf16", AMPERE, "bf16", torch.bfloat16),
        ("fp32", AMPERE, "no", torch.float32),
    ],
)
def test_a_card_gets_its_accelerator(monkeypatch, asked, capability, said, dtype):
    made = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(assembly, "Accelerator", lambda **how: made.append(how) or SimpleNamespace(**how))
    spec = SimpleNamespace(train=SimpleNamespace(precision=asked))
    accelerator = assembly.accelerator_for(spec)
    assert made == [{"cpu": False, "mixed_precision": said}]
    assert precision.dtype_of(accelerator.mixed_precision) == dtype


def test_the_scale_moves_as_torchs_own_does():
    ours, own = cpu_scaler(growth_interval=3), cpu_scaler(growth_interval=3)
    parameter = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([parameter], lr=0.0)
    for overflow in (True, True, False, False, False, False, True, False, False, False):
        own.scale(torch.ones(1))
        parameter.grad = torch.full((2,), math.inf if overflow else 1.0)
        own.step(optimizer)
        own.update()
        ours.scale(torch.ones(1))
        precision.advance(ours, overflow)
        assert ours.state_dict() == own.state_dict()


def test_a_scale_comes_back_from_a_manifest():
    one, other = cpu_scaler(growth_interval=5), cpu_scaler(growth_interval=5)
    for overflow in (True, False, False):
        precision.advance(one, overflow)
    precision.restore_scale(other, precision.saved_scale(one))
    assert other.state_dict() == one.state_dict() and other.get_scale() == 32768.0
    precision.restore_scale(other, {})
    assert other.get_scale() == 32768.0
    assert precision.saved_scale(None) == {}


def test_overflow_is_what_a_smaller_scale_can_mend():
    assert precision.overflowed(cpu_scaler(), math.inf) and precision.overflowed(cpu_scaler(), math.nan)
    assert not precision.overflowed(cpu_scaler(), 3.0)
    assert not precision.overflowed(cpu_scaler(init_scale=1.0), math.inf)
    assert not precision.overflowed(None, math.inf)
    check_finite(Pass(loss=1.0, grad_norm=math.inf, slots=[], overflow=True), 0, [], scaled=True)
    with pytest.raises(Refused, match="loss of step 1") as refused:
        check_finite(Pass(loss=math.nan, grad_norm=math.nan, slots=[]), 0, [], scaled=True)
    assert "bf16" in refused.value.problems[0].hint


@pytest.fixture
def scaled(monkeypatch):
    """Runs scale their loss as in fp16, in the CPU's own numbers. The steps in the set get an infinite gradient."""
    overflows = set()
    real = assembly.accelerator_for

    def with_scaler(spec):
        accelerator = real(spec)
        accelerator.scaler = cpu_scaler(growth_interval=3)
        backward = Accelerator.backward

        def poisoned(loss):
            backward(accelerator, loss)
            if overflows and steps_computed[-1] in overflows:
                next(iter(parameters_of[-1].values())).grad.fill_(math.inf)

        accelerator.backward = poisoned
        return accelerator

    steps_computed, parameters_of = [], []
    pass_of = train.forward_backward

    def noted(task, step, micro_batch, *more):
        steps_computed.append(step)
        parameters_of.append(task.parameters)
        return pass_of(task, step, micro_batch, *more)

    monkeypatch.setattr(assembly, "accelerator_for", with_scaler)
    monkeypatch.setattr(train, "forward_backward", noted)
    return overflows


QUIET = ("train.steps=5", "sample.every=0", "train.evaluate_every=0", "train.checkpoint_every=2")


def test_a_scaled_loss_trains_what_an_unscaled_one_trains(project, scaled, monkeypatch):
    job = new_run(project, *QUIET, name="scaled")
    train_here(job)
    assert not any("applied" in event for event in events(job, "step"))
    monkeypatch.undo()
    plain = new_run(project, *QUIET, name="plain")
    train_here(plain)
    assert losses(job) == losses(plain)  # the scale is a power of two: nothing is rounded by it


def test_an_overflow_counts_changes_nothing_and_is_in_the_checkpoint(project, scaled):
    scaled.update({0, 2})
    job = new_run(project, *QUIET, name="straight")
    train_here(job)
    told = events(job, "step")
    assert [event["step"] for event in told] == [1, 2, 3, 4, 5]
    assert [event.get("applied") for event in told] == [False, None, False, None, None]
    assert told[0]["grad"] is None and told[0]["loss"] is not None
    (warning,) = (event for event in events(job, "warning") if "overflowed in fp16" in event["text"])
    assert "step 1 " in warning["text"]
    assert len(read_curve(job.curve)[0]) == 5
    manifest = checkpoint.read_manifest(job.checkpoint(5))
    assert manifest.loss_scale == {"scale": (16384.0).hex(), "good_steps": 2}
    steps = checkpoint.load_optimizer(job.checkpoint(5)).tensors
    assert {float(tensor) for key, tensor in steps.items() if key.endswith("/step")} == {3.0}


def test_a_scaled_run_goes_on_from_its_scale(project, scaled):
    scaled.update({0, 3})
    straight = new_run(project, *QUIET, name="straight")
    train_here(straight)
    broken = new_run(project, *QUIET, name="broken")
    train_here(broken)
    for step in (5, 4):
        checkpoint.keep_newest(broken, 9)
        for file in broken.checkpoint(step).iterdir():
            file.unlink()
        broken.checkpoint(step).rmdir()
    train_here(broken, verify=True)
    assert events(broken, "verified")[0]["verdict"] == "bit-equal"
    for name in (checkpoint.ADAPTER, checkpoint.OPTIMIZER, checkpoint.MANIFEST):
        assert (straight.checkpoint(5) / name).read_bytes() == (broken.checkpoint(5) / name).read_bytes()


def test_a_gradient_that_stays_infinite_ends_the_run(project, scaled, monkeypatch):
    monkeypatch.setattr(precision, "LEAST_SCALE", 32768.0)
    scaled.update(range(5))
    job = new_run(project, *QUIET)
    with pytest.raises(Refused, match="gradient of step 2 is not a finite number"):
        train_here(job)


def test_facts_name_rounding_and_attention(project):
    job = new_run(project, "train.steps=1", "sample.every=0", "train.evaluate_every=0")
    train_here(job)
    facts = read_facts(job.facts)[-1]
    assert (facts["precision"], facts["tf32"], facts["attention"]) == ("fp32", False, "sdpa")


def test_attention_that_a_person_switched_is_named(monkeypatch):
    class Processor:
        _attention_backend = None

    class Switched:
        _attention_backend = "flash"

    def denoiser(*processors):
        parts = nn.ModuleList(nn.Linear(1, 1) for _ in processors)
        for part, processor in zip(parts, processors, strict=True):
            part.processor = processor
        return parts

    assert precision.attention_of(denoiser(object(), Processor())) == "sdpa"
    monkeypatch.setattr(precision, "DIFFUSERS_ATTN_BACKEND", "xformers")
    assert precision.attention_of(denoiser(object())) == "sdpa"  # this one does not read the switch
    assert precision.attention_of(denoiser(Processor(), Processor())) == "xformers"
    assert precision.attention_of(denoiser(object(), Switched())) == "flash, sdpa"
