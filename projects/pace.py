"""How fast a training is and how long its remaining steps take: the one place where either is computed."""

from dataclasses import dataclass
from typing import Final

WINDOW: Final = 50


@dataclass(frozen=True)
class Pace:
    """The mean over the last steps: one step alone may take four times as long as the next."""

    took: tuple[float, ...] = ()
    """Wall time of each of the last 50 steps, seconds, oldest first."""

    def after(self, seconds: float) -> "Pace":
        """The pace when one more step took `seconds`."""
        return Pace((*self.took[1 - WINDOW :], seconds))

    @property
    def seconds(self) -> float | None:
        """Mean seconds a step; None before the first."""
        return sum(self.took) / len(self.took) if self.took else None

    def left(self, steps: int) -> float | None:
        """Seconds that `steps` further steps take at this pace, without what is drawn between; None before the first."""
        return None if self.seconds is None else self.seconds * steps
