"""Weight sweep: the same prompts and seeds on the base and at several weights and checkpoints; which of them to use.

A cell (checkpoint and weight) is fit where its prompts are kept, no tone and no face is lost, and its checkpoint does
not know its training pictures by heart. Of the fit ones the likest is sought, among those that the most pictures were
drawn of, so that all are held against each other on the same prompts and seeds. What cannot be told apart from it,
pair by pair and corrected for how many there are, is said so; of those the gentlest that comes near it is taken: the
lowest weight, then the earliest step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.draw import Shot
from engine.review import thresholds
from engine.review.echo import gap_at
from engine.review.evidence import Evidence, Made, keeps_prompt, likeness, moved
from engine.review.record import Test, interval_table
from engine.review.shots import Cell, Pairs
from engine.review.statistics import Interval, holm, how_many_more, mean_interval, sign_flip, wilson

UNIT = "of the way from the base to the training pictures"


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """What to use."""

    cell: Cell
    certain: bool
    """Whether its weight was told apart from every other that is fit; checkpoints may be as good as each other."""
    words: str
    rivals: tuple[Cell, ...]
    """Fit ones that could not be told apart from it, the likest first."""
    more: tuple[int, str] | None
    """How many more pairs would tell it from its rivals of another weight, and that in words; None where so few would
    not, or nothing is open."""


def recommend(evidence: Evidence) -> Recommended | None:
    """The best cell; None where none is fit, or none acts."""
    acting = [
        cell
        for cell in _comparable(evidence)
        if unfit(evidence, cell) == "" and _like(evidence, cell).value >= thresholds.ACTS
    ]
    if not acting:
        return None
    acting.sort(key=lambda cell: -_like(evidence, cell).value)
    best = acting[0]
    apart = _apart(evidence, best, acting[1:])
    rivals = [cell for cell in acting if cell == best or not apart[cell]]
    enough = thresholds.LIKE_ENOUGH * _like(evidence, best).value
    chosen = min(
        (cell for cell in rivals if _like(evidence, cell).value >= enough),
        key=lambda cell: (cell.weight, cell.checkpoint),
    )
    others = tuple(cell for cell in rivals if cell != chosen)
    return Recommended(
        cell=chosen,
        certain=all(each.weight == chosen.weight for each in others),
        words=_said(evidence, chosen, others, acting),
        rivals=others,
        more=_more(evidence, chosen, [each for each in others if each.weight != chosen.weight]),
    )


def best_two(evidence: Evidence) -> list[Cell]:
    """The two that a refined review looks at closer: what is recommended, and its likest rival of another weight."""
    found = recommend(evidence)
    if found is None:
        return []
    rivals = [each for each in found.rivals if each.weight != found.cell.weight] or list(found.rivals)
    return [found.cell, *rivals[:1]]


def unfit(evidence: Evidence, cell: Cell) -> str:
    """Why a cell is not to be used; "" where it may be."""
    pairs = evidence.plan.sweep[cell]
    obeys = evidence.obeys(pairs)
    if obeys is not None and obeys.value < thresholds.OBEYS_SUSPECT:
        return "prompts are kept worse than by the base"
    clipped = evidence.change(pairs, lambda made: made.seen.clipped)
    if clipped is not None and (clipped.low or 0.0) > thresholds.CLIPPED:
        return "black or white swallows more of the picture than at the base"
    if (wilson(*_spoilt_faces(evidence, pairs)).low or 0.0) > thresholds.FACES:
        return "faces are lost or doubled where the base draws one"
    gap = gap_at(evidence.losses, cell.checkpoint)
    if gap is not None and (gap.low or 0.0) > thresholds.GAP_BAD:
        return "its checkpoint knows the training pictures by heart"
    return ""


def _comparable(evidence: Evidence) -> list[Cell]:
    """The cells that the most pictures were drawn of: a refined review compares its two, a coarse one all."""
    most = max((len(pairs.adapted) for pairs in evidence.plan.sweep.values()), default=0)
    return [cell for cell, pairs in evidence.plan.sweep.items() if len(pairs.adapted) == most]


def _spoilt_faces(evidence: Evidence, pairs: Pairs) -> tuple[int, int]:
    """How many pictures show no face or several where the base's shows one, of how many such there are; 0 of 1 of none."""
    found = [
        evidence.made[after].seen.faces != 1
        for before, after in pairs
        if evidence.made[before].seen.faces == 1
    ]
    return (sum(found), len(found)) if found else (0, 1)


