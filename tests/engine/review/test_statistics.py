"""Intervals and tests of the review, against brute force and simulated data."""

import itertools
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.review.statistics import (
    FEWEST,
    MOST_MORE,
    excludes_zero,
    holm,
    how_many_more,
    mean_interval,
    paired,
    sign_flip,
    t_quantile,
    told_apart,
    wilson,
)

values = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=30)
differences = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=9)


@given(values)
@settings(deadline=None)
def test_an_interval_holds_its_value_and_comes_out_the_same_again(sample: list[float]) -> None:
    found = mean_interval(sample)
    assert found == mean_interval(sample)
    assert found.value == pytest.approx(np.mean(sample))
    assert (found.low is None) == (found.high is None)
    if found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high


def test_one_value_says_nothing_of_the_spread() -> None:
    assert asdict(mean_interval([3.0])) == {"value": 3.0, "low": None, "high": None, "n": 1}


def test_a_few_values_that_are_all_the_same_are_not_called_certain() -> None:
    assert mean_interval([1.0] * (FEWEST - 1)).low is None
    assert not told_apart([1.0, 1.0], [0.0, 0.0])
    assert mean_interval([1.0] * FEWEST).low == 1.0


@pytest.mark.parametrize("bad", [[], [1.0, math.nan], [math.inf]])
def test_what_is_no_number_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError):
        mean_interval(bad)


def test_labels_and_pairs_must_match() -> None:
    with pytest.raises(ValueError):
        mean_interval([1.0, 2.0], ["a"])
    with pytest.raises(ValueError):
        paired([1.0], [1.0, 2.0])


@pytest.mark.parametrize("count", [3, 5, 6, 12, 30])
def test_intervals_cover_what_they_say(count: int) -> None:
    random = np.random.default_rng(7)
    tries = 300
    hits = 0
    for _ in range(tries):
        found = mean_interval(list(random.normal(2.0, 1.0, count)))
        assert found.low is not None and found.high is not None
        hits += found.low <= 2.0 <= found.high
    assert 0.91 <= hits / tries <= 0.99


def test_intervals_over_prompts_cover_where_those_over_single_pictures_do_not() -> None:
    random = np.random.default_rng(11)
    tries, prompts, seeds = 200, 7, 4
    groups = [prompt for prompt in range(prompts) for _ in range(seeds)]
    covered = {"groups": 0, "none": 0}
    for _ in range(tries):
        sample = np.repeat(random.normal(0, 1, prompts), seeds) + random.normal(0, 0.5, prompts * seeds)
        for name, labels in (("groups", groups), ("none", None)):
            found = mean_interval(list(sample), labels)
            assert found.low is not None and found.high is not None
            covered[name] += found.low <= 0.0 <= found.high
    assert covered["groups"] / tries >= 0.91
    assert covered["none"] / tries < 0.8


def test_a_single_label_is_as_good_as_none() -> None:
    sample = [1.0, 2.0, 4.0, 3.0, 5.0, 9.0]
    assert mean_interval(sample, ["a"] * 6) == mean_interval(sample)


@given(differences)
@settings(deadline=None)
def test_sign_flips_agree_with_trying_them_all(sample: list[float]) -> None:
    sums = [
        sum(s * d for s, d in zip(signs, sample, strict=True))
        for signs in itertools.product((-1, 1), repeat=len(sample))
    ]
    found = sign_flip(sample)
    assert found.exact and found.n == len(sample)
    assert found.two_sided == sum(abs(one) >= abs(sum(sample)) for one in sums) / len(sums)
    assert found.one_sided == sum(one >= sum(sample) for one in sums) / len(sums)


def test_random_flips_are_near_the_exact_answer_and_never_zero() -> None:
    sample = list(np.random.default_rng(3).normal(0.3, 1.0, 16))
    exact = sign_flip(sample)
    many = sign_flip([*sample, 0.0])
    assert exact.exact and not many.exact
    assert many.two_sided == pytest.approx(exact.two_sided, abs=0.02)
    assert sign_flip([1.0] * 40).one_sided == pytest.approx(1 / 20_001)


