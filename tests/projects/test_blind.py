"""The 48-hour rule: sealed now, judged later, and nothing about it can be changed unseen."""

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects import blind
from projects.blind import WAIT, First, Round, begin, rate, read_round, take_back, time_left
from projects.job import JobDir
from projects.problems import Refused
from projects.replay import mark_replay
from projects.shuffling import MOST, shuffled
from projects.sides import BASE, Candidate, Side, read_sweep
from projects.unsealed import Opened, opened
from tests.projects.reviewed import FULL, HALF, SIDES, write_sweep

NOW = 1_795_000_000.0
LATER = NOW + WAIT
FIRST = First(rating=4, side=FULL, note="eyes are good – hands are not")


def bare(file: Path) -> bytes:
    """What stands for a picture here: its own name, so that a test knows it again."""
    return b"pixels of " + file.name.encode()


def sealed(project: Path, *, seed: int = 1, first: First = FIRST) -> tuple[JobDir, Round]:
    run = write_sweep(project)
    return run, begin(
        run, read_sweep(run, project).pictures, first, NOW, bare=bare, chance=random.Random(seed)
    )


def key_of(run: JobDir) -> dict[str, dict[str, object]]:
    told: dict[str, dict[str, object]] = json.loads(run.blind_key.read_bytes())["pictures"]
    return told


def rate_all(
    run: JobDir, found: Round, ratings: Mapping[Side, int], *, jitter: random.Random | None = None
) -> None:
    key = key_of(run)
    for at, name in enumerate(found.order):
        side = next(
            side for side in SIDES if side.table() == {n: key[name][n] for n in ("weight", "checkpoint")}
        )
        moved = jitter.choice((-1, 0, 0, 1)) if jitter else 0
        rate(run, name, max(1, min(5, ratings[side] + moved)), LATER + at)


RATINGS = {BASE: 1, HALF: 5, FULL: 3, SIDES[3]: 2}


# ---- sealing


def test_the_round_is_sealed_and_nothing_of_it_tells_which_is_which(tmp_path: Path) -> None:
    run, found = sealed(tmp_path)
    assert found.sha256 == hashlib.sha256(run.blind_key.read_bytes()).hexdigest()
    assert found.not_before == found.created + 48 * 3600 and found.first == FIRST and found == read_round(run)
    key = key_of(run)
    assert list(key) == list(found.order) and len(set(found.order)) == len(found.order)
    assert {str(each["id"]) for each in key.values()} == {f"{at:016x}" for at in range(16)}, (
        "all sides, all scenes"
    )
    repeats = len(found.order) - 16
    assert repeats == 2, "about a tenth, two at least"
    told = json.loads(run.blind.read_text())
    assert set(told) == {"format", "created", "not_before", "sha256", "order", "first"}
    names = {each.name for each in run.blind_pictures.iterdir()}
    assert names == {f"{name}.png" for name in found.order}
    for name in found.order:
        assert (run.blind_pictures / f"{name}.png").read_bytes() == bare(Path(f"{key[name]['id']}.png"))
    assert not list(run.review.glob(".*")), "nothing is left aside"


def test_salt_and_order_differ_from_round_to_round(tmp_path: Path) -> None:
    rounds = []
    for name in ("a", "b"):
        run = write_sweep(tmp_path / name)
        rounds.append(begin(run, read_sweep(run, tmp_path / name).pictures, FIRST, NOW, bare=bare))
    assert rounds[0].sha256 != rounds[1].sha256 and not set(rounds[0].order) & set(rounds[1].order)


