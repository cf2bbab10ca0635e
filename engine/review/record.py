"""What a review says, before it is JSON: tests with their verdicts, and what may be done next (docs/files.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from engine.review.statistics import Interval

Verdict = Literal["good", "suspect", "bad", "unknown"]
TestName = Literal["sweep", "isolation", "echo", "muddle", "broken"]
Case = Literal["good", "leaking", "echo", "broken", "muddled", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that may be done next."""

    words: str
    set: Mapping[str, Any] = field(default_factory=dict)
    """Keys of project.toml and their new values, for a new run; empty where a person has to do it."""


def slower(rate: float, by: int) -> Step:
    """The same training with the rate divided."""
    less = float(f"{rate / by:.3g}")
    share = {2: "half", 10: "a tenth of"}.get(by, f"1/{by} of")
    return Step(
        words=f"train again from the same base at {less:g}, {share} the rate",
        set={"train.learning_rate": less},
    )


@dataclass(frozen=True, kw_only=True)
class Test:
    """One test: its figure, what that means, and what to do."""

    __test__ = False  # pytest would take it for one of its own

    test: TestName
    verdict: Verdict
    figure: Interval | None
    """None where nothing could be measured."""
    unit: str
    threshold: float | None
    """Of the figure: where the verdict turns bad."""
    words: str
    advice: str = ""
    steps: Sequence[Step] = ()
    """Two at most."""
    pictures: Sequence[str] = ()
    """Ids of the evidence, worst first."""
    details: Mapping[str, Any] = field(default_factory=dict)

    def table(self) -> dict[str, Any]:
        """As review.json has it."""
        figure = asdict(self.figure) if self.figure else {"value": None, "low": None, "high": None, "n": 0}
        return {
            "test": self.test, "verdict": self.verdict, **{key: rounded(value) for key, value in figure.items()},
            "unit": self.unit, "threshold": self.threshold, "words": self.words, "advice": self.advice,
            "steps": [{"words": step.words, "set": dict(step.set)} for step in self.steps],
            "pictures": list(self.pictures), "details": dict(self.details),
        }  # fmt: skip


def interval_table(interval: Interval | None) -> dict[str, Any] | None:
    """An interval as review.json has it."""
    return None if interval is None else {key: rounded(value) for key, value in asdict(interval).items()}


def rounded(value: Any) -> Any:
    """Five digits: more are noise, and a file that people read."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def said(interval: Interval, digits: int = 2) -> str:
    """ "0.41 [0.30, 0.52]" for people; without brackets where nothing is known of the spread."""
    value = f"{interval.value:.{digits}f}"
    if interval.low is None or interval.high is None:
        return value
    return f"{value} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"
