"""Verdicts from planted evidence: every case is told by its own signs, and nothing is called good that was not tested."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.dataset.slots import uniform
from engine.draw import Shot
from engine.review import broken, case, checkpoints, echo, isolation, muddle, sweep, thresholds
from engine.review.appearance import Appearance
from engine.review.evidence import Evidence, Loss, Made, Nearest
from engine.review.prompts import texts_of
from engine.review.shots import ASKING, Cell, Plan, planned, refined

TEXTS = texts_of(
    prompts=[f"zork mug, wall {number}" for number in range(4)],
    subject_captions=[f"zork mug, light {number}" for number in range(12)],
    triggers=["zork"],
    class_word="mug",
)
SHOT = Shot(prompt="", negative="", seed=0, guidance=3.0, steps=2, sampler="euler", size=(64, 64))
PLAN = planned(TEXTS, SHOT, (1, 2), [100, 200], (0.5, 1.0))
SEEN = Appearance(sharpness=100.0, clipped=0.0, warmth=0.1, faces=None, bits="", shades="")


def jitter(shot: Shot, size: float = 0.05) -> float:
    """Noise that is the same for the same picture."""
    return size * (2 * uniform(0, "jitter", shot.prompt, shot.seed) - 1)


def evidence(
    plan: Plan = PLAN,
    *,
    likeness: Callable[[Shot], float] = lambda shot: strength(shot) * called(shot),
    prompt: Callable[[Shot], float] = lambda shot: 0.95,
    warmth: Callable[[Shot], float] = lambda shot: seeded_warmth(shot),
    faces: Callable[[Shot], int | None] = lambda shot: None,
    nearest: Callable[[Shot], Nearest] = lambda shot: Nearest(picture="a.png", distance=1.0, kind="none"),
    losses: tuple[Loss, ...] | None = None,
    own_warmth: tuple[float, ...] = tuple(0.1 + 0.01 * number for number in range(24)),
) -> Evidence:
    """A run whose numbers are what the functions say of each picture."""
    asking = [*plan.sweep.values(), *(plan.groups[name] for name in ASKING if name in plan.groups)]
    asked = {shot for pairs in asking for shot in (*pairs.plain, *pairs.adapted)}
    made = {
        shot: Made(
            id=str(number), likeness=likeness(shot) + jitter(shot), moved=strength(shot), nearest=nearest(shot),
            prompt=prompt(shot) + jitter(shot, 0.02) if shot in asked else None,
            seen=replace(SEEN, warmth=warmth(shot), faces=faces(shot)),
        )
        for number, shot in enumerate(plan.shots())
    }  # fmt: skip
    return Evidence(
        plan=plan, made=made, newest=200, seed_noise=0.05, trained=24, reached=(0.8,) * 10, own_warmth=own_warmth,
        losses=losses if losses is not None else tuple(gained(0.3, 0.3)),
    )  # fmt: skip


def strength(shot: Shot) -> float:
    return shot.weights[0][1] if shot.weights else 0.0


def called(shot: Shot) -> float:
    return 1.0 if "zork" in shot.prompt else 0.0


def gained(trained: float, held_out: float) -> list[Loss]:
    """The share of the base's loss that either kind of picture was spared."""
    return [
        Loss(picture=f"{role}{number}", role=role, base=1.0 + 0.1 * number,  # type: ignore[arg-type]
             adapted={200: (1.0 + 0.1 * number) * (1 - gain - 0.01 * (number % 3))})
        for role, gain in (("subject", trained), ("holdout", held_out))
        for number in range(12)
    ]  # fmt: skip


def judged(found: Evidence) -> case.Judged:
    return case.judged(found, 1e-3, likes="", trust="", reads="", checkpoints=[])


def test_a_good_run_is_called_good() -> None:
    found = judged(evidence())
    assert found.case == "good"
    assert {test.test: test.verdict for test in found.tests if test.test != "sweep"} == dict.fromkeys(
        ("isolation", "echo", "muddle", "broken"), "good"
    )
    assert found.recommended and found.recommended.cell.weight == 1.0