@settings(max_examples=40, deadline=None)
@given(sides=st.integers(2, 14), scenes=st.integers(1, 12), seed=st.integers(0, 2**32))
def test_every_side_is_shown_on_the_same_scenes_and_a_repeat_comes_late(
    sides: int, scenes: int, seed: int
) -> None:
    pictures = [
        Candidate(
            id=f"{at}-{scene}", file=Path("x"), prompt=str(scene), seed=1, side=Side(weight=at / 10 + 0.1, checkpoint=5)
        )
        for at in range(sides) for scene in range(scenes)
    ]  # fmt: skip
    shown = shuffled(pictures, random.Random(seed))
    different = {each.id for each in shown}
    by_scene: dict[str, int] = {}
    for name in different:
        by_scene[name.split("-")[1]] = by_scene.get(name.split("-")[1], 0) + 1
    assert set(by_scene.values()) == {sides} and len(different) <= max(MOST, sides)
    repeated = len(shown) - len(different)
    assert 1 <= repeated <= max(2, 0.1 * len(different) + 1)
    if len(different) >= 6:
        for at, one in enumerate(shown):
            if one in shown[:at]:
                assert at - shown.index(one) >= len(different) // 6


def test_what_cannot_be_sealed_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    run = write_sweep(tmp_path)
    pictures = read_sweep(run, tmp_path).pictures
    for first, pictures_given in (
        (replace(FIRST, rating=6), pictures),
        (replace(FIRST, side=Side(weight=9.0, checkpoint=1)), pictures),
        (FIRST, [each for each in pictures if each.side == FULL]),
    ):
        with pytest.raises(Refused):
            begin(run, pictures_given, first, NOW, bare=bare)

    def broken(file: Path) -> bytes:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        begin(run, pictures, FIRST, NOW, bare=broken)
    assert read_round(run) is None and not run.blind_key.exists() and not run.blind_pictures.exists()
    begin(run, pictures, FIRST, NOW, bare=bare)
    with pytest.raises(Refused, match="already"):
        begin(run, pictures, FIRST, NOW, bare=bare)


def test_what_a_killed_beginning_left_is_put_away_and_a_round_begins(tmp_path: Path) -> None:
    run, _ = sealed(tmp_path)
    run.blind.unlink()
    assert read_round(run) is None
    left = run.blind_key.read_bytes()
    begin(run, read_sweep(run, tmp_path).pictures, FIRST, NOW, bare=bare)
    assert (run.blind_earlier / "1" / "blind.key.json").read_bytes() == left


def test_a_replay_seals_nothing(tmp_path: Path) -> None:
    run = write_sweep(tmp_path)
    mark_replay(tmp_path, run.path, 1)
    with pytest.raises(Refused, match="replay"):
        begin(run, read_sweep(run, tmp_path).pictures, FIRST, NOW, bare=bare)


# ---- waiting and rating


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (0.0, "opens in 48 h 0 min"),
        (3600.0, "opens in 47 h 0 min"),
        (WAIT - 61, "opens in 2 min"),
        (WAIT - 1, "opens in 1 min"),
    ],
)
def test_nothing_is_rated_before_the_round_opens(tmp_path: Path, after: float, words: str) -> None:
    run, found = sealed(tmp_path)
    with pytest.raises(Refused, match=words):
        rate(run, found.order[0], 4, NOW + after)
    assert not run.blind_verdicts.exists() and words in found.words(NOW + after)


def test_verdicts_are_kept_one_by_one_and_taken_back_one_by_one(tmp_path: Path) -> None:
    run, found = sealed(tmp_path)
    one, two = found.order[:2]
    rate(run, one, 4, LATER)
    rate(run, two, 2, LATER + 5)
    again = read_round(run)
    assert again and again.verdicts == {one: 4, two: 2} and again.open_ids == list(found.order[2:])
    assert "2 of 18 rated" in again.words(LATER + 9) and "first impression: 4 of 5" in again.words(LATER)
    before = run.blind_verdicts.read_bytes()
    assert take_back(run, LATER + 9) == two and take_back(run, LATER + 9) == one
    assert take_back(run, LATER + 9) is None
    assert run.blind_verdicts.read_bytes().startswith(before), "it only grows"
    standing = read_round(run)
    assert standing and standing.verdicts == {} and standing.open_ids == list(found.order)
    run.blind_verdicts.write_bytes(run.blind_verdicts.read_bytes() + b'{"id": "' + one.encode() + b'", "rati')
    rate(run, one, 5, LATER + 10)
    standing = read_round(run)
    assert standing and standing.verdicts == {one: 5}, "a torn line spoils only itself"


