"""The arithmetic shown before a run."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from projects.bases import BaseFacts
from projects.families import FAMILIES
from projects.measured import Measured
from projects.plan import plan, require_processes, resolve_steps
from projects.problems import Refused
from projects.spec import Adapter, Base, RunSpec, Train

COUNTS: dict[Any, int] = {"subject": 40, "regularization": 6, "holdout": 4}
MEASURED = Measured(
    steps=20, seconds_per_step=0.5, faster_half=0.4, slower_half=1.0, evaluation_seconds=0.0,
    preview_seconds=0.0, preview_steps=30, memory_gb=7.5, device_memory_gb=24.0, fingerprint="f", measured=1.0,
)  # fmt: skip
DEMO = BaseFacts(kind="demo", family="sdxl", native_size=64, widths={"attention": 1000})


def spec(*, adapter: dict[str, Any] | None = None, **train: Any) -> RunSpec:
    return RunSpec(
        trigger="aur3", base=Base(source="demo"), adapter=Adapter(**adapter or {}), train=Train(**train)
    )


@pytest.mark.parametrize(
    ("subject", "batch", "accumulate", "processes", "steps"),
    [
        (40, 1, 1, 1, 1500),
        (80, 1, 1, 1, 2400),
        (80, 4, 1, 1, 600),
        (80, 2, 2, 1, 600),
        (80, 2, 1, 2, 600),
        (51, 7, 1, 1, 219),
        (0, 1, 1, 1, 1500),
    ],
)
def test_steps_follow_the_rule_over_subject_pictures(
    subject: int, batch: int, accumulate: int, processes: int, steps: int
) -> None:
    filled = resolve_steps(
        spec(batch=batch, accumulate=accumulate, processes=processes),
        {"subject": subject, "regularization": 500},
    )
    assert filled.train.steps == steps


def test_a_step_says_what_it_takes_and_is_divided_among_no_more_processes_than_pictures() -> None:
    told = spec(batch=2, accumulate=3, processes=2, adapter={"dropout": 0.1})
    made = plan(told, COUNTS)
    assert made.slots == 12
    assert any("a step takes 12 pictures (2 x 3 x 2), 6 in each of them" in note for note in made.notes)
    assert any("other dropout masks" in note for note in made.notes)
    require_processes(told, 12)
    for processes in (0, 13):
        with pytest.raises(Refused, match="A step has 12 pictures"):
            require_processes(told, processes)


def test_said_steps_stay_and_epochs_become_steps() -> None:
    assert resolve_steps(spec(steps=7), COUNTS).train.steps == 7
    train = resolve_steps(spec(epochs=3, batch=4), COUNTS).train
    assert (train.steps, train.epochs) == (35, None), (
        "3 x 46 pictures over 4 a step, rounded up; holdout not counted"
    )
    draws: dict[Any, int] = {"subject": 80, "regularization": 6}
    assert resolve_steps(spec(epochs=3, batch=4), COUNTS, draws=draws).train.steps == 65


def test_how_often_each_picture_is_seen() -> None:
    made = plan(spec(steps=460, batch=2), COUNTS)
    assert (made.epochs, made.seen_subject, made.seen_regularization) == (20, 20, 20)
    made = plan(spec(steps=430, batch=1), COUNTS, draws={"subject": 80, "regularization": 6})
    assert (made.epochs, made.seen_subject, made.seen_regularization) == (5, 10, 5)


def test_checkpoints_that_stay_and_the_room_they_take() -> None:
    made = plan(spec(steps=1300, keep=4), COUNTS, parameters=1000)
    assert made.checkpoints == (750, 1000, 1250, 1300)
    assert made.disk_bytes == 5 * 12_000
    assert plan(spec(steps=500, keep=4), COUNTS, parameters=1000).checkpoints == (250, 500)
    assert plan(spec(steps=500), COUNTS).disk_bytes is None
    assert plan(spec(steps=100, adapter={"rank": 8}), COUNTS, facts=DEMO).disk_bytes == 2 * 12 * 8000


def test_time_and_memory_only_as_measured() -> None:
    made = plan(spec(steps=100), COUNTS)
    assert made.seconds is None and made.memory_gb is None
    made = plan(spec(steps=100, evaluate_every=0), COUNTS, measured=MEASURED)
    assert (made.seconds, made.memory_gb) == (50.5, 7.5), "100 steps, and the checkpoint's own"
    assert made.seconds_range == pytest.approx((40.4, 101))


def test_notes_say_scale_rule_and_what_is_thin() -> None:
    notes = "\n".join(plan(spec(adapter={"rank": 32, "alpha": 1.0}, batch=2), {"subject": 12}).notes)
    assert "1 / 32 = 0.03125; each step moves it by a learning rate of 0.0001" in notes
    assert "max(1500, 30 x 12 subject pictures) = 1500, over 2 pictures a step = 750" in notes
    assert "fewer than 20" in notes and "0% of all" in notes and "held-out" in notes
    good = plan(spec(steps=1000), COUNTS).notes
    assert len(good) == 1, good
    far = "\n".join(plan(spec(resolution=(64, 128)), COUNTS, facts=DEMO).notes)
    assert "Resolution 128 is beyond what the base was made for, 64." in far


SDXL = Path(__file__).parents[2] / "engine" / "families" / "configs" / "sdxl" / "unet" / "config.json"


def test_the_widths_of_sdxl_are_those_of_its_config() -> None:
    unet = json.loads(SDXL.read_text())
    deep, layers = unet["transformer_layers_per_block"], unet["layers_per_block"]
    down = [kind.startswith("CrossAttn") for kind in unet["down_block_types"]]
    attention = mlp = 0
    for at, side in enumerate(unet["block_out_channels"]):
        ups = unet["up_block_types"][len(down) - 1 - at].startswith("CrossAttn")
        blocks = deep[at] * (layers * down[at] + (layers + 1) * ups + (at == len(down) - 1))
        attention += blocks * (14 * side + 2 * unet["cross_attention_dim"])
        mlp += blocks * ((side + 8 * side) + (4 * side + side))
    assert FAMILIES["sdxl"].usual_widths == {"attention": attention, "attention+mlp": attention + mlp}


def test_a_base_that_is_not_here_is_planned_by_the_family_that_was_said() -> None:
    hub = BaseFacts(kind="hub")
    said = dataclasses.replace(spec(steps=100), base=Base(source="a/b", family="sdxl"))
    made = plan(said, COUNTS, facts=hub, device="cuda:0")
    assert made.disk_bytes == 2 * 12 * 32 * FAMILIES["sdxl"].usual_widths["attention"]
    notes = "\n".join(made.notes)
    assert "downloaded when the run starts" in notes and "7 GB" in notes and "not known" not in notes
    assert "NVIDIA" not in notes
    assert "a step of SDXL takes minutes" in "\n".join(plan(said, COUNTS, facts=hub, device="cpu").notes)
    assert "NVIDIA" not in "\n".join(plan(spec(steps=100), COUNTS, facts=DEMO, device="cpu").notes)


def test_a_family_that_quantisation_harms_says_so_where_it_is_asked_for() -> None:
    asked = spec(steps=100, quantize="nf4")
    assert "Quantisation harms SDXL" in "\n".join(plan(asked, COUNTS, facts=DEMO).notes)
    assert "harms" not in "\n".join(plan(spec(steps=100), COUNTS, facts=DEMO).notes)
    flux = dataclasses.replace(DEMO, family="flux")
    assert "harms" not in "\n".join(plan(asked, COUNTS, facts=flux).notes)


def test_what_stands_in_the_way_is_a_problem() -> None:
    empty = dataclasses.replace(spec(steps=10), base=Base())
    made = plan(empty, {}, parameters=10**9, free_bytes=10**9)
    assert [one.where for one in made.problems] == [
        "project.toml: base.source",
        "project.toml: data.images",
        "project.toml: train.keep",
    ]
    assert plan(spec(steps=10), COUNTS, parameters=1000, free_bytes=10**9).problems == ()


def test_what_a_base_cannot_do_is_said_with_what_to_do() -> None:
    flux = BaseFacts(kind="folder", family="flux", native_size=1024, floors=(768, 1024), hint="")
    told = spec(steps=100, min_snr_gamma=0.0)
    plain = "\n".join(plan(told, COUNTS, facts=flux, device="cuda:0").notes)
    assert "negative prompt" not in plain
    negative = dataclasses.replace(told, sample=dataclasses.replace(told.sample, negative="blurry"))
    assert "true_guidance = 3" in "\n".join(plan(negative, COUNTS, facts=flux, device="cuda:0").notes)
    file = dataclasses.replace(
        flux, kind="file", companion="black-forest-labs/FLUX.1-dev", companion_size="9.5 GB of T5"
    )
    assert "9.5 GB of T5" in "\n".join(plan(told, COUNTS, facts=file, device="cuda:0").notes)
    sd15 = BaseFacts(
        kind="file", family="sd15", native_size=512, floors=(512, 768), hint="512 to 768 pixels at best"
    )
    assert "512 to 768 pixels at best" in "\n".join(plan(told, COUNTS, facts=sd15, device="cuda:0").notes)
