"""From pictures to evidence: every number is measured once, written down by what it depends on, and found again."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from statistics import fmean, pstdev

import torch
from torch import Tensor

from engine.adapter import set_weights
from engine.dataset.audit.groups import NEAR as SAME_BITS
from engine.dataset.audit.look import SMALLEST
from engine.dataset.items import Item
from engine.draw import Shot
from engine.evaluate import TIMESTEP_SHARES, cell_errors
from engine.families.family import Framing, stacked
from engine.review import appearance, thresholds
from engine.review.appearance import Appearance
from engine.review.evidence import Evidence, Loss, Made, Nearest
from engine.review.eyes import Eye, Sight
from engine.review.inside import Inside
from engine.review.likeness import Axis, Likeness, above
from engine.review.shots import ASKING, Plan, adapter_key
from engine.review.store import Measured, Pictures, digest_of
from engine.review.trained import Set, Trained

OTHERS = 5
"""Other prompts of the set, against which a picture's own has to explain it."""
_POOLED = 8
"""Side of the grid of mean latents that two pictures are compared on: framing and colours, wherever the crop began."""
_CANDIDATES = 8
"""Forms of training pictures of the nearest hashes that are looked at closer."""
_SAME_SEED_LEAST = 4
"""Pairs of pictures of one prompt below which the base's seeds say nothing of its spread."""


