"""What a training looks at and encodes before its models are loaded, in the order in which train.py asks for it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.cache import Cache, ConditionReader, LatentReader, encode_latents, encode_texts
from engine.dataset.coverage import seen
from engine.dataset.items import Item, read_items, verify_unchanged, write_items
from engine.dataset.scan import scan
from engine.dataset.slots import epoch_list, with_planned
from engine.desk import Desk, StopAsked
from engine.families.family import Base, Family
from engine.families.opening import open_base
from engine.families.window import unread_from
from engine.step import Task
from projects import spec as spec_of
from projects.families import FAMILIES as FACTS
from projects.plan import slots_a_step
from projects.problems import Problem, Refused, refuse
from projects.resolving import misfits
from projects.spec import RunSpec, Sample, TrainJob, data_sets

STEP_QUIET = 900.0
"""Seconds that training may be silent before it counts as stalled: a large model's first step compiles and warms up."""


def steps_of(spec: RunSpec) -> int:
    """The number of optimizer steps, which the terminal resolves before it writes the job."""
    if spec.train.steps is None:
        raise refuse(
            "The run's spec names no steps.",
            where="spec.toml: train.steps",
            hint="Start it with safelight train.",
        )
    return spec.train.steps


def texts_of(spec: RunSpec) -> list[str]:
    """Every word of the spec that reaches the model."""
    sets = [word for each in data_sets(spec.data) for word in (each.trigger, each.class_word)]
    return [spec.trigger, spec.class_word, *sets, *spec.sample.prompts, spec.sample.negative]


def triggers_of(spec: RunSpec) -> list[str]:
    """The project's trigger and those of its sets, each once."""
    words = [spec.trigger, *(each.trigger for each in data_sets(spec.data))]
    return list(dict.fromkeys(filter(None, words)))


def reporter(desk: Desk, what: str) -> Callable[[int, int], None]:
    """Tells the desk how far `what` is: (done, total)."""
    return lambda done, total: desk.progress(what, done, total)


def stoppable(desk: Desk, what: str) -> Callable[[int, int], None]:
    """`reporter` for a phase that a stop request ends: then it raises StopAsked."""

    def on_progress(done: int, total: int) -> None:
        if desk.stop_asked:
            raise StopAsked
        desk.progress(what, done, total)

    return on_progress


def open_trained_on(desk: Desk, base: spec_of.Base, project: Path, fingerprint: str) -> tuple[Family, Base]:
    """Open the base; "" for a new training, else the fingerprint of the one that an adapter was trained on.

    Another base is refused: whatever is drawn, measured or trained on it would not be what the run made.
    """
    desk.phase("opening the base", quiet=3600)
    family, opened = open_base(base, project, on_progress=stoppable(desk, "downloading the base"))
    if fingerprint and opened.fingerprint != fingerprint:
        raise refuse(
            f"This is not the base that the adapter was trained on ({fingerprint[:12]}, here {opened.fingerprint[:12]}).",
            where=f"base.source = {base.source}",
            hint="Put the old files back, or start a new run on this base.",
        )
    return family, opened


def check_family(spec: RunSpec, family: Family) -> None:
    """Refuse, all at once, what the family cannot do: a hub id that was not here yet told its family only now."""
    problems = [
        Problem(error=error, where=".".join(map(str, key)), hint=hint)
        for key, error, hint in misfits(spec, FACTS[family.name])
    ]
    if problems:
        raise Refused(problems, usage=True)


def items_of(desk: Desk, job: TrainJob, base: Base, steps: int) -> list[Item]:
    """The run's items: scanned and written once by its first attempt, read and compared with the disk by later ones."""
    desk.phase("looking at the pictures", quiet=3600)
    if desk.job.items.exists():
        items = read_items(desk.job.items)
        problems = verify_unchanged(items)
        if problems:
            raise Refused(problems)
        return items
    spec = job.spec
    scanned = scan(
        Path(job.project),
        spec,
        bucket_step=base.bucket_step,
        missing=job.missing_caption,
        on_progress=stoppable(desk, "looking at the pictures"),
    )
    for note in scanned.notes:
        desk.warn(str(note), **({"files": list(note.files)} if note.files else {}))
    items = with_planned(
        scanned.items,
        seed=spec.train.seed,
        steps=steps,
        slots_per_step=slots_a_step(spec),
    )
    write_items(desk.job.items, items)
    return items


