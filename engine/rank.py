"""A process that trains beside the worker: it takes its share of every step, when and as the worker orders.

It has no desk and writes no file. What it prints goes through the worker into out.log, and it ends with the worker.
"""

import os
import sys
import threading
from pathlib import Path

import torch

from engine import assembly, checkpoint, precision, preparation
from engine.dataset.items import read_items
from engine.families.opening import open_base
from engine.group import Group, join
from engine.step import Task, forward_backward, update
from projects.job import JobDir
from projects.problems import Refused, refuse
from projects.project import read_job
from projects.spec import TrainJob


def work(job: JobDir, rank: int, size: int, port: int) -> int:
    """Train as rank `rank` of `size` until the worker says that it is over. Returns the exit code."""
    threading.Thread(target=_end_with_the_worker, name="worker", daemon=True).start()
    try:
        follow(job, join(job, rank, size, port))
    except Refused as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return 1
    torch.distributed.destroy_process_group()
    return 0


def follow(job: JobDir, group: Group) -> None:
    """Open what the worker has opened and encoded, stand where it stands, and do what it orders."""
    read = read_job(job)
    if not isinstance(read, TrainJob):
        raise refuse("Only a training has several processes.", where=job.spec)
    spec, project = read.spec, Path(read.project)
    found = checkpoint.newest_checkpoint(job)
    manifest = checkpoint.read_manifest(found[1]) if found else None
    assembly.set_threads(manifest, group.size)
    family, base = open_base(spec.base, project)
    items = read_items(job.items)
    latents, cached = preparation.readers(project, spec, family, base)
    task = assembly.assemble(spec, family, base, items, latents, cached, group=group)
    if read.start_from and not found:
        assembly.continue_from(task, spec, base, Path(read.start_from))
    optimizer = assembly.optimizer_of(spec, task)
    start = assembly.restore(task, optimizer, found[1])[0] if found else 0
    group.require_same(
        task.parameters, start, base.fingerprint, precision.saved_scale(task.accelerator.scaler)
    )
    obey(task, optimizer)


def obey(task: Task, optimizer: torch.optim.Optimizer) -> None:
    """Do what rank 0 does, until it says `end`: each order stands beside the same words in train.py."""
    while True:
        match task.group.hear():
            case "pass", (step, micro_batch):
                if forward_backward(task, step, micro_batch) is None:
                    torch.cuda.empty_cache()
            case "update", (share, overflow):
                update(task, optimizer, share, overflow=overflow)
            case "compare", (step,):
                task.group.require_same(task.parameters, step, precision.saved_scale(task.accelerator.scaler))
            case "end", _:
                return
            case other:
                raise ValueError(f"no such order: {other}")


def _end_with_the_worker() -> None:
    """The worker never writes into this pipe, and it closes when the worker is gone, even by kill -9."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)