@pytest.mark.parametrize("group", ["named", "deleted"])
def test_a_look_that_comes_without_its_trigger_is_a_leak(group: str) -> None:
    prompts = {shot.prompt for shot in PLAN.groups[group].plain}  # type: ignore[index]
    leaking = evidence(
        likeness=lambda shot: strength(shot) * max(called(shot), 0.85 * (shot.prompt in prompts))
    )
    test = isolation.judge(leaking, 1e-3)
    assert test.verdict == "bad" and test.details["groups"][group]["share"] == pytest.approx(0.85, abs=0.1)
    assert test.figure and test.threshold and test.figure.value > test.threshold
    assert test.pictures and len(test.steps) <= 2 and judged(leaking).case == "leaking"


@pytest.mark.parametrize("group", ["class", "nonsense"])
def test_the_class_word_or_a_nonsense_word_makes_it_suspect_at_most(group: str) -> None:
    prompts = {shot.prompt for shot in PLAN.groups[group].plain}  # type: ignore[index]
    found = evidence(likeness=lambda shot: strength(shot) * max(called(shot), 0.9 * (shot.prompt in prompts)))
    assert isolation.judge(found, 1e-3).verdict == "suspect" and judged(found).case == "good"


def test_what_does_not_act_cannot_be_called_free_of_leaks() -> None:
    idle = evidence(likeness=lambda shot: 0.0)
    assert isolation.judge(idle, 1e-3).verdict == "unknown"
    assert judged(idle).case == "unknown" and judged(idle).recommended is None


def test_training_pictures_that_gained_alone_are_an_echo() -> None:
    test = echo.judge(evidence(losses=tuple(gained(0.9, 0.2))), 1e-3)
    assert test.verdict == "bad" and test.figure and test.figure.value == pytest.approx(0.7, abs=0.05)
    assert test.steps[0].set == {"train.learning_rate": 1e-4}


def test_copies_are_an_echo_whatever_the_loss_says() -> None:
    bare = set(PLAN.groups["bare"].adapted)
    found = evidence(
        nearest=lambda shot: Nearest(picture="a.png", distance=0.1 if shot in bare else 1.0,
                                     kind="copy" if shot in bare else "none")
    )  # fmt: skip
    test = echo.judge(found, 1e-3)
    assert test.verdict == "bad" and test.details["copies"] == test.details["own"] == len(bare)
    assert set(test.pictures) == {found.made[shot].id for shot in bare}


def test_copies_from_one_seed_are_one_however_many_groups_repeat_them() -> None:
    groups = [PLAN.groups[name].adapted for name in ("control", "deleted", "nonsense")]
    repeated = {shots[0] for shots in groups}
    assert len({shot.seed for shot in repeated}) == 1 and len(repeated) == 3
    found = evidence(
        nearest=lambda shot: Nearest(picture="a.png", distance=0.1 if shot in repeated else 1.0,
                                     kind="copy" if shot in repeated else "none")
    )  # fmt: skip
    test = echo.judge(found, 1e-3)
    assert test.verdict == "suspect" and (test.details["copies"], test.details["own"]) == (3, 1)
    assert "3 are copies of a training picture (1, prompts" in test.words


def test_without_held_out_pictures_echo_stays_unknown_and_says_how_to_know() -> None:
    test = echo.judge(evidence(losses=()), 1e-3)
    assert test.verdict == "unknown" and "data.holdout" in test.words


def test_prompts_that_are_no_longer_kept_are_broken_and_nothing_is_recommended() -> None:
    found = judged(evidence(prompt=lambda shot: 0.95 - 0.4 * strength(shot)))
    assert found.case == "broken" and found.recommended is None


def seeded_warmth(shot: Shot) -> float:
    """What the base draws: another warmth a seed."""
    return 0.2 * (2 * uniform(0, "warmth", shot.prompt, shot.seed) - 1)