def sample_of(spec: RunSpec, items: Sequence[Item]) -> Sample:
    """The preview settings, with the captions of the first three subject pictures where no prompts are given."""
    if spec.sample.prompts:
        return spec.sample
    captions = [item.captions[0] for item in items if item.role == "subject"]
    return replace(spec.sample, prompts=tuple(dict.fromkeys(captions))[:3])


def encode(
    desk: Desk, project: Path, spec: RunSpec, family: Family, base: Base, items: Sequence[Item]
) -> tuple[LatentReader, ConditionReader | None]:
    """Latents of every picture and conditions of every text; what the cache lacks is encoded, then the models leave.

    No conditions where the text encoder learns: then they change with every step (`encoder_with_adapter`).
    """
    cache = Cache(project / "cache")
    sample = sample_of(spec, items)
    texts = [text for item in items for text in item.captions] + [*sample.prompts, sample.negative]
    desk.phase("encoding pictures", quiet=1800)
    latents = encode_latents(
        cache, family, base, items, flip=spec.data.flip, background=spec.data.background,
        on_progress=stoppable(desk, "encoding pictures"),
    )  # fmt: skip
    if spec.adapter.text_encoder:
        return latents, None
    desk.phase("encoding captions", quiet=1800)
    conditions = encode_texts(
        cache, family, base, list(dict.fromkeys(texts)),
        on_progress=stoppable(desk, "encoding captions"),
    )  # fmt: skip
    return latents, conditions


def readers(
    project: Path, spec: RunSpec, family: Family, base: Base
) -> tuple[LatentReader, ConditionReader | None]:
    """What `encode` gives, where all of it is encoded already."""
    cache = Cache(project / "cache")
    latents = LatentReader(cache, base, background=spec.data.background)
    return latents, None if spec.adapter.text_encoder else ConditionReader(cache, family, base)


def epoch_at(task: Task, step: int) -> float:
    """How often the trained pictures have come up after `step` steps."""
    return step * task.slots_per_step / len(epoch_list(task.items))


def warn_of_cut(
    desk: Desk, family: Family, base: Base, items: Sequence[Item], prompts: Sequence[str]
) -> None:
    """Say once which captions and prompts the model does not read to their end: the rest of them is never trained."""
    cuts = unread_from(
        family, base, dict.fromkeys([text for item in items for text in item.captions] + [*prompts])
    )
    if not cuts:
        return
    files = [item.picture for item in items if any(text in cuts for text in item.captions)]
    text, at = next(iter(cuts.items()))
    desk.warn(
        f"{len(cuts)} texts are longer than what the model reads. The first loses: {text[at:].strip()}",
        files=files,
    )


def outside_window(spec: RunSpec, family: Family, base: Base, items: Sequence[Item]) -> list[str]:
    """Subject pictures with a caption whose trigger lies, whole or in part, beyond the tokens that the model reads."""
    words = [word.casefold() for word in triggers_of(spec)]
    subject = [item for item in items if item.role == "subject"]
    cuts = unread_from(family, base, {text for item in subject for text in item.captions})

    def is_cut_off(caption: str) -> bool:
        found = [(caption.casefold().find(word), len(word)) for word in words]
        return any(at >= 0 and at + length > cuts.get(caption, len(caption)) for at, length in found)

    return [item.picture for item in subject if any(map(is_cut_off, item.captions))]


def summary(desk: Desk, items: Sequence[Item]) -> dict[str, Any]:
    """What the last word says of coverage: how often the trained pictures were seen, and those that never were."""
    counted = seen(desk.job.coverage, desk.starts()).times
    trained = [index for index, item in enumerate(items) if item.role != "holdout"]
    times = [counted[index] for index in trained]
    return {
        "seen_least": min(times),
        "seen_most": max(times),
        "never": [items[index].picture for index in trained if not counted[index]],
    }
