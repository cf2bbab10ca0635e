"""What an exported file says of its run, read from the run's own files, so that the same run always says the same."""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engine.checkpoint import Manifest
from engine.dataset.items import Item, read_items
from engine.families.family import Base
from projects.events import read
from projects.job import JobDir
from projects.problems import refuse
from projects.spec import RunSpec, data_sets

UNSTATED = "unstated"
"""The licence where rights.toml says none."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One checkpoint of one run, as the metadata and the model card tell of it."""

    spec: RunSpec
    stem: str
    """File name without endings, NAME-step0500, with the kind of numbers behind it where they are not fp32."""
    step: int
    rank: int
    alpha: float
    """As it was trained; a file may have it multiplied into its tensors."""
    base: Base
    family: str
    subject: int
    """Pictures of the subject."""
    regularization: int
    """Pictures of the general category."""
    images: int
    """Pictures that come up in one epoch, repeats counted."""
    triggers: Mapping[str, Mapping[str, int]]
    """Name of a subject set's folder -> its trigger -> pictures with the trigger in a caption."""
    started: float | None
    """When the run started, seconds since 1970."""
    saved: float | None
    """When this checkpoint was written, seconds since 1970."""
    licence: str
    data_fingerprint: str
    settings_digest: str
    version: str
    """Of Safelight."""

    @property
    def date(self) -> str:
        """When this checkpoint was written, as 2026-11-24T15:30:00Z; "" where it is not known."""
        if self.saved is None:
            return ""
        return datetime.fromtimestamp(int(self.saved), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def gather(
    job: JobDir, project: Path, spec: RunSpec, *, manifest: Manifest, base: Base, family: str
) -> Facts:
    """The facts of one checkpoint of the run `job`. Raises Refused where a file of the run cannot be read."""
    trained = [item for item in read_items(job.items) if item.role != "holdout"]
    started, saved = _times(job, manifest.step)
    return Facts(
        spec=spec,
        stem=f"{file_name(spec.name or project.name)}-step{manifest.step:04d}",
        step=manifest.step,
        rank=manifest.rank,
        alpha=manifest.alpha,
        base=base,
        family=family,
        subject=sum(item.role == "subject" for item in trained),
        regularization=sum(item.role == "regularization" for item in trained),
        images=sum(item.repeats for item in trained),
        triggers=_triggers(trained, spec),
        started=started,
        saved=saved or started,
        licence=licence_of(project),
        data_fingerprint=data_fingerprint(trained),
        settings_digest=_digest(job.spec),
        version=safelight_version(),
    )


def data_fingerprint(items: Iterable[Item]) -> str:
    """sha256 in hex over one line a trained picture, sorted: the JSON list of its sha256 and its captions.

    Names, folders and order do not matter; one changed letter or picture does.
    """
    lines = sorted(json.dumps([item.sha256, *item.captions]) for item in items)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def licence_of(project: Path) -> str:
    """`licence` of rights.toml, or "unstated"."""
    path = project / "rights.toml"
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return UNSTATED
    except (OSError, ValueError, RecursionError) as error:
        raise refuse(
            f"cannot be read: {error}.", where=path, hint="Mend it: the exported file names the licence."
        ) from None
    said = table.get("licence")
    return said.strip() or UNSTATED if isinstance(said, str) else UNSTATED


def file_name(name: str) -> str:
    """`name` as every file system takes it: letters, digits, and . _ - inside; "adapter" when nothing is left."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-._")[:80] or "adapter"


def safelight_version() -> str:
    """Version of the installed package."""
    try:
        return version("safelight")
    except PackageNotFoundError:
        return "unknown"


def _triggers(items: Sequence[Item], spec: RunSpec) -> dict[str, dict[str, int]]:
    own = {data_set.path: data_set.trigger or spec.trigger for data_set in data_sets(spec.data)}
    counts: dict[str, dict[str, int]] = {}
    for item in items:
        trigger = own.get(item.set, spec.trigger)
        if trigger and item.role == "subject" and any(trigger in caption for caption in item.captions):
            folder = counts.setdefault(Path(item.set).name or "images", {})
            folder[trigger] = folder.get(trigger, 0) + 1
    return counts


def _times(job: JobDir, step: int) -> tuple[float | None, float | None]:
    started = saved = None
    for event in read(job.events)[0]:
        moment = event.get("t")
        if not isinstance(moment, int | float):
            continue
        if event["kind"] == "started" and started is None:
            started = float(moment)
        elif event["kind"] == "saved" and event.get("step") == step:
            saved = float(moment)
    return started, saved


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise refuse(
            f"cannot be read: {error.strerror or error}.", where=path, hint="Is this a run's folder?"
        ) from None