def judge(evidence: Evidence, recommended: Recommended | None) -> Test:
    """The likeness of what is recommended; unknown where nothing is."""
    if recommended is None:
        reasons = dict.fromkeys(filter(None, (unfit(evidence, cell) for cell in evidence.plan.sweep)))
        why = "; ".join(reasons) or "the subject does not come at any weight"
        return Test(
            test="sweep", verdict="bad", figure=None, unit=UNIT, threshold=None,
            words=f"No weight of any checkpoint can be recommended: {why}.",
            advice="Look at the sheet; then train again, or look at the captions.",
        )  # fmt: skip
    cell = recommended.cell
    return Test(
        test="sweep", verdict="good" if recommended.certain else "suspect", figure=_like(evidence, cell), unit=UNIT,
        threshold=None, words=recommended.words,
        pictures=evidence.ids(evidence.plan.sweep[cell].adapted),
        details={"rivals": [{"weight": each.weight, "checkpoint": each.checkpoint} for each in recommended.rivals]},
    )  # fmt: skip


def table(evidence: Evidence) -> list[dict[str, object]]:
    """Every cell's measures, the base's first, as review.json has them."""
    first = next(iter(evidence.plan.sweep.values()), None)
    if first is None:
        return []
    base = {"weight": 0.0, "checkpoint": None, "n": len(first.plain), **_measures_of(evidence, first.plain)}
    rows: list[dict[str, object]] = [base]
    for cell, pairs in sorted(
        evidence.plan.sweep.items(), key=lambda item: (item[0].checkpoint, item[0].weight)
    ):
        rows.append({
            "weight": cell.weight, "checkpoint": cell.checkpoint, "n": len(pairs.adapted),
            **_measures_of(evidence, pairs.adapted), "unfit": unfit(evidence, cell),
        })  # fmt: skip
    return rows


def _measures_of(evidence: Evidence, shots: Sequence[Shot]) -> dict[str, object]:
    measures: Mapping[str, Callable[[Made], float | None]] = {
        "likeness": likeness, "prompt": keeps_prompt, "drift": moved, "sharpness": lambda made: made.seen.sharpness,
        "clipped": lambda made: made.seen.clipped, "faces": _faces,
    }  # fmt: skip
    return {name: interval_table(evidence.figure(shots, of)) for name, of in measures.items()}


def _faces(made: Made) -> float | None:
    return None if made.seen.faces is None else float(made.seen.faces)


def _like(evidence: Evidence, cell: Cell) -> Interval:
    found = evidence.figure(evidence.plan.sweep[cell].adapted, likeness)
    assert found is not None  # likeness is measured of every picture
    return found


def _differences(evidence: Evidence, one: Cell, other: Cell) -> tuple[list[float], list[str]]:
    """How much liker `one` is, prompt by prompt and seed by seed, and the prompts."""
    theirs = {
        (shot.prompt, shot.seed): evidence.made[shot].likeness for shot in evidence.plan.sweep[other].adapted
    }
    own = [shot for shot in evidence.plan.sweep[one].adapted if (shot.prompt, shot.seed) in theirs]
    return (
        [evidence.made[shot].likeness - theirs[shot.prompt, shot.seed] for shot in own],
        [shot.prompt for shot in own],
    )


def _apart(evidence: Evidence, best: Cell, others: Sequence[Cell]) -> dict[Cell, bool]:
    """Which of `others` are clearly less like than `best`: by the interval over prompts and seeds, and by an exact
    test that is corrected for how many are held against the one that came out best."""
    if not others:
        return {}
    found = [_differences(evidence, best, other) for other in others]
    chances = holm([sign_flip(differences).one_sided for differences, _ in found])
    return {
        other: chance <= thresholds.CHANCE and (mean_interval(differences, prompts).low or 0.0) > 0
        for other, chance, (differences, prompts) in zip(others, chances, found, strict=True)
    }


def _more(evidence: Evidence, chosen: Cell, others: Sequence[Cell]) -> tuple[int, str] | None:
    """How many more pairs would tell the chosen one from others of another weight; None where nothing sensible would."""
    found = []
    for other in others:
        differences, prompts = _differences(evidence, other, chosen)
        smallest = max(
            abs(mean_interval(differences).value),
            (1 - thresholds.LIKE_ENOUGH) * abs(_like(evidence, other).value),
        )
        if smallest > 0:
            found.append(how_many_more(differences, smallest=smallest, groups=prompts))
    worst = max(found, key=lambda more: more.pairs, default=None)
    return (worst.pairs, worst.words) if worst and worst.enough and worst.pairs else None


def _said(evidence: Evidence, chosen: Cell, others: Sequence[Cell], acting: Sequence[Cell]) -> str:
    use = f"Use weight {chosen.weight:g} of step {chosen.checkpoint:,}"
    if not others:
        return (
            f"{use}: clearly the likest of {len(acting)} that are fit for use."
            if len(acting) > 1
            else f"{use}."
        )
    several = len({each.checkpoint for each in (chosen, *others)}) > 1
    names = ", ".join(
        f"{each.weight:g}" + (f" of step {each.checkpoint:,}" if several else "") for each in others
    )
    pairs = len(evidence.plan.sweep[chosen].adapted)
    enough = f"{thresholds.LIKE_ENOUGH:.0%} of the best likeness"
    return f"{use}: on {pairs} pictures it cannot be told apart from {names}, and is the gentlest that comes to {enough}."
