"""Duels: what is kept, what is taken back, who is stronger and how sure that is, and which two come next."""

import math
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.duels import Duel, Won, add, next_pair, read_duels, take_back
from projects.job import JobDir
from projects.problems import Refused
from projects.replay import mark_replay
from projects.sides import BASE, Side, read_sweep
from projects.strengths import Compared, ranking, strengths
from tests.projects.reviewed import EARLY, FULL, HALF, SIDES, write_sweep

FIVE = [BASE, *(Side(weight=weight, checkpoint=1300) for weight in (0.5, 0.7, 0.85, 1.0))]


def duel(left: Side = HALF, right: Side = BASE, won: Won = "left", time: float = 1.0) -> Duel:
    return Duel(left=left, right=right, prompt="a", seed=1, won=won, time=time)


def played(true: dict[Side, float], count: int, seed: int) -> list[Compared]:
    """So many comparisons of drawn sides, won by chance as strong as they are."""
    chance, found = random.Random(seed), list[Compared]()
    for _ in range(count):
        one, other = chance.sample(sorted(true), 2)
        wins = chance.random() < 1 / (1 + math.exp(true[other] - true[one]))
        found.append(Compared(one=one, other=other, won=float(wins)))
    return found


# ---- the journal


def test_duels_are_read_as_they_were_written_and_a_torn_line_spoils_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "duels.jsonl"
    assert read_duels(file) == []
    first, second = duel(), duel(FULL, HALF, "neither", 2.5)
    add(file, first)
    add(file, second)
    whole = file.read_bytes()
    for end in range(len(whole.splitlines()[0]) + 2, len(whole) - 1):
        file.write_bytes(whole[:end])
        assert read_duels(file) == [first], "the last line is torn"
    add(file, second)
    assert read_duels(file) == [first, second]


@pytest.mark.parametrize(
    "line",
    [
        b"[]", b"\xff\xfe", b'{"left": {"weight": 0.5}, "won": "left"}',
        b'{"left": {"weight": NaN, "checkpoint": 1}, "right": {"weight": 0}, "prompt": "", "seed": 1, "won": "left", '
        b'"time": 1}',
        b'{"left": {"weight": 0}, "right": {"weight": 0.0}, "prompt": "", "seed": 1, "won": "left", "time": 1}',
        b'{"left": {"weight": 0}, "right": {"weight": 1, "checkpoint": 2}, "prompt": "", "seed": 1, "won": "top",'
        b' "time": 1}',
        b'{"undoes": [1], "time": {}}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_lines_that_are_no_duel_are_passed_over(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "duels.jsonl"
    add(file, duel())
    file.write_bytes(file.read_bytes() + line + b"\n")
    add(file, duel(time=2.0))
    assert [each.time for each in read_duels(file)] == [1.0, 2.0]


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.booleans(), max_size=12), same_time=st.booleans())
def test_taking_back_is_the_inverse_of_a_duel(
    tmp_path_factory: pytest.TempPathFactory, steps: list[bool], same_time: bool
) -> None:
    file = tmp_path_factory.mktemp("duels") / "duels.jsonl"
    stack: list[Duel] = []
    for at, adds in enumerate(steps):
        before = file.read_bytes() if file.exists() else b""
        if adds:
            # A clock that stands must not make an undo take back another one.
            stack.append(duel(FIVE[1 + at % 4], FIVE[at % 4], time=7.0 if same_time else float(at)))
            add(file, stack[-1])
        else:
            assert take_back(file, 100.0) == (stack.pop() if stack else None)
        assert read_duels(file) == stack
        assert (file.read_bytes() if file.exists() else b"").startswith(before), "it only grows"


def test_a_replay_keeps_no_duel(tmp_path: Path) -> None:
    mark_replay(tmp_path, tmp_path / "run", 1)
    with pytest.raises(Refused, match="replay"):
        add(tmp_path / "duels.jsonl", duel())


# ---- who is stronger


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(FIVE), seed=st.integers(0, 2**32))
def test_a_planted_order_is_found(order: list[Side], seed: int) -> None:
    true = {side: 1.5 * at for at, side in enumerate(order)}
    found = ranking(played(true, 600, seed), draws=40)
    assert [each.side for each in found.sides] == order[::-1]
    assert found.winner == order[-1], "600 duels are enough for a difference of 1.5"
    assert sum(each.count for each in found.sides) == 2 * 600


def test_strengths_satisfy_the_equations_of_the_model() -> None:
    """At the maximum each side has won as often as its strength says, the prior included."""
    compared = played({side: 0.8 * at for at, side in enumerate(FIVE)}, 60, 3)
    found = strengths(compared)
    chance = {(a, b): 1 / (1 + math.exp(found[b] - found[a])) for a in FIVE for b in FIVE if a != b}
    for side in FIVE:
        own = [each for each in compared if side in (each.one, each.other)]
        won = sum(each.won if each.one == side else 1 - each.won for each in own)
        others = [other for other in FIVE if other != side]
        expected = sum(chance[side, each.other if each.one == side else each.one] for each in own)
        prior = sum(2 * chance[side, other] / len(others) for other in others)
        assert won + 1 == pytest.approx(expected + prior, abs=2e-3)
    assert sum(found.values()) == pytest.approx(0, abs=1e-9)


