"""Everything that can stand in the way of a run, found before a worker is started, and without torch."""

import importlib.util
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.dataset.audit.last import last_findings
from engine.dataset.findings import Finding
from engine.dataset.items import Item, trained_buckets
from engine.dataset.scan import scan
from projects import rights
from projects.bases import BaseFacts, describe
from projects.extras import missing_for
from projects.machine import device_model, device_name, device_names
from projects.measured import Measured, base_stamp, find, key_of
from projects.optimizers import missing_library
from projects.plan import Plan, plan, resolve_steps
from projects.problems import Problem, Refused
from projects.project import Project, resolve
from projects.spec import Role, RunSpec

# A base that was not downloaded yet does not tell its step: crops are checked with SDXL's, and the worker places them.
_STEP_OF_UNKNOWN_BASE = 64
# What the scan answers itself, with the files as they are now.
_SCANNED = ("unreadable", "truncated", "oversized-file", "animated", "decoder", "mode")
_TRAIN_PACKAGES = ("torch", "diffusers", "transformers", "peft", "accelerate", "safetensors", "numpy")


@dataclass(frozen=True)
class Readiness:
    """A resolved spec, what it would do, and what stands in the way."""

    spec: RunSpec
    """With train.steps filled."""
    plan: Plan | None
    """None where the pictures could not be counted."""
    problems: Sequence[Problem]
    """Empty when the run may start."""
    notes: Sequence[str]
    """Sentences that stop nothing."""
    findings: Sequence[Problem] = ()
    """Those of the notes that the scan made, with every picture that each is about."""
    blockers: Sequence[Finding] = ()
    """What the last audit found to stand in the way and the scan does not: a run may start over it, and says so."""


def examine(
    project: Project,
    assignments: Sequence[str] = (),
    *,
    missing: Literal["refuse", "trigger"] = "refuse",
    on_progress: Callable[[int, int], None] | None = None,
) -> Readiness:
    """Check spec, pictures, captions, rights and room. Raises Refused (usage) when the specification itself is wrong."""
    spec = resolve(project, assignments)
    facts = describe(spec.base.source, project.path, revision=spec.base.revision)
    problems: list[Problem] = []
    texts = [spec.name, spec.trigger, spec.class_word, *spec.sample.prompts, spec.sample.negative]
    try:
        found = scan(
            project.path,
            spec,
            bucket_step=facts.bucket_step or _STEP_OF_UNKNOWN_BASE,
            missing=missing,
            on_progress=on_progress,
        )
    except Refused as refused:
        problems += refused.problems + _door(project.path, spec, texts)
        return Readiness(spec, None, problems, [])
    texts += [caption for item in found.items for caption in item.captions]
    problems += _door(project.path, spec, texts)
    counts: Mapping[Role, int] = Counter(item.role for item in found.items)
    draws: Counter[Role] = Counter()
    for item in found.items:
        draws[item.role] += item.repeats
    measured = _measured(project.path, spec, facts, found.items)
    planned = plan(
        spec,
        counts,
        draws=draws,
        facts=facts,
        measured=measured,
        free_bytes=shutil.disk_usage(project.path).free,
        device=device_name(),
    )
    problems += [*planned.problems, *missing_packages(spec.train.optimizer), *missing_for(spec)]
    problems += missing_devices(spec)
    blockers = _blockers(project.path, spec, found.items)
    notes = [str(note) for note in found.notes] + list(planned.notes)
    notes += [f"A blocker of the last audit stands: {each.value} {each.remedy}" for each in blockers]
    spec = resolve_steps(spec, counts, draws=draws)
    return Readiness(spec, planned, problems, notes, tuple(found.notes), blockers)


def missing_packages(optimizer: str) -> list[Problem]:
    """What the engine and the optimizer need and this Python lacks; looked for without importing it."""
    absent = [name for name in _TRAIN_PACKAGES if importlib.util.find_spec(name) is None]
    if not absent:
        return [problem] if (problem := missing_library(optimizer)) else []
    hint = "Install Safelight with its extra for training, as the README says; everything else works without."
    return [Problem(error=f"Training needs {', '.join(absent)}, not installed here.", hint=hint)]


def missing_devices(spec: RunSpec) -> list[Problem]:
    """That there are fewer GPUs than processes; asked without torch."""
    try:
        device_names(spec.train.processes)
    except Refused as refused:
        return list(refused.problems)
    return []


def _door(project: Path, spec: RunSpec, texts: Sequence[str]) -> list[Problem]:
    try:
        rights.allow(project, spec, "train", texts)
    except Refused as refused:
        return list(refused.problems)
    return []


def _blockers(project: Path, spec: RunSpec, items: Sequence[Item]) -> tuple[Finding, ...]:
    """As the last audit left them in its store; nothing is measured."""
    names = {item.path: item.picture for item in items}
    last = last_findings(project, names, spec.audit.ignored)
    return tuple(each for each in last if each.severity == "blocker" and each.check not in _SCANNED)


def _measured(project: Path, spec: RunSpec, facts: BaseFacts, items: Sequence[Item]) -> Measured | None:
    """What was measured of such a run on this kind of device."""
    stamp = base_stamp(facts)
    if not stamp or all(item.role == "holdout" for item in items):
        return None
    return find(project, key_of(spec, stamp, device_model(), trained_buckets(items)))
