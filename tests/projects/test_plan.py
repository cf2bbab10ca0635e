"""The arithmetic shown before a run."""

import dataclasses
from typing import Any

import pytest

from projects.bases import BaseFacts
from projects.measured import Measured
from projects.plan import plan, resolve_steps
from projects.spec import Adapter, Base, RunSpec, Train

COUNTS: dict[Any, int] = {"subject": 40, "regularization": 6, "holdout": 4}
MEASURED = Measured(
    steps=20, seconds_per_step=0.5, fastest=0.4, slowest=1.0, area_share=1.0, evaluation_seconds=0.0,
    preview_seconds=0.0, preview_steps=30, memory_gb=7.5, device_memory_gb=24.0, fingerprint="f", measured=1.0,
)  # fmt: skip
DEMO = BaseFacts(kind="demo", family="sdxl", native_size=64, widths={"attention": 1000})


def spec(*, adapter: dict[str, Any] | None = None, **train: Any) -> RunSpec:
    return RunSpec(
        trigger="aur3", base=Base(source="demo"), adapter=Adapter(**adapter or {}), train=Train(**train)
    )


@pytest.mark.parametrize(
    ("subject", "batch", "accumulate", "steps"),
    [(40, 1, 1, 1500), (80, 1, 1, 2400), (80, 4, 1, 600), (80, 2, 2, 600), (51, 7, 1, 219), (0, 1, 1, 1500)],
)
def test_steps_follow_the_rule_over_subject_pictures(
    subject: int, batch: int, accumulate: int, steps: int
) -> None:
    filled = resolve_steps(
        spec(batch=batch, accumulate=accumulate), {"subject": subject, "regularization": 500}
    )
    assert filled.train.steps == steps


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
    assert "1 / 32 = 0.03125, learning rate 0.0001" in notes
    assert "max(1500, 30 x 12 subject pictures) = 1500, over 2 pictures a step = 750" in notes
    assert "fewer than 20" in notes and "0% of all" in notes and "held-out" in notes
    good = plan(spec(steps=1000), COUNTS).notes
    assert len(good) == 1, good
    far = "\n".join(plan(spec(resolution=(64, 128)), COUNTS, facts=DEMO).notes)
    assert "Resolution 128 is beyond the base's native size, 64." in far


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
