"""What was measured of a project's runs on a device, kept in cache/measured.json and found again while nothing changed.

A measurement stands for every run with the same key: all that decides how long a step takes and how much memory it needs.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from projects import atomic
from projects.bases import BaseFacts
from projects.problems import refuse
from projects.spec import RunSpec, Sample

FORMAT = 2
KEPT = 50
"""Measurements that stay, newest first."""

Key = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A few of the run's own steps, one of its largest bucket, an evaluation and a preview."""

    steps: int
    """How many of the run's own first steps were timed, after the warm-up."""
    seconds_per_step: float
    """Mean: steps differ, as pictures of several buckets pass through the model one bucket at a time."""
    faster_half: float
    """Mean of the faster half of them."""
    slower_half: float
    """Mean of the slower half."""
    evaluation_seconds: float
    """One evaluation of the run's whole grid; 0 where the run makes none."""
    preview_seconds: float
    """One picture of a preview; 0 where the run makes none, or it could not be drawn."""
    preview_steps: int
    """Denoising steps of that picture."""
    memory_gb: float
    """Most memory taken, 10**9 bytes, whatever had to be encoded and the preview included."""
    device_memory_gb: float
    """What the device has, 10**9 bytes."""
    fingerprint: str
    """Of the base."""
    measured: float
    """When, seconds since 1970."""


def key_of(spec: RunSpec, base: str, device: str, buckets: Sequence[tuple[int, int]]) -> Key:
    """What decides time and memory of a run's parts. `base_stamp`, `machine.device_model`, and all buckets in pixels."""
    train, adapter, sample = spec.train, spec.adapter, spec.sample
    same = (
        "precision",
        "quantize",
        "optimizer",
        "batch",
        "accumulate",
        "processes",
        "gradient_checkpointing",
        "channels_last",
    )
    return {
        "base": base,
        "device": device,
        "buckets": [list(bucket) for bucket in buckets],
        "evaluates": train.evaluate_every > 0,
        "previews": _previews(sample),
        "resolution": list(train.resolution),
        "rank": adapter.rank,
        "targets": adapter.targets if isinstance(adapter.targets, str) else list(adapter.targets),
        "dropout": adapter.dropout > 0,
        # Layers of it behind the one that is read do not learn; where a project says none, 2 is read.
        "text_encoder": (spec.base.clip_skip or 2) if adapter.text_encoder else False,
        **{name: getattr(train, name) for name in same},
    }


def _previews(sample: Sample) -> Key | None:
    """What decides time and memory of a picture; None where the run draws none."""
    if not sample.every:
        return None
    return {
        "size": list(sample.size or ()),
        "sampler": sample.sampler,
        # Each has its own pass through the denoiser, or none.
        "guided": sample.guidance > 1,
        "true_guided": sample.true_guidance > 1,
        "prompts": len(sample.prompts),
        "seeds": len(sample.seeds),
    }


def require_one_process(spec: RunSpec) -> None:
    """Raise Refused for a run of several processes: what one of them takes alone would not be what the run takes."""
    if spec.train.processes > 1:
        raise refuse(
            "Only runs of one process can be measured.",
            where=f"train.processes = {spec.train.processes}",
            hint="Measure with --set train.processes=1: the memory of a card is about the same.",
        )


def base_stamp(facts: BaseFacts) -> str:
    """A name for the base's files as they lie on this machine, without reading them; "" where they are not here.

    Their sizes and times: a fingerprint takes minutes to compute, and nobody waits so long for a plan.
    """
    path = facts.path
    if path is None:
        return ""
    files = [path] if path.is_file() else sorted((*path.rglob("*.safetensors"), *path.rglob("config.json")))
    stats = [(file.relative_to(path.parent).as_posix(), file.stat()) for file in files]
    lines = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def save(project: Path, key: Key, found: Measured) -> None:
    """Keep a measurement in place of an older one with the same key. Raises OSError."""
    others = [entry for entry in _entries(project) if entry.get("key") != key]
    entries = [{"key": key, **asdict(found)}, *others][:KEPT]
    file = _file(project)
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(file, json.dumps({"format": FORMAT, "measured": entries}, indent=1) + "\n")


def find(project: Path, key: Key) -> Measured | None:
    """The measurement with this key; None where there is none, or the base is not here."""
    entry = next((entry for entry in _entries(project) if entry.get("key") == key), None)
    if entry is None or not key["base"]:
        return None
    told: dict[str, Any] = {field.name: entry.get(field.name) for field in fields(Measured)}
    numbers = [value for name, value in told.items() if name != "fingerprint"]
    # The cache may be damaged in any way, and then there is no measurement.
    if not all(type(value) in (int, float) and math.isfinite(value) for value in numbers):
        return None
    return Measured(**told)


def run_seconds(found: Measured, spec: RunSpec, *, steps: int, subject: int) -> tuple[float, float, float]:
    """Seconds a run of `steps` steps takes, at the pace of the faster half of those measured, of all, of the slower half.

    Previews, evaluations and what a checkpoint computes are in it; opening and encoding are not. `subject`: pictures of
    the subject.
    """
    train, sample = spec.train, spec.sample
    pictures = (len(sample.prompts) or min(3, subject)) * len(sample.seeds)
    previews = pictures * found.preview_seconds * sample.steps / max(1, found.preview_steps)
    beside = _moments(steps, sample.every) * previews
    beside += _moments(steps, train.evaluate_every) * found.evaluation_seconds
    # A checkpoint computes the next step once more, for its probe.
    passes = steps + len({*range(train.checkpoint_every, steps, train.checkpoint_every), steps})
    paces = (found.faster_half, found.seconds_per_step, found.slower_half)
    low, middle, high = (passes * pace + beside for pace in paces)
    return low, middle, high


def _moments(steps: int, every: int) -> int:
    """How often something happens that is due at step 0, every so many steps, and at the end."""
    return len({*range(0, steps, every), steps}) if every else 0


def _entries(project: Path) -> list[dict[str, Any]]:
    try:
        table = json.loads(_file(project).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    entries = table.get("measured") if isinstance(table, dict) and table.get("format") == FORMAT else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _file(project: Path) -> Path:
    return project / "cache" / "measured.json"
