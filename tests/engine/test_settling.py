"""A run that ends early because it has settled: never by the loss alone, and the same after an interruption."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import train
from engine.settling import PATIENCE, settled
from engine.step import Task
from projects import atomic
from projects.events import State
from projects.problems import Refused
from tests.engine.runs import demo_project, events, losses, new_run, train_here, wait_until_heard


def state(held_out: list[float | None], likeness: list[float]) -> State:
    """Evaluations at 0, 10, 20, ...; previews at 5, 10, 15, ..."""
    return State(
        evaluated={10 * at: (0.1, loss) for at, loss in enumerate(held_out)},
        likeness={5 * (at + 1): like for at, like in enumerate(likeness)},
    )


RISING = [0.20, 0.10, 0.08, 0.07, 0.071, 0.072, 0.073]
FLAT = [0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.81, 0.8]


def test_both_have_to_come_to_an_end() -> None:
    assert "best at step 30" in settled(state(RISING, FLAT))
    assert settled(state(RISING, [0.07 * at for at in range(12)])) == "", "the subject still comes nearer"
    assert settled(state([0.2, 0.10, 0.09, 0.08, 0.07, 0.06, 0.05], FLAT)) == "", (
        "held-out pictures still gain"
    )
    assert settled(state(RISING, [])) == "", "never by the loss alone"
    assert settled(state(RISING, FLAT[:7])) == "", "one preview since then may be an accident"
    assert settled(state([None] * 7, FLAT)) == "", "without held-out pictures nobody can tell"
    assert settled(state(RISING[:PATIENCE], FLAT)) == "", "too early"


def test_what_has_learned_nothing_has_not_settled() -> None:
    assert settled(state([0.2] * 8, FLAT)) == "", "the loss never fell"
    assert settled(state(RISING, [0.01, 0.02] * 6)) == "", "the subject never came"


@given(st.lists(st.floats(0.01, 1), max_size=8), st.lists(st.floats(-1, 2), max_size=8))
def test_a_loss_that_falls_to_a_new_best_never_settles(held_out: list[float], likeness: list[float]) -> None:
    falling: list[float | None] = [*held_out, min(held_out, default=1.0) * 0.9]
    assert settled(state(falling, likeness)) == ""


@pytest.mark.parametrize(
    ("assignment", "words"),
    [("train.evaluate_every=0", "evaluations"), ("sample.every=0", "previews")],
)
def test_what_it_has_to_look_at_is_asked_for_before_the_run(
    tmp_path: Path, assignment: str, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        new_run(demo_project(tmp_path), 'train.stop_when="settled"', assignment)


QUICK = (
    'train.stop_when="settled"', "train.steps=12", "train.evaluate_every=1", "sample.every=2", "train.checkpoint_every=5",
    "sample.seeds=[1, 2, 3, 4]",
)  # fmt: skip


def at_seven(state: State) -> str:
    """In the place of the rule: it has settled with the seventh evaluation."""
    return "Settled at last." if len(state.evaluated) > 7 and state.likeness else ""


def test_a_run_that_has_settled_saves_ends_early_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.settling.settled", at_seven)
    job = new_run(demo_project(tmp_path), *QUICK)
    assert train_here(job) == "done"
    assert len(losses(job)) == 7 == job.steps_saved()[-1]
    measured = [event for event in events(job, "sampled") if "likeness" in event]
    assert [event["step"] for event in measured] == [2, 4, 6]
    assert all(abs(float(str(event["likeness"]))) < 0.5 for event in measured), (
        "a few steps: it is nearly the base"
    )


def test_an_interrupted_run_measures_and_ends_as_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.settling.settled", at_seven)
    whole = new_run(demo_project(tmp_path / "a"), *QUICK)
    train_here(whole)
    parts = new_run(demo_project(tmp_path / "b"), *QUICK)
    trained = train.forward_backward

    def stop_at_three(task: Task, step: int, micro_batch: int, *more: object) -> object:
        if step == 3:
            atomic.write_text(parts.requests / "stop", "")
            wait_until_heard(parts, "stop")
        return trained(task, step, micro_batch, *more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(train, "forward_backward", stop_at_three)
        assert train_here(parts) == "stopped"
    assert train_here(parts) == "done"
    assert losses(parts) == losses(whole) and parts.steps_saved()[-1] == whole.steps_saved()[-1]
    likeness = [[event.get("likeness") for event in events(job, "sampled")] for job in (whole, parts)]
    assert likeness[0] == likeness[1]
