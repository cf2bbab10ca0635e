"""What is said of optimizers before anything runs: pairs that contradict each other, room on the disk, libraries."""

import importlib.util
from dataclasses import replace

import pytest

from projects.optimizers import OPTIMIZERS, missing_library
from projects.plan import plan
from projects.problems import Refused
from projects.spec import RunSpec, Train
from projects.table import parse


def faults(text: str) -> list[str]:
    """The errors of a project.toml's [train]."""
    with pytest.raises(Refused) as refused:
        parse(f"[train]\n{text}", RunSpec, file="project.toml")
    return [problem.error for problem in refused.value.problems]


def test_what_contradicts_an_optimizer_is_told_with_everything_else() -> None:
    told = faults("optimizer = 'prodigy'\nlearning_rate = 1e-4\nbatch = 0\nsteps = 5\nepochs = 5")
    assert len(told) == 3
    assert any("finds the learning rate itself" in error and "with 0.0001" in error for error in told)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "cosine_restarts"])
def test_only_a_schedule_free_optimizer_minds_a_falling_rate(schedule: str) -> None:
    (error,) = faults(f"optimizer = 'adamw_schedulefree'\nschedule = '{schedule}'")
    assert schedule in error
    for other in ("adamw", "adamw_8bit", "adafactor"):
        parse(f"[train]\noptimizer = '{other}'\nschedule = '{schedule}'", RunSpec, file="project.toml")


def test_what_fits_an_optimizer_is_taken() -> None:
    for fits in (
        "optimizer = 'prodigy'\nlearning_rate = 1.0\nschedule = 'cosine'",
        "optimizer = 'adamw_schedulefree'\nlearning_rate = 2.5e-3\nwarmup = 0.1",
        "precision = 'fp16'",
    ):
        parse(f"[train]\n{fits}", RunSpec, file="project.toml")


def test_the_plan_counts_what_the_optimizer_keeps_and_minds_a_rate_that_was_prodigys() -> None:
    def planned(**train: object):  # type: ignore[no-untyped-def]
        spec = RunSpec(train=replace(Train(steps=100, checkpoint_every=100), **train))  # type: ignore[arg-type]
        return plan(spec, {"subject": 20}, parameters=1_000_000)

    sizes = {name: planned(optimizer=name, learning_rate=1.0).disk_bytes for name in OPTIMIZERS}
    assert sizes["adamw"] == 24_000_000
    assert (
        sizes["adafactor"]
        < sizes["adamw_8bit"]
        < sizes["adamw"]
        < sizes["adamw_schedulefree"]
        < sizes["prodigy"]
    )
    assert any("one for Prodigy" in note for note in planned(learning_rate=1.0).notes)
    assert not any(
        "one for Prodigy" in note for note in planned(optimizer="prodigy", learning_rate=1.0).notes
    )


def test_a_library_is_missed_by_the_name_of_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert missing_library("adamw") is None and missing_library("adafactor") is None
    problem = missing_library("adamw_8bit")
    assert problem is not None and "bitsandbytes" in problem.error and "safelight[bnb]" in problem.hint
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert missing_library("adamw_8bit") is None
