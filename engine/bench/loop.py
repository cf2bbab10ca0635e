"""The share of a training that is neither forward, backward nor optimizer, by alternation with the bare step.

The run is a real one: `engine.train.run` on a desk that only calls back. After a block of its steps it pauses inside that
call while the bare step trains the same micro-batches, so that both see the same minute of the machine. Blocks of the run
(A) and bare ones (B) come in the order A B B A A B B A, which takes a steady drift out of the pairs.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import train
from engine.bench.bare import Bare, wait_for_the_device
from engine.desk import Desk
from engine.waiting import wait_for_device
from projects.devicequeue import DeviceQueue
from projects.job import JobDir
from projects.machine import device_name
from projects.problems import refuse
from projects.project import new_run_dir, open_project, resolve, write_job
from projects.spec import TrainJob

WARM_UP_STEPS = 5


class CallingDesk(Desk):
    """A desk that calls back when training begins and after every step."""

    on_training: Callable[[], None]
    on_step: Callable[[int], None]

    def phase(self, name: str, quiet: float = 60.0, **fields: object) -> None:
        super().phase(name, quiet, **fields)
        if name == "training":
            self.on_training()

    def step(self, step: int, **fields: Any) -> None:
        super().step(step, **fields)
        self.on_step(step)


@dataclass
class Alternation:
    """Seconds of the blocks of a run and of the bare blocks on the same steps, in turn."""

    block: int
    """Steps a block."""
    blocks: int
    bare_block: Callable[[int], float]
    """Trains the bare block of that number (from 0) and gives the seconds it took."""
    clock: Callable[[], float] = time.perf_counter
    real: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    _since: float = 0.0

    def begin(self) -> None:
        """The run's first step comes next."""
        self._since = self.clock()

    def after(self, step: int) -> None:
        """`step` steps (1 or more) of the run are done."""
        if step % self.block or len(self.real) == self.blocks:
            return
        self.real.append(self.clock() - self._since)
        done = len(self.real)
        if done % 2:
            self.bare.append(self.bare_block(done - 1))
            if done < self.blocks:
                self.bare.append(self.bare_block(done))
        self._since = self.clock()


def alternate(project: Path, *, steps: int, block: int) -> tuple[list[float], list[float]]:
    """Seconds of the blocks of a real run of `steps` steps, and of the bare blocks beside them."""
    job, spec = new_run(project, steps, "loop")
    size = spec.spec.train.batch
    made: list[Bare] = []

    def bare_block(number: int) -> float:
        prepared = made[0].prepare(number * block, block, size)
        began = _now()
        made[0].train(prepared)
        return _now() - began

    blocks = Alternation(block=block, blocks=steps // block, bare_block=bare_block, clock=_now)

    def on_training() -> None:
        made.append(Bare.of_run(desk, spec))
        made[0].warm_up(made[0].prepare(0, WARM_UP_STEPS, size))
        blocks.begin()

    with CallingDesk.open(job) as desk:
        desk.on_training, desk.on_step = on_training, blocks.after
        run_on_the_device(desk, spec)
    return blocks.real, blocks.bare


def new_run(project: Path, steps: int, name: str) -> tuple[JobDir, TrainJob]:
    """A run of `project` that saves at its end only, and draws and evaluates nothing.

    Its text encoder stays frozen: the bare step's micro-batches lie ready, and a condition that learns cannot.
    """
    saving = f"train.checkpoint_every={steps}"
    frozen = ("adapter.text_encoder=false", "train.text_encoder_learning_rate=")
    assignments = (f"train.steps={steps}", saving, "sample.every=0", *frozen)
    spec = resolve(open_project(project), [*assignments, "train.evaluate_every=0"])
    job, train_job = new_run_dir(project, name), TrainJob(project=str(project.resolve()), spec=spec)
    write_job(job, train_job)
    return job, train_job


def run_on_the_device(desk: Desk, job: TrainJob) -> None:
    """Train when it is this job's turn on the device: another job beside it would be measured too."""
    desk.begin()
    queue = DeviceQueue(desk.job, device_name())
    try:
        wait_for_device(desk, queue, device_name())
        if train.run(desk, job) != "done":
            raise refuse("The run was stopped before it was measured.", where=desk.job.path)
    finally:
        queue.close()


def _now() -> float:
    wait_for_the_device()
    return time.perf_counter()