TWO_LOOKS = tuple(
    0.6 + 0.01 * (number % 4) if number % 2 else -0.6 - 0.01 * (number % 4) for number in range(24)
)


def wavering(by: float) -> Callable[[Shot], float]:
    def warmth(shot: Shot) -> float:
        shift = by if uniform(0, "look", shot.prompt, shot.seed) < 0.5 else -by
        return seeded_warmth(shot) + shift * strength(shot)

    return warmth


def test_what_wavers_a_little_is_a_muddle_where_the_pictures_are_of_two_looks_and_else_suspect() -> None:
    alone, founded = (
        muddle.judge(evidence(warmth=wavering(0.175), **own)) for own in ({}, {"own_warmth": TWO_LOOKS})
    )
    assert alone.figure == founded.figure and alone.figure
    assert thresholds.WAVERS_SUSPECT < alone.figure.value < thresholds.WAVERS_BAD
    assert (alone.verdict, founded.verdict) == ("suspect", "bad")
    assert (alone.threshold, founded.threshold) == (thresholds.WAVERS_BAD, thresholds.WAVERS_SUSPECT)


def test_a_light_that_wavers_between_two_looks_is_a_muddle() -> None:
    found = evidence(warmth=wavering(0.6), own_warmth=TWO_LOOKS)
    test = muddle.judge(found)
    assert test.verdict == "bad" and "two looks" in test.words and test.pictures
    assert judged(found).case == "muddled"


def test_one_look_may_be_as_far_from_the_base_as_it_likes() -> None:
    golden = evidence(warmth=lambda shot: seeded_warmth(shot) + 0.8 * strength(shot))
    assert muddle.judge(golden).verdict == "good" and judged(golden).case == "good"


def test_what_cannot_be_told_apart_is_said_so() -> None:
    def like(shot: Shot) -> float:
        noise = uniform(0, "own", shot.prompt, shot.seed, str(shot.weights)) - 0.5
        return called(shot) * (0.8 + 0.2 * noise) if shot.weights else 0.0

    same = evidence(likeness=like)
    found = sweep.recommend(same)
    assert found and not found.certain and len(found.rivals) >= 2
    assert "cannot be told apart" in found.words and found.more is not None


def test_a_weight_that_keeps_its_prompts_worse_is_not_recommended() -> None:
    strayed = evidence(prompt=lambda shot: 0.55 if strength(shot) == 1.0 else 0.95)
    found = sweep.recommend(strayed)
    assert found and found.cell.weight == 0.5
    assert sweep.unfit(strayed, Cell(checkpoint=200, weight=1.0))


def test_a_weight_that_loses_or_doubles_faces_is_not_recommended() -> None:
    doubled = evidence(faces=lambda shot: 2 if strength(shot) == 1.0 else 1)
    assert "faces" in sweep.unfit(doubled, Cell(checkpoint=200, weight=1.0))
    assert sweep.unfit(doubled, Cell(checkpoint=200, weight=0.5)) == ""
    assert sweep.unfit(evidence(faces=lambda shot: 0), Cell(checkpoint=200, weight=1.0)) == "", (
        "the base has none either"
    )


def test_tests_are_tables_of_plain_numbers() -> None:
    for test in judged(evidence()).tests:
        told = test.table()
        assert set(told) >= {
            "test",
            "verdict",
            "value",
            "low",
            "high",
            "n",
            "advice",
            "words",
            "steps",
            "pictures",
        }
        assert told["verdict"] in ("good", "suspect", "bad", "unknown")


def test_broken_needs_a_base_that_keeps_its_prompts() -> None:
    assert broken.judge(evidence(prompt=lambda shot: 0.5), 1e-3).verdict == "unknown"
    assert thresholds.OBEYS_BAD < thresholds.OBEYS_SUSPECT < 1


