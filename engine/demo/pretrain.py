"""A resumable stage of pretraining: a fixed number of steps, a learning-rate curve, an average of the weights.

Every random draw of a step comes from a generator named by seed and step number, so a stage that was killed goes
on from its last checkpoint as if nothing had happened. A checkpoint is a safetensors file (weights, averaged
weights, optimizer moments); `state.json`, replaced last, says which file counts.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as safetensors_load
from safetensors.torch import save as safetensors_save
from torch import Tensor, nn

from projects.atomic import write_bytes, write_text

Losses = tuple[Tensor, dict[str, float]]
"""The loss to minimise, and figures for the log."""


@dataclass(frozen=True)
class Plan:
    """How a stage is trained. Fixed when it starts; a resume with another plan is refused.

    `flat` is the share of the steps at full rate before the cosine tail; `average` the decay of the weight average.
    """

    stage: str
    steps: int
    seed: int
    peak_rate: float
    warmup: int = 150
    flat: float = 0.3
    average: float = 0.9985
    weight_decay: float = 0.01
    checkpoint_seconds: float = 150.0
    log_every: int = 50

    def rate(self, step: int) -> float:
        """Learning rate of step 0 .. steps-1."""
        rise = min(1.0, (step + 1) / self.warmup)
        done = step / self.steps
        tail = (
            1.0 if done < self.flat else 0.5 + 0.5 * math.cos(math.pi * (done - self.flat) / (1 - self.flat))
        )
        return self.peak_rate * rise * tail + self.peak_rate * 1e-3


def step_generator(seed: int, step: int) -> torch.Generator:
    """The source of everything random in one step."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


class Stage:
    """Trains `modules` together under a plan and keeps their exponential average."""

    def __init__(self, plan: Plan, modules: dict[str, nn.Module], folder: Path) -> None:
        self.plan, self.modules, self.folder = plan, modules, folder
        self.step = 0
        self.seconds = 0.0  # of training, over all attempts
        self.weights = {f"{m}.{n}": p for m, module in modules.items() for n, p in module.named_parameters()}
        self.average = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self.optimizer = torch.optim.AdamW(
            list(self.weights.values()),
            lr=plan.peak_rate,
            betas=(0.9, 0.99),
            weight_decay=plan.weight_decay,
            fused=True,
        )
        folder.mkdir(parents=True, exist_ok=True)

    def run(
        self,
        losses: Callable[[int, torch.Generator], Losses],
        look: Callable[[int], None] | None = None,
        until: int = -1,
    ) -> None:
        """Train to the end of the plan (or to step `until`); `look` is called after each checkpoint."""
        self.resume()
        stop = self.plan.steps if until < 0 else min(until, self.plan.steps)
        before, started, saved = self.seconds, time.monotonic(), time.monotonic()
        seen: list[dict[str, float]] = []
        while self.step < stop:
            seen.append(self._train_step(losses))
            self.seconds = before + time.monotonic() - started
            if self.step % self.plan.log_every == 0:
                self._log(seen)
                seen = []
            if time.monotonic() - saved > self.plan.checkpoint_seconds and self.step < stop:
                self.save()
                if look is not None:
                    look(self.step)
                saved = time.monotonic()
        self.save()

    def _train_step(self, losses: Callable[[int, torch.Generator], Losses]) -> dict[str, float]:
        rate = self.plan.rate(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss, figures = losses(self.step, step_generator(self.plan.seed, self.step))
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"{self.plan.stage}: the loss is not finite at step {self.step}; nothing was saved, "
                "run the stage again with a lower --rate from its last checkpoint"
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(list(self.weights.values()), 1.0)
        self.optimizer.step()
        decay = min(self.plan.average, (self.step + 1) / (self.step + 15))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.values()), [w.data for w in self.weights.values()], 1 - decay
            )
        self.step += 1
        return {"loss": loss.item(), **figures, "rate": rate}

    def _log(self, seen: list[dict[str, float]]) -> None:
        means = {key: sum(row[key] for row in seen) / len(seen) for key in seen[0]}
        text = " ".join(f"{key} {value:.4g}" for key, value in means.items())
        pace = self.seconds / self.step
        print(
            f"{self.plan.stage} {self.step}/{self.plan.steps} {self.seconds:.0f}s {pace:.3f}s/step {text}",
            flush=True,
        )

    def save(self) -> None:
        """Write a checkpoint and make it the current one; the one before goes away last."""
        moments: dict[str, Tensor] = {}
        for name, weight in self.weights.items():
            for key, value in self.optimizer.state.get(weight, {}).items():
                moments[f"{key}/{name}"] = value.detach().clone()
        tensors = {f"weight/{name}": weight.detach().contiguous() for name, weight in self.weights.items()}
        tensors |= {f"average/{name}": weight.contiguous() for name, weight in self.average.items()}
        tensors |= {name: value.contiguous() for name, value in moments.items()}
        name = f"step-{self.step:06d}.safetensors"
        write_bytes(self.folder / name, safetensors_save(tensors))
        state = {
            "format": 1,
            "step": self.step,
            "seconds": self.seconds,
            "file": name,
            "plan": asdict(self.plan),
        }
        write_text(self.folder / "state.json", json.dumps(state, indent=2) + "\n")
        for old in self.folder.glob("step-*.safetensors"):
            if old.name != name:
                old.unlink()

    def resume(self) -> None:
        """Take up the current checkpoint, if there is one."""
        state = read_state(self.folder)
        if state is None:
            return
        habits = {"checkpoint_seconds": 0, "log_every": 0}  # may differ: they change no number
        if {**state["plan"], **habits} != {**asdict(self.plan), **habits}:
            raise ValueError(
                f"{self.folder / 'state.json'}: this stage was started with another plan ({state['plan']}); "
                "use the same steps, seed and rate, or another --work folder"
            )
        tensors = safetensors_load((self.folder / state["file"]).read_bytes())
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(tensors[f"weight/{name}"])
                self.average[name].copy_(tensors[f"average/{name}"])
                if f"step/{name}" in tensors:  # a stage that was saved before its first step has no moments
                    self.optimizer.state[weight] = {
                        # Moments take the weight's memory format, so that sums run in the same order as before.
                        "step": tensors[f"step/{name}"],
                        "exp_avg": torch.empty_like(weight).copy_(tensors[f"exp_avg/{name}"]),
                        "exp_avg_sq": torch.empty_like(weight).copy_(tensors[f"exp_avg_sq/{name}"]),
                    }
        self.step, self.seconds = state["step"], state["seconds"]

    def use_average(self) -> dict[str, Tensor]:
        """Put the averaged weights into the modules; returns the live ones for `restore`."""
        live = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self.restore(self.average)
        return live

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put back the weights that `use_average` returned."""
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(tensors[name])


def read_state(folder: Path) -> dict[str, Any] | None:
    """`state.json` of a stage, or None before its first checkpoint."""
    path = folder / "state.json"
    if not path.exists():
        return None
    state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return state


def load_average(folder: Path, modules: dict[str, nn.Module]) -> dict[str, Any]:
    """Fill `modules` with the averaged weights of the stage in `folder`; returns its state."""
    state = read_state(folder)
    if state is None:
        raise FileNotFoundError(f"{folder / 'state.json'}: the stage has no checkpoint yet; run it first")
    tensors = safetensors_load((folder / state["file"]).read_bytes())
    with torch.no_grad():
        for prefix, module in modules.items():
            for name, weight in module.named_parameters():
                weight.copy_(tensors[f"average/{prefix}.{name}"])
    return state
