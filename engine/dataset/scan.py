"""From the folders of a project to the items of a run: everything is opened once, and all problems come at once."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.dataset.buckets import placement
from engine.dataset.captions import holds_any, holds_word, in_all_orders, read_caption_file, trigger_caption
from engine.dataset.folders import Found, find_pictures
from engine.dataset.items import Item, file_sha256
from engine.dataset.pictures import inspect_picture
from projects.problems import Problem, Refused, listed, refuse
from projects.spec import DataSet, RunSpec, data_sets, trigger_of

LONGEST_RATIO = 16
"""A picture longer than this times its other side is nothing that a bucket could show."""


@dataclass(frozen=True, kw_only=True)
class ScanResult:
    """What a run would train, and what is worth knowing about it."""

    items: list[Item]
    """Set by set, by name; `planned` is 0 until `slots.with_planned` fills it."""
    notes: list[Problem]
    """Sentences that stop nothing: leftovers, enlarged pictures, captions without the trigger."""


def scan(
    project: Path,
    spec: RunSpec,
    *,
    bucket_step: int,
    missing: Literal["refuse", "trigger"] = "refuse",
    on_progress: Callable[[int, int], None] | None = None,
) -> ScanResult:
    """Decode every picture, read every caption, place every crop.

    bucket_step in pixels comes from the base. missing: what a picture without caption file means; "trigger" trains
    `captions.trigger_caption` of its set. on_progress(done, total) is called after each picture. Raises Refused with
    all problems of all sets; nothing is written.
    """
    findings = find_pictures(project, spec.data)
    problems, notes = list(findings.problems), list(findings.notes)
    texts = _captions(findings.pictures, spec, missing, problems, notes)
    _check_triggers(findings.pictures, texts, spec, problems, notes)
    items = []
    for index, found in enumerate(findings.pictures):
        try:
            items.append(_item(found, texts.get(found.path, ()), spec, bucket_step, notes))
        except Refused as refused:
            problems += refused.problems
        if on_progress:
            on_progress(index + 1, len(findings.pictures))
    if problems:
        raise Refused(list(dict.fromkeys(problems)))
    return ScanResult(items=items, notes=notes + _enlarged(items) + _leaked(items))


def _item(
    found: Found, captions: tuple[str, ...], spec: RunSpec, bucket_step: int, notes: list[Problem]
) -> Item:
    facts = inspect_picture(found.path)
    notes += [Problem(error=note, where=found.dataset.path) for note in facts.notes]
    if max(facts.size) > LONGEST_RATIO * min(facts.size):
        error = f"is {facts.size[0]} x {facts.size[1]} pixels: no crop of it shows what it is."
        raise refuse(error, where=found.path, hint="Crop it, or leave it out in data.excluded.")
    focal = spec.data.crop.get(found.name, (0.5, 0.5))
    try:
        digest = file_sha256(found.path)
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}.", where=found.path, hint="Check the disk.") from None
    return Item(
        picture=found.name,
        path=found.path,
        sha256=digest,
        role=found.dataset.role,
        set=found.dataset.path,
        weight=found.dataset.weight,
        repeats=found.dataset.repeats,
        original=facts.size,
        placements=tuple(placement(facts.size, side, bucket_step, focal) for side in spec.train.resolution),
        captions=captions,
        planned=0,
    )


def _captions(
    pictures: tuple[Found, ...],
    spec: RunSpec,
    missing: Literal["refuse", "trigger"],
    problems: list[Problem],
    notes: list[Problem],
) -> dict[Path, tuple[str, ...]]:
    """Every text of every picture; a picture whose captions are a problem is left out."""
    texts: dict[Path, tuple[str, ...]] = {}
    absent: dict[str, list[str]] = defaultdict(list)
    marked = []
    for found in pictures:
        stand_in = trigger_caption(trigger_of(found.dataset, spec.trigger), _class_word(found.dataset, spec))
        own = found.path.with_suffix(f".{spec.data.caption_extension}")
        if own not in found.captions and (found.captions or missing == "refuse" or not stand_in):
            absent[found.dataset.path].append(found.name)
            continue
        try:
            read = [read_caption_file(path) for path in found.captions]
        except Refused as refused:
            problems += refused.problems
            continue
        marked += [
            path.name for path, caption in zip(found.captions, read, strict=True) if caption.byte_order_mark
        ]
        written = [caption.text for caption in read] or [stand_in]
        if spec.captions.shuffle:
            written = in_all_orders(found.name, written, spec.train.seed, spec.captions.keep_first)
        texts[found.path] = tuple(written)
    for path, names in absent.items():
        one = "1 picture has" if len(names) == 1 else f"{len(names)} pictures have"
        hint = "Write NAME.%s beside each, or train them on the trigger alone: --missing trigger."
        if missing == "trigger":
            hint = (
                "Write NAME.%s beside each: variants need a first, and a trigger or class_word must be known."
            )
        error = f"{one} no caption: {listed(names)}."
        hint %= spec.data.caption_extension
        problems.append(Problem(error=error, where=path, hint=hint, files=tuple(names)))
    if marked:
        error = f"Captions with a byte order mark, which is not trained: {listed(marked)}."
        notes.append(Problem(error=error, files=tuple(marked)))
    return texts


def _class_word(dataset: DataSet, spec: RunSpec) -> str:
    return dataset.class_word or spec.class_word


def _check_triggers(
    pictures: tuple[Found, ...],
    texts: dict[Path, tuple[str, ...]],
    spec: RunSpec,
    problems: list[Problem],
    notes: list[Problem],
) -> None:
    """Regularization keeps the general category as it is, so it must never hold a trigger; subjects should."""
    triggers = [
        spec.trigger,
        *(each.trigger for each in data_sets(spec.data) if each.role != "regularization"),
    ]
    holding: dict[str, list[str]] = defaultdict(list)
    lacking: dict[str, list[str]] = defaultdict(list)
    for found in pictures:
        captions = texts.get(found.path, ())
        trigger = trigger_of(found.dataset, spec.trigger)
        if found.dataset.role == "regularization" and any(holds_any(text, triggers) for text in captions):
            holding[found.dataset.path].append(found.name)
        if (
            found.dataset.role == "subject"
            and trigger
            and not all(holds_word(text, trigger) for text in captions)
        ):
            lacking[found.dataset.path].append(found.name)
    for path, names in holding.items():
        error = f"Captions of regularization pictures hold the trigger: {listed(names)}."
        hint = "Take it out: these pictures show what the trigger does not mean."
        problems.append(Problem(error=error, where=path, hint=hint, files=tuple(names)))
    for path, names in lacking.items():
        error = f"Captions of subject pictures without the trigger: {listed(names)}."
        hint = "What they show is learned for every prompt, not for the trigger."
        notes.append(Problem(error=error, where=path, hint=hint, files=tuple(names)))


def _enlarged(items: list[Item]) -> list[Problem]:
    scales = {item.picture: max(item.scale(index) for index in range(len(item.placements))) for item in items}
    enlarged = {picture: scale for picture, scale in scales.items() if scale > 1}
    if not enlarged:
        return []
    names = listed([f"{picture} (x {scale:.2f})" for picture, scale in enlarged.items()])
    error = f"Pictures smaller than what is trained, so enlarged: {names}."
    hint = "They train soft. Bring larger ones, or lower train.resolution."
    return [Problem(error=error, hint=hint, files=tuple(enlarged))]


def _leaked(items: list[Item]) -> list[Problem]:
    trained = {item.sha256: item.picture for item in items if item.role != "holdout"}
    both = {
        item.picture: trained[item.sha256]
        for item in items
        if item.role == "holdout" and item.sha256 in trained
    }
    if not both:
        return []
    pairs = listed([f"{held_out} = {other}" for held_out, other in both.items()])
    error = f"Held-out pictures that are trained too: {pairs}."
    hint = "The loss on them cannot show memorization. Take them out of one of the sets."
    return [Problem(error=error, hint=hint, files=tuple(both))]