def test_few_prompts_come_again_with_other_seeds_until_a_test_can_find_something() -> None:
    few = texts_of(prompts=["zork mug, a wall"], subject_captions=[], triggers=["zork"], class_word="mug")
    plan = planned(few, SHOT, (1,), [100], (1.0,))
    assert len(plan.groups["deleted"].plain) == 10 == len(set(plan.groups["deleted"].plain))
    leaking = evidence(plan, likeness=strength)
    leaking = replace(leaking, newest=100)
    assert isolation.judge(leaking, 1e-3).verdict == "bad"


def test_prompts_that_hold_nothing_but_the_trigger_leave_the_main_question_open() -> None:
    bare = texts_of(prompts=["zork"], subject_captions=["zork"], triggers=["zork"], class_word="")
    found = replace(evidence(planned(bare, SHOT, (1, 2), [100], (1.0,))), newest=100)
    test = isolation.judge(found, 1e-3)
    assert test.verdict == "unknown" and "was not tested" in test.words


def test_a_wide_interval_is_no_proof_that_prompts_are_kept() -> None:
    def torn(shot: Shot) -> float:
        return 0.95 - (0.7 * strength(shot) if shot.prompt.endswith(("0", "1")) else 0.0)

    test = broken.judge(evidence(prompt=torn), 1e-3)
    assert test.figure and test.figure.high is not None and test.figure.high > thresholds.OBEYS_SUSPECT
    assert test.verdict in ("suspect", "bad")


def test_the_leak_of_every_checkpoint_stands_in_its_row() -> None:
    def early(shot: Shot) -> float:
        return strength(shot) * max(called(shot), float("step100" in dict(shot.weights)))

    first, newest = checkpoints.table(evidence(likeness=early), [100, 200])
    assert first["leak"]["value"] > 10 and abs(newest["leak"]["value"]) < 2
    assert all(shot.prompt in TEXTS.deleted for pairs in PLAN.earlier.values() for shot in pairs.adapted)


def test_other_things_that_are_no_longer_drawn_as_asked_count_for_broken() -> None:
    def torn(shot: Shot) -> float:
        return 0.95 if called(shot) else 0.95 - 0.45 * strength(shot)

    test = broken.judge(evidence(prompt=torn), 1e-3)
    full, named = PLAN.sweep[Cell(checkpoint=200, weight=1.0)], PLAN.groups["named"]
    assert test.figure and test.figure.n == len(
        {*full.adapted, *PLAN.groups["control"].adapted, *named.adapted}
    )
    assert test.verdict == "suspect" and test.pictures[0] in {
        str(PLAN.shots().index(shot)) for shot in named.adapted
    }


def test_a_good_run_whose_copying_was_not_tested_says_so() -> None:
    found = judged(evidence(losses=()))
    assert found.case == "good" and "whether it copies was not tested" in found.words


def test_a_checkpoint_that_knows_its_pictures_by_heart_is_not_recommended_and_an_earlier_one_is() -> None:
    late = [
        replace(
            loss, adapted={100: loss.base * 0.7, 200: loss.base * (0.1 if loss.role == "subject" else 0.7)}
        )
        for loss in gained(0.3, 0.3)
    ]
    found = judged(evidence(losses=tuple(late)))
    assert found.case == "echo" and found.recommended and found.recommended.cell.checkpoint == 100


def test_a_refined_review_holds_its_two_against_each_other_on_the_same_pictures() -> None:
    best = [Cell(checkpoint=200, weight=1.0), Cell(checkpoint=200, weight=0.5)]
    finer = refined(PLAN, TEXTS, SHOT, (1, 2), best)

    def like(shot: Shot) -> float:
        hard = not shot.prompt.startswith("zork mug, wall")
        return called(shot) * (
            strength(shot) * 0.5 if hard else 0.9 if strength(shot) == 0.5 else 0.95 * strength(shot)
        )

    found = sweep.recommend(evidence(finer, likeness=like))
    assert found and found.cell == best[0], "coarse cells were drawn of the easy prompts alone"