def test_more_of_the_same_makes_intervals_shrink() -> None:
    compared = played({BASE: 0.0, HALF: 0.6, FULL: 1.2}, 30, 5)
    widths = [
        [each.high - each.low for each in sorted(ranking(compared * times).sides, key=lambda r: r.side)]
        for times in (1, 4, 16)
    ]
    for few, more, many in zip(*widths, strict=True):
        # By the root of the number, roughly: a factor of two each time.
        assert more < 0.75 * few and many < 0.75 * more


def test_no_winner_is_named_on_a_few_duels_and_an_unbeaten_side_stays_finite() -> None:
    for count in (1, 2, 3):
        found = ranking([Compared(one=FULL, other=BASE, won=1.0)] * count)
        assert found.winner is None and found.sides[0].level_with == (BASE,)
        assert "cannot be told apart" in found.words and FULL.words in found.words
        assert all(math.isfinite(each.high) and math.isfinite(each.low) for each in found.sides)
    found = ranking([Compared(one=FULL, other=BASE, won=1.0)] * 12)
    assert found.winner == FULL and found.sides[0].level_with == () and "stands above" in found.words
    assert 0.5 < found.sides[0].chances[1] < found.sides[0].chances[0] < found.sides[0].chances[2] < 1


def test_a_tie_counts_half_and_many_of_them_name_nobody() -> None:
    found = ranking([Compared(one=FULL, other=BASE, won=0.5)] * 40)
    assert found.winner is None and [each.won for each in found.sides] == [20, 20]
    assert all(each.strength == pytest.approx(0, abs=1e-6) for each in found.sides)


def test_ranking_is_the_same_every_time_and_empty_without_duels() -> None:
    compared = played({BASE: 0.0, HALF: 1.0}, 20, 1)
    assert ranking(compared, seed=4) == ranking(compared, seed=4)
    assert (
        ranking([]).winner is None
        and ranking([]).words == "Nothing was compared yet."
        and strengths([]) == {}
    )


# ---- which two come next


def test_pairs_share_prompt_and_seed_and_are_met_equally_often(tmp_path: Path) -> None:
    sweep = read_sweep(write_sweep(tmp_path), tmp_path)
    duels: list[Duel] = []
    for at in range(24):
        pair = next_pair(sweep.pictures, duels, 9)
        assert pair is not None
        one, other = pair.left, pair.right
        assert (one.prompt, one.seed) == (other.prompt, other.seed) and one.side != other.side
        duels.append(
            Duel(
                left=one.side, right=other.side, prompt=one.prompt, seed=one.seed, won="left", time=float(at)
            )
        )
    met = Counter(frozenset((each.left, each.right)) for each in duels)
    assert set(met.values()) == {4} and len(met) == 6, "4 sides make 6 pairs"
    scenes = Counter((frozenset((each.left, each.right)), each.prompt, each.seed) for each in duels)
    assert set(scenes.values()) == {1}, "each pair on each prompt and seed before any comes again"


def test_of_pairs_that_met_as_often_the_closest_comes_first(tmp_path: Path) -> None:
    sweep = read_sweep(write_sweep(tmp_path, sides=(BASE, HALF, FULL)), tmp_path)
    strong = [(FULL, BASE), (FULL, BASE), (HALF, BASE), (HALF, BASE), (HALF, FULL), (FULL, HALF)]
    duels = [duel(one, other, "left", float(at)) for at, (one, other) in enumerate(strong)]
    for seed in range(5):
        pair = next_pair(sweep.pictures, duels, seed)
        assert pair is not None and {pair.left.side, pair.right.side} == {HALF, FULL}


def test_left_and_right_are_drawn_and_the_same_arguments_give_the_same_pair(tmp_path: Path) -> None:
    sweep = read_sweep(write_sweep(tmp_path, sides=(BASE, HALF)), tmp_path)
    pairs = [next_pair(sweep.pictures, [], seed) for seed in range(60)]
    left = sum(pair is not None and pair.left.side == BASE for pair in pairs)
    assert 15 < left < 45
    assert pairs == [next_pair(sweep.pictures, [], seed) for seed in range(60)]
    alone = [each for each in sweep.pictures if each.side == BASE]
    assert next_pair(alone, [], 0) is None


# ---- what is compared


def test_a_review_gives_what_is_of_its_sweep_and_on_the_disk(tmp_path: Path) -> None:
    run = write_sweep(tmp_path, size=(96, 64))
    sweep = read_sweep(run, tmp_path)
    assert len(sweep.pictures) == 16 and sweep.sides == sorted(SIDES) and sweep.size == (96, 64)
    assert sweep.sides[0] == BASE and BASE.words == "base" and EARLY.words == "1, step 500"
    sweep.pictures[0].file.unlink()
    assert len(read_sweep(run, tmp_path).pictures) == 15


@pytest.mark.parametrize(
    "record",
    [
        "{", "[]", '{"format": 2}', '{"format": 2, "pictures": 3}',
        '{"format": 1, "pictures": [{"path": "a.png", "sheets": ["sweep"], "prompt": "a", "seed": 1, "weight": 0.5}]}',
    ],
)  # fmt: skip
def test_a_review_without_such_pictures_is_refused_in_words(tmp_path: Path, record: str) -> None:
    run = JobDir(tmp_path / "runs" / "r")
    run.review.mkdir(parents=True)
    with pytest.raises(Refused, match="no review"):
        read_sweep(run, tmp_path)
    (run.review / "review.json").write_text(record)
    with pytest.raises(Refused, match="R in the review room"):
        read_sweep(run, tmp_path)