def test_only_whole_points_and_pictures_of_the_round_are_rated(tmp_path: Path) -> None:
    run, found = sealed(tmp_path)
    for name, rating in ((found.order[0], 0), (found.order[0], 6), ("00000000", 3)):
        with pytest.raises(Refused):
            rate(run, name, rating, LATER)
    with pytest.raises(Refused, match="no blind round"):
        rate(JobDir(tmp_path / "elsewhere"), found.order[0], 3, LATER)


def test_a_clock_that_went_back_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    run, found = sealed(tmp_path)
    with pytest.raises(Refused, match="clock says"):
        rate(run, found.order[0], 4, NOW - 86_400)
    rate(run, found.order[0], 4, LATER + 7200)
    again = read_round(run)
    assert again and again.clock_problem(LATER + 7190) is None, "the network sets clocks by seconds"
    assert "clock says" in str(again.clock_problem(LATER + 600)) and again.verdicts == {found.order[0]: 4}


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"created": 1, "not_before": 2, "sha256": "a", "order": ["../x"], "first": {}}'],
)
def test_a_damaged_round_is_refused_and_not_overwritten(tmp_path: Path, text: str) -> None:
    run, _ = sealed(tmp_path)
    run.blind.write_text(text)
    with pytest.raises(Refused, match="cannot be read"):
        read_round(run)
    with pytest.raises(Refused, match="cannot be read"):
        begin(run, read_sweep(run, tmp_path).pictures, FIRST, NOW, bare=bare)
    assert run.blind.read_text() == text and run.blind_key.exists()


def test_ids_that_are_no_ids_never_become_paths(tmp_path: Path) -> None:
    run, _ = sealed(tmp_path)
    told = json.loads(run.blind.read_text())
    told["order"][0] = "../../secret"
    run.blind.write_text(json.dumps(told))
    with pytest.raises(Refused, match="cannot be read"):
        read_round(run)


def test_time_is_said_rounded_up() -> None:
    assert [time_left(each) for each in (1, 60, 61, 3599, 3600, 172_800)] == [
        "1 min", "1 min", "2 min", "1 h 0 min", "1 h 0 min", "48 h 0 min",
    ]  # fmt: skip


# ---- opening


def test_both_verdicts_stand_side_by_side(tmp_path: Path) -> None:
    run, found = sealed(tmp_path)
    with pytest.raises(Refused, match="18 of 18 are not rated"):
        opened(run, LATER)
    rate_all(run, found, RATINGS)
    told = opened(run, LATER + 100)
    assert told.problems == () and [each.side for each in told.sides] == [HALF, FULL, SIDES[3], BASE]
    assert [each.mean for each in told.sides] == [5, 3, 2, 1] and {each.pictures for each in told.sides} == {
        4
    }
    assert told.best == HALF and told.round.first == FIRST
    assert told.words == f"Best without labels: {HALF.words}, at first you took {FULL.words}."
    assert (told.agreement.pairs, told.agreement.exact, told.agreement.within) == (2, 2, 2)
    again = opened(run, LATER + 900)
    assert again == told, "it says the same again"
    with pytest.raises(Refused, match="no verdict is blind"):
        rate(run, found.order[0], 1, LATER + 1000)
    with pytest.raises(Refused, match="stay as they are"):
        take_back(run, LATER + 1000)


def test_a_first_impression_that_was_right_is_said_to_be(tmp_path: Path) -> None:
    run, found = sealed(tmp_path, first=replace(FIRST, side=HALF))
    rate_all(run, found, RATINGS)
    assert opened(run, LATER).words == f"Best without labels: {HALF.words}, the one you took at first."


def test_where_intervals_overlap_no_best_is_named(tmp_path: Path) -> None:
    run, found = sealed(tmp_path)
    rate_all(run, found, dict.fromkeys(SIDES, 3), jitter=random.Random(2))
    told = opened(run, LATER)
    assert told.best is None and set(told.level) == set(SIDES)
    assert "4 cannot be told apart at the top, and what you took at first is one of them" in told.words


