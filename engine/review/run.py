"""A review of a run: sheets that show what it learned, and review.json beside them.

Today it draws and measures; it does not judge. Every verdict is "unknown" until a judge exists, and says so.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from engine.adapter import TRAINED
from engine.dataset.items import Item, read_items
from engine.desk import Desk
from engine.draw import Shot, shots_of
from engine.families.family import Base
from engine.picture_file import SAMPLER_NAMES, encode_png, write_picture, write_png
from engine.preparation import open_trained_on, sample_of, triggers_of
from engine.review import before_after, isolation, sweep
from engine.review.change import MEASURE, change
from engine.review.sheets import Sheet, compose
from engine.sample import Origin, adapter_of_run, draw_for_job, named
from projects import atomic
from projects.families import FAMILIES as FACTS
from projects.job import JobDir
from projects.problems import refuse
from projects.rights import allow
from projects.spec import ReviewJob, RunSpec, Sample

FORMAT = 1
_OLD = ".review.old"


def run(desk: Desk, job: ReviewJob) -> Literal["done", "stopped"]:
    """Draw sweep, isolation and before/after of `job.run`, and put them in the place of an earlier review as a whole."""
    spec, project, reviewed = job.spec, Path(job.project), JobDir(Path(job.run))
    adapter, step = adapter_of_run(reviewed.path, job.checkpoint, spec)
    items = read_items(reviewed.items)
    sample = sample_of(spec, items)
    called, uncalled = trigger_prompts(spec, sample), uncalled_prompts(spec, sample, items)
    allow(project, spec, "review", [spec.trigger, sample.negative, *called, *uncalled])

    family, base = open_trained_on(desk, spec.base, project, adapter.trained_on)
    sheets = plan(sample, base, called, uncalled, job.weights)
    shots = list(dict.fromkeys(shot for sheet in sheets for row in sheet.rows for shot in row.shots))
    distilled = FACTS[family.name].distilled
    origin = Origin(
        base=base,
        distilled=distilled,
        adapters=named([adapter]),
        quantize=spec.train.quantize,
        run=reviewed.path.name,
        step=step,
    )
    files = {shot: f"pictures/{number:03d}.png" for number, shot in enumerate(shots, start=1)}
    pictures: dict[Shot, Image.Image] = {}
    aside = _clean_aside(reviewed)

    def keep(index: int, picture: Image.Image) -> None:
        pictures[shots[index]] = picture
        write_picture(aside / files[shots[index]], picture, origin.settings(shots[index]))

    try:
        (aside / "pictures").mkdir(parents=True)
        draw_for_job(
            desk, project=project, family=family, base=base, spec=spec, adapters=[adapter],
            shots=shots, on_picture=keep,
        )  # fmt: skip
        desk.phase("laying out the sheets")
        for sheet in sheets:
            _write_sheet(aside, sheet, pictures, origin)
        place = str(reviewed.review.relative_to(project))
        record = _record(sheets, pictures, files, place, sample, base, job, reviewed.path, step)
        atomic.write_text(aside / "review.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        _put_in_place(aside, reviewed.review)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    desk.result(review=f"{place}/review.json", sheets=record["sheets"])
    return "done"


def plan(
    sample: Sample, base: Base, called: Sequence[str], uncalled: Sequence[str], weights: Sequence[float]
) -> tuple[Sheet, ...]:
    """The sheets: `called` prompts say the trigger, `uncalled` ones do not and take the seeds in turn, one each."""
    with_trigger = shots_of(sample, base, called)
    seeds = [sample.seeds[place % len(sample.seeds)] for place in range(len(uncalled))]
    without = [
        shot
        for prompt, seed in zip(uncalled, seeds, strict=True)
        for shot in shots_of(replace(sample, seeds=(seed,)), base, [prompt])
    ]
    return (
        sweep.plan(with_trigger, TRAINED, weights),
        isolation.plan(without, TRAINED),
        before_after.plan(with_trigger, TRAINED, before_after.starting_weight(weights, sample.weight)),
    )


def trigger_prompts(spec: RunSpec, sample: Sample) -> tuple[str, ...]:
    """The sample prompts that say a trigger; where none does, all of them with the first one in front.

    All of them as they are where the project has no trigger: then everything calls what was learned.
    """
    words = triggers_of(spec)
    if not words:
        return sample.prompts
    says = tuple(text for text in sample.prompts if any(word.casefold() in text.casefold() for word in words))
    in_front = tuple(f"{words[0]}, {text}" for text in sample.prompts)
    return says or in_front or (" ".join(filter(None, (words[0], spec.class_word))),)


def uncalled_prompts(spec: RunSpec, sample: Sample, items: Sequence[Item]) -> tuple[str, ...]:
    """The isolation test's prompts of this run."""
    first_captions = {
        role: [item.captions[0] for item in items if item.role == role]
        for role in ("subject", "regularization")
    }
    found = isolation.prompts(
        own_prompts=sample.prompts,
        subject_captions=first_captions["subject"],
        regularization_captions=first_captions["regularization"],
        triggers=triggers_of(spec),
        class_word=spec.class_word,
    )
    if not found:
        raise refuse(
            f"Every prompt holds a trigger ({', '.join(triggers_of(spec))}), so it cannot be tested without.",
            where="project.toml: trigger",
            hint="Train on an invented word.",
        )
    return found


