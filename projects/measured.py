"""What was measured of a project's runs on a device, kept in cache/measured.json and found again while nothing changed.

A measurement stands for every run with the same key: all that decides how long a step takes and how much memory it needs.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from projects import atomic
from projects.bases import BaseFacts
from projects.problems import refuse
from projects.spec import RunSpec

FORMAT = 1
KEPT = 50
"""Measurements that stay, newest first."""

Key = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A few real steps, an evaluation and a preview, at the largest bucket of the project's pictures."""

    steps: int
    """How many steps were timed, after the warm-up."""
    seconds_per_step: float
    """Median."""
    fastest: float
    """Seconds of the fastest step."""
    slowest: float
    """Seconds of the slowest step."""
    area_share: float
    """Mean area of a drawn picture's bucket as a share of the largest one."""
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


def key_of(spec: RunSpec, base: str, device: str, bucket: tuple[int, int]) -> Key:
    """What decides time and memory of a step. `base_stamp`, `machine.device_model`, and the largest bucket in pixels."""
    train, adapter = spec.train, spec.adapter
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
        "bucket": list(bucket),
        "size": list(spec.sample.size or ()),
        "resolution": list(train.resolution),
        "rank": adapter.rank,
        "targets": adapter.targets if isinstance(adapter.targets, str) else list(adapter.targets),
        "dropout": adapter.dropout > 0,
        # Layers of it behind the one that is read do not learn; where a project says none, 2 is read.
        "text_encoder": (spec.base.clip_skip or 2) if adapter.text_encoder else False,
        **{name: getattr(train, name) for name in same},
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
    try:
        return Measured(**{field.name: entry[field.name] for field in fields(Measured)})
    except KeyError:
        return None


def run_seconds(found: Measured, spec: RunSpec, *, steps: int, subject: int) -> tuple[float, float, float]:
    """Seconds a run of `steps` steps takes: with every step as fast as the fastest, as the median, as the slowest.

    Previews, evaluations and what a checkpoint computes are in it; opening and encoding are not. The first two are scaled
    to the buckets that are drawn, the last takes every picture for the largest. `subject`: pictures of the subject.
    """
    train, sample = spec.train, spec.sample
    pictures = (len(sample.prompts) or min(3, subject)) * len(sample.seeds)
    previews = pictures * found.preview_seconds * sample.steps / max(1, found.preview_steps)
    beside = _moments(steps, sample.every) * previews
    beside += _moments(steps, train.evaluate_every) * found.evaluation_seconds
    # A checkpoint computes the next step once more, for its probe.
    passes = steps + len({*range(train.checkpoint_every, steps, train.checkpoint_every), steps})
    paces = (found.fastest * found.area_share, found.seconds_per_step * found.area_share, found.slowest)
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