def test_opened_early_it_says_too_few_and_names_nobody(tmp_path: Path) -> None:
    run, found = sealed(tmp_path)
    rate(run, found.order[0], 5, LATER)
    rate(run, found.order[1], 1, LATER)
    told = opened(run, LATER, early=True)
    assert told.best is None and all(each.low is None and each.high is None for each in told.sides)
    assert told.agreement.pairs == 0 and "not known" in told.agreement.words
    standing = read_round(run)
    assert standing and standing.opened == LATER and "opened" in standing.words(LATER)


def test_an_opened_round_is_kept_when_another_begins(tmp_path: Path) -> None:
    run, found = sealed(tmp_path)
    opened(run, NOW + 5, early=True)
    again = begin(run, read_sweep(run, tmp_path).pictures, FIRST, NOW + 10, bare=bare)
    assert again.opened is None and again.verdicts == {} and again.sha256 != found.sha256
    earlier = run.blind_earlier / "1"
    assert hashlib.sha256((earlier / "blind.key.json").read_bytes()).hexdigest() == found.sha256
    assert {each.name for each in earlier.iterdir()} == {
        "blind.json",
        "blind.key.json",
        "blind.jsonl",
        "blind",
    }


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_seal_detects_any_change_of_the_key(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    project = tmp_path_factory.mktemp("blind")
    run, found = sealed(project)
    rate_all(run, found, RATINGS)
    key = bytearray(run.blind_key.read_bytes())
    at = data.draw(st.integers(0, len(key) - 1))
    key[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != key[at]))
    run.blind_key.write_bytes(bytes(key))
    told = opened(run, LATER)
    assert "not the key that was sealed" in str(told.problems[0]) and told.best is None
    again = read_round(run)
    assert again and len(again.verdicts) == len(found.order), "nothing is lost"


def changed_first(run: JobDir) -> None:
    told = json.loads(run.blind.read_text())
    told["first"]["rating"] = 2
    run.blind.write_text(json.dumps(told))


def changed_time(run: JobDir) -> None:
    told = json.loads(run.blind.read_text())
    told["not_before"] -= 3600
    run.blind.write_text(json.dumps(told))


def changed_picture(run: JobDir) -> None:
    next(run.blind_pictures.iterdir()).write_bytes(b"another")


def gone_picture(run: JobDir) -> None:
    next(run.blind_pictures.iterdir()).unlink()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run: run.blind_key.unlink(), "is not there any more"),
        (changed_first, "not those that were sealed; the key has"),
        (changed_time, "not those that were sealed; the key has"),
        (changed_picture, "Pictures are gone or not those"),
        (gone_picture, "Pictures are gone or not those"),
    ],
)
def test_whatever_else_is_not_as_it_was_sealed_is_named(tmp_path: Path, change, words: str) -> None:  # type: ignore[no-untyped-def]
    run, found = sealed(tmp_path)
    rate_all(run, found, RATINGS)
    change(run)
    told = opened(run, LATER)
    assert words in str(told.problems[0]) and told.best is None
    assert told.words in (
        "No best one is named: the round is not as it was sealed.",
        "Nothing was rated with a label that is known.",
    )


@settings(max_examples=30, deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=2))
def test_agreement_is_that_of_the_repeats(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[int, int]]
) -> None:
    run, found = sealed(tmp_path_factory.mktemp("blind"))
    told = _rated_repeats(run, found, pairs)
    apart = [abs(one - two) for one, two in pairs]
    assert told.agreement.pairs == 2
    assert told.agreement.exact == apart.count(0) and told.agreement.within == sum(
        each <= 1 for each in apart
    )
    assert f"{told.agreement.within} of 2 within one point" in told.agreement.words


def _rated_repeats(run: JobDir, found: Round, pairs: list[tuple[int, int]]) -> Opened:
    """Rate each repeated picture as `pairs` says, and all others 3."""
    key = key_of(run)
    seen: dict[str, list[str]] = {}
    for name in found.order:
        seen.setdefault(str(key[name]["id"]), []).append(name)
    repeated = iter(pairs)
    for names in seen.values():
        for name, rating in zip(names, next(repeated) if len(names) == 2 else (3,), strict=True):
            blind.rate(run, name, rating, LATER)
    return opened(run, LATER)
