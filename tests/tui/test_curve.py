"""The loss curve: nothing of it is lost by drawing it small, and a new step moves nothing that is there already."""

import math

import pytest

from projects.curve import Point
from tests.tui.recorded import loss_at
from tui.series import WINDOW, Series
from tui.spans import difference
from tui.widgets.curve import Canvas, bounds, columns, last_of_axis


def series_of(*losses: float) -> Series:
    return Series(Point(step, loss, 1e-4, 0.1) for step, loss in enumerate(losses, 1))


def test_least_and_largest_of_every_column_are_kept() -> None:
    losses = [0.1] * 10_000
    losses[7_777], losses[1_234] = 0.9, 0.01
    found = [column for column in columns(series_of(*losses), 160) if column]
    assert max(column.high for column in found) == pytest.approx(0.9)
    assert min(column.low for column in found) == pytest.approx(0.01)


def test_mean_is_of_the_last_fifty_steps() -> None:
    series = series_of(*[1.0] * 100, *[0.0] * WINDOW)
    assert series.mean(100) == 1.0 and series.mean() == 0.0 and series.mean(125) == pytest.approx(0.5)
    assert Series().mean() is None and series_of(0.3).mean() == pytest.approx(0.3)


def test_steps_without_a_loss_are_left_out() -> None:
    series = series_of(0.5, math.nan, 0.7, math.inf)
    assert list(series.steps) == [1, 3] and series.mean() == pytest.approx(0.6)
    assert series.index(2) == 1


def test_records_that_do_not_come_after_what_is_there_are_refused() -> None:
    series = series_of(0.5, 0.4)
    assert not series.extend([Point(2, 0.1, 0.0, 0.0)]) and len(series) == 2
    assert series.extend([Point(3, 0.1, 0.0, 0.0)]) and len(series) == 3


def test_a_new_step_moves_nothing_that_is_drawn_already() -> None:
    before = series_of(*(loss_at(step) for step in range(1, 1201)))
    after = series_of(*(loss_at(step) for step in range(1, 1204)))
    old, new = columns(before, 140), columns(after, 140)
    assert [at for at in range(140) if old[at] != new[at]] == [
        at for at in range(130, 140) if old[at] != new[at]
    ]
    assert last_of_axis(before) == last_of_axis(after) == 1250
    assert bounds(old, False) == bounds(new, False)


def test_the_axis_ends_where_the_run_ends() -> None:
    series = series_of(*[0.1] * 1300)
    assert last_of_axis(series) == 1500 and last_of_axis(series, 1300) == 1300
    assert last_of_axis(series, 5000) == 1500 and last_of_axis(series, 1200) == 1300


@pytest.mark.parametrize("logarithmic", [False, True])
def test_an_axis_has_room_even_for_one_value(logarithmic: bool) -> None:
    for loss in (0.0, 1e-7, 0.2, 5000.0):
        low, top = bounds(columns(series_of(loss), 20), logarithmic)
        assert low < top and (low > 0 or not logarithmic)


def test_dots_lie_where_they_are_put() -> None:
    canvas = Canvas(2, 2)
    canvas.vertical(0, 0, 7)
    canvas.vertical(3, 4, 4, strong=True)
    assert canvas.row(0) == [("⡇ ", "muted")]
    assert canvas.row(1) == [("⡇", "muted"), ("⠈", "text")]


def test_only_cells_that_differ_are_sent_again() -> None:
    before = [("step ", "muted"), ("1,240", "text"), (" of 2,000", "muted")]
    after = [("step ", "muted"), ("1,241", "text"), (" of 2,000", "muted")]
    assert difference(before, after) == (9, 10)
    assert difference(before, [("step 1,240 of 2,000", "muted")]) == (5, 10)
    assert difference([("日本", "text"), ("a", "text")], [("日本", "text"), ("b", "text")]) == (4, 5)
    assert difference(before, [*before, ("   ", "text")]) is None
    assert difference([], [("x", "text")]) == (0, 1)
