"""The check of the first steps: does everything that should learn, learn? Reported once, as one event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import nn

from projects.problems import listed

STEPS = 50
"""Steps watched before the report."""


@dataclass
class Health:
    """Collects over the first steps which adapter tensors ever received a gradient."""

    parameters: Mapping[str, nn.Parameter]
    """The trained adapter's, by file name."""
    alive: set[str] = field(default_factory=set)
    steps: int = 0

    def observe(self) -> None:
        """Look at the gradients of one step. A's follows B's by a step, since B begins at zero."""
        self.steps += 1
        for name, parameter in self.parameters.items():
            if name not in self.alive and parameter.grad is not None and bool(parameter.grad.any()):
                self.alive.add(name)

    def problems(self, outside_window: Sequence[str]) -> list[str]:
        """What is wrong after the watched steps, as sentences; empty when all is well.

        `outside_window` are pictures whose caption has the trigger beyond the tokens that the model reads.
        """
        found = []
        watched = {name for name in self.parameters if self.steps > 1 or ".lora_B." in name}
        dead = sorted(watched - self.alive)
        if dead:
            found.append(
                f"{len(dead)} of {len(watched)} adapter tensors received no gradient, e.g. {dead[0]}."
            )
        zero = [
            name
            for name, parameter in self.parameters.items()
            if ".lora_B." in name and not bool(parameter.any())
        ]
        if zero:
            found.append(f"{len(zero)} layers have not moved from zero, e.g. {zero[0]}.")
        if outside_window:
            many = f"{len(outside_window)} captions: {listed(outside_window)}"
            found.append(f"The trigger lies beyond the tokens the model reads in {many}.")
        return found
