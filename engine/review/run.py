"""A review of a run: drawn, measured, judged, and laid out; review.json, report.html and sheets stand in the run's folder.

Pictures and numbers are named by what made them (store.py), so a review that was stopped goes on where it was, and one that
was refined only draws what is new. review.json is written again and again while it works: what is there can be looked at.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from engine.assembly import schedule_of
from engine.dataset.items import Item, read_items
from engine.desk import Desk
from engine.draw import Shot, check_shots, shots_of
from engine.families.family import Base, Family
from engine.picture_file import SAMPLER_NAMES
from engine.preparation import open_trained_on, sample_of, stoppable, triggers_of
from engine.review import case, checkpoints, sheets, sweep
from engine.review.case import Judged
from engine.review.evidence import Evidence
from engine.review.eyes import Eye
from engine.review.inside import Inside
from engine.review.likeness import Likeness
from engine.review.measuring import Measuring
from engine.review.outside import Outside, open_outside
from engine.review.prompts import Texts, texts_of
from engine.review.recordfile import RecordFile
from engine.review.report import write_report
from engine.review.shots import Plan, adapter_key, checkpoints_of, planned, refined
from engine.review.store import Measured, Pictures
from engine.review.trained import Set, trained_set
from engine.sample import (
    AdapterFile,
    Easel,
    Origin,
    adapter_of_run,
    computed_in,
    easel_for_job,
    named,
    scales_of,
)
from projects.families import FAMILIES as FACTS
from projects.job import JobDir
from projects.people import said_by_people
from projects.rights import allow
from projects.spec import ReviewJob, RunSpec, Sample

_TOLD_SECONDS = 3.0
"""Between two times that review.json is written while pictures come."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is reviewed: a run with its adapters, opened."""

    project: Path
    run: JobDir
    spec: RunSpec
    sample: Sample
    items: Sequence[Item]
    texts: Texts
    family: Family
    base: Base
    adapters: Sequence[AdapterFile]
    checkpoints: Sequence[int]
    """Of `adapters`, oldest first."""

    @property
    def newest(self) -> int:
        """The checkpoint that is judged."""
        return self.checkpoints[-1]


def run(
    desk: Desk, job: ReviewJob, set_up: Callable[..., Easel] = easel_for_job
) -> Literal["done", "stopped"]:
    """Review `job.run`. set_up: what puts the models into memory, as `easel_for_job` does.

    Raises Refused where nothing can be drawn of it; StopAsked, and then all that was made is kept.
    """
    started = time.monotonic()
    subject = opened(desk, job)
    plan = planned(
        subject.texts, _shot(subject), subject.sample.seeds, subject.checkpoints, sorted(job.weights)
    )
    check_shots(subject.family, subject.base, plan.shots())
    origin = _origin(subject)
    pictures = Pictures(subject.run.review, origin)
    record = RecordFile(subject.run.review / "review.json", subject.project, pictures, _facts(subject, job))
    judge = open_outside(desk, job.judge, subject.project) if job.judge else None
    trained = trained_set(
        desk, subject.project, subject.family, subject.base, subject.items, subject.spec.data.background
    )
    if judge:
        trained = trained.with_files()
    easel = set_up(
        desk, project=subject.project, family=subject.family, base=subject.base, spec=subject.spec,
        adapters=subject.adapters, texts=_all_texts(subject, plan.shots()),
    )  # fmt: skip
    reviewing = Reviewing(desk, subject, easel, pictures, record, trained, judge)
    judged = reviewing.judged(plan)
    if job.depth == "refined" and judged and (best := sweep.best_two(judged.evidence)):
        plan = refined(plan, subject.texts, _shot(subject), subject.sample.seeds, best)
        judged = reviewing.judged(plan)
    desk.phase("laying out the sheets")
    foot, usual = _foot(subject, origin), subject.sample.weight or sheets.USUAL_WEIGHT
    laid = sheets.written(subject.run.review, plan, subject.newest, usual, pictures, origin, foot)
    place = subject.run.review.relative_to(subject.project)
    named_sheets = [f"{place}/{name}" for name in laid]
    told = record.finish(plan, judged, named_sheets, seconds=round(time.monotonic() - started, 1))
    write_report(subject.project, told, subject.run.review / "report.html", said_by_people(subject.run))
    desk.result(review=f"{place}/review.json", sheets=named_sheets, case=judged.case if judged else "unknown")
    return "done"


def opened(desk: Desk, job: ReviewJob) -> Subject:
    """The run, its prompts and its base. Raises Refused."""
    spec, project, run = job.spec, Path(job.project), JobDir(Path(job.run))
    newest, step = adapter_of_run(run.path, job.checkpoint, spec)
    steps = checkpoints_of(run.steps_saved(), step)
    files = {
        step: newest,
        **{each: adapter_of_run(run.path, each, spec)[0] for each in steps if each != step},
    }
    items = read_items(run.items)
    sample = sample_of(spec, items)
    texts = review_texts(spec, sample, items)
    allow(project, spec, "review", [spec.trigger, sample.negative, *texts.all()])
    family, base = open_trained_on(desk, spec.base, project, newest.trained_on)
    return Subject(
        project=project, run=run, spec=spec, sample=sample, items=items, texts=texts, family=family, base=base,
        adapters=[replace(files[each], key=adapter_key(each)) for each in sorted(files)], checkpoints=sorted(files),
    )  # fmt: skip


def review_texts(spec: RunSpec, sample: Sample, items: Sequence[Item]) -> Texts:
    """The prompts of a run's review."""
    return texts_of(
        prompts=sample.prompts,
        subject_captions=[item.captions[0] for item in items if item.role == "subject"],
        holdout_captions=[item.captions[0] for item in items if item.role == "holdout"],
        triggers=triggers_of(spec),
        class_word=spec.class_word,
    )


