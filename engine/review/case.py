"""Which case a run is, from all tests together, and what to use of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.review import broken, echo, isolation, muddle, sweep
from engine.review.evidence import Evidence
from engine.review.record import Case, Test, TestName
from engine.review.sweep import Recommended

_CASES: Final[Mapping[TestName, Case]] = {
    "broken": "broken", "echo": "echo", "isolation": "leaking", "muddle": "muddled",
}  # fmt: skip
"""In this order: what is broken obeys no test any more, and what echoes leaks too."""
_ESSENTIAL: Final[Sequence[TestName]] = ("broken", "isolation")
"""Without which nobody can call a run good."""
_WORDS: Final[Mapping[Case, str]] = {
    "good": "It does what the trigger asks, and nothing without it.",
    "leaking": "It acts where nobody asked: the look comes without the trigger.",
    "echo": "It knows its training pictures by heart.",
    "broken": "It no longer keeps its prompts: the rate was too high.",
    "muddled": "It holds two looks at once.",
    "unknown": "There is too little to say what it is.",
}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a review comes to."""

    case: Case
    words: str
    recommended: Recommended | None
    """None where nothing can be recommended."""
    tests: Sequence[Test]
    evidence: Evidence
    likes: str
    """What measured likeness."""
    trust: str
    """How far that can be trusted."""
    reads: str
    """What measured how prompts are kept."""
    checkpoints: Sequence[Mapping[str, Any]]
    """What is known of each, as review.json has it."""


def judged(
    evidence: Evidence,
    rate: float,
    *,
    likes: str,
    trust: str,
    reads: str,
    checkpoints: Sequence[Mapping[str, Any]],
) -> Judged:
    """All verdicts. rate: the run's learning rate; the rest is passed on."""
    recommended = sweep.recommend(evidence)
    tests = (
        sweep.judge(evidence, recommended), isolation.judge(evidence, rate), echo.judge(evidence, rate),
        muddle.judge(evidence), broken.judge(evidence, rate),
    )  # fmt: skip
    case = case_of(tests)
    if case in ("broken", "echo"):
        recommended = None  # A weight of it would be a weight of what has to be trained again.
    return Judged(
        case=case, words=_WORDS[case], recommended=recommended, tests=tests, evidence=evidence, likes=likes, trust=trust,
        reads=reads, checkpoints=checkpoints,
    )  # fmt: skip


def case_of(tests: Sequence[Test]) -> Case:
    """The first bad test's case; good where none is, and unknown where too little is known to say so."""
    verdicts = {test.test: test.verdict for test in tests}
    for name, case in _CASES.items():
        if verdicts.get(name) == "bad":
            return case
    return "unknown" if any(verdicts.get(name) == "unknown" for name in _ESSENTIAL) else "good"