class Measuring:
    """The measures of one review."""

    def __init__(
        self, inside: Inside, pictures: Pictures, measured: Measured, trained: Set, *, likes: Eye, reads: Eye
    ) -> None:
        """likes: what measures likeness; reads: what measures how prompts are kept."""
        self._inside, self._pictures, self._measured, self._trained = inside, pictures, measured, trained
        self._likes, self._reads = likes, reads
        self._latents: dict[Shot, Tensor] = {}

    def latents(self, shot: Shot) -> Tensor:
        """Of the picture of `shot`, (C, H, W)."""
        if shot not in self._latents:
            self._latents[shot] = self._inside.latents(self._pictures.read(shot))
        return self._latents[shot]

    def _sight(self, shot: Shot) -> Sight:
        return Sight(latents_CHW=self.latents(shot), picture=lambda: self._pictures.read(shot))

    def likeness(self, plain: Sequence[Shot], others: Sequence[Shot]) -> Likeness:
        """The measure itself: `plain` are the base's pictures, best of the training's own captions; `others` more of it."""
        base_NF, others_NF = (
            self._likes.features([self._sight(shot) for shot in shots]) for shots in (plain, others)
        )
        size = plain[0].size
        own_NF = self._likes.features(self._sights(self._trained.some("subject"), size))
        held_out = self._sights(self._trained.some("holdout"), size)
        share = above(base_NF, own_NF, others_NF, self._likes.features(held_out)) if held_out else math.nan
        return Likeness(
            axis=Axis.between(base_NF, own_NF, others_NF),
            held_out=len(held_out),
            above=share,
            limits=self._likes.limits,
        )

    def _sights(self, some: Sequence[Trained], size: tuple[int, int]) -> list[Sight]:
        """Training pictures cut and scaled as made ones are; of one whose file is gone its latents, where they have
        that shape."""
        shape = tuple(side // self._inside.easel.base.latent_factor for side in (size[1], size[0]))
        found = []
        for one in some:
            if one.opened:
                found.append(self._inside.through(one.picture(size)))
            elif tuple(one.latents_CHW.shape[1:]) == shape:
                found.append(Sight(latents_CHW=one.latents_CHW, picture=lambda one=one: one.picture(size)))  # type: ignore[misc]
        return found

    def evidence(
        self, plan: Plan, called: Sequence[str], newest: int, axis: Axis, losses: Sequence[Loss],
        on_progress: Callable[[int, int], object],
    ) -> Evidence:  # fmt: skip
        """Measure every picture of `plan`. called: prompts of the set, which those of its pictures are held against."""
        shots = plan.shots()
        rivals = _rivals(plan, called)
        places = self._places(shots, axis)
        seed_distance = self._seed_distance(plan)
        before = {after: plain for pairs in plan.pairs() for plain, after in pairs}
        seen = [self._seen(shot) for shot in shots]
        usual = self._usual_distance()
        reached = self._reached(plan, usual)
        nearest = self._nearest(shots, seen, usual, thresholds.copy_limit(reached))
        made = {}
        for number, (shot, place) in enumerate(zip(shots, places, strict=True)):
            made[shot] = Made(
                id=self._pictures.id_of(shot),
                likeness=place,
                prompt=self._prompt(shot, rivals[shot]) if shot in rivals else None,
                moved=self._distance(shot, before[shot]) / seed_distance if shot in before else 0.0,
                seen=seen[number],
                nearest=nearest[number],
            )
            on_progress(number + 1, len(shots))
        warmths = [one.warmth for one in self._trained.subject]
        return Evidence(
            plan=plan, made=made, newest=newest, seed_noise=_seed_noise(plan, made), losses=losses,
            trained=len(self._trained.subject), reached=reached,
            own_warmth=[warmth for warmth in warmths if warmth is not None],
        )  # fmt: skip

    def losses(
        self,
        items: Sequence[Item],
        checkpoints: Sequence[int],
        seed: int,
        on_progress: Callable[[int, int], object],
    ) -> list[Loss]:
        """The denoising loss of the evaluation's pictures, on the base and at each checkpoint, at full weight."""
        states: list[int | None] = [None, *checkpoints]
        found: dict[int | None, dict[int, float]] = {}
        for number, checkpoint in enumerate(states):
            found[checkpoint] = self._losses_at(items, checkpoint, seed)
            on_progress(number + 1, len(states))
        return [
            Loss(
                picture=items[index].picture,
                role="subject" if items[index].role == "subject" else "holdout",
                base=found[None][index],
                adapted={step: found[step][index] for step in checkpoints},
            )
            for index in self._trained.graded
            if all(math.isfinite(found[step][index]) for step in (None, *checkpoints))
        ]

    @torch.no_grad()
    def _losses_at(self, items: Sequence[Item], checkpoint: int | None, seed: int) -> dict[int, float]:
        easel, schedule = self._inside.easel, self._inside.schedule
        graded = self._trained.graded
        what = [(items[i].sha256, items[i].captions[0], items[i].placements[0].bucket, i) for i in graded]
        key = digest_of("losses", self._inside.name, self._pictures.adapter_of(checkpoint), what, seed)
        known = self._measured.get(key)
        if known is not None:
            return dict(zip(graded, known, strict=True))
        for model in easel.models:
            model.eval()
            set_weights(model, {} if checkpoint is None else {adapter_key(checkpoint): 1.0})

        def predict(
            noisy: Tensor, timesteps: Tensor, texts: Sequence[str], framings: Sequence[Framing]
        ) -> Tensor:
            told = stacked([easel.conditions.get(text) for text in texts], schedule.device)
            return easel.family.predict(easel.denoiser, noisy, timesteps, told, framings)

        errors: dict[int, list[float]] = defaultdict(list)
        for index in self._trained.graded:
            cells = [(index, k) for k in range(len(TIMESTEP_SHARES))]
            errors[index] = cell_errors(cells, items, self._trained.reader, schedule, seed, predict)
        means = {index: fmean(values) for index, values in errors.items()}
        self._measured.keep({key: [means[index] for index in self._trained.graded]})
        return means

    def _places(self, shots: Sequence[Shot], axis: Axis) -> list[float]:
        name = digest_of("likeness", self._likes.name, [float(value) for value in axis.weights_F])
        keys = {shot: digest_of(name, self._pictures.id_of(shot)) for shot in shots}
        unknown = [shot for shot in shots if self._measured.get(keys[shot]) is None]
        if unknown:
            places = axis.places(self._likes.features([self._sight(shot) for shot in unknown]))
            self._measured.keep({keys[shot]: place for shot, place in zip(unknown, places, strict=True)})
        return [float(self._measured.get(keys[shot])) for shot in shots]

    def _prompt(self, shot: Shot, rivals: Sequence[str]) -> float | None:
        others = [text for text in rivals if text != shot.prompt][:OTHERS]
        if not others:
            return None
        key = digest_of("prompt 2", self._reads.name, self._pictures.id_of(shot), others)
        if self._measured.get(key) is None:
            own, *theirs = self._reads.explained(self._sight(shot), [shot.prompt, *others])
            self._measured.keep({key: fmean((its > own) + 0.5 * (its == own) for its in theirs)})
        return float(self._measured.get(key))

    def _seen(self, shot: Shot) -> Appearance:
        key = digest_of("appearance", appearance.VERSION, self._pictures.id_of(shot))
        if self._measured.get(key) is None:
            self._measured.keep({key: asdict(appearance.appearance(self._pictures.read(shot)))})
        return appearance.of_table(self._measured.get(key))

    def _distance(self, one: Shot, other: Shot) -> float:
        return float((self.latents(one) - self.latents(other)).pow(2).mean().sqrt())

    def _seed_distance(self, plan: Plan) -> float:
        """Mean distance between two of the base's pictures of one prompt; of any two where no prompt has two seeds."""
        by_prompt: dict[str, list[Shot]] = defaultdict(list)
        for shot in dict.fromkeys(shot for shot in plan.shots() if not shot.weights):
            by_prompt[shot.prompt].append(shot)
        pairs = [(one, two) for same in by_prompt.values() for one, two in pairwise(same)]
        if not pairs:
            plain = [shots[0] for shots in by_prompt.values()]
            pairs = list(pairwise(plain))
        found = fmean(self._distance(one, other) for one, other in pairs) if pairs else 1.0
        return max(found, 1e-6)

    def _reached(self, plan: Plan, usual: float) -> list[float]:
        """Distances of pictures of held-out captions to the nearest held-out picture; none where there are none."""
        own = self._trained.subject
        # What is held out and stands among the training pictures all the same was trained.
        apart = [one for one in self._trained.holdout if own and _least(one, own) >= thresholds.COPY * usual]
        pairs = plan.groups.get("unseen")
        if not pairs or not apart:
            return []
        pooled = torch.stack([_pooled(one.latents_CHW) for one in apart])
        return [float(_apart(_pooled(self.latents(shot)), pooled).min()) / usual for shot in pairs.adapted]

    def _nearest(
        self, shots: Sequence[Shot], seen: Sequence[Appearance], usual: float, copy_limit: float
    ) -> list[Nearest | None]:
        """The nearest training picture of every shot."""
        own = self._trained.subject
        if not own:
            return [None] * len(shots)
        pooled = torch.stack([_pooled(one.latents_CHW) for one in own])
        copied = self._copied(seen)
        found: list[Nearest | None] = []
        for number, shot in enumerate(shots):
            distances_N = _apart(_pooled(self.latents(shot)), pooled) / usual
            place = copied.get(number, int(distances_N.argmin()))
            distance = float(distances_N[place])
            # Pictures of one subject before one wall have one hash where they are small: a copy is as near besides.
            small = min(shot.size) < SMALLEST
            same = number in copied and (not small or distance < copy_limit)
            near = distance < copy_limit * thresholds.NEAR / thresholds.COPY
            kind = "copy" if same else "near" if near else "none"
            found.append(Nearest(picture=own[place].place, distance=distance, kind=kind))  # type: ignore[arg-type]
        return found

    def _copied(self, seen: Sequence[Appearance]) -> dict[int, int]:
        """Index of a made picture -> index of the training picture that the audit would call the same, whole or cut."""
        forms = [(place, *form) for place, one in enumerate(self._trained.subject) for form in one.forms]
        bits = appearance.differing_bits([one.bits for one in seen], [bits for _, bits, _ in forms])
        found: dict[int, int] = {}
        for number, one in enumerate(seen):
            for at in bits[number].argsort(kind="stable")[:_CANDIDATES]:
                place, _, shades = forms[int(at)]
                if bits[number, at] <= SAME_BITS and appearance.same_picture(one.shades, shades):
                    found[number] = place
                    break
        return found

    def _usual_distance(self) -> float:
        """Of held-out pictures to the nearest training picture; without any, of training pictures to each other."""
        own = self._trained.subject
        others = self._trained.holdout or own
        found = [
            _least(one, [each for each in own if each is not one])
            for one in others
            if len(own) > 1 or one not in own
        ]
        return max(fmean(found), 1e-6) if found else 1.0


def _rivals(plan: Plan, called: Sequence[str]) -> dict[Shot, Sequence[str]]:
    """What the prompt of each picture that asks for something has to explain it better than.

    Prompts of other things are held against each other: "a cactus" explains even an empty wall better than the prompts of
    a subject that the base does not know.
    """
    found: dict[Shot, Sequence[str]] = {}
    for name in ASKING:
        if pairs := plan.groups.get(name):
            prompts = pairs.prompts() if name == "named" else called
            found |= dict.fromkeys((*pairs.plain, *pairs.adapted), prompts)
    for pairs in plan.sweep.values():
        found |= dict.fromkeys((*pairs.plain, *pairs.adapted), called)
    return found


def _least(one: Trained, others: Sequence[Trained]) -> float:
    return float(
        _apart(_pooled(one.latents_CHW), torch.stack([_pooled(each.latents_CHW) for each in others])).min()
    )


def _pooled(latents_CHW: Tensor) -> Tensor:
    """(C, _POOLED, _POOLED): comparable whatever the bucket."""
    return torch.nn.functional.adaptive_avg_pool2d(latents_CHW, _POOLED)


def _apart(one_CHW: Tensor, others_NCHW: Tensor) -> Tensor:
    """(N,): distances of pooled latents, the others as they are or mirrored."""
    forms = (others_NCHW, others_NCHW.flip(-1))
    return torch.stack([(each - one_CHW).pow(2).mean(dim=(1, 2, 3)).sqrt() for each in forms]).amin(dim=0)


def _seed_noise(plan: Plan, made: Mapping[Shot, Made]) -> float:
    """Standard deviation of likeness between the base's pictures of one prompt; of all of them where few have two seeds."""
    by_prompt: dict[str, list[float]] = defaultdict(list)
    for shot in dict.fromkeys(shot for shot in plan.shots() if not shot.weights):
        by_prompt[shot.prompt].append(made[shot].likeness)
    within = [(value - fmean(same)) ** 2 for same in by_prompt.values() if len(same) > 1 for value in same]
    freedom = sum(len(same) - 1 for same in by_prompt.values())
    if freedom >= _SAME_SEED_LEAST:
        return float((sum(within) / freedom) ** 0.5)
    every = [value for same in by_prompt.values() for value in same]
    return float(pstdev(every)) if len(every) > 1 else 0.0
