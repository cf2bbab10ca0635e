"""The measurement of the loop: it measures the loop that people run, against the same arithmetic. No time is tested."""

import json
import statistics

import pytest

from engine.bench.__main__ import figures, main
from engine.bench.bare import Bare
from engine.bench.loop import Alternation, CallingDesk, new_run, run_on_the_device
from engine.bench.pairs import median_interval, shares_beside
from engine.bench.profiling import costs, lines_of, profile
from projects.curve import read_curve
from projects.project import runs
from tests.engine.runs import demo_project, losses


def test_a_share_is_what_the_bare_step_does_not_explain() -> None:
    assert shares_beside([2.0, 4.0], [1.0, 5.0]) == [0.5, -0.25]
    with pytest.raises(ValueError):
        shares_beside([1.0], [1.0, 1.0])


def test_the_interval_holds_the_median_and_narrows_with_more_pairs() -> None:
    few, many = [0.01, 0.02, 0.03, 0.04], [0.01, 0.02, 0.03, 0.04] * 20
    for values in (few, many):
        low, high = median_interval(values)
        assert min(values) <= low <= statistics.median(values) <= high <= max(values)
    narrow, wide = median_interval(many), median_interval(few)
    assert narrow[1] - narrow[0] < wide[1] - wide[0]
    assert median_interval([0.5]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("blocks", "order"), [(1, "A B"), (2, "A B B A"), (3, "A B B A A B"), (4, "A B B A A B B A")]
)
def test_blocks_come_in_turn_and_each_is_timed_alone(blocks: int, order: str) -> None:
    now, came = 0.0, []

    def bare_block(number: int) -> float:
        nonlocal now
        now += 100.0 + number
        came.append("B")
        return 100.0 + number

    turns = Alternation(block=5, blocks=blocks, bare_block=bare_block, clock=lambda: now)
    turns.begin()
    for step in range(1, 5 * blocks + 3):
        now += 1.0
        if step % 5 == 0 and step <= 5 * blocks:
            came.append("A")
        turns.after(step)
    assert " ".join(came) == order
    assert turns.real == [5.0] * blocks
    assert turns.bare == [100.0 + number for number in range(blocks)]


def test_the_bare_step_is_the_same_training(tmp_path) -> None:
    """Same start, same micro-batches, same losses to the last bits: else the two times would not be comparable."""
    project = demo_project(tmp_path)
    text = (project / "project.toml").read_text()
    constant = '[train]\nschedule = "constant"\nwarmup = 0.0'
    (project / "project.toml").write_text(text.replace("[train]", constant, 1))
    job, spec = new_run(project, 4, "bench")
    found: list[float] = []
    with CallingDesk.open(job) as desk:

        def on_training() -> None:
            bare = Bare.of_run(desk, spec)
            bare.warm_up(bare.prepare(2, 1, 4))
            found.extend(loss.item() for loss in bare.train(bare.prepare(0, 4, 4)))

        desk.on_training, desk.on_step = on_training, lambda step: None
        run_on_the_device(desk, spec)
    assert found == pytest.approx(losses(job), rel=1e-6)


def test_the_measurement_runs_a_real_run_and_says_its_figures(tmp_path, capsys, monkeypatch) -> None:
    project = demo_project(tmp_path)
    monkeypatch.setattr("engine.bench.__main__.profile", lambda project: ["a line"])
    assert main([str(project), "--steps", "4", "--block", "2", "--runs", "2"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    found = [line["figure"] for line in said if "figure" in line]
    assert [figure["name"] for figure in found] == ["loop.outside", "loop.step", "loop.step_bare"]
    assert all({"name", "value", "unit", "budget", "method"} == set(figure) for figure in found)
    profiles = [line["profile"] for line in said if "profile" in line]
    assert bool(profiles) == (found[0]["value"] > found[0]["budget"])
    assert "4 pairs of 2 steps" in found[0]["method"]
    assert [len(read_curve(run.curve)[0]) for run in runs(project)] == [4, 4]


def test_figures_are_shares_in_percent_and_milliseconds_a_step() -> None:
    share, real, bare = figures([2.0, 2.0, 4.0], [1.9, 1.96, 3.96], block=20)
    assert share["value"] == pytest.approx(2.0)
    assert "3 pairs of 20 steps, 95 % interval 1.00 to 5.00" in str(share["method"])
    assert (real["value"], bare["value"]) == (100.0, 98.0)


def test_a_project_that_cannot_be_measured_is_a_sentence(tmp_path, capsys) -> None:
    assert main([str(tmp_path)]) == 1
    assert "There is no project here." in capsys.readouterr().err


def test_a_profile_names_our_lines_and_what_they_call_and_leaves_the_model_out() -> None:
    ours = costs.__code__.co_filename.replace("profiling", "pairs")
    own, helper = (ours, 1, "own"), (ours, 9, "helper")
    torch_call, stack = (
        ("/site/torch/nn/modules/module.py", 5, "_wrapped_call_impl"),
        ("~", 0, "<built-in stack>"),
    )
    stats: dict[tuple[str, int, str], tuple[object, ...]] = {
        own: (1, 1, 0.5, 9.0, {}),
        helper: (1, 1, 0.25, 1.0, {own: (1, 1, 0.25, 1.0)}),
        torch_call: (1, 1, 0.1, 7.0, {own: (1, 1, 0.1, 7.0)}),
        stack: (2, 2, 0.75, 0.75, {helper: (2, 2, 0.75, 0.75), torch_call: (1, 1, 3.0, 3.0)}),
    }
    found = costs(stats)
    assert found == {(own, None): 0.5, (helper, None): 0.25, (helper, stack): 0.75}
    lines = lines_of(found, steps=10)
    assert lines[0] == " 75.000 ms a step  engine/bench/pairs.py:9 helper -> built-in stack"
    assert len(lines) == 3


def test_the_profile_of_a_run_names_what_the_loop_writes_and_not_the_model(tmp_path) -> None:
    lines = profile(demo_project(tmp_path), steps=3)
    assert 0 < len(lines) <= 15
    assert any("engine/noise.py" in line or "engine/desk.py" in line for line in lines)
    assert not any(word in line for line in lines for word in ("module.py", "clip_grad", " backward"))
