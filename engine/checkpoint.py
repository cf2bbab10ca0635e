"""Checkpoints: written aside, synced, renamed, named in a manifest with sha256; restored only when every byte agrees."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

from safetensors.torch import load as load_tensors
from torch import Tensor

from engine.container import pack
from engine.optimizers import Saved
from projects import atomic
from projects.job import JobDir
from projects.problems import refuse

FORMAT = 1
ADAPTER = "adapter.safetensors"
OPTIMIZER = "optimizer.safetensors"
MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Loss and gradient norm of the next step's slots on the saved weights: what `resume --verify` computes again."""

    loss: str
    """Hexadecimal float, so that nothing is lost in print."""
    grad: str
    """Hexadecimal float."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a checkpoint says of itself, beside its tensors."""

    step: int
    """Optimizer steps done."""
    rank: int
    alpha: float
    family: str
    base: str
    """Fingerprint of the base."""
    micro_batch: int
    """Pictures at once, after any halving for lack of memory."""
    threads: int
    """Threads of torch on the CPU: another number may change the last bits."""
    probe: Probe
    files: Mapping[str, str]
    """sha256 of each file."""
    optimizer: Mapping[str, str | int | bool] = field(default_factory=dict)
    """What the optimizer counts and estimates for all parameters together; floats in hexadecimal."""
    loss_scale: Mapping[str, str | int] = field(default_factory=dict)
    """State of fp16's loss scale; empty in other numbers."""
    format: int = FORMAT


def newest_checkpoint(job: JobDir) -> tuple[int, Path] | None:
    """Step and folder of the newest complete checkpoint."""
    steps = job.steps_saved()
    return (steps[-1], job.checkpoint(steps[-1])) if steps else None


def find_checkpoint(job: JobDir, step: int | None) -> tuple[int, Path]:
    """The checkpoint at `step`, or the newest. Raises Refused with the steps there are."""
    steps = job.steps_saved()
    if not steps:
        raise refuse(
            "This run has no checkpoint yet.",
            where=job.path,
            hint="Ask for one with c in the train room, or wait.",
        )
    if step is not None and step not in steps:
        raise refuse(
            f"There is no checkpoint at step {step}.",
            where=job.path,
            hint=f"There are: {', '.join(map(str, steps))}.",
        )
    chosen = steps[-1] if step is None else step
    return chosen, job.checkpoint(chosen)


def save(
    job: JobDir,
    *,
    step: int,
    adapter: Mapping[str, Tensor],
    optimizer: Saved,
    rank: int,
    alpha: float,
    family: str,
    base: str,
    micro_batch: int,
    threads: int,
    probe: Probe,
    loss_scale: Mapping[str, str | int] = MappingProxyType({}),
) -> Path:
    """Write the checkpoint of `step`; on any error nothing of it is left and older ones are untouched.

    Raises Refused when the disk has no room, before a byte is written where that can be known.
    """
    meta = {
        "format": "safelight-1",
        "rank": str(rank),
        "alpha": repr(alpha),
        "family": family,
        "step": str(step),
    }
    parts = {ADAPTER: pack(adapter, meta), OPTIMIZER: pack(optimizer.tensors, {})}
    manifest = Manifest(
        step=step, rank=rank, alpha=alpha, family=family, base=base, micro_batch=micro_batch, threads=threads,
        probe=probe, files={name: hashlib.sha256(data).hexdigest() for name, data in parts.items()},
        optimizer=dict(optimizer.numbers), loss_scale=dict(loss_scale),
    )  # fmt: skip
    parts[MANIFEST] = json.dumps(asdict(manifest), indent=1).encode()
    final = job.checkpoint(step)
    aside = final.with_name(f".{final.name}.aside")
    _check_room(job, sum(map(len, parts.values())))
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name, data in parts.items():
            atomic.write_bytes(aside / name, data)
        atomic.rename_folder(aside, final)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise refuse(
            f"The checkpoint of step {step} could not be written: {error.strerror or error}.",
            where=final,
            hint="Make room or mend the permission, then resume: the checkpoints before it are intact.",
        ) from error
    return final


def keep_newest(job: JobDir, keep: int) -> list[int]:
    """Remove all but the `keep` newest checkpoints; a folder is renamed first, so that no half one is ever counted."""
    gone = job.steps_saved()[:-keep]
    for step in gone:
        folder = job.checkpoint(step)
        trash = folder.with_name(f".{folder.name}.gone")
        shutil.rmtree(trash, ignore_errors=True)
        folder.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)
    return gone


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a checkpoint. Raises Refused when it was written by a newer Safelight or cannot be read."""
    try:
        table = json.loads((folder / MANIFEST).read_text("utf-8"))
        if table["format"] > FORMAT:
            raise refuse(
                "This checkpoint was written by a newer Safelight.", where=folder, hint="Update Safelight."
            )
        return Manifest(**(table | {"probe": Probe(**table["probe"])}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise refuse(
            f"The manifest cannot be read: {error}.", where=folder / MANIFEST, hint=_REMOVE
        ) from error


def load_adapter(folder: Path) -> tuple[Manifest, dict[str, Tensor]]:
    """Manifest and adapter tensors of a checkpoint; the file is compared with its sha256 first."""
    manifest = read_manifest(folder)
    return manifest, load_tensors(_checked(folder, manifest, ADAPTER))


def load_optimizer(folder: Path) -> Saved:
    """The optimizer's state of a checkpoint; the file is compared with its sha256 first."""
    manifest = read_manifest(folder)
    return Saved(tensors=load_tensors(_checked(folder, manifest, OPTIMIZER)), numbers=manifest.optimizer)


def sweep(job: JobDir) -> None:
    """Remove what a save or a removal left that was killed in the middle. Nobody else may be at work on the run."""
    for rest in job.checkpoints.glob(".step-*"):
        shutil.rmtree(rest, ignore_errors=True)


def _checked(folder: Path, manifest: Manifest, name: str) -> bytes:
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise refuse(
            f"A file of the checkpoint is missing: {error}.", where=folder / name, hint=_REMOVE
        ) from error
    if hashlib.sha256(data).hexdigest() != manifest.files[name]:
        raise refuse("The file is not what was saved: its sha256 differs.", where=folder / name, hint=_REMOVE)
    return data


_REMOVE = "Remove this checkpoint's folder to go on from the one before it."


def _check_room(job: JobDir, size: int) -> None:
    free = shutil.disk_usage(job.path).free
    if free < size * 1.1:
        raise refuse(
            f"A checkpoint takes {size / 1e6:,.0f} MB and {free / 1e6:,.0f} MB are free.",
            where=job.path,
            hint="Make room, then resume: the checkpoints before it are intact.",
        )