def _write_sheet(folder: Path, sheet: Sheet, pictures: Mapping[Shot, Image.Image], origin: Origin) -> None:
    shot = sheet.rows[0].shots[0]
    foot = (
        f"{origin.run}   step {origin.step}   {SAMPLER_NAMES[shot.sampler]}, {shot.steps} steps, "
        f"guidance {shot.guidance:g}, {shot.size[0]} x {shot.size[1]} px   negative: {shot.negative or 'none'}"
    )
    facts = {"sheet": asdict(sheet), "run": origin.run, "step": origin.step, "base": origin.base.name}
    write_png(folder / f"{sheet.name}.png", encode_png(compose(sheet, pictures, foot), facts))


def _record(
    sheets: Sequence[Sheet],
    pictures: Mapping[Shot, Image.Image],
    files: Mapping[Shot, str],
    place: str,
    sample: Sample,
    base: Base,
    job: ReviewJob,
    run_folder: Path,
    step: int,
) -> dict[str, Any]:
    """review.json; paths are relative to the project."""
    where = {
        shot: [sheet.name for sheet in sheets if any(shot in row.shots for row in sheet.rows)]
        for shot in files
    }
    remarks = {shot: row.remark for sheet in sheets for row in sheet.rows if row.remark for shot in row.shots}
    size = next(iter(files)).size
    return {
        "format": FORMAT,
        "run": str(run_folder.relative_to(job.project)),
        "checkpoint": step,
        "case": "unknown",
        "recommended": None,
        "tests": [
            _test("sweep", sheets[0], pictures, job.weights, sweep.ADVICE),
            _test("isolation", sheets[1], pictures, (1.0,), isolation.ADVICE),
        ],
        "sheets": [f"{place}/{sheet.name}.png" for sheet in sheets],
        "settings": {
            "base": base.name, "base_fingerprint": base.fingerprint, "negative": sample.negative,
            "guidance": sample.guidance, "steps": sample.steps, "sampler": sample.sampler, "size": list(size),
            "seeds": list(sample.seeds), "weights": list(job.weights),
        },
        "pictures": [
            {
                "path": f"{place}/{file}", "sheets": where[shot], "prompt": shot.prompt, "seed": shot.seed,
                "weight": dict(shot.weights).get(TRAINED), "remark": remarks.get(shot, ""),
            }
            for shot, file in files.items()
        ],
    }  # fmt: skip


def _test(
    name: str, sheet: Sheet, pictures: Mapping[Shot, Image.Image], weights: Sequence[float], advice: str
) -> dict[str, Any]:
    """One test's entry: its figure at the last of `weights`, and at each of them. The first column is the base."""
    by_weight = []
    for column, weight in enumerate(weights, start=1):
        pairs = [(pictures[row.shots[0]], pictures[row.shots[column]]) for row in sheet.rows]
        by_weight.append({"weight": weight, **asdict(change(pairs))})
    last = {key: value for key, value in by_weight[-1].items() if key != "weight"}
    return {
        "test": name, "verdict": "unknown", **last, "advice": advice, "measure": MEASURE,
        "weight": by_weight[-1]["weight"], "weights": by_weight,
    }  # fmt: skip


def _clean_aside(run: JobDir) -> Path:
    """Where the new review is written; what a killed one left is gone, and the review it had moved is back."""
    old, aside = run.path / _OLD, run.path / ".review.aside"
    if old.exists() and not run.review.exists():
        old.rename(run.review)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(aside, ignore_errors=True)
    return aside


def _put_in_place(aside: Path, final: Path) -> None:
    """Let the new review stand where the old one stood; until it does, the old one is whole."""
    old = final.with_name(_OLD)
    if final.exists():
        final.rename(old)
    try:
        atomic.rename_folder(aside, final)
    except OSError:
        if old.exists():
            old.rename(final)
        raise
    shutil.rmtree(old, ignore_errors=True)