@given(differences)
@settings(deadline=None)
def test_a_difference_of_zero_changes_no_p_value(sample: list[float]) -> None:
    assert sign_flip([*sample, 0.0]).two_sided == pytest.approx(sign_flip(sample).two_sided)


def test_rounding_does_not_break_ties() -> None:
    assert sign_flip([0.1, 0.2, 0.3]).two_sided == 0.25


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_corrects_as_by_its_definition(p_values: list[float]) -> None:
    found = holm(p_values)
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    for rank, place in enumerate(order):
        wanted = max(min(1.0, (len(order) - at) * p_values[order[at]]) for at in range(rank + 1))
        assert found[place] == pytest.approx(wanted)


def test_holm_of_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_solves_its_equation(share: tuple[int, int]) -> None:
    hits, n = share
    found = wilson(hits, n)
    assert found.low is not None and found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    for bound in (found.low, found.high):
        if 0 < bound < 1:
            assert abs(found.value - bound) == pytest.approx(
                1.959964 * math.sqrt(bound * (1 - bound) / n), rel=1e-4
            )


def test_no_share_of_nothing() -> None:
    with pytest.raises(ValueError):
        wilson(0, 0)


def test_two_samples_are_told_apart_by_their_pairs_not_by_their_spread() -> None:
    base = [0.1, 5.2, 2.9, 8.8, 4.1, 7.3, 1.2, 6.6]
    shifted = [value + 0.5 + 0.01 * place for place, value in enumerate(base)]
    assert told_apart(shifted, base)
    assert not told_apart(base, [5.2, 0.1, 8.8, 2.9, 7.3, 4.1, 6.6, 1.2])


def test_equal_things_are_seldom_told_apart() -> None:
    random = np.random.default_rng(5)
    for count in (3, 8):
        wrong = sum(
            told_apart(list(random.normal(0, 1, count)), list(random.normal(0, 1, count))) for _ in range(300)
        )
        assert wrong / 300 <= 0.09


@pytest.mark.parametrize(
    ("share", "freedom", "table"),
    [
        (0.975, 1, 12.706),
        (0.975, 2, 4.3027),
        (0.975, 3, 3.1824),
        (0.975, 4, 2.7764),
        (0.975, 11, 2.2010),
        (0.8, 3, 0.9785),
        (0.8, 30, 0.8538),
    ],
)
def test_student_as_in_the_tables(share: float, freedom: int, table: float) -> None:
    assert t_quantile(share, freedom) == pytest.approx(table, rel=5e-3)


def test_as_many_more_as_it_says_find_the_difference_in_four_of_five_tries() -> None:
    random = np.random.default_rng(2)
    first = list(random.normal(0.0, 1.0, 12))
    spread = float(np.std(first, ddof=1))
    more = how_many_more(first, smallest=0.8 * spread)
    assert more.enough and more.pairs > 0 and str(more.pairs) in more.words
    found = 0
    for _ in range(300):
        found += excludes_zero(mean_interval(list(random.normal(0.8 * spread, spread, 12 + more.pairs))))
    assert 0.72 <= found / 300 <= 0.9


def test_a_narrow_aim_is_absurd_and_says_so() -> None:
    more = how_many_more([0.0, 1.0, -1.0, 2.0], smallest=1e-6)
    assert more.pairs == MOST_MORE and not more.enough and str(MOST_MORE) in more.words


def test_enough_is_enough() -> None:
    assert how_many_more([1.0, 1.1, 0.9, 1.0, 1.05, 0.95], wanted_half_width=0.5).pairs == 0
    assert how_many_more([1.0], smallest=1.0).pairs == FEWEST - 1
    with pytest.raises(ValueError):
        how_many_more([1.0, 2.0], smallest=1.0, wanted_half_width=1.0)
