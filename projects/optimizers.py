"""What is known of each optimizer without torch: which rates it takes, what it needs installed, how much it keeps.

`engine/optimizers.py` holds the other half of each, under the same name: the code that builds it.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from projects.problems import Problem


@dataclass(frozen=True, kw_only=True)
class OptimizerFacts:
    """One optimizer. Differences are values here, never `if optimizer == ...` at a place of use."""

    called: str
    """For people."""
    path: str
    """Module and class as other trainers write it into `ss_optimizer`."""
    checkpoint_bytes: int
    """Bytes of a checkpoint per adapter parameter: 4 for the weight, the rest for what the optimizer keeps."""
    finds_rate: bool = False
    """It looks for the learning rate itself, and what the project says is a factor on it."""
    averages: bool = False
    """An average of the weights stands in place of a falling rate, so the rate itself must not fall too."""
    extra: str = ""
    """Extra of the installation that brings its library; empty: it comes with `train`."""

    @property
    def package(self) -> str:
        """Name under which its library is imported."""
        return self.path.partition(".")[0]


OPTIMIZERS: Final[Mapping[str, OptimizerFacts]] = {
    "adamw": OptimizerFacts(called="AdamW", path="torch.optim.adamw.AdamW", checkpoint_bytes=12),
    "adamw_8bit": OptimizerFacts(
        called="8-bit AdamW", path="bitsandbytes.optim.adamw.AdamW8bit", checkpoint_bytes=6, extra="bnb"
    ),
    "prodigy": OptimizerFacts(
        called="Prodigy",
        path="prodigyopt.prodigy.Prodigy",
        checkpoint_bytes=20,
        finds_rate=True,
        extra="optimizers",
    ),
    "adafactor": OptimizerFacts(
        called="Adafactor", path="transformers.optimization.Adafactor", checkpoint_bytes=5
    ),
    "adamw_schedulefree": OptimizerFacts(
        called="Schedule-free AdamW",
        path="schedulefree.adamw_schedulefree.AdamWScheduleFree",
        checkpoint_bytes=16,
        averages=True,
        extra="optimizers",
    ),
}


def missing_library(name: str) -> Problem | None:
    """What is not installed for the optimizer `name`; looked for without importing it."""
    facts = OPTIMIZERS[name]
    if not facts.extra or importlib.util.find_spec(facts.package) is not None:
        return None
    return Problem(
        error=f"{facts.called} needs {facts.package}, not installed here.",
        where=f"train.optimizer = {name}",
        hint=f'Install the extra: pip install "safelight[{facts.extra}]". Or write "adamw".',
    )