class Reviewing:
    """One review at work: draws what is missing, measures, judges."""

    def __init__(
        self,
        desk: Desk,
        subject: Subject,
        easel: Easel,
        pictures: Pictures,
        record: RecordFile,
        trained: Set,
        judge: Outside | None,
    ) -> None:
        """judge: what measures in the place of the base."""
        self._desk, self._subject, self._easel = desk, subject, easel
        self._pictures, self._record, self._trained = pictures, record, trained
        device = next(easel.denoiser.parameters()).device
        inside = Inside(
            easel=easel, schedule=schedule_of(subject.spec.train, subject.family, subject.base, device)
        )
        self._likes: Eye = judge or inside
        self._reads: Eye = judge if judge and judge.reads else inside
        self._measuring = Measuring(
            inside, pictures, Measured(subject.run.review), trained, likes=self._likes, reads=self._reads
        )

    def judged(self, plan: Plan) -> Judged | None:
        """All of `plan`, drawn, measured and judged; None where no training picture can be read. Raises StopAsked."""
        self._draw(plan)
        if not self._trained.subject:
            return None
        evidence, likeness = self._measure(plan)
        subject = self._subject
        return case.judged(
            evidence, subject.spec.train.learning_rate, likes=self._likes.label, trust=likeness.trust,
            reads=self._reads.label, checkpoints=checkpoints.table(evidence, subject.checkpoints),
        )  # fmt: skip

    def _draw(self, plan: Plan) -> None:
        shots = plan.shots()
        missing = [shot for shot in shots if not self._pictures.has(shot)]
        told = time.monotonic()

        def keep(index: int, picture: Image.Image) -> None:
            nonlocal told
            self._pictures.keep(missing[index], picture)
            if time.monotonic() - told > _TOLD_SECONDS:
                told = time.monotonic()
                self._record.tell(plan)

        try:
            self._record.tell(plan)
            if missing:
                self._easel.draw(self._desk, missing, keep)
        finally:
            self._record.tell(plan)

    def _measure(self, plan: Plan) -> tuple[Evidence, Likeness]:
        desk, subject, measuring = self._desk, self._subject, self._measuring
        desk.phase("measuring", quiet=1800)
        origin = plan.groups.get("verbatim") or next(iter(plan.sweep.values()))
        others = dict.fromkeys(
            shot for shot in plan.shots() if not shot.weights and shot not in set(origin.plain)
        )
        likeness = measuring.likeness(origin.plain, list(others))
        losses = measuring.losses(
            subject.items, subject.checkpoints, subject.spec.train.seed, stoppable(desk, "measuring losses")
        )
        called = tuple(dict.fromkeys([*subject.texts.called, *subject.texts.control]))
        evidence = measuring.evidence(
            plan, called, subject.newest, likeness.axis, losses, stoppable(desk, "measuring pictures")
        )
        return evidence, likeness


def _shot(subject: Subject) -> Shot:
    """A picture of the base, of which all but prompt, seed and weights holds for every picture of the review."""
    return shots_of(subject.sample, subject.base, [subject.texts.called[0]])[0]


def _all_texts(subject: Subject, shots: Sequence[Shot]) -> list[str]:
    """What is drawn, what its pictures are held against, and the captions of the loss's pictures."""
    drawn = [text for shot in shots for text in (shot.prompt, shot.negative) if text]
    graded = [item.captions[0] for item in subject.items if item.role in ("subject", "holdout")]
    return list(dict.fromkeys([*drawn, *subject.texts.all(), *graded]))


def _origin(subject: Subject) -> Origin:
    return Origin(
        base=subject.base,
        distilled=FACTS[subject.family.name].distilled,
        adapters=named(subject.adapters),
        quantize=subject.spec.train.quantize,
        run=subject.run.path.name,
        step=subject.newest,
        steps={adapter_key(step): step for step in subject.checkpoints},
        scales=scales_of(subject.adapters),
        precision=computed_in(subject.spec),
    )


def _facts(subject: Subject, job: ReviewJob) -> dict[str, Any]:
    """What review.json says before anything was drawn."""
    shot = _shot(subject)
    return {
        "run": str(subject.run.path.relative_to(subject.project)), "checkpoint": subject.newest, "depth": job.depth,
        "adapter": subject.adapters[-1].hash,
        "settings": {
            "base": subject.base.name, "base_fingerprint": subject.base.fingerprint, "trigger": subject.spec.trigger,
            "negative": shot.negative, "guidance": shot.guidance, "true_guidance": shot.true_guidance,
            "quantize": subject.spec.train.quantize, "steps": shot.steps, "sampler": shot.sampler,
            "size": list(shot.size), "seeds": list(subject.sample.seeds), "weights": sorted(job.weights),
            "checkpoints": list(subject.checkpoints), "judge": job.judge, "prompts": asdict(subject.texts),
        },
    }  # fmt: skip


def _foot(subject: Subject, origin: Origin) -> str:
    shot = _shot(subject)
    # A distilled base reads a negative prompt only where guidance is added on top.
    unread = FACTS[subject.family.name].distilled and shot.true_guidance <= 1
    negative = "negative: none, this base reads none" if unread else f"negative: {shot.negative or 'none'}"
    return (
        f"{origin.run}   step {subject.newest}   {SAMPLER_NAMES[shot.sampler]}, {shot.steps} steps, "
        f"guidance {shot.guidance:g}, {shot.size[0]} x {shot.size[1]} px   {negative}"
    )
