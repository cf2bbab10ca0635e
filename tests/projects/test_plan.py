"""The arithmetic shown before a run."""

import dataclasses
from typing import Any

import pytest

from projects.bases import BaseFacts
from projects.plan import plan, require_processes, resolve_steps
from projects.problems import Refused
from projects.spec import Adapter, Base, RunSpec, Train

COUNTS: dict[Any, int] = {"subject": 40, "regularization": 6, "holdout": 4}
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
    made = plan(spec(steps=100), COUNTS, seconds_per_step=0.5, memory_gb=7.5)
    assert (made.seconds, made.memory_gb) == (50, 7.5)


def test_notes_say_scale_rule_and_what_is_thin() -> None:
    notes = "\n".join(plan(spec(adapter={"rank": 32, "alpha": 1.0}, batch=2), {"subject": 12}).notes)
    assert "1 / 32 = 0.03125, learning rate 0.0001" in notes
    assert "max(1500, 30 x 12 subject pictures) = 1500, over 2 pictures a step = 750" in notes
    assert "fewer than 20" in notes and "0% of all" in notes and "held-out" in notes
    good = plan(spec(steps=1000), COUNTS).notes
    assert len(good) == 1, good
    far = "\n".join(plan(spec(resolution=(64, 128)), COUNTS, facts=DEMO).notes)
    assert "Resolution 128 is beyond the base's native size, 64." in far


def test_what_stands_in_the_way_is_a_problem() -> None:
    empty = dataclasses.replace(spec(steps=10), base=Base())
    made = plan(empty, {}, parameters=10**9, free_bytes=10**9)
    assert [one.where for one in made.problems] == [
        "project.toml: base.source",
        "project.toml: data.images",
        "project.toml: train.keep",
    ]
    assert plan(spec(steps=10), COUNTS, parameters=1000, free_bytes=10**9).problems == ()
